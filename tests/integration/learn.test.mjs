// Learning from the desk, by the real binary: agents correct verdicts, a model is trained from it, compared, and put in
// place without a restart.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brand, calm, post, send, urgent } from './lib/brand.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, root, start, triaged } from './lib/server.mjs';
import { x as signX } from './lib/sign.mjs';

const callers = (server) => ({
  get: (path, token) => server.request(path, { token }),
  act: (path, json, token, headers = {}) => server.request(path, { method: 'POST', token, json: json ?? {}, headers }),
  accept: async (fields) => {
    const answer = await send(server, post(fields));
    assert.equal(answer.status, 200, answer.text);
    return answer.body.posts[0];
  },
});

const xSecret = 'the secret of an app of the tests';

describe('correct:', () => {
  let server, ops, agent, other, get, act, accept;
  before(async () => {
    ops = await receiver();
    const config = brand({ ops });
    config.sources.push({ name: 'x-main', use: 'x', secrets: { consumer_secret: xSecret }, brand_account: 'acme' });
    server = await start(config);
    agent = await server.token('agent', { name: 'ann' });
    other = await server.token('agent', { name: 'bob' });
    ({ get, act, accept } = callers(server));
  });
  after(async () => {
    await server?.remove();
    await ops?.stop();
  });

  // X, where posts are edited and deleted: `text`, the `edits`th version of post `id`.
  const toX = async (event) => {
    const body = JSON.stringify({ for_user_id: '2244994945', ...event });
    const answer = await server.request('/v1/hooks/x-main', { body, headers: { 'content-type': 'application/json', ...signX(xSecret, body) } });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.posts?.[0];
  };
  const write = (id, text, edits = 0) => {
    const versions = Array.from({ length: edits + 1 }, (_, i) => `${id}${i}`);
    const user = { id_str: `7${id}`, screen_name: `h${id}` };
    return toX({ tweet_create_events: [{ id_str: versions[edits], text, user, timestamp_ms: String(Date.now()), edit_history: { initial_tweet_id: versions[0], edit_tweet_ids: versions } }] });
  };
  const remove = (id) => toX({ tweet_delete_events: [{ status: { id: `${id}0`, user_id: `7${id}` }, timestamp_ms: String(Date.now()) }] });

  const verdict = (body, id) => body.posts.find((one) => one.id === id).verdict;
  const events = async (id) =>
    (await get(`/v1/cases/${id}/timeline`, agent)).body.items.filter((entry) => entry.type === 'corrected');

  test('the post says what the person said, and the case follows', async () => {
    const { id: postId, case_id: id } = await accept({ text: calm });
    const before = (await get(`/v1/cases/${id}`, agent)).body;
    const said = { moment: 'in_the_moment', actionable: true, intent: 'request', topic: 'delivery', priority: 'critical' };
    const { status, body, headers } = await act(`/v1/cases/${id}/correct`, said, agent);
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(headers.get('etag'));
    const now = verdict(body, postId);
    for (const [label, value] of Object.entries(said)) assert.equal(now[label], value, label);
    assert.equal(now.judge, 'person');
    assert.equal(now.moment_confidence, 1);
    assert.equal(now.actionable_confidence, 1);
    assert.ok(now.urgency >= 80);
    for (const label of ['moment', 'actionable', 'intent', 'topic', 'urgency']) {
      assert.deepEqual(now.reasons.filter((reason) => reason.for === label).map((reason) => reason.cue), ['corrected by ann'], label);
    }
    for (const label of ['moment', 'intent', 'topic', 'priority']) assert.equal(body[label], said[label], label);
    const [event] = await events(id);
    assert.equal(event.actor, 'ann');
    assert.equal(event.data.post, postId);
    assert.equal(event.data.before.priority, before.priority);
    assert.equal(event.data.before.topic, before.topic);
    assert.equal(event.data.after.priority, 'critical');
    assert.equal(event.data.after.topic, 'delivery');
  });

  test('what is urgent only since a person said so is escalated at once', async () => {
    const { case_id: id } = await accept({ text: calm });
    assert.deepEqual((await get(`/v1/cases/${id}`, agent)).body.escalations, []);
    const { body } = await act(`/v1/cases/${id}/correct`, { moment: 'in_the_moment', actionable: true, urgency: 3 }, agent);
    assert.equal(body.escalations.length, 1);
    const [call] = await ops.received(1, { match: (request) => request.body.includes(id) });
    assert.match(call.body, /escalation\.raised/);
  });

  test('what a person leaves out stays as the judge said', async () => {
    const { id: postId, case_id: id } = await accept({ text: urgent });
    const before = verdict((await get(`/v1/cases/${id}`, agent)).body, postId);
    const now = verdict((await act(`/v1/cases/${id}/correct`, { topic: 'staff' }, agent)).body, postId);
    for (const left of ['moment', 'moment_confidence', 'actionable', 'intent', 'urgency', 'priority', 'text_urgency', 'model']) {
      assert.deepEqual(now[left], before[left], left);
    }
    assert.equal(now.topic, 'staff');
    assert.ok(now.reasons.some((reason) => reason.for === 'moment' && !reason.cue.includes('ann')));
  });

  test('a post about no experience is neither, and a verdict that was right can be confirmed', async () => {
    const { id: postId, case_id: id } = await accept({ text: urgent });
    const neither = verdict((await act(`/v1/cases/${id}/correct`, { moment: 'neither' }, agent)).body, postId);
    assert.equal(neither.moment, 'after_the_fact');
    assert.equal(neither.moment_confidence, 0.5);
    await act(`/v1/cases/${id}/correct`, { moment: 'after_the_fact' }, agent);
    const both = await events(id);
    assert.equal(both.length, 2, 'both corrections stand in the timeline');
    assert.equal(both[1].data.confirmed, true);
  });

  test('of several posts the one that is named is corrected, else the newest', async () => {
    const author = { native_id: 'corrected-twice', handle: 'twice' };
    const first = await accept({ text: calm, author });
    const second = await accept({ text: calm, author });
    assert.equal(first.case_id, second.case_id);
    const path = `/v1/cases/${first.case_id}/correct`;
    let { body } = await act(path, { post: first.id, topic: 'safety' }, agent);
    assert.equal(verdict(body, first.id).topic, 'safety');
    assert.notEqual(verdict(body, second.id).judge, 'person');
    ({ body } = await act(path, { topic: 'queue' }, agent));
    assert.equal(verdict(body, second.id).topic, 'queue');
    assert.equal(verdict(body, first.id).topic, 'safety');
  });

  test('a body that does not say what it wants is refused with the place, and changes nothing', async () => {
    const { case_id: id } = await accept({ text: calm });
    const elsewhere = await accept({ text: calm });
    for (const [body, pointer] of [
      [{}, ''],
      [{ post: elsewhere.id }, ''],
      [{ moment: 'now' }, '/moment'],
      [{ actionable: 'yes' }, '/actionable'],
      [{ intent: 'rant' }, '/intent'],
      [{ topic: 'food' }, '/topic'],
      [{ priority: 'urgent' }, '/priority'],
      [{ urgency: 4 }, '/urgency'],
      [{ urgency: 2.5 }, '/urgency'],
      [{ urgency: 1, priority: 'critical' }, '/urgency'],
      [{ post: 'none', topic: 'queue' }, '/post'],
      [{ post: elsewhere.id, topic: 'queue' }, '/post'],
    ]) {
      const answer = await act(`/v1/cases/${id}/correct`, body, agent);
      assert.equal(answer.status, 422, JSON.stringify(body));
      assert.equal(answer.body.errors[0].pointer, pointer, JSON.stringify(body));
    }
    assert.deepEqual(await events(id), []);
  });

  test('a case that another holds, a stale If-Match and a foreign role are refused; a key does it once', async () => {
    const { case_id: id } = await accept({ text: calm });
    const path = `/v1/cases/${id}/correct`;
    const { headers } = await get(`/v1/cases/${id}`, agent);
    assert.equal((await act(`/v1/cases/${id}/claim`, {}, other)).status, 200);
    const held = await act(path, { topic: 'queue' }, agent);
    assert.equal(held.status, 409);
    assert.match(held.body.detail, /bob/);
    assert.equal((await act(path, { topic: 'queue' }, other, { 'if-match': headers.get('etag') })).status, 412);
    const team = await server.token('ops', { name: 'ops', team: 'airport-ops' });
    assert.equal((await act(path, { topic: 'queue' }, team)).status, 403);
    assert.equal((await act('/v1/cases/00000000-0000-7000-8000-000000000000/correct', { topic: 'queue' }, agent)).status, 404);
    const key = { 'idempotency-key': `correct-${id}` };
    const first = await act(path, { topic: 'staff' }, other, key);
    assert.equal(first.status, 200);
    assert.equal((await act(path, { topic: 'staff' }, other, key)).text, first.text);
    assert.equal((await events(id)).length, 1);
  });

  test('a deleted post cannot be corrected, and is not learnt from', async () => {
    const { id: postId, case_id: id } = await write('9501', calm);
    assert.equal((await act(`/v1/cases/${id}/correct`, { topic: 'safety' }, agent)).status, 200);
    const learnable = async () => (await triaged(['evaluate', '--judge', 'fast', '--from-corrections', '--data-dir', server.data])).stdout.match(/^(\d+) posts/)[1];
    const before = Number(await learnable());
    await act(`/v1/cases/${id}/claim`, {}, agent);
    await remove('9501');
    assert.equal(Number(await learnable()), before - 1);
    const refused = await act(`/v1/cases/${id}/correct`, { post: postId, topic: 'queue' }, agent);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.body.errors[0].detail, /deleted/);
  });

  test('an edited text is judged anew', async () => {
    const { id: postId, case_id: id } = await write('9502', calm);
    await act(`/v1/cases/${id}/correct`, { topic: 'safety', moment: 'after_the_fact' }, agent);
    await write('9502', urgent, 1);
    const now = verdict((await get(`/v1/cases/${id}`, agent)).body, postId);
    assert.notEqual(now.judge, 'person');
    assert.equal(now.moment, 'in_the_moment');
  });

  test('when all is judged again, a person has had the last word', async () => {
    const corrected = await accept({ text: urgent });
    await act(`/v1/cases/${corrected.case_id}/correct`, { topic: 'staff' }, agent);
    const asked = await triaged(['rejudge', '--since', '1h', '--data', server.data]);
    assert.equal(asked.code, 0, asked.stderr);
    await eventually(async () => (await server.sql('SELECT count(*) AS n FROM second_looks'))[0].n === 0, { what: 'all to be judged again' });
    const now = verdict((await get(`/v1/cases/${corrected.case_id}`, agent)).body, corrected.id);
    assert.equal(now.judge, 'person');
    assert.equal(now.topic, 'staff');
  });
});

