// The agents' queue over the wire: order, filters, waiting, claims and leases, work on a case, roles and tokens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brand, calm, chatter, post, send, urgent } from './lib/brand.mjs';
import { eventually, start, triaged } from './lib/server.mjs';

let server;
let agent;
let other;
let supervisor;
before(async () => {
  const config = brand();
  config.routing.routes = [{ match: { min_followers: 100000 }, team: 'vip' }];
  server = await start(config);
  agent = await server.token('agent', { name: 'ann' });
  other = await server.token('agent', { name: 'bob' });
  supervisor = await server.token('supervisor', { name: 'sue' });
});
after(() => server?.remove());

const get = (path, token = agent, headers = {}) => server.request(path, { token, headers });
const act = (path, json, token = agent, headers = {}) => server.request(path, { method: 'POST', token, json: json ?? {}, headers });
const accept = async (fields) => {
  const answer = await send(server, post(fields));
  assert.equal(answer.status, 200, answer.text);
  return answer.body.posts[0];
};
const problem = (answer, status) => {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.status, status);
  assert.ok(answer.body.title && answer.body.detail);
  return answer.body;
};

test('an accepted post stands in the queue at once, the most pressing first', async () => {
  const late = await accept({ text: calm });
  const now = await accept({ text: urgent });
  const quiet = await accept({ text: chatter });
  const { status, body, headers } = await get('/v1/queue?limit=200');
  assert.equal(status, 200);
  assert.ok(headers.get('etag'));
  const ids = body.items.map((item) => item.id);
  assert.ok(ids.includes(late.case_id) && ids.includes(now.case_id));
  assert.ok(ids.indexOf(now.case_id) < ids.indexOf(late.case_id));
  assert.ok(!ids.includes(quiet.case_id), 'a case of nothing actionable starts closed');
  const item = body.items.find((one) => one.id === now.case_id);
  assert.equal(item.posts.length, 1);
  assert.equal(item.posts[0].text, urgent);
  assert.equal(item.moment, 'in_the_moment');
  assert.ok(item.posts[0].verdict.reasons.length > 0);
  assert.equal(item.site, 'LHR-T5');
  assert.equal(item.customer.followers, 10);
  for (const left of ['replies', 'notes', 'escalations']) assert.ok(!(left in item));
});

test('the queue filters by each of its parameters and refuses values it does not know', async () => {
  await accept({ text: urgent, platform: 'facebook', language: 'en' });
  for (const [query, holds] of [
    ['moment=in_the_moment', (i) => i.moment === 'in_the_moment'],
    ['min_urgency=55', (i) => i.urgency >= 55],
    ['priority=high,critical', (i) => ['high', 'critical'].includes(i.priority)],
    ['platform=facebook', (i) => i.platform === 'facebook'],
    ['site=LHR-T5', (i) => i.site === 'LHR-T5'],
    ['topic=queue,delay', (i) => ['queue', 'delay'].includes(i.topic)],
    ['language=en', (i) => i.language === 'en'],
    ['state=new', (i) => i.state === 'new'],
    ['team=care', (i) => i.team === 'care'],
    ['assignee=none', (i) => i.assignee === null],
  ]) {
    const { status, body } = await get(`/v1/queue?limit=200&${query}`);
    assert.equal(status, 200, query);
    assert.ok(body.items.length > 0, query);
    assert.ok(body.items.every(holds), query);
  }
  for (const bad of ['moment=now', 'min_urgency=x', 'priority=urgent', 'limit=0', 'limit=999', 'wait=-1', 'cursor=x', 'state=resolved']) {
    problem(await get(`/v1/queue?${bad}`), 400);
  }
});

test('cursors page a snapshot: no case twice, none left out, whatever comes in between', async () => {
  for (let i = 0; i < 7; i += 1) await accept({ text: calm });
  const { body: all } = await get('/v1/queue?limit=200');
  const seen = [];
  let cursor = '';
  do {
    const { status, body } = await get(`/v1/queue?limit=3${cursor && `&cursor=${cursor}`}`);
    assert.equal(status, 200);
    seen.push(...body.items.map((item) => item.id));
    cursor = body.next_cursor;
    await accept({ text: urgent }); // would push everything down a page
  } while (cursor);
  assert.deepEqual(seen, all.items.map((item) => item.id));
});

test('a waiting poll is answered when something changes, and 304 at the end when nothing does', async () => {
  const first = await get('/v1/queue?limit=200');
  const etag = first.headers.get('etag');
  const unchanged = await get('/v1/queue?limit=200&wait=1', agent, { 'if-none-match': etag });
  assert.equal(unchanged.status, 304);
  const waiting = get('/v1/queue?limit=200&wait=30', agent, { 'if-none-match': etag });
  await new Promise((done) => setTimeout(done, 100));
  const { case_id: id } = await accept({ text: urgent });
  const changed = await waiting;
  assert.equal(changed.status, 200);
  assert.ok(changed.body.items.some((item) => item.id === id));
});

