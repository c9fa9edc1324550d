// Platforms without webhooks: they are polled and listened to, and what they hold becomes cases, once each, whatever
// happens to them or to us in between.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caseOf } from './lib/answers.mjs';
import { brand, calm, chatter, urgent } from './lib/brand.mjs';
import { startPlatform } from './lib/platform.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, start } from './lib/server.mjs';

const stored = (server, source) => server.sql(`SELECT * FROM posts WHERE source = '${source}' ORDER BY native_id`);
const ids = async (server, source) => (await stored(server, source)).map((row) => row.native_id);
const holds = (server, source, count) =>
  eventually(async () => (await stored(server, source)).length >= count, { what: `${count} posts of ${source}` });
// Every post of the source is there, once: `native_id` is no key of the table by itself.
const exactly = async (server, source, wanted) => assert.deepEqual(await ids(server, source), [...wanted].sort());
// Two polls of `path` that begin after now: whatever an earlier answer brings has been taken then.
const polled = (platform, path, times = 2) => platform.called(path, platform.of(path).length + times + 1);

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
// The same entry is the same text on every poll.
const born = Date.now();
const entryOf = ({ id, text, at = born, edited = at }) => `<entry><id>${id}</id><title>${escaped(text)}</title>
  <published>${new Date(at).toISOString()}</published><updated>${new Date(edited).toISOString()}</updated>
  <author><name>reader of ${id}</name></author><link rel="alternate" href="https://blog.example/${id}"/></entry>`;
const atom = (entries) => `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:blog</id><title>Blog</title>${entries.map(entryOf).join('\n')}</feed>`;
// The answer of a platform that knows ETags.
const tagged = (body, etag) => ({ headers }) => (headers['if-none-match'] === etag ? { status: 304, headers: { etag }, body: '' } : { headers: { etag }, body });

describe('a feed', () => {
  const path = '/blog.xml';
  const entries = [{ id: 'e-1', text: calm }, { id: 'e-2', text: chatter }];
  let version = 1;
  const feed = (call) => tagged(atom(entries), `"v${version}"`)(call);
  let platform;
  let ops;
  let server;
  let token;
  before(async () => {
    platform = await startPlatform();
    platform.answer(path, feed);
    ops = await receiver();
    const sources = [{ name: 'blog', use: 'feed', url: platform.url(path), pull_every: '1s', brand_account: 'acme' }];
    server = await start(brand({ ops, more: { sources } }));
    token = await server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await ops?.stop();
    await platform?.stop();
  });
  const publish = (...more) => {
    entries.unshift(...more);
    version += 1;
  };

  test('becomes cases, one for each entry, however often it is polled', async () => {
    await holds(server, 'blog', 2);
    await polled(platform, path, 3);
    await exactly(server, 'blog', ['e-1', 'e-2']);
    const [first] = await stored(server, 'blog');
    const opened = await caseOf(server, token, first.case_id);
    assert.deepEqual([opened.platform, opened.posts[0].text, opened.posts[0].url], ['feed', calm, 'https://blog.example/e-1']);
    assert.equal(opened.posts[0].author.name, 'reader of e-1');
  });

  test('that has not changed is asked for by its ETag', async () => {
    const [, last] = await polled(platform, path).then((all) => all.slice(-2));
    assert.equal(last.headers['if-none-match'], `"v${version}"`);
    assert.equal(last.status, 304);
  });

  test('has a new entry: it is a case, and an urgent one calls the team', async () => {
    publish({ id: 'e-3', text: urgent });
    await holds(server, 'blog', 3);
    const row = (await stored(server, 'blog')).at(-1);
    const [call] = await ops.received(1, { match: (r) => r.json?.data.case.id === row.case_id });
    assert.equal(call.json.data.posts[0].text, urgent);
    await polled(platform, path);
    await exactly(server, 'blog', ['e-1', 'e-2', 'e-3']);
    assert.equal(ops.requests.filter((r) => r.json?.type === 'escalation.raised').length, 1);
  });

  test('has an entry that its author edited: it is the same post with the new words', async () => {
    entries.find((one) => one.id === 'e-2').text = 'the advert again, and now it is wrong';
    entries.find((one) => one.id === 'e-2').edited = born + 1000;
    version += 1;
    await eventually(async () => (await stored(server, 'blog'))[1].text === 'the advert again, and now it is wrong');
    await exactly(server, 'blog', ['e-1', 'e-2', 'e-3']);
  });

  test('has an entry of our own: it calls nobody', async () => {
    publish({ id: 'e-4', text: urgent });
    platform.answer(path, tagged(atom(entries).replace('reader of e-4', 'Acme'), `"v${version}"`), feed);
    await holds(server, 'blog', 4);
    assert.equal((await stored(server, 'blog'))[3].state, 'own');
  });

  for (const [how, end] of [['a restart', (s) => s.stop()], ['a crash', (s) => s.kill9()]]) {
    test(`goes on after ${how} where it was, with what came meanwhile, and nothing is there twice`, async () => {
      await polled(platform, path);
      await end(server);
      const id = `after-${how.split(' ')[1]}`;
      const before = await ids(server, 'blog');
      const asked = platform.of(path).length;
      const known = `"v${version}"`;
      publish({ id, text: calm });
      await server.restart();
      const [first] = (await platform.called(path, asked + 1)).slice(asked);
      assert.equal(first.headers['if-none-match'], known, 'the ETag of before is asked with');
      await holds(server, 'blog', before.length + 1);
      await polled(platform, path);
      await exactly(server, 'blog', [...before, id]);
    });
  }
});

