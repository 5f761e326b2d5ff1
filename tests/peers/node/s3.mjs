// Drives the gateway with the AWS SDK for JavaScript and its settings as they come, unchanged.
// AWS_ENDPOINT_URL and its like say where and as whom, TEST_BUCKET in which bucket.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';

// The SDK is installed apart from this file.
const require = createRequire(join(process.env.TEST_PEER_MODULES, 'none.js'));
const {
  CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client, paginateListObjectsV2,
} = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const client = new S3Client({});
const Bucket = process.env.TEST_BUCKET;
const MIB = 1024 * 1024;
// What every bucket has to hold in the end.
const held = new Map();

function holds(key, content) {
  held.set(key, Buffer.from(content));
  return held.get(key);
}

// Bytes that no compression makes shorter, the same ones in every run.
function content(size, seed) {
  const pieces = [];
  for (let number = 0; number * 32 < size; number += 1) {
    pieces.push(createHash('sha256').update(`${seed} ${number}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, size);
}

async function read(Key, more) {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from(await answer.Body.transformToByteArray());
}

async function refused(command, status, name) {
  const refusal = await client.send(command).then(() => assert.fail('not refused'), (x) => x);
  assert.deepEqual([refusal.$metadata?.httpStatusCode, refusal.name], [status, name], `${refusal}`);
}

async function objects() {
  for (const [Key, size] of [['one', 7], ['empty', 0], ['a b/ü+%41', 70_000]]) {
    const Body = holds(Key, content(size, Key));
    const Metadata = { one: '1' };
    const put = await client.send(new PutObjectCommand({ Bucket, Key, Body, Metadata }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    assert.deepEqual([head.ContentLength, head.ETag, head.Metadata], [size, put.ETag, Metadata]);
    assert.equal(head.ChecksumCRC32, put.ChecksumCRC32);
    assert.deepEqual(await read(Key), Body);
  }
  const stream = Readable.from([holds('streamed', content(200_000, 'streamed'))]);
  const put = { Bucket, Key: 'streamed', Body: stream, ContentLength: 200_000 };
  await client.send(new PutObjectCommand(put));
  assert.deepEqual(await read('streamed', { Range: 'bytes=9-19' }), held.get('streamed').subarray(9, 20));
  const CopySource = encodeURI(`${Bucket}/a b/ü+%41`).replace('+', '%2B');
  await client.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource }));
  assert.deepEqual(await read('copied'), holds('copied', held.get('a b/ü+%41')));
  const once = { Bucket, Key: 'one', Body: 'x', IfNoneMatch: '*' };
  await refused(new PutObjectCommand(once), 412, 'PreconditionFailed');
  await refused(new GetObjectCommand({ Bucket, Key: 'none' }), 404, 'NoSuchKey');
  await refused(new HeadObjectCommand({ Bucket, Key: 'none' }), 404, 'NotFound');
}

async function lists() {
  for (let number = 0; number < 25; number += 1) {
    const Key = `list/${number % 2 ? 'odd' : 'even'}/${number}`;
    await client.send(new PutObjectCommand({ Bucket, Key, Body: holds(Key, Key) }));
  }
  const found = [];
  const pages = paginateListObjectsV2({ client, pageSize: 4 }, { Bucket, Prefix: 'list/' });
  for await (const page of pages) found.push(...page.Contents.map((object) => object.Key));
  const expected = [...held.keys()].filter((key) => key.startsWith('list/')).sort();
  assert.deepEqual(found, expected);
  const Objects = expected.slice(0, 5).map((Key) => ({ Key }));
  const gone = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(gone.Deleted.length, 5);
  await client.send(new DeleteObjectCommand({ Bucket, Key: expected[5] }));
  expected.slice(0, 6).forEach((key) => held.delete(key));
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  assert.ok(Buckets.some((bucket) => bucket.Name === Bucket));
}

async function inParts() {
  const large = holds('large', content(20 * MIB, 'large'));
  const whole = new Upload({ client, params: { Bucket, Key: 'large', Body: large } });
  await whole.done();
  assert.deepEqual(await read('large'), large);
  const unknown = holds('of unknown length', content(7 * MIB, 'unknown'));
  const Body = Readable.from([unknown.subarray(0, 100), unknown.subarray(100)]);
  await new Upload({ client, params: { Bucket, Key: 'of unknown length', Body } }).done();
  assert.deepEqual(await read('of unknown length'), unknown);
}

// A URL for a write is made before there is a content, and holds the CRC32 of none.
async function presigned() {
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'from a URL' }));
  assert.equal(new URL(put).searchParams.get('x-amz-checksum-crc32'), 'AAAAAA==', put);
  const body = holds('from a URL', 'content');
  const written = await fetch(put, { method: 'PUT', body });
  assert.equal(written.status, 200, await written.text());
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'from a URL' }));
  const answer = await fetch(get);
  assert.deepEqual([answer.status, await answer.text()], [200, 'content']);
  const other = await fetch(get.replace('from', 'form'));
  assert.equal(other.status, 403);
}

await objects();
await lists();
await inParts();
await presigned();
const digest = (content) => createHash('sha256').update(content).digest('hex');
const written = [...held].map(([key, content]) => [key, digest(content)]);
writeFileSync(process.env.TEST_WRITTEN, JSON.stringify(Object.fromEntries(written)));
