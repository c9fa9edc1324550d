// Operations teams over the wire: signed callbacks, acknowledgement by token and by link, the climb, endpoints that
// fail, and what leaves the server at all.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { brand, calm, chatter, opsSecret, post, send, urgent } from './lib/brand.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, start } from './lib/server.mjs';
import { verifyStandardWebhooks } from './lib/sign.mjs';

let ops;
let duty;
let server;
let supervisor;
const config = () => {
  const made = brand({ ops, duty });
  made.ladders.ops[1].after = '2s';
  return made;
};
before(async () => {
  ops = await receiver();
  duty = await receiver();
  server = await start(config());
  supervisor = await server.token('supervisor');
});
beforeEach(() => {
  ops.always({ status: 200 });
  duty.always({ status: 200 });
});
after(async () => {
  await server?.remove();
  await ops?.stop();
  await duty?.stop();
});

const accept = async (fields) => {
  const answer = await send(server, post(fields));
  assert.equal(answer.status, 200, answer.text);
  return answer.body.posts[0];
};
const about = (id, type = 'escalation.raised') => (r) => r.json?.data.case.id === id && r.json.type === type;
const local = (link) => link.replace('https://care.example.com', server.url);
const escalationOf = async (id) => (await server.request(`/v1/cases/${id}`, { token: supervisor })).body.escalations[0];

test('an urgent post reaches the team as a signed callback that says what, where and why', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const [request] = await ops.received(1, { match: about(id) });
  const body = verifyStandardWebhooks(opsSecret, request);
  assert.equal(body.type, 'escalation.raised');
  assert.equal(body.data.posts[0].text, urgent);
  assert.equal(body.data.escalation.team, 'airport-ops');
  assert.equal(body.data.escalation.level, 0);
  assert.ok(body.data.escalation.ack_by > body.data.escalation.raised_at);
  assert.equal(body.data.site.name ?? body.data.site, 'LHR-T5');
  assert.equal(body.data.incident, null);
  assert.equal(body.data.case.priority, (await server.request(`/v1/cases/${id}`, { token: supervisor })).body.priority);
  assert.throws(() => verifyStandardWebhooks(`whsec_${Buffer.alloc(24, 1).toString('base64')}`, request));
});

test('posts that are calm, not actionable or too old get a case and call nobody', async () => {
  const called = ops.requests.length;
  await accept({ text: calm });
  await accept({ text: chatter });
  const { case_id: id } = await accept({ text: urgent, created_at: new Date(Date.now() - 3 * 3600_000).toISOString() });
  const { body } = await server.request(`/v1/cases/${id}`, { token: supervisor });
  assert.deepEqual(body.escalations, []);
  assert.match(body.decision.why, /max_age|older/);
  await accept({ text: urgent }).then(({ case_id }) => ops.received(1, { match: about(case_id) }));
  assert.equal(ops.requests.length, called + 1);
});

test('nobody answers: the next rung is called; an acknowledgement by token stops the climb and is shown on the case', async () => {
  const { case_id: id } = await accept({ text: urgent });
  await duty.received(1, { match: about(id) });
  const team = await server.token('ops', { name: 'duty', team: 'duty-manager' });
  const e = await escalationOf(id);
  assert.equal(e.level, 1);
  const answer = await server.request(`/v1/escalations/${e.id}/ack`, { token: team, json: { action: 'second desk open 09:40', eta: '09:40' } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.state, 'acknowledged');
  const after = await escalationOf(id);
  assert.equal(after.action, 'second desk open 09:40');
  assert.equal(after.ack_by, null);
  assert.equal((await server.request(`/v1/cases/${id}`, { token: team })).status, 200, 'ops see what was escalated to them');
  await ops.received(1, { match: about(id, 'escalation.acknowledged') });
  const stranger = await server.token('ops', { name: 'x', team: 'care' });
  assert.equal((await server.request(`/v1/escalations/${e.id}/ack`, { token: stranger, json: {} })).status, 403);
});

test('the ack_url shows a page that changes nothing, acts on POST, and is worth nothing when it was changed', async () => {
  const { case_id: id } = await accept({ text: urgent });
  const [request] = await ops.received(1, { match: about(id) });
  const link = local(request.json.data.escalation.ack_url);
  const page = await fetch(link);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<form method="post"/);
  assert.equal((await escalationOf(id)).state, 'open');
  const forged = await fetch(link.replace('airport-ops', 'duty-manager'), { method: 'POST' });
  assert.equal(forged.status, 403);
  assert.equal((await fetch(link.replace(/signature=../, 'signature=00'), { method: 'POST' })).status, 403);
  const acted = await fetch(link, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=hot+water+is+on+its+way&note=%C3%A9t%C3%A9',
  });
  assert.equal(acted.status, 200);
  const e = await escalationOf(id);
  assert.equal(e.state, 'acknowledged');
  assert.equal(e.action, 'hot water is on its way');
  assert.equal(e.note, 'été');
  assert.equal(e.answered_by, 'airport-ops');
  const resolved = await fetch(link.replace('/ack?', '/resolve?'), { method: 'POST' });
  assert.equal(resolved.status, 200);
  assert.equal((await escalationOf(id)).state, 'resolved');
  assert.ok(!server.log().includes('signature='));
});

