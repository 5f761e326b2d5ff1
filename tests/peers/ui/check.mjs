// Uses /docs as a person does, in a real browser, and prints what it saw as one line of JSON:
//
//   node check.mjs URL TOKEN FOLDER [SCREENSHOT]
//
// FOLDER is where playwright-core is installed. Nothing is judged here; the caller does that.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [url, token, folder, screenshot] = process.argv.slice(2);
const { chromium } = createRequire(join(resolve(folder), "package.json"))("playwright-core");

const BROWSER = process.env.TEST_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const OPERATION = "#operations-users-get_profile";

// Each launch has a new profile of its own.
const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const requests = [];
  const errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.location().url} ${message.text()}`);
  });

  await page.goto(`${url}/docs/`);
  const contract = await operations(page, "/openapi.yaml");
  const before = await execute(page);
  await authorize(page);
  const after = await execute(page);
  if (screenshot) await page.screenshot({ path: screenshot });

  await page.locator("#select").selectOption({ label: "From the code" });
  const code = await operations(page, "/api-docs/openapi.json");
  const afterSwitch = await execute(page);

  console.log(JSON.stringify({ contract, code, before, after, afterSwitch, requests, errors }));
} finally {
  await browser.close();
}

// The operations on the page, once it shows the document at `path`.
async function operations(page, path) {
  await page.locator(".info a.link", { hasText: path }).waitFor();
  await page.locator(OPERATION).waitFor();
  return page.locator(".opblock .opblock-summary-path").evaluateAll((paths) =>
    paths.map((path) => {
      const method = path.closest(".opblock").querySelector(".opblock-summary-method");
      return `${method.innerText.trim()} ${path.dataset.path}`;
    }),
  );
}

// Presses Execute on GET /user/profile; the status and the body that the page then shows.
async function execute(page) {
  const operation = page.locator(OPERATION);
  if (!(await operation.getAttribute("class")).includes("is-open")) {
    await operation.locator(".opblock-summary-control").click();
  }
  const start = operation.getByRole("button", { name: "Try it out" });
  const send = operation.getByRole("button", { name: "Execute" });
  await start.or(send).first().waitFor();
  if (await start.isVisible()) await start.click();
  const answered = page.waitForResponse((response) => response.url().endsWith("/user/profile"));
  await send.click();
  const status = String((await answered).status());
  const live = operation.locator(".live-responses-table tr.response");
  await live.locator(".response-col_status", { hasText: status }).waitFor();
  const body = await live.locator(".highlight-code").first().innerText();
  return { status: Number(status), body };
}

async function authorize(page) {
  await page.locator(".auth-wrapper .btn.authorize").click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("input").fill(token);
  await dialog.locator("button[type=submit]").click();
  await dialog.locator(".btn-done").click();
  await dialog.waitFor({ state: "detached" });
}
