//! Swagger UI at /docs: it needs nothing from elsewhere, and it works in a real browser.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{OWNER_TOKEN, Server, peers};

const BROWSER: &str = "/usr/bin/chromium";

#[tokio::test]
async fn both_documents_are_served_as_they_are() {
    let server = Server::start().await;
    let (kind, body) = fetch(&server, "/openapi.yaml").await;
    assert_eq!(kind, "application/yaml");
    assert_eq!(body, include_str!("../../openapi/openapi.yaml"));

    let (kind, body) = fetch(&server, "/api-docs/openapi.json").await;
    assert_eq!(kind, "application/json");
    let served: Value = serde_json::from_str(&body).expect("JSON");
    let own = serde_json::to_value(repoplane::api::document()).expect("JSON");
    assert_eq!(served, own);
    server.stop().await;
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let server = Server::start().await;
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let plain = plain.build().expect("a client");
    let answer = plain.get(format!("{}/docs", server.url())).send().await.expect("answered");
    assert!(answer.status().is_redirection());
    assert_eq!(answer.headers()["location"], "/docs/");

    for page in ["/docs/", "/docs/index.css", "/docs/swagger-initializer.js"] {
        let (_, body) = fetch(&server, page).await;
        for elsewhere in ["http:", "https:", "//cdn", "src=\"//", "href=\"//", "url(//"] {
            assert!(!body.contains(elsewhere), "{page} names {elsewhere}");
        }
    }
    let (_, settings) = fetch(&server, "/docs/swagger-initializer.js").await;
    for document in ["\"/openapi.yaml\"", "\"/api-docs/openapi.json\""] {
        assert!(settings.contains(document), "{settings}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_shows_both_documents_and_calls_the_api() {
    if !peers::installed(&[BROWSER, "ui/node_modules/playwright-core"]) {
        return;
    }
    let server = Server::start().await;
    let seen = browse(&server.url(), &peers::folder().join("ui"));

    let operations = operations();
    assert_eq!(texts(&seen["contract"]), operations);
    assert_eq!(texts(&seen["code"]), operations);
    assert_eq!(seen["before"]["status"], 401);
    assert!(text(&seen["before"]["body"]).contains("NO_AUTH_USER"), "{}", seen["before"]);
    for authorized in ["after", "afterSwitch"] {
        assert_eq!(seen[authorized]["status"], 200);
        let body = text(&seen[authorized]["body"]);
        assert!(body.contains("owner@localhost"), "{authorized}: {body}");
    }

    let origin = format!("{}/", server.url());
    let foreign: Vec<_> = texts(&seen["requests"])
        .into_iter()
        .filter(|url| !url.starts_with(&origin) && !url.starts_with("data:"))
        .collect();
    assert!(foreign.is_empty(), "requests that left the origin: {foreign:?}");
    // A browser reports the one refusal that was asked for.
    let errors = seen["errors"].as_array().expect("a list");
    assert!(errors.len() == 1 && text(&errors[0]).contains("401"), "{errors:?}");
    server.stop().await;
}

async fn fetch(server: &Server, path: &str) -> (String, String) {
    let answer = reqwest::get(format!("{}{path}", server.url())).await.expect("answered");
    assert_eq!(answer.status(), 200, "{path}");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (kind, answer.text().await.expect("a body"))
}

/// Every method and path of the contract, as Swagger UI writes them.
fn operations() -> BTreeSet<String> {
    let document = serde_json::to_value(repoplane::api::document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let methods = |(path, item): (&String, &Value)| -> Vec<String> {
        let item = item.as_object().expect("a path item");
        item.keys().map(|method| format!("{} {path}", method.to_uppercase())).collect()
    };
    paths.iter().flat_map(methods).collect()
}

fn browse(url: &str, folder: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/ui/check.mjs");
    let output =
        Command::new("node").args([script, url, OWNER_TOKEN]).arg(folder).output().expect("node");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).expect("a line of JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn texts(values: &Value) -> BTreeSet<String> {
    values.as_array().expect("a list").iter().map(|value| text(value).to_owned()).collect()
}
