// Drives the server with the official TypeScript SDK, unchanged.
// RELACE_BASE_URL and RELACE_API_KEY say where and as whom.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// The SDK is installed apart from this file.
const require = createRequire(join(process.env.TEST_PEER_MODULES, 'none.js'));
const Relace = require('@relace-ai/relace').default;

const client = new Relace({ maxRetries: 0 });
const ABSENT = '00000000-0000-4000-8000-000000000000';

const write = (filename, content) => ({ type: 'write', filename, content });
const diff = (...operations) => ({ type: 'diff', operations });

async function filesOf(repoId, query) {
  const { files } = await client.repo.clone(repoId, query);
  return Object.fromEntries(files.map((file) => [file.filename, file.content]));
}

async function refused(error, call) {
  const refusal = await call().then(
    () => assert.fail(`not refused with ${error.name}`),
    (refusal) => refusal,
  );
  assert.ok(refusal instanceof error, `${refusal}`);
  assert.ok(refusal.message.includes(refusal.error.message), refusal.message);
  return refusal;
}

async function bytes(path, repoId) {
  const answer = await client.repo.file.download(path, { repo_id: repoId }).asResponse();
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  return Buffer.from(await answer.arrayBuffer());
}

async function create() {
  // Sent without body and content type.
  const empty = await client.repo.create();
  assert.equal(empty.repo_head.length, 40);
  assert.deepEqual(await filesOf(empty.repo_id), {});

  const files = [{ filename: 'src/main.ts', content: 'ü\n' }, { filename: 'a', content: '' }];
  const metadata = { team: 'search', quote: '"\'\\' };
  const repo = await client.repo.create({ source: { type: 'files', files }, metadata, auto_index: true });
  assert.deepEqual(await filesOf(repo.repo_id), { 'src/main.ts': 'ü\n', a: '' });
  const record = await client.repo.get(repo.repo_id);
  assert.deepEqual(record.metadata, metadata);
  assert.equal(record.auto_index, true);
  assert.equal(record.updated_at, null);

  const source = { type: 'relace', repo_id: repo.repo_id, copy_metadata: true, copy_remote: true };
  const copy = await client.repo.create({ source });
  assert.equal(copy.repo_head, repo.repo_head);
  assert.deepEqual((await client.repo.get(copy.repo_id)).metadata, metadata);
  const own = await client.repo.create({ source, metadata: { own: 'x' } });
  assert.deepEqual((await client.repo.get(own.repo_id)).metadata, { own: 'x' });
  await client.repo.create({ source: null, metadata: null });
  return repo;
}

async function update(repo) {
  const first = await client.repo.update(repo.repo_id, {
    source: diff(
      write('src/search.ts', '1'),
      { type: 'rename', old_filename: 'src/main.ts', new_filename: 'src/app.ts' },
      { type: 'delete', filename: 'a' },
    ),
    metadata: { team: 'core' },
  });
  assert.deepEqual(first.changed_files, ['src/search.ts', 'src/app.ts', 'a']);
  const files = [{ filename: 'b', content: 'b' }];
  const second = await client.repo.update(repo.repo_id, { source: { type: 'files', files } });
  assert.deepEqual(second.changed_files, ['b', 'src/app.ts', 'src/search.ts']);
  assert.deepEqual(await filesOf(repo.repo_id, { commit: null }), { b: 'b' });
  const then = await filesOf(repo.repo_id, { commit: repo.repo_head });
  assert.deepEqual(then, { 'src/main.ts': 'ü\n', a: '' });

  const alone = await client.repo.update(repo.repo_id, { metadata: {} });
  assert.deepEqual([alone.repo_head, alone.changed_files], [second.repo_head, []]);
  assert.deepEqual((await client.repo.get(repo.repo_id)).metadata, {});
}