// Words of this brand's own, which no corpus knows: at the desk they come to mean a thing.
const lesson = (i) => `the blorptray is ${['stuck', 'here', 'open', 'slow', 'loud'][i % 5]} again zindle ${i}`;

describe('a brand whose desk has corrected its posts', () => {
  let server, agent, model, corpus, get, act, accept;
  before(async () => {
    server = await start(brand());
    agent = await server.token('agent', { name: 'ann' });
    ({ get, act, accept } = callers(server));
    for (let i = 0; i < 40; i += 1) {
      const { case_id: id } = await accept({ text: lesson(i) });
      const { status, text } = await act(`/v1/cases/${id}/correct`, { topic: 'safety', urgency: 3, actionable: true, moment: 'in_the_moment', intent: 'complaint' }, agent);
      assert.equal(status, 200, text);
    }
    model = join(server.directory, 'new.model');
    // A part of the corpus, so that this takes a second and not half a minute.
    const [header, ...rows] = (await readFile(join(root, 'config/corpus/corpus.tsv'), 'utf8')).split('\n');
    corpus = join(server.directory, 'part.tsv');
    await writeFile(corpus, [header, ...rows.filter((_, i) => i % 15 === 0)].join('\n'));
  });
  after(() => server?.remove());

  test('gets a model that learnt from it, beside the running server', async () => {
    const made = await triaged(['train', '--from-corrections', '--hold-out', '20', '--data-dir', server.data, '--no-corpus', '--data', corpus, '--out', model, '--version', 'desk.1']);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stderr, /32 corrections, the newest 8 held out/);
    const said = async (args) => JSON.parse((await triaged(['classify', ...args, '--text', 'blorptray zindle'])).stdout);
    const learnt = await said(['--model', model]);
    assert.equal(learnt.topic, 'safety');
    const shipped = await said(['--judge', 'fast']);
    assert.notEqual(shipped.topic, 'safety');
  });

  test('sees on corrections that the new model has not seen that it is better', async () => {
    const file = join(server.data, 'compared.json');
    const compared = await triaged(['evaluate', '--compare', 'fast', model, '--from-corrections', '--unseen', '--data-dir', server.data, '--json', file]);
    assert.equal(compared.code, 0, compared.stderr);
    assert.ok(!compared.stderr.includes('warning'), compared.stderr);
    const result = JSON.parse(await readFile(file, 'utf8'));
    assert.equal(result.posts, 8);
    assert.equal(result.labels.topic.b_is, 'better');
    assert.match(compared.stdout, /topic .* better/);
    const all = await triaged(['evaluate', '--model', model, '--from-corrections', '--data-dir', server.data]);
    assert.equal(all.code, 0);
    assert.match(all.stderr, /warning: 32 of 40 corrections were trained on/);
  });

  test('puts it in place without a restart, and the next verdict names it', async () => {
    await server.configure({ ...brand(), classifier: { model } });
    const from = server.log().length;
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/, { from });
    const { case_id: id } = await accept({ text: lesson(77) });
    const found = (await get(`/v1/cases/${id}`, agent)).body.posts[0].verdict;
    assert.equal(found.judge, 'fast');
    assert.equal(found.model, 'desk.1');
    assert.equal(found.topic, 'safety');
    assert.equal(found.priority, 'critical');
  });

  test('has earlier posts judged again by the judge that is in place now', async () => {
    const { id: postId, case_id: id } = await accept({ text: lesson(78) });
    await server.configure({ ...brand(), classifier: { judge: 'fast' } });
    const from = server.log().length;
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/, { from });
    const asked = await triaged(['rejudge', '--since', '1h', '--data', server.data]);
    assert.equal(asked.code, 0, asked.stderr);
    const entry = await eventually(
      async () => (await get(`/v1/cases/${id}/timeline`, agent)).body.items.find((one) => one.type === 'judged_again'),
      { what: 'the post to be judged again' },
    );
    assert.equal(entry.data.post, postId);
    assert.equal(entry.data.before.model, 'desk.1');
    assert.notEqual(entry.data.after.model, 'desk.1');
  });
});
