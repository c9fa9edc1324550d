// `triaged replay`: recorded posts through the webhook door of a running server.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { start, triaged } from './lib/server.mjs';

const config = {
  sources: [
    { name: 'shop', use: 'generic', secrets: { signing_key: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' } },
    { name: 'lab', use: 'generic', unsigned: true },
    { name: 'x-main', use: 'x', secrets: { consumer_secret: 'c' } },
  ],
};
const texts = [
  'stuck in the queue at the gate, we are going to miss our flight',
  'thank you for the lovely stay',
  'my parcel was due today and nobody has come',
];
const tsv = ['id\tsector\ttext', ...texts.map((text, i) => `w1-${i}\tair\t${text}`), ''].join('\n');

let server;
const file = async (name, content) => {
  const path = join(server.directory, name);
  await writeFile(path, content);
  return path;
};
const replay = (data, ...args) => triaged(['replay', '--data', data, '--url', server.url, ...args]);
const signed = (source = 'shop') => ['--source', source, '--config', server.configPath];
const figure = ({ stdout }, name) => Number(new RegExp(`^${name} +([\\d.]+)$`, 'm').exec(stdout)?.[1]);

describe('triaged replay', () => {
  before(async () => (server = await start(config)));
  after(() => server?.remove());

  test('sends the rows of a TSV file, signed, and sums up', async () => {
    const run = await replay(await file('posts.tsv', tsv), ...signed(), '--id-prefix', 'first-');
    assert.equal(run.code, 0, run.stderr);
    assert.equal(figure(run, 'sent'), 3);
    assert.equal(figure(run, 'accepted'), 3);
    assert.equal(figure(run, 'in_the_moment') + figure(run, 'after_the_fact'), 3);
    assert.equal(['critical', 'high', 'normal', 'low'].reduce((sum, band) => sum + figure(run, band), 0), 3);
    assert.ok(figure(run, 'p99 ms') > 0);
    const rows = await server.sql("SELECT native_id FROM posts WHERE source = 'shop' ORDER BY native_id");
    assert.deepEqual(rows.map((row) => row.native_id), ['first-w1-0', 'first-w1-1', 'first-w1-2']);
  });

  test('with the same prefix again, all are duplicates', async () => {
    const run = await replay(await file('posts.tsv', tsv), ...signed(), '--id-prefix', 'first-');
    assert.equal(run.code, 0, run.stderr);
    assert.equal(figure(run, 'accepted'), 0);
    assert.equal(figure(run, 'duplicates'), 3);
  });

  test('without a prefix, they are new each time', async () => {
    const run = await replay(await file('posts.tsv', tsv), ...signed());
    assert.equal(figure(run, 'accepted'), 3);
  });

  test('sends JSONL posts as they are, unsigned, in batches', async () => {
    const posts = texts.map((text, i) => ({
      native_id: `j${i}`,
      text,
      platform: 'mastodon',
      created_at: '2026-01-02T03:04:05.000Z',
      author: { native_id: 'a', handle: 'ann' },
    }));
    const data = await file('posts.jsonl', posts.map((post) => `${JSON.stringify(post)}\n`).join(''));
    const run = await replay(data, '--source', 'lab', '--unsigned', '--batch', '2');
    assert.equal(run.code, 0, run.stderr);
    assert.equal(figure(run, 'accepted'), 3);
    const rows = await server.sql("SELECT DISTINCT platform FROM posts WHERE source = 'lab'");
    assert.deepEqual(rows, [{ platform: 'mastodon' }]);
  });

  test('a post at fault is named and the others are sent', async () => {
    const data = await file('faulty.tsv', `text\trating\nfine\t4\nbad rating\t9\nonly one column\nfine too\t\n`);
    const run = await replay(data, ...signed(), '--id-prefix', 'faulty-');
    assert.equal(run.code, 1);
    assert.equal(figure(run, 'accepted'), 2);
    assert.equal(figure(run, 'failures'), 2);
    assert.match(run.stderr, /faulty\.tsv:4: expected 2 columns/);
    assert.match(run.stderr, /422 .*\/rating/);
  });

  test('a wrong secret ends it at once', async () => {
    const wrong = structuredClone(config);
    wrong.sources[0].secrets.signing_key = 'whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=';
    const other = await file('wrong.json', JSON.stringify(wrong));
    const many = await file('many.tsv', `text\n${'a post\n'.repeat(500)}`);
    const run = await replay(many, '--source', 'shop', '--config', other);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /401/);
    assert.ok(figure(run, 'sent') < 50);
    assert.doesNotMatch(run.stderr + run.stdout, /ZmVk/);
  });

  test('says what it needs', async () => {
    const data = await file('posts.tsv', tsv);
    assert.equal((await replay(data, '--source', 'shop')).code, 2);
    assert.equal((await replay(data, '--source', 'x-main', '--config', server.configPath)).code, 1);
    assert.equal((await replay(data, '--source', 'nobody', '--config', server.configPath)).code, 1);
    assert.equal((await replay('/nowhere.tsv', ...signed())).code, 1);
    assert.equal((await triaged(['replay', '--data', data])).code, 2);
  });

  test('keeps its pace', async () => {
    const data = await file('paced.tsv', `text\n${'one more\n'.repeat(11)}`);
    const from = Date.now();
    const run = await replay(data, ...signed(), '--rate', '20');
    assert.equal(run.code, 0, run.stderr);
    assert.ok(Date.now() - from >= 500, 'the eleventh post goes half a second after the first');
  });
});