async function errors(repo) {
  const edit = (...operations) => () => client.repo.update(repo.repo_id, { source: diff(...operations) });
  const before = await filesOf(repo.repo_id);
  await refused(Relace.NotFoundError, () => client.repo.get(ABSENT));
  await refused(Relace.NotFoundError, edit({ type: 'delete', filename: 'absent' }));
  await refused(Relace.NotFoundError, edit({ type: 'rename', old_filename: 'x', new_filename: 'y' }));
  await refused(Relace.NotFoundError, () => client.repo.clone(repo.repo_id, { commit: '0'.repeat(40) }));
  const conflict = await refused(Relace.ConflictError, edit(write('b/c', '1')));
  assert.equal(conflict.headers.get('x-should-retry'), 'false');
  const body = { source: diff(write('b', '1')), expected_head: '0'.repeat(40) };
  const moved = await refused(Relace.ConflictError, () => client.repo.update(repo.repo_id, body));
  assert.equal(moved.error.current_head.length, 40);
  await refused(Relace.UnprocessableEntityError, () => client.repo.update(repo.repo_id, {}));
  await refused(Relace.UnprocessableEntityError, () =>
    client.repo.update(repo.repo_id, { source: null, metadata: null }));
  await refused(Relace.UnprocessableEntityError, edit(write('.git/config', 'x')));
  await refused(Relace.UnprocessableEntityError, edit({ type: 'patch', filename: 'b' }));
  const stranger = new Relace({ apiKey: `rlc-${'x'.repeat(32)}`, maxRetries: 0 });
  await refused(Relace.AuthenticationError, () => stranger.repo.get(repo.repo_id));
  assert.deepEqual(await filesOf(repo.repo_id), before);
}

// TEST_GIT_URL begins the URL of any repo of the server, as if it were elsewhere.
async function elsewhere() {
  const files = [{ filename: 'a', content: '1' }];
  const origin = await client.repo.create({ source: { type: 'files', files } });
  const url = `${process.env.TEST_GIT_URL}/${origin.repo_id}.git`;
  const made = await client.repo.create({ source: { type: 'git', url, branch: null, hash: null } });
  assert.equal(made.repo_head, origin.repo_head);
  assert.deepEqual(await filesOf(made.repo_id), { a: '1' });
  const second = await client.repo.update(origin.repo_id, { source: diff(write('b', '2')) });
  const old = await client.repo.create({ source: { type: 'git', url, hash: origin.repo_head } });
  assert.deepEqual(await filesOf(old.repo_id), { a: '1' });
  const pull = (more) => () =>
    client.repo.update(made.repo_id, { source: { type: 'git', url, ...more } });
  const pulled = await pull({ branch: 'main' })();
  assert.deepEqual([pulled.repo_head, pulled.changed_files], [second.repo_head, ['b']]);
  await client.repo.update(origin.repo_id, { source: diff(write('a', 'theirs')) });
  await client.repo.update(made.repo_id, { source: diff(write('a', 'ours')) });
  const clash = await refused(Relace.BadRequestError, pull({}));
  assert.ok(clash.message.includes('`a`'), clash.message);
  await refused(Relace.BadRequestError, pull({ branch: 'absent' }));
  await refused(Relace.UnprocessableEntityError, pull({ url: 'file:///etc' }));
  assert.deepEqual(await filesOf(made.repo_id), { a: 'ours', b: '2' });
}

async function lists() {
  const mark = { mark: 'node "ü"' };
  const made = [];
  for (let n = 0; n < 5; n++) made.push((await client.repo.create({ metadata: mark })).repo_id);
  const times = [];
  for (const id of made) times.push((await client.repo.get(id)).created_at);
  const found = async (query) => {
    const page = await client.repo.list({ filter_metadata: JSON.stringify(mark), ...query });
    return [page.items.map((repo) => repo.repo_id), page.total_items, page.next_page];
  };
  assert.deepEqual(await found(), [made, 5, undefined]);
  const backwards = await found({ order_by: 'created_at', order_descending: true });
  assert.deepEqual(backwards, [made.toReversed(), 5, undefined]);
  assert.deepEqual(await found({ page_size: 2 }), [made.slice(0, 2), 5, 2]);
  assert.deepEqual(await found({ page_size: 2, page_start: 4 }), [made.slice(4), 5, undefined]);
  assert.deepEqual(await found({ created_after: times[1] }), [made.slice(2), 3, undefined]);
  assert.deepEqual(await found({ created_before: times[1] }), [made.slice(0, 1), 1, undefined]);
  // Sent as empty values.
  const nulls = await found({ created_after: null, created_before: null });
  assert.deepEqual(nulls, [made, 5, undefined]);
  await client.repo.update(made[0], { source: diff(write('a', 'a')) });
  const updated = await found({ order_by: 'updated_at' });
  assert.deepEqual(updated, [[...made.slice(1), made[0]], 5, undefined]);
  await refused(Relace.UnprocessableEntityError, () => client.repo.list({ page_size: 101 }));
}

