// Networks that are read with a token of our account: what is polled and streamed becomes cases, nothing is missed
// and nothing comes twice, and agents' replies go the same way back.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caseOf } from './lib/answers.mjs';
import { brand, calm, urgent } from './lib/brand.mjs';
import { startPlatform } from './lib/platform.mjs';
import { eventually, root, start } from './lib/server.mjs';

const fixture = async (path) => JSON.parse(await readFile(join(root, 'tests/fixtures', `${path}.json`), 'utf8'));

const us = { did: 'did:plc:acmeacmeacmeacmeacmeacme', handle: 'acme.example' };
const list = 'GET /xrpc/app.bsky.notification.listNotifications';
const feed = 'GET /xrpc/app.bsky.feed.getAuthorFeed';
const session = 'POST /xrpc/com.atproto.server.createSession';
const record = 'POST /xrpc/com.atproto.repo.createRecord';
const timeline = 'GET /api/v1/notifications';
const streaming = 'GET /api/v1/streaming/user';

let counter = 0;
const key = () => `3lbi${process.pid.toString(36)}${(counter += 1, 50_000 + counter).toString(36)}`;
function mention(text, more = {}) {
  const rkey = key();
  const author = { did: `did:plc:${rkey.padEnd(24, 'a')}`, handle: `${rkey}.bsky.social`, displayName: 'Noor', labels: [] };
  return { uri: `at://${author.did}/app.bsky.feed.post/${rkey}`, cid: `bafyrei${rkey}`, author, reason: 'mention', record: { $type: 'app.bsky.feed.post', createdAt: new Date().toISOString(), langs: ['en'], text }, isRead: false, indexedAt: new Date().toISOString(), ...more };
}
let status;
let noteId = 34_980_000;
function note(text, more = {}) {
  const id = `11350${process.pid}${String((counter += 1)).padStart(5, '0')}`;
  const account = { ...status.account, id: `1${id}`, acct: `h${id}` };
  return { id: String((noteId += 1)), type: 'mention', created_at: new Date().toISOString(), account, status: { ...status, id, account, content: `<p>${text}</p>`, created_at: new Date().toISOString(), url: `https://social.example/@h${id}/${id}`, ...more } };
}

let bsky;
let masto;
let server;
let agent;
const config = () => brand({
  more: {
    sources: [
      { name: 'bluesky', use: 'bluesky', secrets: { app_password: 'abcd-efgh-ijkl-mnop' }, api_url: bsky.url(), brand_account: us.handle, pull_every: '1s' },
      { name: 'mastodon', use: 'mastodon', secrets: { access_token: 'mastodon-token' }, api_url: masto.url(), brand_account: 'acme', pull_every: '1s' },
    ],
    delivery: { allow_private_addresses: true, schedule: ['300ms', '600ms', '1s', '2s', '2s'], breaker: { failures: 1000 } },
  },
});
before(async () => {
  status = (await fixture('mastodon/mention')).object;
  bsky = await startPlatform();
  masto = await startPlatform();
  bsky.answer(session, { json: { accessJwt: 'token-1', refreshJwt: 'r', handle: us.handle, did: us.did } });
  bsky.answer(list, { json: { notifications: [] } }).answer(feed, { json: { feed: [] } });
  masto.answer(timeline, { json: [] }).answer(streaming, { stream: true });
  server = await start(config());
  agent = await server.token('agent');
});
after(async () => {
  await server?.remove();
  await bsky?.stop();
  await masto?.stop();
});

const rows = (source, native) => server.sql(`SELECT * FROM posts WHERE source = '${source}' AND native_id = '${native}'`);
const arrived = (source, native, state = 'judged') => eventually(async () => (await rows(source, native)).find((row) => row.state === state), { what: `${native} to be ${state}` });

