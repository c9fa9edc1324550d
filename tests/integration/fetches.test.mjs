// Posts that come by id only: stored at once, fetched from their platform, judged; and what becomes of them when the
// platform fails, refuses, or no longer has them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caseOf, taken } from './lib/answers.mjs';
import { brand, calm, urgent } from './lib/brand.mjs';
import { startPlatform } from './lib/platform.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, start } from './lib/server.mjs';

const place = 'accounts/110000000000000000001/locations/4400000000000000001';
const pushToken = 'a-push-token-of-the-tests-0123456789';
const secrets = { push_token: pushToken, client_id: 'client-of-the-tests', client_secret: 'secret-of-the-client', refresh_token: '1//refresh-of-the-tests' };

let platform;
let ops;
let server;
let token;
before(async () => {
  platform = await startPlatform();
  platform.answer('/token', { json: { access_token: 'the-session', expires_in: 3599 } });
  ops = await receiver();
  const sources = [{ name: 'google', use: 'google-reviews', secrets, api_url: platform.url(), token_url: platform.url('/token'), brand_account: 'acme' }];
  const delivery = { allow_private_addresses: true, schedule: ['200ms', '300ms', '1s', '2s', '3s', '5s', '10s', '20s'] };
  server = await start(brand({ ops, more: { sources, delivery } }));
  token = await server.token('admin');
});
after(async () => {
  await server?.remove();
  await ops?.stop();
  await platform?.stop();
});

let counter = 0;
const fresh = () => `${place}/reviews/Review-${++counter}`;
const pathOf = (name) => `/v4/${name}`;
// A review as the API gives it.
const review = (name, { text = calm, stars = 'TWO', at = new Date().toISOString() } = {}) => ({
  name,
  reviewId: name.split('/').at(-1),
  reviewer: { displayName: `Guest of ${name.split('-').at(-1)}` },
  starRating: stars,
  ...(text === null ? {} : { comment: text }),
  createTime: at,
  updateTime: at,
});
const deliver = (body) => server.request(`/v1/hooks/google?token=${pushToken}`, { json: body });
// What Pub/Sub pushes when somebody has written a review: its name.
const notice = (name, type = 'NEW_REVIEW') =>
  deliver({
    message: {
      data: Buffer.from(JSON.stringify({ notificationType: type, location: place, review: name })).toString('base64'),
      messageId: String(++counter),
      publishTime: new Date().toISOString(),
    },
    subscription: 'projects/acme-care/subscriptions/reviews',
  });
const row = async (name) => (await server.sql(`SELECT * FROM posts WHERE native_id = '${name}'`))[0];
const becomes = (name, holds, what) =>
  eventually(async () => {
    const found = await row(name);
    return found && holds(found) ? found : null;
  }, { what: `${name} to be ${what}` });
const judged = (name) => becomes(name, (found) => found.state === 'judged', 'judged');
const called = (caseId) => ops.requests.filter((r) => r.json?.type === 'escalation.raised' && r.json.data.case.id === caseId);