describe('a broken answer', () => {
  const one = { id: 'b-1', text: calm };
  const two = { id: 'b-2', text: 'your app lost my booking on Monday and I want it back' };
  const whole = atom([one, two]);
  const broken = {
    'a 500': { status: 500, body: 'no' },
    'a 503 with a body that would do': { status: 503, body: whole },
    'no XML': { body: '{"entries": []}' },
    'XML without its end': { body: whole.slice(0, whole.indexOf('</entry>') + 8) },
    'an answer cut off in its body': { body: whole, close: 'in the body' },
    'an answer cut off in its header': { close: 'in the header' },
    'a connection that is closed': { close: 'at once' },
    'bytes that are no text': { body: Buffer.from('<feed><entry><id>\u00ff\u00fe</id></entry></feed>', 'latin1') },
  };
  const nameOf = (i) => `broken-${i}`;
  const kinds = Object.entries(broken);
  let platform;
  let server;
  let token;
  before(async () => {
    platform = await startPlatform();
    for (const [i, [, answer]] of kinds.entries()) {
      const path = `/${nameOf(i)}.xml`;
      platform.answer(path, tagged(atom([one]), '"one"'), answer, answer, tagged(whole, '"two"'));
    }
    for (const well of ['down', 'well']) platform.answer(`/${well}.xml`, { body: atom([one]) });
    const sources = [...kinds.map((_, i) => nameOf(i)), 'down', 'well'].map((name) => ({ name, use: 'feed', url: platform.url(`/${name}.xml`), pull_every: '1s' }));
    server = await start(brand({ more: { sources } }));
    token = await server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await platform?.stop();
  });

  for (const [i, [what]] of kinds.entries()) {
    test(`(${what}) loses nothing, is tried again, and is seen in the metrics`, async () => {
      const source = nameOf(i);
      await holds(server, source, 2);
      await exactly(server, source, ['b-1', 'b-2']);
      // A connection that breaks may be tried once more before it counts.
      const failures = await server.metric(token, 'triaged_pull_failures_total', { source });
      assert.ok(failures === 1 || failures === 2, `${failures} failures`);
      const [, after] = platform.of(`/${source}.xml`).slice(0, 2);
      assert.equal(after.headers['if-none-match'], '"one"');
      // What is broken is not remembered: the ETag that is asked with is that of an answer that was taken.
      const fourth = (await platform.called(`/${source}.xml`, 4))[3];
      assert.equal(fourth.headers['if-none-match'], '"one"');
    });
  }

  test('harms no other source', async () => {
    await holds(server, 'well', 1);
    assert.equal(await server.metric(token, 'triaged_pull_failures_total', { source: 'well' }), 0);
    assert.equal((await server.request('/readyz')).status, 200);
  });

  test('(nothing, while the platform is down) is tried again until it is back', async () => {
    await holds(server, 'down', 1);
    await platform.stop();
    await eventually(async () => (await server.metric(token, 'triaged_pull_failures_total', { source: 'down' })) >= 2, { what: 'failed polls' });
    platform.answer('/down.xml', { body: whole });
    await platform.start();
    await holds(server, 'down', 2);
    await exactly(server, 'down', ['b-1', 'b-2']);
  });
});