describe('Bluesky', () => {
  test('a mention is a case a moment later; the session is asked for with the app password, not for every call', async () => {
    const one = mention(`@acme.example ${urgent}`);
    bsky.answer(list, { json: { notifications: [one], cursor: 'c1' } });
    const row = await arrived('bluesky', one.uri);
    const found = await caseOf(server, agent, row.case_id);
    assert.equal(found.platform, 'bluesky');
    assert.equal(found.customer.handle, one.author.handle);
    assert.equal(found.posts[0].text, one.record.text);
    assert.match(found.posts[0].url, /^https:\/\/bsky\.app\/profile\/.+\/post\//);
    const [login] = bsky.of(session);
    assert.deepEqual(login.json, { identifier: us.handle, password: 'abcd-efgh-ijkl-mnop' });
    const [call] = bsky.of(list).slice(-1);
    assert.equal(call.headers.authorization, 'Bearer token-1');
    assert.deepEqual(call.query.getAll('reasons').sort(), ['mention', 'quote', 'reply', 'repost']);
    assert.equal(call.query.get('limit'), '100');
    await bsky.called(list, 4);
    assert.ok(bsky.of(session).length <= 2, 'at most one for each pull');
  });

  test('an answer is a record in the thread, and the post that it answers is named by its hash', async () => {
    const root_ = { uri: 'at://did:plc:x/app.bsky.feed.post/3root', cid: 'bafyroot' };
    const one = mention('and now?', { reason: 'reply' });
    one.record.reply = { root: root_, parent: root_ };
    bsky.answer(list, { json: { notifications: [one] } });
    bsky.answer('GET /xrpc/app.bsky.feed.getPosts', { json: { posts: [{ uri: one.uri, cid: one.cid, author: one.author, record: one.record }] } });
    const ours = `at://${us.did}/app.bsky.feed.post/${key()}`;
    bsky.answer(record, { json: { uri: ours, cid: 'bafyours', validationStatus: 'valid' } });
    const row = await arrived('bluesky', one.uri);
    const answer = await server.request(`/v1/cases/${row.case_id}/reply`, { token: agent, json: { text: 'Look again, it is there 👍🏽' } });
    assert.equal(answer.status, 202, answer.text);
    const sent = await eventually(async () => (await caseOf(server, agent, row.case_id)).replies.find((reply) => reply.state === 'sent'), { what: 'the reply' });
    assert.equal(sent.native_id, ours);
    const [asked] = bsky.of('GET /xrpc/app.bsky.feed.getPosts').slice(-1);
    assert.deepEqual(asked.query.getAll('uris'), [one.uri]);
    const [{ json }] = bsky.of(record);
    assert.equal(json.repo, us.handle);
    assert.equal(json.collection, 'app.bsky.feed.post');
    const { createdAt, ...rest } = json.record;
    assert.deepEqual(rest, { $type: 'app.bsky.feed.post', text: 'Look again, it is there 👍🏽', reply: { root: root_, parent: { uri: one.uri, cid: one.cid } } });
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
    // It comes back with the account's own feed, and is the same.
    bsky.answer(feed, { json: { feed: [{ post: { uri: ours, cid: 'bafyours', author: us, record: json.record, indexedAt: createdAt } }] } });
    await bsky.called(feed, bsky.of(feed).length + 2);
    const found = await caseOf(server, agent, row.case_id);
    assert.equal(found.replies.length, 1);
    assert.equal((await rows('bluesky', ours)).length, 1);
  });

  test('300 graphemes are not too long, 301 are', async () => {
    const one = mention(calm);
    bsky.answer(list, { json: { notifications: [one] } });
    const row = await arrived('bluesky', one.uri);
    const long = await server.request(`/v1/cases/${row.case_id}/reply`, { token: agent, json: { text: '👨‍👩‍👧‍👦'.repeat(301) } });
    assert.equal(long.status, 422, long.text);
    const right = await server.request(`/v1/cases/${row.case_id}/reply`, { token: agent, json: { text: '👨‍👩‍👧‍👦'.repeat(300) } });
    assert.equal(right.status, 202, right.text);
  });

  test('what came while nobody asked is found by going back, page by page, as far as it is new', async () => {
    const all = Array.from({ length: 250 }, (_, i) => mention(`${calm} (${i})`));
    const old = await server.sql("SELECT native_id FROM posts WHERE source = 'bluesky' AND kind = 'mention' AND state = 'judged' LIMIT 1");
    const pages = { '': [all.slice(150), 'p2'], p2: [all.slice(50, 150), 'p3'], p3: [[...all.slice(0, 50)], 'p4'], p4: [[mention('older', { uri: old[0].native_id })], 'p5'] };
    bsky.answer(list, (call) => {
      const [notifications, cursor] = pages[call.query.get('cursor') ?? ''] ?? assert.fail(`page ${call.query.get('cursor')}`);
      return { json: { notifications: [...notifications].reverse(), cursor } };
    });
    await eventually(async () => {
      const [{ n }] = await server.sql(`SELECT count(*) AS n FROM posts WHERE source = 'bluesky' AND native_id IN (${all.map((one) => `'${one.uri}'`).join(',')})`);
      return n === all.length;
    }, { timeout: 60_000, what: 'all of them' });
    assert.equal(bsky.of((call) => call.query.get('cursor') === 'p5').length, 0, 'no further than to what is known');
  });

  test('a session that is no longer taken is asked for anew, and nothing is lost', async () => {
    const one = mention(`${calm}, really`);
    const from = bsky.of(session).length;
    bsky.answer(session, { json: { accessJwt: 'token-2', refreshJwt: 'r', handle: us.handle, did: us.did } });
    bsky.answer(list, (call) => (call.headers.authorization === 'Bearer token-2' ? { json: { notifications: [one] } } : { status: 401, json: { error: 'InvalidToken', message: 'Token could not be verified' } }));
    await arrived('bluesky', one.uri);
    assert.equal(bsky.of(session).length, from + 1);
  });

  test('a limit is waited for; 500 and no answer are passed over', async () => {
    const one = mention(`${calm}, at last`);
    let reset;
    const busy = () => {
      reset = Math.ceil(Date.now() / 1000) + 4;
      return { status: 429, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': String(reset) }, json: { error: 'RateLimitExceeded', message: 'Rate Limit Exceeded' } };
    };
    bsky.answer(list, { status: 500 }, { close: 'at once' }, busy, { json: { notifications: [one] } });
    const from = bsky.of(list).length;
    await arrived('bluesky', one.uri);
    const calls = bsky.of(list).slice(from);
    assert.ok(calls.length >= 4, `${calls.length} calls`);
    assert.ok(calls[3].at >= reset * 1000 - 200, `${reset * 1000 - calls[3].at} ms too early`);
  });

  test('without webhooks there is no door', async () => {
    const answer = await server.request('/v1/hooks/bluesky', { json: { notifications: [mention(calm)] } });
    assert.ok(answer.status === 404 || answer.status === 405 || answer.status === 401, answer.text);
  });
});

describe('Mastodon', () => {
  test('the stream is opened after the poll; a notification in it is a case at once', async () => {
    await eventually(() => masto.streams === 1, { what: 'the stream' });
    const polled = masto.of(timeline)[0];
    assert.deepEqual(polled.query.getAll('types[]').sort(), ['mention', 'quote', 'reblog']);
    assert.equal(polled.headers.authorization, 'Bearer mastodon-token');
    assert.equal(masto.of(streaming)[0].headers.authorization, 'Bearer mastodon-token');
    assert.ok(!masto.of(streaming)[0].target.includes('mastodon-token'));
    const one = note(`@acme ${urgent}`);
    masto.send({ event: 'notification', data: one });
    const row = await arrived('mastodon', one.status.id);
    assert.equal((await caseOf(server, agent, row.case_id)).customer.handle, one.account.acct);
  });

  test('edits and deletions of the stream are followed; what others say to each other is not kept', async () => {
    const one = note(`@acme ${calm}`);
    masto.send({ event: 'notification', data: one });
    await arrived('mastodon', one.status.id);
    masto.send({ event: 'status.update', data: { ...one.status, content: '<p>@acme it came today, sorry</p>', edited_at: new Date().toISOString() } });
    await eventually(async () => (await rows('mastodon', one.status.id))[0].text.includes('it came today'), { what: 'the edit' });
    const others = note('what a sunset', { mentions: [] });
    masto.send({ event: 'update', data: others.status });
    masto.send({ event: 'filters_changed', data: 'undefined' });
    masto.send({ event: 'delete', data: one.status.id });
    await arrived('mastodon', one.status.id, 'deleted');
    assert.deepEqual(await rows('mastodon', others.status.id), []);
  });

  test('what came while the stream was down is polled for, from where it had come to', async () => {
    const last = note(`@acme ${calm}`);
    masto.send({ event: 'notification', data: last });
    await arrived('mastodon', last.status.id);
    const missed = [note(`@acme ${calm} 1`), note(`@acme ${calm} 2`)];
    masto.answer(timeline, (call) => ({ json: call.query.get('min_id') === last.id ? [...missed].reverse() : [] }));
    masto.endStreams();
    for (const one of missed) await arrived('mastodon', one.status.id);
    await eventually(() => masto.streams === 1, { what: 'the stream again' });
    await eventually(() => masto.of(timeline).some((call) => call.query.get('min_id') === missed[1].id), { what: 'the cursor to go on' });
  });

  test('a restart goes on from the same place, and brings nothing twice', async () => {
    const before = (await server.sql("SELECT count(*) AS n FROM posts WHERE source = 'mastodon'"))[0].n;
    const from = masto.of(timeline).length;
    const known = masto.of(timeline).at(-1).query.get('min_id');
    await server.kill9();
    await server.restart();
    const [first] = (await masto.called(timeline, from + 1)).slice(from);
    assert.equal(first.query.get('min_id'), known);
    await eventually(() => masto.streams === 1, { what: 'the stream' });
    await sleep(500);
    assert.equal((await server.sql("SELECT count(*) AS n FROM posts WHERE source = 'mastodon'"))[0].n, before);
  });
});