test('two agents who claim at the same time never get the same case', async () => {
  for (let i = 0; i < 12; i += 1) await accept({ text: calm });
  const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => act('/v1/queue/claim', { limit: 2 }, i % 2 ? agent : other)));
  const ids = answers.flatMap((answer) => answer.body.items.map((item) => item.id));
  assert.ok(ids.length >= 12);
  assert.equal(new Set(ids).size, ids.length);
});

test('the most pressing unclaimed case is the one that is claimed', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const { body } = await get('/v1/queue?limit=1&assignee=none');
  const claimed = await act('/v1/queue/claim', {});
  assert.equal(claimed.status, 200);
  assert.equal(claimed.body.items[0].id, body.items[0].id);
  assert.equal(claimed.body.items[0].state, 'claimed');
  assert.equal(claimed.body.items[0].assignee.name, 'ann');
  assert.ok(id);
});

test('a claimed case is given to no one else until its lease ends, and then it is', async () => {
  const { case_id: id } = await accept({ text: urgent });
  assert.equal((await act(`/v1/cases/${id}/claim`, { lease_seconds: 1 })).status, 200);
  const refused = problem(await act(`/v1/cases/${id}/claim`, {}, other), 409);
  assert.match(refused.detail, /ann/);
  problem(await act(`/v1/cases/${id}/note`, { text: 'mine' }, other), 409);
  await eventually(async () => (await get(`/v1/cases/${id}`)).body.state === 'new', { what: 'the lease to end' });
  assert.equal((await act(`/v1/cases/${id}/claim`, {}, other)).status, 200);
});

test('each write of the holder renews the lease', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const claimed = await act(`/v1/cases/${id}/claim`, { lease_seconds: 5 });
  await act(`/v1/cases/${id}/note`, { text: 'calling them' });
  const { body } = await get(`/v1/cases/${id}`);
  assert.ok(body.assignee.lease_until > claimed.body.assignee.lease_until);
});

test('a released case is back in the queue; only its holder or a supervisor can release it', async () => {
  const { case_id: id } = await accept({ text: urgent });
  problem(await act(`/v1/cases/${id}/release`), 409);
  await act(`/v1/cases/${id}/claim`);
  problem(await act(`/v1/cases/${id}/release`, {}, other), 409);
  assert.equal((await act(`/v1/cases/${id}/release`)).body.state, 'new');
  await act(`/v1/cases/${id}/claim`);
  assert.equal((await act(`/v1/cases/${id}/release`, {}, supervisor)).body.assignee, null);
});

test('notes, claims and the resolution stand in the case and its timeline', async () => {
  const { case_id: id } = await accept({ text: urgent });
  await act(`/v1/cases/${id}/claim`);
  const note = await act(`/v1/cases/${id}/note`, { text: 'second desk opens 09:40 ☕' });
  assert.equal(note.status, 201);
  problem(await act(`/v1/cases/${id}/note`, { text: '  ' }), 422);
  const wrong = problem(await act(`/v1/cases/${id}/resolve`, { outcome: 'done' }), 422);
  assert.equal(wrong.errors[0].pointer, '/outcome');
  const resolved = await act(`/v1/cases/${id}/resolve`, { outcome: 'resolved_in_moment', note: 'on the plane' });
  assert.equal(resolved.status, 200);
  assert.equal(resolved.body.state, 'resolved');
  assert.equal(resolved.body.outcome, 'resolved_in_moment');
  problem(await act(`/v1/cases/${id}/resolve`, { outcome: 'no_action' }), 409);
  const { body } = await get(`/v1/cases/${id}`);
  assert.equal(body.notes[0].text, 'second desk opens 09:40 ☕');
  assert.equal(body.notes[0].by, 'ann');
  const timeline = await get(`/v1/cases/${id}/timeline`);
  assert.deepEqual(timeline.body.items.map((entry) => entry.type), ['post', 'claimed', 'note', 'resolved']);
  const { body: queue } = await get('/v1/queue?limit=200');
  assert.ok(!queue.items.some((item) => item.id === id));
});

test('a stale If-Match is 412 and changes nothing', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const { headers } = await get(`/v1/cases/${id}`);
  const etag = headers.get('etag');
  assert.equal((await act(`/v1/cases/${id}/note`, { text: 'one' }, agent, { 'if-match': etag })).status, 201);
  problem(await act(`/v1/cases/${id}/note`, { text: 'two' }, agent, { 'if-match': etag }), 412);
  assert.equal((await get(`/v1/cases/${id}`)).body.notes.length, 1);
});