describe('a platform that wants to be left alone', () => {
  let platform;
  let server;
  before(async () => {
    platform = await startPlatform();
    platform.answer('/busy.xml', { body: atom([]) }, { status: 429, headers: { 'retry-after': '4' } }, { body: atom([{ id: 'r-1', text: calm }]) });
    platform.answer('/calm.xml', { body: atom([]) });
    const sources = ['busy', 'calm'].map((name) => ({ name, use: 'feed', url: platform.url(`/${name}.xml`), pull_every: '1s' }));
    server = await start(brand({ more: { sources } }));
  });
  after(async () => {
    await server?.remove();
    await platform?.stop();
  });

  test('is not asked again before the time that its Retry-After says, and then it is', async () => {
    const [, refused, next] = await platform.called('/busy.xml', 3);
    assert.equal(refused.status, 429);
    assert.ok(next.at - refused.at >= 3900, `asked again after ${next.at - refused.at} ms`);
    await holds(server, 'busy', 1);
    const meanwhile = platform.of('/calm.xml').filter((one) => one.at > refused.at && one.at < next.at);
    assert.ok(meanwhile.length >= 2, 'another source goes on');
  });
});

describe('a session', () => {
  const app = '/androidpublisher/v3/applications/com.acme.pay/reviews';
  const secrets = { client_id: 'a client of the tests', client_secret: 'very secret & more', refresh_token: '1//refresh-of-the-tests' };
  const reviews = [];
  const review = (id, text) => ({ reviewId: id, authorName: 'Ola', comments: [{ userComment: { text, starRating: 2, lastModified: { seconds: String(Math.floor(Date.now() / 1000)) } } }] });
  let issued = 0;
  let valid = 0; // tokens before this one are refused
  let platform;
  let server;
  let token;
  before(async () => {
    platform = await startPlatform();
    platform.answer('/token', () => ({ json: { access_token: `token-${++issued}`, expires_in: 3599, token_type: 'Bearer' } }));
    platform.answer(app, (request) => {
      const number = Number(/^Bearer token-(\d+)$/.exec(request.headers.authorization ?? '')?.[1] ?? 0);
      return number > 0 && number >= valid ? { json: { reviews } } : { status: 401, json: { error: { message: 'Request had invalid authentication credentials.' } } };
    });
    reviews.push(review('gp:1', 'It takes the money and shows nothing'));
    const sources = [{ name: 'play', use: 'google-play', secrets, package: 'com.acme.pay', api_url: platform.url(), token_url: platform.url('/token'), pull_every: '1s' }];
    server = await start(brand({ more: { sources } }));
    token = await server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await platform?.stop();
  });

  test('is asked for once, with what the platform wants, and used for every poll', async () => {
    await holds(server, 'play', 1);
    await polled(platform, app, 3);
    assert.equal(issued, 1);
    const [asked] = platform.of('/token');
    assert.equal(asked.method, 'POST');
    assert.deepEqual(asked.form, { grant_type: 'refresh_token', ...secrets });
    assert.ok(platform.of(app).every((one) => one.headers.authorization === 'Bearer token-1'));
    assert.equal(await server.metric(token, 'triaged_pull_failures_total', { source: 'play' }), 0);
  });

  test('that is refused is renewed once, and the poll goes on', async () => {
    valid = issued + 1;
    reviews.unshift(review('gp:2', 'After the update I cannot log in'));
    await holds(server, 'play', 2);
    await polled(platform, app);
    assert.equal(issued, 2);
    assert.deepEqual(platform.of(app).filter((one) => one.status === 401).map((one) => one.headers.authorization), ['Bearer token-1']);
    assert.equal(platform.of(app).at(-1).headers.authorization, 'Bearer token-2');
    await exactly(server, 'play', ['gp:1', 'gp:2']);
  });

  test('that stays refused is not asked for over and over, and all goes on when it is granted again', async () => {
    const before = issued;
    valid = Number.MAX_SAFE_INTEGER;
    const failures = await server.metric(token, 'triaged_pull_failures_total', { source: 'play' });
    await eventually(async () => (await server.metric(token, 'triaged_pull_failures_total', { source: 'play' })) >= failures + 2, { what: 'failed polls' });
    const polls = platform.of(app).filter((one) => one.status === 401).length;
    assert.ok(issued - before <= polls, `${issued - before} tokens for ${polls} refused calls`);
    reviews.unshift(review('gp:3', 'Three weeks for an answer'));
    valid = 0;
    await holds(server, 'play', 3);
  });

  test('is kept in memory only: after a restart it is asked for anew, and no secret is in a log, a metric or the database', async () => {
    const before = issued;
    await server.restart();
    await polled(platform, app);
    assert.ok(issued > before);
    const { text: metrics } = await server.request('/metrics', { token });
    const { text: listed } = await server.request('/v1/sources', { token });
    for (const secret of [...Object.values(secrets).slice(1), 'token-1', `token-${issued}`]) {
      for (const where of [server.log(), metrics, listed]) assert.ok(!where.includes(secret) && !where.includes(encodeURIComponent(secret)), secret);
    }
    for (const file of await readdir(server.data)) {
      const bytes = await readFile(join(server.data, file));
      for (const secret of ['very secret & more', '1//refresh-of-the-tests', 'token-1']) assert.ok(!bytes.includes(secret), `${secret} in ${file}`);
    }
    await exactly(server, 'play', ['gp:1', 'gp:2', 'gp:3']);
  });
});

