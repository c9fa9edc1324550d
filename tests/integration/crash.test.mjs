// kill -9 under load: what was answered with 200 is in the database, once, with its case and its callbacks; callbacks
// that were not delivered yet are delivered after the restart under the same webhook-id.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brand, calm, chatter, opsSecret, post, send, urgent } from './lib/brand.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, start } from './lib/server.mjs';
import { verifyStandardWebhooks } from './lib/sign.mjs';

const rounds = Number(process.env.TRIAGED_CRASH_ROUNDS ?? 50);
let ops;
let server;
before(async () => {
  ops = await receiver();
  server = await start(brand({ ops, more: { classifier: {} } }));
});
after(async () => {
  await server?.remove();
  await ops?.stop();
});

test(`every post that was answered with 200 survives ${rounds} kills under load, once, with its case and callbacks`, async () => {
  const acknowledged = new Map(); // native id → what the answer said of it
  const sent = new Map();
  for (let round = 0; round < rounds; round += 1) {
    let stopped = false;
    const client = async () => {
      while (!stopped) {
        const text = [urgent, calm, chatter][sent.size % 3];
        const one = post({ text });
        sent.set(one.native_id, one);
        let answer;
        try {
          answer = await send(server, one);
        } catch {
          return; // the server died under it: nothing was promised
        }
        if (answer.status === 200) acknowledged.set(one.native_id, answer.body.posts[0]);
        else assert.equal(answer.status, 503, answer.text);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await new Promise((done) => setTimeout(done, 30 + (round * 37) % 150));
    await server.kill9();
    stopped = true;
    await Promise.all(clients);
    await server.restart();
  }
  assert.ok(acknowledged.size > rounds, `only ${acknowledged.size} posts were acknowledged`);

  const rows = await server.sql('SELECT id, native_id, case_id, state FROM posts');
  const byNative = new Map();
  for (const row of rows) {
    assert.ok(!byNative.has(row.native_id), `${row.native_id} is stored twice`);
    byNative.set(row.native_id, row);
  }
  for (const [native, said] of acknowledged) {
    const row = byNative.get(native);
    assert.ok(row, `${native} was answered with 200 and is gone`);
    assert.equal(row.id, said.id);
    assert.equal(row.case_id, said.case_id);
  }
  // Whatever is stored is whole: a judged post has its case, an escalated case its callback, one each.
  assert.deepEqual(await server.sql("SELECT p.id FROM posts p LEFT JOIN cases c ON c.id = p.case_id WHERE p.state = 'judged' AND c.id IS NULL"), []);
  const half = await server.sql(
    "SELECT e.id, count(d.id) AS n FROM escalations e LEFT JOIN deliveries d ON d.escalation_id = e.id AND d.type = 'escalation.raised' GROUP BY e.id HAVING n <> 1",
  );
  assert.deepEqual(half, []);
  const urgentStored = rows.filter((row) => sent.get(row.native_id)?.text === urgent).length;
  const [{ n }] = await server.sql('SELECT count(*) AS n FROM escalations');
  assert.equal(n, urgentStored);
  assert.equal((await server.sql('PRAGMA integrity_check'))[0].integrity_check, 'ok');
});

test('callbacks that waited through a crash are delivered after it with the same webhook-id', async () => {
  ops.always({ status: 500 });
  const from = ops.requests.length;
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(server, post({ text: urgent }))));
  for (const answer of answers) assert.equal(answer.status, 200);
  const wanted = new Set(answers.map((answer) => answer.body.posts[0].case_id));
  const ours = () => ops.requests.slice(from).filter((r) => wanted.has(r.json.data.case.id));
  await eventually(() => ours().length >= 3, { what: 'the first attempts' });
  const before = new Map(ours().map((r) => [r.json.data.case.id, r.headers['webhook-id']]));
  await server.kill9();
  ops.always({ status: 200 });
  const restarted = ops.requests.length;
  await server.restart();
  const late = () => ops.requests.slice(restarted).filter((r) => wanted.has(r.json.data.case.id));
  await eventually(() => new Set(late().map((r) => r.json.data.case.id)).size === wanted.size, { what: 'every callback' });
  for (const request of late()) {
    assert.equal(request.headers['webhook-id'], before.get(request.json.data.case.id) ?? request.headers['webhook-id']);
    verifyStandardWebhooks(opsSecret, request);
  }
  await eventually(async () => (await server.sql("SELECT count(*) AS n FROM deliveries WHERE state = 'waiting'"))[0].n === 0,
    { what: 'an empty outbox' });
});
