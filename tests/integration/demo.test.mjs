// `triaged demo`: the main job on sample posts, as a newcomer sees it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually, start, triaged } from './lib/server.mjs';

const run = promisify(execFile);

describe('triaged demo', () => {
  let demo;
  const tokens = {};
  before(async () => {
    demo = await start(null, { command: 'demo', args: ['--rate', '200'] });
    await demo.logged(/the day begins/);
    for (const [, role, secret] of demo.log().matchAll(/(agent|ops|supervisor|admin) +(trg_[\w-]{43})/g)) tokens[role] = secret;
  });
  after(() => demo?.remove());

  test('prints its address and a token for each role', () => {
    assert.match(demo.log(), /^triaged listening on http:\/\/127\.0\.0\.1:\d+$/m);
    assert.deepEqual(Object.keys(tokens).sort(), ['admin', 'agent', 'ops', 'supervisor']);
  });

  test('its posts become cases, most pressing first', async () => {
    const bands = ['low', 'normal', 'high', 'critical'];
    const queue = await eventually(
      async () => {
        const { status, body } = await demo.request('/v1/queue?limit=100', { token: tokens.agent });
        assert.equal(status, 200);
        return body.items.length >= 30 && body.items;
      },
      { what: 'thirty open cases' },
    );
    const order = queue.map((item) => bands.indexOf(item.queue_priority));
    assert.deepEqual(order, [...order].sort((a, b) => b - a));
    for (const item of queue) assert.ok(item.actionable && item.posts.length === 1);
  });

  test('its callbacks arrive, verified, and none is refused', async () => {
    await demo.logged(/airport-ops  ← escalation\.raised  (critical|high) \d+  \w+  port-ansel-t2 /);
    await demo.logged(/safety-desk  ← escalation\.raised /);
    assert.doesNotMatch(demo.log(), /← refused/);
    const { body } = await demo.request('/v1/deliveries?state=dead', { token: tokens.supervisor });
    assert.deepEqual(body.items, []);
  });

  test("a callback's ack address acknowledges, without a token", async () => {
    const [, url, id] = await demo.logged(/ack: (http:\S+\/v1\/escalations\/([0-9a-f-]{36})\/ack\?\S+)/);
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<button>Acknowledge<\/button>/);
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ action: 'second desk open', eta: '09:40' }) });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).state, 'acknowledged');
    const { body } = await demo.request('/v1/escalations?state=acknowledged&limit=200', { token: tokens.supervisor });
    assert.ok(body.items.some((escalation) => escalation.id === id && escalation.action === 'second desk open'));
  });

  test('the commands that it offers to try work', async () => {
    const [, ack] = await demo.logged(/ack: (http:\S+team=safety-desk\S+)/);
    const commands = [...demo.log().matchAll(/^ +(curl .*)$/gm)].map((match) => match[1].replace("'ACK'", `'${ack}'`));
    assert.equal(commands.length, 3);
    const answers = [];
    for (const command of commands) {
      const { stdout } = await run('bash', ['-c', command.replace('curl -s', 'curl -sS --fail-with-body')]);
      answers.push(stdout);
    }
    assert.equal(JSON.parse(answers[0]).items.length, 5);
    assert.equal(JSON.parse(answers[1]).items[0].assignee.name, 'demo-agent');
    assert.match(answers[2], /<h1>Acknowledged<\/h1>/);
  });

  test('goes through the day again with posts of its own', async () => {
    await demo.logged(/the day begins again/, { timeout: 60_000 });
    const posts = () => demo.sql('SELECT count(*) AS n FROM posts').then(([row]) => row.n);
    const before = await posts();
    await eventually(async () => (await posts()) > before, { what: 'posts of the second day' });
  });

  test('SIGTERM drains and exits 0, and says what it did', async () => {
    assert.deepEqual(await demo.stop(), { code: 0, signal: null });
    const [, sent, received] = /(\d+) posts sent, (\d+) callbacks received$/m.exec(demo.log());
    assert.ok(Number(sent) > 300 && Number(received) > 30, demo.log().slice(-200));
    assert.ok(existsSync(`${demo.data}/triaged.db`), '--data keeps the database');
  });
});

test('a listen address that is taken is an error of the environment', async () => {
  const first = await start(null, { command: 'demo' });
  const second = await triaged(['demo', '--listen', `127.0.0.1:${first.port}`]);
  assert.equal(second.code, 3);
  assert.match(second.stderr, new RegExp(`127\\.0\\.0\\.1.*${first.port}`));
  await first.remove();
});
