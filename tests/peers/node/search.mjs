// Drives search with the official TypeScript SDK, unchanged.
// RELACE_BASE_URL and RELACE_API_KEY say where and as whom.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// The SDK is installed apart from this file.
const require = createRequire(join(process.env.TEST_PEER_MODULES, 'none.js'));
const Relace = require('@relace-ai/relace').default;

const client = new Relace({ maxRetries: 0 });
const texts = {
  'src/retry.ts': 'export function backoffDelay(attempt) {\n  return 2 ** attempt;\n}\n',
  'src/client.ts': "import { backoffDelay } from './retry';\n\nsleep(backoffDelay(1));\n",
  'README.md': '# Nothing to see\n',
};
const files = Object.entries(texts).map(([filename, content]) => ({ filename, content }));
const query = 'where is backoffDelay defined?';

async function told(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

function check(events) {
  assert.equal(events[0].event, 'started');
  assert.deepEqual(events.at(-1), { event: 'done', data: {} });
  const calls = events.slice(1, -1).map((event) => event.data.name);
  assert.deepEqual(calls, ['grep_search', 'view_file', 'view_file', 'report_back']);
  assert.deepEqual(events.at(-2).data.files, { 'src/retry.ts': [[1, 3]], 'src/client.ts': [[1, 3]] });
}

const repo = await client.repo.create({ source: { type: 'files', files }, auto_index: true });
const id = repo.repo_id;
check(await told(await client.repo.search(id, { query })));
const inputs = { agent_name: 'relace-search', agent_inputs: { query } };
check(await told(await client.repo.agent(id, { ...inputs, continue: false, overrides: null })));
const other = () => client.repo.agent(id, { ...inputs, agent_name: 'code_review' });
await assert.rejects(other, Relace.UnprocessableEntityError);
for await (const event of await client.repo.search(id, { query })) {
  assert.equal(event.event, 'started');
  break; // aborts the request
}

const found = await client.repo.retrieve(id, { query, include_content: true, branch: null, hash: null });
assert.equal(found.hash, repo.repo_head);
assert.equal(found.pending_embeddings, 0);
assert.equal(found.results[0].filename, 'src/retry.ts');
assert.equal(found.results[0].content, texts['src/retry.ts']);
const none = await client.repo.retrieve(id, { query, score_threshold: 1, token_limit: 0, rerank: false });
assert.deepEqual(none.results, []);
for (const where of [undefined, { branch: null, hash: null }, { hash: repo.repo_head }]) {
  const status = await client.repo.embeddingStatus(id, where);
  assert.deepEqual(status, { hash: repo.repo_head, completed_embeddings: 3, pending_embeddings: 0 });
}
const plain = await client.repo.create({ source: { type: 'files', files } });
await assert.rejects(() => client.repo.retrieve(plain.repo_id, { query }), Relace.NotFoundError);