describe('an interface that begins with the newest', () => {
  const app = '/androidpublisher/v3/applications/com.acme.pay/reviews';
  const size = 2;
  const reviews = []; // newest first
  let wait = {}; // page → milliseconds
  let fail = {}; // page → how often still
  let platform;
  let server;
  let token;
  before(async () => {
    platform = await startPlatform();
    platform.answer('/token', { json: { access_token: 'token', expires_in: 3599 } });
    platform.answer(app, ({ query }) => {
      const from = Number(query.get('token') ?? 0);
      if (fail[from] > 0) {
        fail[from] -= 1;
        return { status: 500 };
      }
      const more = from + size < reviews.length ? { tokenPagination: { nextPageToken: String(from + size) } } : {};
      return { json: { reviews: reviews.slice(from, from + size), ...more }, delay: wait[from] };
    });
    write(3);
    const secrets = { client_id: 'id', client_secret: 'secret', refresh_token: 'refresh' };
    const sources = [{ name: 'play', use: 'google-play', secrets, package: 'com.acme.pay', api_url: platform.url(), token_url: platform.url('/token'), pull_every: '1s' }];
    server = await start(brand({ more: { sources } }));
    token = await server.token('admin');
  });
  after(async () => {
    await server?.remove();
    await platform?.stop();
  });
  function write(count) {
    for (let i = 0; i < count; i += 1) {
      const id = `gp:${String(reviews.length + 1).padStart(3, '0')}`;
      reviews.unshift({ reviewId: id, authorName: `Reviewer ${id}`, comments: [{ userComment: { text: `${calm} (${id})`, starRating: 2, lastModified: { seconds: String(1795000000 + reviews.length) } } }] });
    }
  }
  const all = () => reviews.map((one) => one.reviewId);

  test('is read at its first page only, as long as nothing else is new: what is older when it is first asked is not dug up', async () => {
    await holds(server, 'play', size);
    await exactly(server, 'play', all().slice(0, size));
    const caughtUp = platform.of(app).length;
    const later = (await polled(platform, app)).slice(caughtUp + 1);
    // One page more may be looked at where all of the first is known already, never the whole again.
    assert.ok(later.every((one) => Number(one.query.get('token') ?? 0) <= size), JSON.stringify(later.map((one) => one.target)));
  });

  test('has many pages after a while without us: all of them come, once each', async () => {
    await server.stop();
    write(7);
    await server.restart();
    await holds(server, 'play', 10);
    await polled(platform, app);
    await exactly(server, 'play', all());
  });

  test('has a page that fails: nothing behind it is lost', async () => {
    await server.stop();
    write(6);
    fail = { 4: 2 };
    await server.restart();
    await holds(server, 'play', 16);
    assert.equal(fail[4], 0);
    await exactly(server, 'play', all());
  });

  test('is being read back when the server dies: afterwards nothing is missing', async () => {
    await server.stop();
    write(8);
    wait = { 4: 20_000 };
    const asked = platform.of(app).length;
    await server.restart();
    await eventually(() => platform.of(app).slice(asked).some((one) => one.query.get('token') === '4'), { what: 'the third page to be asked for' });
    await server.kill9();
    wait = {};
    await server.restart();
    await holds(server, 'play', 24);
    await polled(platform, app);
    await exactly(server, 'play', all());
  });

  test('has reviews that were answered there: each answer is on the case of its review, and the look goes no further for it', async () => {
    write(1);
    reviews[0].comments.push({ developerComment: { text: 'Thank you, it is mended.', lastModified: { seconds: String(1795000000 + reviews.length + 60) } } });
    const [{ reviewId }] = reviews;
    await holds(server, 'play', all().length);
    const answered = await eventually(async () => {
      const [post] = await server.sql(`SELECT case_id FROM posts WHERE native_id = '${reviewId}'`);
      const found = post && (await caseOf(server, token, post.case_id));
      return found?.replies.length ? found : null;
    }, { what: 'the answer' });
    assert.deepEqual(answered.replies.map((one) => one.text), ['Thank you, it is mended.']);
    assert.equal(answered.clocks.first_response.due_at, null);
    const from = platform.of(app).length + 1;
    await polled(platform, app);
    assert.ok(platform.of(app).slice(from).every((one) => !one.query.has('token')), 'the first page alone');
  });
});

