// The two judges of a running server: the deep one where it keeps up, the fast one always, second looks when there is
// time, and other models without a restart.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, start, triaged } from './lib/server.mjs';

const config = (classifier = {}) => ({ sources: [{ name: 'lab', use: 'generic', unsigned: true }], classifier });

const texts = [
  'stuck at gate B4 for two hours now and nobody tells us anything @acme',
  'so my bag came out soaked yesterday. lovely',
  'is the lounge open on sundays?',
  'app keeps logging me out while I try to pay, boarding in ten minutes',
  'thanks for nothing last night @acme',
  'no hot water in room 412 again',
];
let counter = 0;
const posts = (count) =>
  Array.from({ length: count }, () => {
    counter += 1;
    return {
      native_id: `j-${counter}`,
      text: `${texts[counter % texts.length]} ${counter}`,
      author: { native_id: `a-${counter}` },
    };
  });

async function send(server, list) {
  const { status, body } = await server.request('/v1/hooks/lab', { json: { posts: list } });
  assert.equal(status, 200);
  return body;
}

const judges = async (server) => {
  const rows = await server.sql("SELECT judge, count(*) AS n FROM posts WHERE state = 'judged' GROUP BY judge");
  return Object.fromEntries(rows.map(({ judge, n }) => [judge, n]));
};
const waiting = async (server) => (await server.sql('SELECT count(*) AS n FROM second_looks'))[0].n;

const until = (what, look) => eventually(look, { timeout: 120_000, every: 100, what });

describe('two judges', () => {
  let server;
  let token;
  const metric = async (name) => {
    const { text } = await server.request('/metrics', { token });
    return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
  };

  before(async () => {
    // The longest wait that may be set: this machine may be busy.
    server = await start(config({ deep_wait: '1s' }));
    token = await server.token('admin');
  });
  after(() => server?.remove());

  test('a post is routed on the deep verdict where that judge keeps up', async () => {
    const { posts: [first] } = await send(server, posts(1));
    const whole = await server.request(`/v1/cases/${first.case_id}`, { token });
    const { verdict } = whole.body.posts[0];
    assert.equal(verdict.judge, 'deep');
    assert.ok(verdict.model);
    assert.ok(verdict.reasons.length > 0);
    assert.equal(await metric('triaged_judged_posts_total{judge="deep"}'), 1);
  });

  test('in a flood posts are routed on the fast verdict, and judged again when there is time', async () => {
    await server.configure(config({ deep_wait: '5ms' }));
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/);
    const answer = await send(server, posts(900));
    assert.equal(answer.accepted, 900);
    assert.ok((await metric('triaged_deep_judge_skipped_total')) > 600, 'most were not given to the deep judge');
    await until('all were looked at again', async () => (await waiting(server)) === 0);
    const by = await judges(server);
    assert.equal(by.fast, undefined);
    assert.equal(by.deep, 901);
    assert.ok((await metric('triaged_second_looks_total{result="same"}')) > 0);
  });

  test('a second look that changes a verdict stands in the timeline', async () => {
    const changed = await server.sql("SELECT case_id, data FROM events WHERE type = 'judged_again' LIMIT 1");
    assert.equal(changed.length, 1, 'of nine hundred posts some are judged differently');
    const data = JSON.parse(changed[0].data);
    assert.equal(data.before.judge, 'fast');
    assert.equal(data.after.judge, 'deep');
    const timeline = await server.request(`/v1/cases/${changed[0].case_id}/timeline`, { token });
    assert.ok(timeline.body.items.some((item) => item.type === 'judged_again'));
  });

  test('another judge is put in by SIGHUP, and rejudge has it look at what is there', async () => {
    await server.configure(config({ judge: 'fast' }));
    const from = server.log().length;
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/, { from });
    const asked = await triaged(['rejudge', '--since', '1d', '--data', server.data]);
    assert.equal(asked.code, 0, asked.stderr);
    assert.match(asked.stdout, /^901 posts are to be judged again$/m);
    await until('the fast judge has judged all', async () => (await judges(server)).fast === 901);
    assert.equal(await waiting(server), 0);
  });

  test('rejudge says what it expects', async () => {
    const wrong = await triaged(['rejudge', '--since', 'yesterday', '--data', server.data]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /--since yesterday: expected a duration .* or a time/);
  });
});

describe('the wish for a second look', () => {
  let server;
  before(async () => (server = await start(config({ deep_wait: '1ms', deep_threads: 1 }))));
  after(() => server?.remove());

  test('outlives kill -9', async () => {
    await send(server, posts(1000));
    await server.kill9();
    const left = await waiting(server);
    const { fast } = await judges(server);
    assert.ok(left > 0, 'it was killed before it had time');
    assert.ok(left >= fast, 'no hasty verdict is without its wish');
    await server.restart();
    await until('all were looked at again', async () => (await waiting(server)) === 0);
    assert.deepEqual(await judges(server), { deep: 1000 });
  });
});

test('a damaged deep model is refused with its place and its file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'triaged-judges-'));
  await writeFile(join(directory, 'deep.model'), 'TRIAGEDM and nothing more');
  await writeFile(join(directory, 'triaged.json'), JSON.stringify(config({ deep_model: 'deep.model' })));
  const check = await triaged(['check', '--config', join(directory, 'triaged.json')]);
  assert.equal(check.code, 1);
  assert.match(check.stderr, /\/classifier\/deep_model: .*deep\.model/);
  await rm(directory, { recursive: true });
});
