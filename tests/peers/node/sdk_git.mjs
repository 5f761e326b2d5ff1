// Drives the server with the git helpers of the official TypeScript SDK, unchanged. They ask the
// hosted service, whatever the base URL; git itself is told to go elsewhere (insteadOf).

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The SDK is installed apart from this file.
const require = createRequire(join(process.env.TEST_PEER_MODULES, 'none.js'));
const Relace = require('@relace-ai/relace').default;

const client = new Relace({ maxRetries: 0 });
const folder = mkdtempSync(join(tmpdir(), 'git-'));
const tree = join(folder, 'tree');

async function filesOf(repoId) {
  const { files } = await client.repo.clone(repoId);
  return Object.fromEntries(files.map((file) => [file.filename, file.content]));
}

const files = [{ filename: 'src/main.ts', content: '1\n' }];
const { repo_id: repoId } = await client.repo.create({ source: { type: 'files', files } });
await client.repo.file.upload('n', '2', { repo_id: repoId });

const git = client.git(tree);
git.clone({ repoId });
assert.equal(readFileSync(join(tree, 'src/main.ts'), 'utf8'), '1\n');
assert.ok(existsSync(join(tree, '.git/shallow')));
writeFileSync(join(tree, 'a'), 'a\n');
writeFileSync(join(tree, 'b'), 'b\n');
git.add({ files: ['a', 'b'] }).commit({ message: 'add a and b' }).push();
assert.deepEqual(await filesOf(repoId), { 'src/main.ts': '1\n', n: '2', a: 'a\n', b: 'b\n' });

await client.repo.file.upload('from/the/api', 'x', { repo_id: repoId });
git.fetch();
git.pull();
assert.equal(readFileSync(join(tree, 'from/the/api'), 'utf8'), 'x');
git.pull({ branch: 'main' });

git.checkoutBranch({ branch: 'feature', newBranch: true });
writeFileSync(join(tree, 'c'), 'c\n');
git.add().commit({ message: 'on a branch' }).push({ branch: 'feature' });
assert.equal((await filesOf(repoId)).c, undefined);
git.checkoutBranch({ branch: 'main' });
git.fetch({ branch: 'feature' });
git.command({ cmd: 'merge -q --no-edit FETCH_HEAD' }).push({ branch: 'main' });
assert.equal((await filesOf(repoId)).c, 'c\n');

client.git(join(folder, 'whole')).clone({ repoId, depth: 100, branch: 'feature' });
assert.ok(existsSync(join(folder, 'whole/c')));
console.log('node sdk git done');