test('resolving the case ends its escalation and cancels the callback that still waits', async () => {
  ops.always({ status: 503, headers: { 'retry-after': '30' } });
  const { case_id: id } = await accept({ text: urgent });
  await ops.received(1, { match: about(id) });
  await eventually(async () => (await server.sql(`SELECT attempts FROM deliveries WHERE case_id = '${id}'`))[0].attempts === 1);
  const answer = await server.request(`/v1/cases/${id}/resolve`, { token: supervisor, json: { outcome: 'resolved_in_moment' } });
  assert.equal(answer.status, 200);
  assert.equal((await escalationOf(id)).state, 'ended');
  const { body } = await server.request('/v1/deliveries?state=cancelled', { token: supervisor });
  assert.ok(body.items.some((item) => item.case_id === id));
});

test('retries carry the same webhook-id and body, and a dead letter can be sent again', async () => {
  ops.always({ status: 500 });
  const { case_id: id } = await accept({ text: urgent });
  // The schedule of the test has five waits: six attempts, but for those that the breaker holds back.
  const dead = await eventually(async () => {
    const { body } = await server.request('/v1/deliveries?state=dead', { token: supervisor });
    return body.items.find((item) => item.case_id === id);
  }, { timeout: 60_000, what: 'the dead letter' });
  assert.equal(dead.last_status, 500);
  assert.equal(dead.attempts, 6);
  const tries = ops.requests.filter(about(id));
  assert.equal(tries.length, 6);
  assert.equal(new Set(tries.map((r) => r.headers['webhook-id'])).size, 1);
  assert.equal(new Set(tries.map((r) => r.body)).size, 1);
  for (const request of tries) verifyStandardWebhooks(opsSecret, request);
  ops.always({ status: 200 });
  const again = await server.request(`/v1/deliveries/${dead.id}/retry`, { token: supervisor, json: {} });
  assert.equal(again.status, 202);
  // The breaker may hold it back for a while.
  const all = await ops.received(7, { match: about(id), timeout: 70_000 });
  assert.equal(all.at(-1).headers['webhook-id'], tries[0].headers['webhook-id']);
});

test('an endpoint that answers 410 again and again is switched off, the ladder climbs at once, and it can be enabled', async () => {
  await eventually(async () => (await server.sql("SELECT count(*) AS n FROM deliveries WHERE state = 'waiting'"))[0].n === 0, { timeout: 70_000 });
  ops.always({ status: 410 });
  const { case_id: id } = await accept({ text: urgent });
  await duty.received(1, { match: about(id), timeout: 60_000 });
  await eventually(async () => {
    const { body } = await server.request('/v1/teams', { token: supervisor });
    return body.items.find((team) => team.name === 'airport-ops').callback.enabled === false;
  }, { timeout: 60_000, what: 'the endpoint to be off' });
  ops.always({ status: 200 });
  assert.equal((await server.request('/v1/teams/airport-ops/enable', { token: supervisor, json: {} })).status, 200);
  const next = await accept({ text: urgent });
  await ops.received(1, { match: about(next.case_id) });
});

test('a dead endpoint delays no other', async () => {
  ops.always({ hang: true });
  for (let i = 0; i < 20; i += 1) await accept({ text: urgent });
  const { case_id: id } = await accept({ text: urgent });
  await duty.received(1, { match: about(id), timeout: 10_000 }); // by the climb after two seconds
});

test('the text of direct messages leaves only for teams that name it, and overdue rungs fire after a restart', async () => {
  ops.always({ status: 200 });
  await server.stop();
  const next = config();
  next.teams.find((team) => team.name === 'duty-manager').callback.include = ['post_text', 'direct_message_text'];
  await server.configure(next);
  await server.restart();
  const { case_id: id } = await accept({ text: urgent, kind: 'direct_message' });
  const [request] = await ops.received(1, { match: about(id) });
  assert.ok(!request.body.includes(urgent));
  await server.kill9();
  await new Promise((done) => setTimeout(done, 2200));
  await server.restart();
  const [late] = await duty.received(1, { match: about(id) });
  assert.ok(late.body.includes(urgent));
});

test('callbacks to private addresses are refused unless the configuration allows them', async () => {
  const closed = config();
  closed.delivery = { schedule: ['50ms'] };
  const guarded = await start(closed);
  try {
    const token = await guarded.token('supervisor');
    const before = ops.requests.length;
    assert.equal((await send(guarded, post({ text: urgent }))).status, 200);
    const dead = await eventually(async () => (await guarded.request('/v1/deliveries?state=dead', { token })).body.items[0]);
    assert.match(dead.last_error, /127\.0\.0\.1|public|private/);
    assert.equal(ops.requests.length, before);
  } finally {
    await guarded.remove();
  }
});