async function singleFiles() {
  const { repo_id } = await client.repo.create();
  const every = Buffer.from(Array.from({ length: 25600 }, (_, n) => n % 256));
  const stream = new ReadableStream({
    start(controller) {
      for (const part of ['part ', 'by ', 'part']) controller.enqueue(Buffer.from(part));
      controller.close();
    },
  });
  const bodies = [
    ['bytes.bin', every, every],
    ['array', every.buffer.slice(0, 10), Buffer.from(every.buffer.slice(0, 10))],
    ['blob', new Blob(['blob']), Buffer.from('blob')],
    ['text.txt', 'ü\n', Buffer.from('ü\n')],
    ['empty', '', Buffer.from('')],
    ['stream', stream, Buffer.from('part by part')],
  ];
  for (const [path, body, expected] of bodies) {
    const done = await client.repo.file.upload(path, body, { repo_id });
    assert.deepEqual(done.changed_files, [path]);
    assert.ok(expected.equals(await bytes(path, repo_id)), path);
  }
  for (const name of ['a b', 'ü/漢字', 'src/deep/er.ts', 'a?b', 'a#b', 'a%20b', 'a+b', '-x']) {
    await client.repo.file.upload(name, 'x', { repo_id });
    assert.equal(`${await bytes(name, repo_id)}`, 'x', name);
    const gone = await client.repo.file.delete(name, { repo_id });
    assert.deepEqual(gone.changed_files, [name]);
  }
  for (const hostile of ['../x', '/abs', 'a//b', '.git/config']) {
    await refused(Relace.UnprocessableEntityError, () =>
      client.repo.file.upload(hostile, 'x', { repo_id }));
  }
  await refused(Relace.NotFoundError, () => client.repo.file.delete('absent', { repo_id }));
  await refused(Relace.ConflictError, () => client.repo.file.upload('blob/x', 'x', { repo_id }));
}

async function tokens() {
  const named = (await client.repo.create()).repo_id;
  const other = (await client.repo.create()).repo_id;
  const made = await client.repoToken.create({ name: 'agent', repo_ids: [named] });
  assert.ok(made.token.startsWith('rlcr-'));
  assert.deepEqual([made.name, made.repo_ids], ['agent', [named]]);
  const found = await client.repoToken.get(made.token);
  assert.deepEqual([found.name, found.repo_ids], ['agent', [named]]);
  const holder = new Relace({ apiKey: made.token, maxRetries: 0 });
  const edited = await holder.repo.update(named, { source: diff(write('a', '1')) });
  assert.deepEqual(edited.changed_files, ['a']);
  await refused(Relace.NotFoundError, () => holder.repo.get(other));
  await refused(Relace.PermissionDeniedError, () => holder.repo.list());
  await refused(Relace.PermissionDeniedError, () =>
    holder.repoToken.create({ name: 'child', repo_ids: [named] }));
  assert.equal(await client.repoToken.delete(made.token), null);
  await refused(Relace.AuthenticationError, () => holder.repo.get(named));
  await refused(Relace.NotFoundError, () => client.repoToken.get(made.token));
  await refused(Relace.NotFoundError, () => client.repoToken.delete(made.token));
}

async function remove(repo) {
  await client.repo.delete(repo.repo_id);
  await refused(Relace.NotFoundError, () => client.repo.get(repo.repo_id));
  await refused(Relace.NotFoundError, () => client.repo.delete(repo.repo_id));
}

const repo = await create();
await update(repo);
await errors(repo);
await elsewhere();
await lists();
await singleFiles();
await tokens();
await remove(repo);
console.log('node sdk done');