describe('a review of which only the name comes', () => {
  test('is stored and answered before the platform is asked, then fetched and judged', async () => {
    const name = fresh();
    let go;
    const gate = new Promise((done) => (go = done));
    platform.answer(pathOf(name), async () => {
      await gate;
      return { json: review(name) };
    });
    const [post] = taken(await notice(name));
    assert.equal(post.native_id, name);
    assert.equal(post.case_id, null);
    assert.equal((await row(name)).state, 'pending');
    go();
    const found = await judged(name);
    assert.deepEqual([found.id, found.text, found.rating], [post.id, calm, 2]);
    const opened = await caseOf(server, token, found.case_id);
    assert.deepEqual([opened.platform, opened.posts[0].author.name, opened.posts[0].text, opened.posts[0].kind], ['google', 'Guest of 1', calm, 'review']);
    assert.ok(opened.posts[0].verdict);
  });

  test('is asked for once, by its name as it is, with the session', async () => {
    const name = fresh();
    const ofIt = (call) => decodeURIComponent(call.path) === pathOf(name);
    platform.answer(ofIt, { json: review(name) });
    taken(await notice(name));
    await judged(name);
    taken(await notice(name), { accepted: 0, duplicates: 1 });
    const asked = platform.of(ofIt);
    assert.equal(asked.length, 1);
    assert.equal(asked[0].method, 'GET');
    assert.equal(asked[0].path, pathOf(name), 'the slashes are not encoded');
    assert.equal(asked[0].headers.authorization, 'Bearer the-session');
    assert.equal(platform.of('/token').length, 1, 'one session serves all');
    assert.equal(platform.of('/token')[0].form.grant_type, 'refresh_token');
  });

  test('is in the moment when its words say so: the team is called', async () => {
    const name = fresh();
    platform.answer(pathOf(name), { json: review(name, { text: urgent, stars: 'ONE' }) });
    taken(await notice(name));
    const found = await judged(name);
    const [call] = await ops.received(1, { match: (r) => r.json?.data.case.id === found.case_id });
    assert.equal(call.json.data.posts[0].text, urgent);
  });

  test('has stars and no words: the stars are kept', async () => {
    const name = fresh();
    platform.answer(pathOf(name), { json: review(name, { text: null, stars: 'FIVE' }) });
    taken(await notice(name));
    const found = await becomes(name, (one) => one.rating === 5, 'there with its stars');
    assert.equal(found.text, '');
  });

  test('comes a hundred at a time, and all of them are judged', async () => {
    const names = Array.from({ length: 100 }, fresh);
    for (const name of names) platform.answer(pathOf(name), { json: review(name, { text: `${calm} ${name.slice(-6)}` }) });
    for (const answer of await Promise.all(names.map((name) => notice(name)))) taken(answer);
    for (const name of names) await judged(name);
    for (const name of names) assert.equal(platform.of(pathOf(name)).length, 1);
  });
});

describe('a platform that fails', () => {
  const broken = {
    'with a 500': { status: 500 },
    'with a 503': { status: 503, headers: { 'retry-after': '1' } },
    'with a 429': { status: 429 },
    'with no answer': { close: 'at once' },
    'with half an answer': { close: 'in the body', json: review('x') },
    'with what is no JSON': { body: '<html>we are back soon</html>' },
  };
  for (const [how, answer] of Object.entries(broken)) {
    test(`${how} is asked again`, async () => {
      const name = fresh();
      platform.answer(pathOf(name), answer, { json: review(name) });
      taken(await notice(name));
      const found = await judged(name);
      assert.equal(found.text, calm);
      assert.equal((await server.sql(`SELECT count(*) AS n FROM posts WHERE native_id = '${name}'`))[0].n, 1);
    });
  }

  test('is left alone for as long as its Retry-After says', async () => {
    const name = fresh();
    platform.answer(pathOf(name), { status: 503, headers: { 'retry-after': '3' } }, { json: review(name) });
    taken(await notice(name));
    await judged(name);
    const [first, second] = platform.of(pathOf(name));
    assert.ok(second.at - first.at >= 2900, `asked again after ${second.at - first.at} ms`);
  });

  test('three times: the review is shown to the agents without words; when they come it is judged and may call the team', async () => {
    const name = fresh();
    let well = false;
    platform.answer(pathOf(name), () => (well ? { json: review(name, { text: urgent }) } : { status: 500 }));
    const [post] = taken(await notice(name));
    const shown = await becomes(name, (one) => one.case_id !== null, 'on a case');
    assert.equal(shown.id, post.id);
    assert.equal(shown.text, '');
    assert.ok(platform.of(pathOf(name)).length >= 3);
    const { body: queue } = await server.request('/v1/queue?limit=200', { token });
    assert.ok(queue.items.some((item) => item.id === shown.case_id), 'an agent finds it in the queue');
    assert.deepEqual(called(shown.case_id), []);

    well = true;
    const found = await becomes(name, (one) => one.text === urgent, 'there with its words');
    assert.equal(found.case_id, shown.case_id, 'on the same case');
    const [call] = await ops.received(1, { match: (r) => r.json?.data.case.id === found.case_id });
    assert.equal(call.json.data.posts[0].text, urgent);
    const opened = await caseOf(server, token, found.case_id);
    assert.equal(opened.moment, 'in_the_moment');
    assert.equal(opened.posts.length, 1);
  });
});