describe('a cursor', () => {
  const items = []; // oldest first; ids count from 1
  let directory;
  let platform;
  let server;
  const board = (more = {}) => ({
    name: 'board',
    platform: 'board',
    secrets: { key: {} },
    settings: { api_url: {} },
    events: [
      {
        each: [['/items', '/data']],
        fields: { kind: { const: 'comment' }, native_id: '/id', text: '/text', created_at: { time: '/at', format: 'epoch_milliseconds' }, author: { native_id: '/by' } },
        rules: [{ event: 'post' }],
      },
    ],
    api: { base: { config: 'api_url' }, auth: { scheme: 'bearer', secret: 'key' } },
    pulls: [{ name: 'items', every: '60s', call: { path: '/items', query: { after: '/cursor' } }, cursor: '/last', more: { value: '/more', is: true }, ...more }],
  });
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'triaged-board-'));
    await writeFile(join(directory, 'board.json'), JSON.stringify(board()));
    platform = await startPlatform();
    platform.answer('/items', ({ query }) => {
      const from = Number(query.get('after') ?? 0);
      const page = items.slice(from, from + 3);
      return { json: { items: page, more: from + 3 < items.length, ...(page.length ? { last: page.at(-1).id } : {}) } };
    });
    write(7);
    const sources = [{ name: 'board', use: join(directory, 'board.json'), secrets: { key: 'k' }, api_url: platform.url(), pull_every: '1s' }];
    server = await start(brand({ more: { sources } }));
  });
  after(async () => {
    await server?.remove();
    await platform?.stop();
    if (directory) await rm(directory, { recursive: true, force: true });
  });
  function write(count) {
    for (let i = 0; i < count; i += 1) {
      const id = items.length + 1;
      items.push({ id, text: `${calm} ${id}`, at: Date.now(), by: `m-${id}` });
    }
  }
  const all = () => items.map((one) => String(one.id));

  test('asks for what comes after it, page after page without waiting, and then for nothing that is known', async () => {
    await holds(server, 'board', 7);
    const asked = (await platform.called('/items', 5)).map((one) => one.query.get('after'));
    assert.deepEqual(asked.slice(0, 4), [null, '3', '6', '7']);
    const [first, , third] = platform.of('/items');
    assert.ok(third.at - first.at < 1000, 'the pages follow at once');
    await exactly(server, 'board', all());
  });

  test('is kept through a restart and a crash', async () => {
    for (const end of [() => server.stop(), () => server.kill9()]) {
      await polled(platform, '/items');
      await end();
      const asked = platform.of('/items').length;
      const known = String(items.length);
      write(1);
      await server.restart();
      const next = (await platform.called('/items', asked + 1))[asked];
      assert.equal(next.query.get('after'), known);
      await holds(server, 'board', items.length);
      await exactly(server, 'board', all());
    }
  });

  test('and its posts are kept together: through ten kills nothing is lost and nothing is there twice', async () => {
    for (let round = 0; round < 10; round += 1) {
      write(5);
      await sleep((round * 137) % 900);
      await server.kill9();
      await server.restart();
    }
    await holds(server, 'board', items.length);
    await polled(platform, '/items');
    await exactly(server, 'board', all());
    const rows = await server.sql("SELECT p.id FROM posts p LEFT JOIN cases c ON c.id = p.case_id WHERE p.source = 'board' AND p.state = 'judged' AND c.id IS NULL");
    assert.deepEqual(rows, []);
  });

  describe('of a stream', () => {
    let listening;
    const tell = (...some) => platform.send(...some.map((item) => ({ event: 'item', id: String(item.id), data: item })));
    before(async () => {
      await writeFile(join(directory, 'board.json'), JSON.stringify(board({ stream: { call: { path: '/stream' }, cursor: '/id' } })));
      platform.answer('/stream', { stream: true });
      const sources = [{ name: 'live', use: join(directory, 'board.json'), secrets: { key: 'k' }, api_url: platform.url(), pull_every: '1s' }];
      await server.stop();
      listening = await start(brand({ more: { sources } }));
      await holds(listening, 'live', items.length);
      await eventually(() => platform.streams === 1, { what: 'the stream to be open' });
    });
    after(() => listening?.remove());

    test('events become posts at once, and while it is open nothing is polled', async () => {
      await sleep(500);
      const polls = platform.of('/items').length;
      write(2);
      tell(...items.slice(-2));
      await holds(listening, 'live', items.length);
      await sleep(3000);
      assert.equal(platform.of('/items').length, polls);
      assert.equal(platform.of('/stream').at(-1).headers.authorization, 'Bearer k');
      await exactly(listening, 'live', all());
    });

    for (const cut of [false, true]) {
      test(`when it ${cut ? 'is cut off' : 'ends'}, what was missed is polled for and it is opened again`, async () => {
        const polls = platform.of('/items').length;
        const known = String(items.length);
        write(3);
        platform.endStreams({ cut });
        const next = (await platform.called('/items', polls + 1))[polls];
        assert.equal(next.query.get('after'), known, 'from the last event that was taken');
        await holds(listening, 'live', items.length);
        await eventually(() => platform.streams === 1, { what: 'the stream to be open again' });
        write(1);
        tell(items.at(-1));
        await holds(listening, 'live', items.length);
        await exactly(listening, 'live', all());
      });
    }

    test('a crash in the middle of it loses nothing', async () => {
      write(4);
      tell(...items.slice(-4, -2));
      await listening.kill9();
      await listening.restart();
      await holds(listening, 'live', items.length);
      await eventually(() => platform.streams === 1, { what: 'the stream to be open again' });
      await exactly(listening, 'live', all());
    });

    test('what is no event of ours is passed over', async () => {
      platform.send({ event: 'ping', data: 'words' }, { data: '{"half' }, { event: 'item', data: [1, 2] }, { event: 'item', data: null });
      write(1);
      tell(items.at(-1));
      await holds(listening, 'live', items.length);
      await exactly(listening, 'live', all());
    });
  });
});

test('platforms at private addresses are not asked unless the configuration allows them', async () => {
  const platform = await startPlatform();
  platform.answer('/blog.xml', { body: atom([{ id: 'p-1', text: calm }]) });
  const sources = [{ name: 'blog', use: 'feed', url: platform.url('/blog.xml'), pull_every: '1s' }];
  const server = await start(brand({ more: { sources, delivery: { schedule: ['50ms'] } } }));
  try {
    const token = await server.token('admin');
    await eventually(async () => (await server.metric(token, 'triaged_pull_failures_total', { source: 'blog' })) >= 1, { what: 'a failed poll' });
    assert.equal(platform.calls.length, 0);
    await exactly(server, 'blog', []);
  } finally {
    await server.remove();
    await platform.stop();
  }
});