test('an Idempotency-Key does a thing once, and is refused for another request', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const key = { 'idempotency-key': `k-${id}` };
  const first = await act(`/v1/cases/${id}/note`, { text: 'once' }, agent, key);
  const again = await act(`/v1/cases/${id}/note`, { text: 'once' }, agent, key);
  assert.equal(again.status, 201);
  assert.equal(again.text, first.text);
  assert.equal((await get(`/v1/cases/${id}`)).body.notes.length, 1);
  problem(await act(`/v1/cases/${id}/note`, { text: 'twice' }, agent, key), 422);
  assert.equal((await act(`/v1/cases/${id}/note`, { text: 'theirs' }, other, key)).status, 201, 'keys are each token’s own');
});

test('a case is the customer’s whole issue: further posts, history and the decision', async () => {
  const author = { native_id: 'whole-1', handle: 'whole', name: 'Wanda', followers: 5 };
  const one = await accept({ text: calm, author });
  const two = await accept({ text: urgent, author });
  assert.equal(two.case_id, one.case_id);
  await act(`/v1/cases/${one.case_id}/resolve`, { outcome: 'resolved_after_care' });
  const elsewhere = await accept({ text: calm, author, brand_account: 'acme-cargo' });
  const { body } = await get(`/v1/cases/${elsewhere.case_id}`);
  assert.equal(body.customer.name, 'Wanda');
  assert.equal(body.customer.earlier_cases, 1);
  assert.equal(body.customer.history[0].id, one.case_id);
  assert.equal(body.customer.history[0].outcome, 'resolved_after_care');
  assert.equal((await get(`/v1/cases/${one.case_id}`)).body.posts.length, 2);
  assert.ok(body.decision.why);
  const explained = await triaged(['route', 'explain', '--config', server.configPath, '--data', server.data, '--case', one.case_id]);
  assert.equal(explained.code, 0, explained.stderr);
  assert.match(explained.stdout, /kept on case/);
});

test('each role sees what is its own, and foreign cases say no more than 403', async () => {
  const vip = await accept({ text: urgent, author: { native_id: 'star', handle: 'star', followers: 2_000_000 } });
  const care = await server.token('agent', { name: 'care-only', team: 'care' });
  const stars = await server.token('agent', { name: 'vip-only', team: 'vip' });
  const ops = await server.token('ops', { name: 'ops', team: 'care' });
  assert.equal((await get(`/v1/cases/${vip.case_id}`, stars)).status, 200);
  const refused = problem(await get(`/v1/cases/${vip.case_id}`, care), 403);
  assert.ok(!JSON.stringify(refused).includes('star'));
  problem(await act(`/v1/cases/${vip.case_id}/note`, { text: 'x' }, care), 403);
  problem(await get('/v1/queue?team=vip', care), 403);
  assert.ok((await get('/v1/queue?limit=200', care)).body.items.every((item) => item.team === 'care'));
  assert.deepEqual((await get('/v1/queue', stars)).body.items.map((item) => item.id), [vip.case_id]);
  problem(await get('/v1/queue', ops), 403);
  problem(await get(`/v1/cases/${vip.case_id}`, ops), 403);
  problem(await get('/v1/deliveries'), 403);
  assert.equal((await get('/v1/deliveries', supervisor)).status, 200);
  problem(await get('/v1/cases/00000000-0000-7000-8000-000000000000'), 404);
  problem(await get('/v1/cases/none'), 404);
});

test('without a token, with a wrong or a revoked one, nothing but health is answered', async () => {
  const before = problem(await server.request('/v1/queue'), 401);
  assert.ok(before.detail);
  problem(await get('/v1/queue', 'trg_wrong'), 401);
  for (const path of ['/metrics', '/v1/teams', '/v1/sources', '/v1/sites', '/v1/escalations']) {
    problem(await server.request(path), 401);
    assert.equal((await get(path)).status, 200, path);
  }
  for (const path of ['/healthz', '/readyz', '/openapi.json']) assert.equal((await server.request(path)).status, 200);
  const secret = await server.token('agent', { name: 'leaving' });
  assert.equal((await get('/v1/queue', secret)).status, 200);
  const { stdout } = await triaged(['token', 'list', '--data', server.data]);
  assert.ok(!stdout.includes(secret));
  const id = stdout.split('\n').find((line) => line.includes('leaving')).match(/[0-9a-f-]{36}/)[0];
  assert.equal((await triaged(['token', 'revoke', id, '--data', server.data])).code, 0);
  await eventually(async () => (await get('/v1/queue', secret)).status === 401, { timeout: 3000, what: 'the revocation to hold' });
  assert.ok(!server.log().includes(secret));
});
