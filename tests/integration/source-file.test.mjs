// A platform that nobody shipped: the worked example of docs/sources.md, tried with `triaged source test` and served.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brand } from './lib/brand.mjs';
import { root, start, triaged } from './lib/server.mjs';
import * as sign from './lib/sign.mjs';

const secret = 'the forum signs with this';
let directory;
let payload;
let file;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'triaged-source-'));
  const guide = await readFile(join(root, 'docs/sources.md'), 'utf8');
  const [, shown, source] = guide.split('\n## A worked example\n')[1].match(/```json\n(.*?)```.*?```json\n(.*?)```/s);
  payload = shown;
  file = join(directory, 'forum.json');
  await writeFile(file, source);
  await writeFile(join(directory, 'payload.json'), payload);
});
after(() => rm(directory, { recursive: true, force: true }));

const headers = (body) => sign.hmac(secret, body, { header: 'x-forum-signature' });
const config = (use) =>
  brand({ more: { sources: [{ name: 'town', use, secrets: { token: secret }, brand_account: 'acme' }] } });

describe('triaged source test', () => {
  test('shows what a payload would become, rule by rule, and why an event is ignored', async () => {
    const { code, stdout } = await triaged(['source', 'test', file, '--payload', join(directory, 'payload.json'), '--json']);
    assert.equal(code, 0);
    const { accepted, ignored, ignored_kinds, trace } = JSON.parse(stdout);
    assert.deepEqual([accepted, ignored, ignored_kinds], [2, 1, ['forum.like']]);
    assert.deepEqual(
      trace.map((one) => [one.element, one.rule, one.outcome]),
      [
        ['/events/0', '/events/0/rules/0', 'post'],
        ['/events/1', '/events/0/rules/1', 'deletion'],
        ['/events/2', '', 'ignored'],
      ],
    );
    assert.equal(trace[0].post.text, 'Line 12 is dead & nobody answers');
    assert.equal(trace[0].post.author.handle, 'ann');
    assert.deepEqual(trace[1].considered, [{ at: '/events/0/rules/0/when', why: 'does not hold' }]);
    assert.equal(trace[2].why, 'no rule of /events/0 takes it');
  });

  test('shows the posts of a source that takes our own shape, too', async () => {
    const body = JSON.stringify({ posts: [{ native_id: '1', text: 'hello' }, { native_id: '2', text: 'ours', author: { handle: 'acme' }, brand_account: 'acme' }] });
    const { stdout } = await triaged(['source', 'test', 'reddit-relay', '--payload', '-', '--json'], { input: body });
    const { accepted, trace } = JSON.parse(stdout);
    assert.equal(accepted, 2);
    assert.deepEqual(
      trace.map((one) => [one.element, one.outcome, one.post.text, one.post.platform]),
      [['/posts/0', 'post', 'hello', 'reddit'], ['/posts/1', 'own_post', 'ours', 'reddit']],
    );
  });

  test('names the field that a post lacks', async () => {
    const body = JSON.stringify({ events: [{ type: 'message', id: 1 }, { type: 'message', html: 'hello' }] });
    const { stdout } = await triaged(['source', 'test', file, '--payload', '-'], { input: body });
    assert.match(stdout, /\/events\/0\n {2}\/events\/0\/rules\/0 -> ignored: it says nothing/);
    assert.match(stdout, /\/events\/1\n {2}\/events\/0\/rules\/0 -> ignored: its native_id is not there/);
    assert.match(stdout, /^0 taken, 2 ignored: forum\.message$/m);
  });

  test('checks the signature where a configuration has the secrets', async () => {
    const configured = join(directory, 'triaged.json');
    await writeFile(configured, JSON.stringify(config('./forum.json')));
    const look = async (given) => {
      const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      await writeFile(join(directory, 'headers.txt'), `POST /v1/hooks/town HTTP/1.1\r\n${lines}`);
      const args = ['source', 'test', 'town', '--config', configured, '--payload', join(directory, 'payload.json')];
      return (await triaged([...args, '--headers', join(directory, 'headers.txt')])).stdout.split('\n')[0];
    };
    assert.equal(await look(headers(payload)), 'signature: right');
    assert.match(await look(headers('another body')), /^signature: the signature in X-Forum-Signature does not match/);
    assert.match(await look({}), /^signature: .*X-Forum-Signature/);
  });

  test('says where a file is at fault, and what was expected', async () => {
    const bad = join(directory, 'bad.json');
    await writeFile(bad, '{"name": "bad", "platform": "bad", "signatures": [{"scheme": "hmac", "secrets": "token"}], "events": []}');
    const { code, stderr } = await triaged(['source', 'test', bad, '--payload', '-'], { input: '{}' });
    assert.equal(code, 1);
    assert.match(stderr, /\/signatures\/0\/secrets: /);
    const unknown = await triaged(['source', 'test', 'nowhere', '--payload', '-'], { input: '{}' });
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /expected a source file .* or one of .*meta.*, found "nowhere"/);
  });
});

test('every shipped source is listed with its secrets and what it can do', async () => {
  const { code, stdout } = await triaged(['source', 'list', '--json']);
  assert.equal(code, 0);
  const x = JSON.parse(stdout).find((source) => source.name === 'x');
  assert.deepEqual(x.secrets, ['access_token', 'access_token_secret', 'consumer_key', 'consumer_secret']);
  assert.deepEqual(x.ways, ['webhooks', 'replies']);
  const listed = (await triaged(['source', 'list'])).stdout;
  assert.match(listed, /^meta +Meta .* webhooks, fetches, replies +access_token, app_secret, verify_token$/m);
  assert.match(listed, /^feed +Feed .* polls *$/m);
});

describe('a source file of the brand', () => {
  test('is served as a shipped one is', async () => {
    const server = await start(config(file));
    try {
      const send = (given) =>
        server.request('/v1/hooks/town', { body: payload, headers: { 'content-type': 'application/json', ...given } });
      assert.equal((await send({})).status, 401);
      const taken = await send(headers(payload));
      assert.equal(taken.status, 200);
      assert.deepEqual([taken.body.accepted, taken.body.ignored], [2, 1]);
      const [post] = await server.sql("SELECT platform, text FROM posts WHERE source = 'town' AND native_id = '311'");
      assert.deepEqual({ ...post }, { platform: 'forum', text: 'Line 12 is dead & nobody answers' });
    } finally {
      await server.remove();
    }
  });

  test('that is missing or at fault is named by check', async () => {
    const configured = join(directory, 'check.json');
    await writeFile(configured, JSON.stringify(config('./missing.json')));
    const missing = await triaged(['check', '--config', configured]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /\/sources\/0\/use: cannot read the source file .*missing\.json/);
    await writeFile(join(directory, 'bad.json'), '{"name": "bad", "platform": "bad", "signatures": [], "events": []}');
    await writeFile(configured, JSON.stringify(config('./bad.json')));
    const bad = await triaged(['check', '--config', configured]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /\/sources\/0\/use: .*bad\.json/);
    assert.match(bad.stderr, /\/sources\/0\/use: at \/signatures of it: expected at least one signature scheme/);
  });
});