describe('a platform that refuses', () => {
  test('is not asked again; the review is there for an agent, without words', async () => {
    const name = fresh();
    platform.answer(pathOf(name), { status: 403, json: { error: { code: 403, message: 'The caller does not have permission', status: 'PERMISSION_DENIED' } } });
    const [post] = taken(await notice(name));
    const shown = await becomes(name, (one) => one.case_id !== null, 'on a case');
    assert.deepEqual([shown.id, shown.text], [post.id, '']);
    const opened = await caseOf(server, token, shown.case_id);
    assert.deepEqual([opened.posts.length, opened.posts[0].text, opened.platform], [1, '', 'google']);
    const { body: queue } = await server.request('/v1/queue?limit=200', { token });
    assert.ok(queue.items.some((item) => item.id === shown.case_id), 'an agent finds it in the queue');
    assert.deepEqual(called(shown.case_id), []);
    await sleep(2000);
    assert.equal(platform.of(pathOf(name)).length, 1);

    // Somebody who may read it posts it to the same address.
    taken(await deliver(review(name, { text: urgent })));
    const found = await becomes(name, (one) => one.text === urgent, 'there with its words');
    assert.equal(found.case_id, shown.case_id);
    await ops.received(1, { match: (r) => r.json?.data.case.id === found.case_id });
  });

  test('our session is asked for another, once, and then for the review again', async () => {
    const name = fresh();
    platform.answer(pathOf(name), { status: 401 }, { json: review(name) });
    const sessions = platform.of('/token').length;
    taken(await notice(name));
    await judged(name);
    assert.equal(platform.of(pathOf(name)).length, 2);
    assert.equal(platform.of('/token').length, sessions + 1);
  });
});

describe('a review that is gone', () => {
  for (const status of [404, 410]) {
    test(`(${status}) is deleted here too, and no agent is troubled with it`, async () => {
      const name = fresh();
      platform.answer(pathOf(name), { status, json: { error: { code: status, message: 'Requested entity was not found.' } } });
      taken(await notice(name));
      const found = await becomes(name, (one) => one.state === 'deleted', 'deleted');
      assert.deepEqual([found.text, found.case_id], ['', null]);
      assert.equal(platform.of(pathOf(name)).length, 1);
      taken(await notice(name), { accepted: 0, duplicates: 1 });
    });
  }
});

describe('a crash', () => {
  test('between the notice and the fetch loses nothing: after it the review is fetched and judged, once', async () => {
    const names = Array.from({ length: 20 }, fresh);
    for (const name of names) platform.answer(pathOf(name), { hang: true });
    for (const answer of await Promise.all(names.map((name) => notice(name)))) taken(answer);
    await eventually(() => names.some((name) => platform.of(pathOf(name)).length > 0), { what: 'a fetch to begin' });
    await server.kill9();
    for (const name of names) platform.answer(pathOf(name), { json: review(name) });
    await server.restart();
    for (const name of names) await judged(name);
    const counts = await server.sql(`SELECT native_id, count(*) AS n FROM posts WHERE native_id LIKE '${place}%' GROUP BY native_id HAVING n <> 1`);
    assert.deepEqual(counts, []);
  });

  test('again and again, while reviews come in and are fetched: each that was answered with 200 is judged in the end', async () => {
    const names = [];
    for (let round = 0; round < 10; round += 1) {
      for (let i = 0; i < 5; i += 1) {
        const name = fresh();
        platform.answer(pathOf(name), { json: review(name), delay: (round * 53 + i * 31) % 200 });
        taken(await notice(name));
        names.push(name);
      }
      await sleep((round * 37) % 150);
      await server.kill9();
      await server.restart();
    }
    for (const name of names) assert.equal((await judged(name)).text, calm);
    assert.deepEqual(
      await server.sql("SELECT p.id FROM posts p LEFT JOIN cases c ON c.id = p.case_id WHERE p.state = 'judged' AND c.id IS NULL"),
      [],
    );
  });
});

test('no secret is in the log, the metrics or the list of sources', async () => {
  const { text: metrics } = await server.request('/metrics', { token });
  const { text: listed } = await server.request('/v1/sources', { token });
  for (const secret of [pushToken, secrets.client_secret, secrets.refresh_token, 'the-session']) {
    for (const where of [metrics, listed, server.log()]) assert.ok(!where.includes(secret) && !where.includes(encodeURIComponent(secret)));
  }
});
