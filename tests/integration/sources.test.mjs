// Every source's door, as its platform knocks: signatures made by others' code, handshakes, real-shaped payloads, and
// what becomes of them in the store and on the cases.
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { caseOf, refused, taken } from './lib/answers.mjs';
import { brand, calm, post, send, signingKey, urgent } from './lib/brand.mjs';
import { eventually, root, start, triaged } from './lib/server.mjs';
import * as sign from './lib/sign.mjs';

const olderKey = `whsec_${Buffer.from('an older key of the tests, 36 bytes!').toString('base64')}`;
const strangersKey = `whsec_${Buffer.from('the key of somebody else altogether').toString('base64')}`;
const kioskKey = 'the kiosk knows no standard';
const consumerSecret = 'z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu';
const appSecret = '1f2e3d4c5b6a79880123456789abcdef';
const verifyToken = 'say friend & enter: ü';

const sources = [
  { name: 'shop', use: 'generic', secrets: { signing_key: [signingKey, olderKey] }, brand_account: 'acme', expect_every: '10m' },
  { name: 'kiosk', use: 'generic', secrets: { hmac_key: kioskKey }, header: 'X-Kiosk-Signature' },
  { name: 'till', use: 'generic', secrets: { hmac_key: [kioskKey, 'an older till key'] }, header: 'X-Till', algorithm: 'sha512', encoding: 'base64', prefix: 'sha512=' },
  { name: 'lab', use: 'generic', unsigned: true },
  { name: 'x-main', use: 'x', secrets: { consumer_secret: consumerSecret }, brand_account: 'acme' },
  { name: 'x-all', use: 'x', secrets: { consumer_secret: consumerSecret }, brand_account: 'acme' },
  { name: 'meta', use: 'meta', secrets: { app_secret: appSecret, verify_token: verifyToken } },
  { name: 'meta-all', use: 'meta', secrets: { app_secret: appSecret, verify_token: verifyToken } },
  { name: 'hurried', use: 'generic', secrets: { signing_key: signingKey }, expect_every: '1s' },
  { name: 'silent', use: 'generic', secrets: { hmac_key: kioskKey } },
];
const config = brand({ more: { sources, limits: { requests_per_minute: { address: 0 } } } });

let server;
let token;
before(async () => {
  server = await start(config);
  token = await server.token('admin');
});
after(() => server?.remove());

const json = { 'content-type': 'application/json' };
const knock = (source, body, headers = {}) => server.request(`/v1/hooks/${source}`, { body, headers: { ...json, ...headers } });
const fixture = (name) => readFile(join(root, 'tests/fixtures', `${name}.json`), 'utf8');
const stored = (source, nativeId) => server.sql(`SELECT * FROM posts WHERE source = '${source}' AND native_id = '${nativeId}'`);
const count = async () => (await server.sql('SELECT count(*) AS n FROM posts'))[0].n;
const theCase = (id) => caseOf(server, token, id);

async function metric(name, labels = {}) {
  const { text } = await server.request('/metrics', { token });
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`).join(',');
  const line = text.split('\n').find((one) => one.startsWith(wanted ? `${name}{${wanted}}` : `${name} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

describe('generic, signed as Standard Webhooks', () => {
  const headersAt = (body, seconds) => sign.standardWebhooks(signingKey, body, { time: new Date(Date.now() + seconds * 1000) });

  test('a good signature is taken, with the key of today and with the one before it', async () => {
    taken(await send(server, post({ text: calm })));
    taken(await send(server, post({ text: calm }), { key: olderKey }));
  });

  test('a good one among several is enough, whatever the others are', async () => {
    const id = 'msg_several';
    const time = new Date();
    for (const frame of [(good) => `v1,${'A'.repeat(43)}= ${good}`, (good) => `${good} v1,%%%`, (good) => `v1a,xyz ${good}`, (good) => `v2,${good.slice(3)} ${good}`]) {
      const body = JSON.stringify(post({ text: calm }));
      const good = new Webhook(olderKey).sign(id, time, body);
      const headers = sign.standardWebhooks(signingKey, body, { id, time });
      taken(await knock('shop', body, { ...headers, 'webhook-signature': frame(good) }));
    }
  });

  test("a stranger's key, another body, another id, another version: 401, and nothing is stored", async () => {
    const before = await count();
    const body = JSON.stringify(post({ text: calm }));
    const good = sign.standardWebhooks(signingKey, body);
    refused(await knock('shop', body, sign.standardWebhooks(strangersKey, body)), 401);
    refused(await knock('shop', `${body} `, good), 401);
    refused(await knock('shop', body.replace('lost', 'lo5t'), good), 401);
    refused(await knock('shop', body, { ...good, 'webhook-id': `${good['webhook-id']}x` }), 401);
    refused(await knock('shop', body, { ...good, 'webhook-signature': good['webhook-signature'].replace('v1,', 'v2,') }), 401);
    refused(await knock('shop', body, { ...good, 'webhook-signature': good['webhook-signature'].slice(0, -2) }), 401);
    for (const name of Object.keys(good)) {
      const { [name]: _, ...rest } = good;
      assert.match(refused(await knock('shop', body, rest), 401).detail, new RegExp(name));
      refused(await knock('shop', body, { ...good, [name]: '' }), 401);
    }
    assert.equal(await count(), before);
  });

  test('a timestamp more than five minutes old or ahead is 401, however well it is signed', async () => {
    for (const seconds of [-3600, -310, 310, 86400]) {
      const body = JSON.stringify(post({ text: calm }));
      assert.match(refused(await knock('shop', body, headersAt(body, seconds)), 401).detail, /webhook-timestamp/);
    }
    for (const seconds of [-240, 240]) {
      const body = JSON.stringify(post({ text: calm }));
      taken(await knock('shop', body, headersAt(body, seconds)));
    }
    const body = JSON.stringify(post({ text: calm }));
    for (const stamp of ['now', '1e9', ' ', '99999999999999999999', '-1', '0']) {
      refused(await knock('shop', body, { ...headersAt(body, 0), 'webhook-timestamp': stamp }), 401);
    }
  });

  test('the same request sent again within the five minutes is a duplicate', async () => {
    const one = post({ text: calm });
    const body = JSON.stringify(one);
    const headers = sign.standardWebhooks(signingKey, body);
    const [first] = taken(await knock('shop', body, headers));
    const [second] = taken(await knock('shop', body, headers), { accepted: 0, duplicates: 1 });
    assert.deepEqual([second.id, second.case_id], [first.id, first.case_id]);
    assert.equal((await stored('shop', one.native_id)).length, 1);
  });
});

describe('generic, signed by a plain HMAC', () => {
  test('in hex in the configured header', async () => {
    const body = JSON.stringify(post({ text: calm }));
    taken(await knock('kiosk', body, sign.hmac(kioskKey, body, { header: 'x-kiosk-signature' })));
    const upper = JSON.stringify(post({ text: calm }));
    taken(await knock('kiosk', upper, { 'X-KIOSK-SIGNATURE': sign.hmac(kioskKey, upper)['x-signature'].toUpperCase() }));
    refused(await knock('kiosk', body, sign.hmac(kioskKey, body)), 401);
    refused(await knock('kiosk', body, sign.hmac(kioskKey, body, { header: 'x-kiosk-signature', encoding: 'base64' })), 401);
    refused(await knock('kiosk', body, sign.standardWebhooks(signingKey, body)), 401);
  });

  test('in base64 with a prefix and another algorithm, and with the key before', async () => {
    const scheme = { header: 'x-till', algorithm: 'sha512', encoding: 'base64', prefix: 'sha512=' };
    const body = JSON.stringify(post({ text: calm }));
    taken(await knock('till', body, sign.hmac(kioskKey, body, scheme)));
    const other = JSON.stringify(post({ text: calm }));
    taken(await knock('till', other, sign.hmac('an older till key', other, scheme)));
    refused(await knock('till', body, sign.hmac(kioskKey, body, { ...scheme, prefix: '' })), 401);
    refused(await knock('till', body, sign.hmac(kioskKey, body, { ...scheme, algorithm: 'sha256' })), 401);
    refused(await knock('till', body, sign.hmac('nobody knows', body, scheme)), 401);
  });
});

describe('generic, unsigned', () => {
  test('is taken on loopback', async () => {
    taken(await knock('lab', JSON.stringify(post({ text: calm }))));
  });

  test('is refused when it came through a proxy, whatever the proxy calls itself', async () => {
    const before = await count();
    for (const header of [{ 'X-Forwarded-For': '203.0.113.9' }, { Forwarded: 'for=203.0.113.9' }, { Via: '1.1 proxy' }, { 'X-Real-IP': '203.0.113.9' }, { 'X-Forwarded-Proto': 'https' }, { 'x-forwarded-for': '127.0.0.1' }]) {
      refused(await knock('lab', JSON.stringify(post({ text: calm })), header), 401);
    }
    assert.equal(await count(), before);
  });

  test('is not to be had on another address than loopback, or behind proxies', async () => {
    for (const [more, why] of [[{ listen: '0.0.0.0:8080' }, /loopback/], [{ trusted_proxies: ['10.0.0.0/8'] }, /trusted_proxies/]]) {
      const file = join(server.directory, 'unsigned.json');
      await writeFile(file, JSON.stringify({ sources: [{ name: 'lab', use: 'generic', unsigned: true }], ...more }));
      const { code, stdout, stderr } = await triaged(['check', '--config', file]);
      assert.equal(code, 1);
      assert.match(stdout + stderr, /\/sources\/0\/unsigned/);
      assert.match(stdout + stderr, why);
    }
  });
});

describe('the door of a generic source', () => {
  test('takes one post, an array, and posts; no posts are no fault', async () => {
    taken(await send(server, post({ text: calm })));
    taken(await send(server, [post({ text: calm }), post({ text: calm })]), { accepted: 2 });
    taken(await send(server, { posts: [post({ text: calm })] }));
    taken(await send(server, []), { accepted: 0 });
    taken(await send(server, { posts: [] }), { accepted: 0 });
    taken(await send(server, JSON.parse(await fixture('generic/wrapped'))), { accepted: 3 });
  });

  test('says of each post what it became', async () => {
    const [one] = taken(await send(server, post({ text: urgent })));
    assert.equal(one.moment, 'in_the_moment');
    assert.ok(['high', 'critical'].includes(one.priority));
    const found = await theCase(one.case_id);
    assert.equal(found.posts[0].id, one.id);
    assert.equal(found.posts[0].native_id, one.native_id);
    assert.equal(found.posts[0].verdict.moment, one.moment);
    assert.equal(found.site, 'LHR-T5');
  });

  test('there is none of another name: 404', async () => {
    const body = JSON.stringify(post());
    refused(await knock('nobody', body, sign.standardWebhooks(signingKey, body)), 404);
    refused(await server.request('/v1/hooks/nobody'), 404);
    refused(await server.request('/v1/hooks/SHOP'), 404);
    refused(await server.request('/v1/hooks/'), 404);
    refused(await server.request('/v1/hooks/shop/more'), 404);
  });

  test('no handshake, and no other method: 405 that says which there is', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await server.request('/v1/hooks/shop', { method });
      refused(answer, 405);
      assert.match(answer.headers.get('allow'), /\bPOST\b/, method);
    }
    const answer = await server.request('/v1/hooks/x-main', { method: 'PUT' });
    refused(answer, 405);
    assert.match(answer.headers.get('allow'), /\bGET\b.*\bPOST\b/);
  });

  test('a body that says it is something else than JSON is 415; one that does not say is JSON', async () => {
    const of = (type) => {
      const body = Buffer.from(JSON.stringify(post({ text: calm })));
      return server.request('/v1/hooks/shop', { body, headers: { ...sign.standardWebhooks(signingKey, body), ...(type === undefined ? {} : { 'content-type': type }) } });
    };
    for (const type of [undefined, 'application/json', 'application/json; charset=utf-8', 'Application/JSON ;charset="utf-8"', 'application/cloudevents+json', 'application/problem+JSON']) taken(await of(type));
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'text/plain;charset=UTF-8', 'multipart/form-data; boundary=x', 'application/xml', 'application/jsonx', 'application/json+xml', 'json', '']) {
      assert.match(refused(await of(type), 415).detail, /application\/json/, type);
    }
  });

  test('one post at fault refuses its request, with every fault by its pointer, and nothing of it is stored', async () => {
    const before = await count();
    const good = post({ text: calm });
    const answer = await send(server, { posts: [good, { text: 'no id' }, post({ kind: 'shout', rating: 9, author: { followers: -1 }, created_at: 'yesterday' }), post({ text: undefined }), post({ text: '' })] });
    const problem = refused(answer, 422);
    assert.deepEqual(problem.errors.map((error) => error.pointer).sort(),
      ['/posts/1/native_id', '/posts/2/author/followers', '/posts/2/created_at', '/posts/2/kind', '/posts/2/rating', '/posts/3/text', '/posts/4/text']);
    for (const error of problem.errors) assert.ok(error.detail.includes('expected') || error.detail.includes('missing'), error.detail);
    assert.equal(await count(), before);
    taken(await send(server, good));
  });

  test('more than a thousand posts are 422, and none of them is stored', async () => {
    const before = await count();
    const posts = Array.from({ length: 1001 }, () => post({ text: calm }));
    const problem = refused(await send(server, posts), 422);
    assert.match(problem.errors[0].detail, /1000 posts, found 1001/);
    assert.equal(await count(), before);
    taken(await send(server, posts.slice(1)), { accepted: 1000 });
  });
});

describe('a post that comes more than once', () => {
  test('in one request is taken once', async () => {
    const one = post({ text: calm });
    const posts = taken(await send(server, [one, one, { ...one, text: 'other words' }]), { accepted: 1, duplicates: 2 });
    assert.deepEqual(new Set(posts.map((p) => p.id)).size, 1);
    assert.equal((await stored('shop', one.native_id))[0].text, calm);
  });

  test('by many requests at the same time is taken once', async () => {
    const one = post({ text: calm });
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(server, one)));
    assert.equal(answers.filter((answer) => answer.body.accepted === 1).length, 1);
    assert.equal(new Set(answers.map((answer) => answer.body.posts[0].id)).size, 1);
    assert.equal((await stored('shop', one.native_id)).length, 1);
  });

  test('under another source, platform or kind is another post', async () => {
    const one = post({ text: calm });
    taken(await send(server, [one, { ...one, platform: 'facebook' }, { ...one, kind: 'comment' }]), { accepted: 3 });
    taken(await knock('lab', JSON.stringify(one)));
  });

  test('with a newer revision is an edit: its text and verdict are those of the newest; an older one is ignored', async () => {
    const one = post({ text: calm });
    const [first] = taken(await send(server, one));
    const [edited] = taken(await send(server, { ...one, text: urgent, revision: 2 }));
    assert.deepEqual([edited.id, edited.case_id], [first.id, first.case_id]);
    assert.equal(edited.moment, 'in_the_moment');
    taken(await send(server, { ...one, text: 'from before', revision: 1 }), { accepted: 0, duplicates: 1 });
    taken(await send(server, { ...one, text: 'the same again', revision: 2 }), { accepted: 0, duplicates: 1 });
    const [row, ...none] = await stored('shop', one.native_id);
    assert.deepEqual(none, []);
    assert.equal(row.text, urgent);
    assert.equal(row.revision, 2);
    assert.equal((await theCase(first.case_id)).moment, 'in_the_moment');
  });
});

describe('X', () => {
  const deliver = async (body, { source = 'x-main', headers } = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return knock(source, text, headers ?? sign.x(consumerSecret, text));
  };

  test('the challenge is answered as the documentation computes it, and only a challenge is', async () => {
    for (const crc of ['9b4507b3-9040-4669-9ca3-6b94edb50553', 'x', 'A_b-9'.repeat(25)]) {
      const answer = await server.request(`/v1/hooks/x-main?crc_token=${crc}&nonce=1`);
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.headers.get('content-type'), /^application\/json/);
      assert.deepEqual(answer.body, { response_token: sign.xCrc(consumerSecret, crc) });
    }
    // An answer to one of these would be a signature under a body of the asker's.
    const forged = JSON.stringify({ for_user_id: '1', tweet_delete_events: [] });
    for (const crc of [forged, '{}', '[]', '', 'a b', 'a\nb', 'a.b', 'a%00b', 'x'.repeat(129), 'é', '1&crc_token={}', '{}&crc_token=1'].map((t) => t.includes('&') ? t.replace('{}', '%7B%7D') : encodeURIComponent(t))) {
      const answer = await server.request(`/v1/hooks/x-main?crc_token=${crc}`);
      if (answer.status === 200) assert.deepEqual(answer.body, { response_token: sign.xCrc(consumerSecret, '1') }, crc);
      else refused(answer, 400);
    }
    refused(await server.request('/v1/hooks/x-main'), 400);
  });

  test('a wrong signature, or none, is 401', async () => {
    const body = await fixture('x/mention');
    refused(await deliver(body, { headers: {} }), 401);
    refused(await deliver(body, { headers: sign.x('another secret', body) }), 401);
    refused(await deliver(body, { headers: sign.x(consumerSecret, `${body} `) }), 401);
    refused(await deliver(body, { headers: { 'x-twitter-webhooks-signature': sign.x(consumerSecret, body)['x-twitter-webhooks-signature'].slice(7) } }), 401);
    refused(await deliver(body, { headers: sign.standardWebhooks(signingKey, body) }), 401);
    assert.deepEqual(await stored('x-main', '1860000000000000002'), []);
  });

  test('a mention becomes a case, with the whole of its text, its place and its customer; our answer and their next words join it', async () => {
    const [mention] = taken(await deliver(await fixture('x/mention_extended')));
    const [{ post: wanted }] = JSON.parse(await fixture('x/mention_extended.expected')).events;
    const opened = await theCase(mention.case_id);
    assert.equal(opened.platform, 'x');
    assert.equal(opened.brand_account, 'acme');
    assert.equal(opened.customer.handle, 'ann_travels');
    assert.equal(opened.customer.followers, 1200);
    assert.equal(opened.posts[0].text, wanted.text);
    assert.equal(opened.posts[0].url, wanted.url);
    assert.equal(opened.site, 'LHR-T5');
    assert.equal(opened.replies.length, 0);
    assert.ok(opened.clocks.first_response.due_at);

    const own = taken(await deliver(await fixture('x/own_reply_and_own_retweet')), { accepted: 2, ignored: 1 });
    assert.equal(own[0].case_id, mention.case_id);
    assert.equal(own[0].moment, undefined, 'our own words are not judged');
    assert.equal(own[1].case_id, null, 'a word of ours to nobody is on no case');
    const answered = await theCase(mention.case_id);
    assert.deepEqual(answered.replies.map((reply) => reply.native_id), ['1860000000000000010']);
    assert.equal(answered.clocks.first_response.due_at, null);

    const [reply] = taken(await deliver(await fixture('x/reply')));
    const [quote] = taken(await deliver(await fixture('x/quote')));
    assert.equal(reply.case_id, mention.case_id);
    assert.equal(quote.case_id, mention.case_id);
    const joined = await theCase(mention.case_id);
    assert.deepEqual(new Set(joined.posts.map((one) => one.native_id)), new Set(['1860000000000000001', '1860000000000000003', '1860000000000000004']));
    assert.equal(joined.posts.find((one) => one.native_id.endsWith('3')).kind, 'reply');
    assert.equal(joined.posts.find((one) => one.native_id.endsWith('4')).in_reply_to, '1859000000000000000');
  });

  test('a retweet is a share: counted as reach, no case, not judged', async () => {
    const cases = (await server.sql('SELECT count(*) AS n FROM cases'))[0].n;
    const [share] = taken(await deliver(await fixture('x/retweet')));
    assert.equal(share.case_id, null);
    assert.equal(share.moment, undefined);
    assert.equal((await server.sql('SELECT count(*) AS n FROM cases'))[0].n, cases);
    assert.deepEqual(await server.sql("SELECT count FROM shares WHERE native_id = '1860000000000000001' AND platform = 'x'"), [{ count: 1 }]);
    taken(await deliver(await fixture('x/retweet')), { accepted: 0, duplicates: 1 });
    assert.deepEqual(await server.sql("SELECT count FROM shares WHERE native_id = '1860000000000000001' AND platform = 'x'"), [{ count: 1 }]);
  });

  test('direct messages are told as such, and ours among them are replies', async () => {
    const posts = taken(await deliver(await fixture('x/direct_messages')), { accepted: 4 });
    const row = async (id) => (await stored('x-main', id))[0];
    assert.equal((await row('954000000000000001')).kind, 'direct_message');
    assert.equal((await row('954000000000000001')).text, 'Booking X7Q2LM & both of us are still at B7');
    assert.equal((await row('954000000000000004')).state, 'own');
    assert.equal(posts[3].case_id, posts[0].case_id);
    assert.ok((await theCase(posts[0].case_id)).replies.some((reply) => reply.native_id === '954000000000000004'));
  });

  const deletionOf = (id) => ({ for_user_id: '2244994945', tweet_delete_events: [{ status: { id, user_id: '77002' }, timestamp_ms: '1795339999000' }] });

  test('a deletion takes the words away, and closes a case that has no others; the post does not come back', async () => {
    const body = await fixture('x/mention');
    const [mention] = taken(await deliver(body));
    taken(await deliver(deletionOf(mention.native_id)));
    const [row] = await stored('x-main', mention.native_id);
    assert.deepEqual([row.state, row.text, row.reasons], ['deleted', '', null]);
    assert.equal((await theCase(mention.case_id)).state, 'closed');
    taken(await deliver(body), { accepted: 0, duplicates: 1 });
    taken(await deliver(deletionOf(mention.native_id)), { accepted: 0, duplicates: 1 });
    assert.equal((await stored('x-main', mention.native_id))[0].text, '');
  });

  test('a deletion that comes before its post keeps it out', async () => {
    const body = JSON.parse(await fixture('x/mention'));
    const [tweet] = body.tweet_create_events;
    tweet.id_str = '1860000000000000777';
    const [tombstone] = taken(await deliver(deletionOf(tweet.id_str)));
    assert.match(tombstone.id, /^[0-9a-f-]{36}$/);
    const [late] = taken(await deliver(body), { accepted: 0, duplicates: 1 });
    assert.equal(late.id, tombstone.id);
    const rows = await stored('x-main', tweet.id_str);
    assert.deepEqual(rows.map((row) => [row.state, row.text, row.case_id]), [['deleted', '', null]]);
  });

  test('what no rule knows is counted as ignored, with 200', async () => {
    const before = await metric('triaged_hook_events_total', { source: 'x-main', result: 'ignored' });
    taken(await deliver(await fixture('x/unknown_envelope')), { accepted: 0, ignored: 1 });
    taken(await deliver(await fixture('x/not_posts')), { accepted: 0, ignored: 2 });
    taken(await deliver({}), { accepted: 0, ignored: 1 });
    assert.equal(await metric('triaged_hook_events_total', { source: 'x-main', result: 'ignored' }), before + 4);
  });

  test('content that says it is of another type is read all the same: a webhook that answers 4xx is switched off', async () => {
    const body = await fixture('x/not_posts');
    taken(await server.request('/v1/hooks/x-main', { body, headers: { ...sign.x(consumerSecret, body), 'content-type': 'text/plain' } }), { accepted: 0, ignored: 2 });
  });
});

describe('Meta', () => {
  const deliver = async (body, { source = 'meta' } = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return knock(source, text, await sign.meta(appSecret, text));
  };
  const handshake = (fields, source = 'meta') => server.request(`/v1/hooks/${source}?${new URLSearchParams(fields)}`);
  const good = { 'hub.mode': 'subscribe', 'hub.verify_token': verifyToken, 'hub.challenge': '1158201444' };

  test('the challenge is given back to whoever knows the verify token', async () => {
    const answer = await handshake(good);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, '1158201444');
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
  });

  test('a wrong verify token is 403, a challenge that is none 400, and neither comes back', async () => {
    for (const wrong of ['', 'x', verifyToken.slice(1), `${verifyToken} `, verifyToken.toUpperCase()]) {
      const answer = await handshake({ ...good, 'hub.verify_token': wrong });
      refused(answer, 403);
      assert.ok(!answer.text.includes('1158201444') && !answer.text.includes('friend'));
    }
    for (const hostile of ['<script>alert(1)</script>', '{"a":1}', '', 'a b', 'x'.repeat(129), 'a\r\nSet-Cookie: x', '\0', '../..', 'é']) {
      const answer = await handshake({ ...good, 'hub.challenge': hostile });
      refused(answer, 400);
      assert.ok(hostile === '' || !answer.text.includes(hostile));
      assert.equal(answer.headers.get('set-cookie'), null);
    }
    for (const missing of Object.keys(good)) {
      const { [missing]: _, ...rest } = good;
      assert.match(refused(await handshake(rest), 400).detail, new RegExp(missing.replace('.', '\\.')));
    }
    refused(await handshake({ ...good, 'hub.mode': 'unsubscribe' }), 400);
  });

  test('a wrong signature, or none, is 401', async () => {
    const body = await fixture('meta/page_comment');
    refused(await knock('meta', body), 401);
    refused(await knock('meta', body, await sign.meta('another secret', body)), 401);
    refused(await knock('meta', `${body} `, await sign.meta(appSecret, body)), 401);
    refused(await knock('meta', body, sign.hmac(appSecret, body, { header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=' })), 401);
    assert.deepEqual(await stored('meta', '900100_501'), []);
  });

  test('a comment on a Page becomes a case; its edit changes it, its deletion takes it away, our answer stands beside it', async () => {
    const [comment] = taken(await deliver(await fixture('meta/page_comment')));
    const opened = await theCase(comment.case_id);
    assert.deepEqual([opened.platform, opened.brand_account, opened.posts[0].kind, opened.customer.name], ['facebook', '102030405060708', 'comment', 'Kay Lund']);

    const body = JSON.parse(await fixture('meta/page_comment_reply_edited_removed'));
    const [written, edited, removed, ours] = body.entry[0].changes;
    const only = (...changes) => ({ ...body, entry: [{ ...body.entry[0], changes }] });
    const [second] = taken(await deliver(only(written)));
    assert.equal(second.case_id, comment.case_id);
    const [again] = taken(await deliver(only(edited)));
    assert.equal(again.id, second.id);
    assert.equal((await stored('meta', '900100_502'))[0].text, 'Still cold, 14 degrees now.');
    taken(await deliver(only(written)), { accepted: 0, duplicates: 1 });
    taken(await deliver(only(removed)));
    assert.equal((await stored('meta', '900100_502'))[0].text, '');
    const [reply] = taken(await deliver(only(ours)));
    assert.equal(reply.case_id, comment.case_id);
    assert.deepEqual((await theCase(comment.case_id)).replies.map((one) => one.text), ['A colleague is at your door, Kay.']);
  });

  test('a rating is a review with its stars', async () => {
    const posts = taken(await deliver(await fixture('meta/page_ratings')), { accepted: 5, ignored: 1 });
    const [row] = await stored('meta', '70001');
    assert.deepEqual([row.kind, row.rating, row.text], ['review', 1, 'Two hours for a room key.']);
    assert.equal((await stored('meta', '70003'))[0].rating, 2);
    assert.equal((await stored('meta', '70002'))[0].state, 'deleted');
    assert.equal(posts[4].case_id, posts[0].case_id, 'our comment on a review is on its case');
  });

  test('Instagram comments and messages come with their words; a mention, of which only ids come, is shown without them where they cannot be fetched', async () => {
    const comments = taken(await deliver(await fixture('meta/instagram_comments')), { accepted: 3, ignored: 1 });
    assert.equal(new Set(comments.map((one) => one.case_id)).size, 1);
    assert.equal((await theCase(comments[0].case_id)).replies[0].text, 'We have called the driver.');

    const messages = taken(await deliver(await fixture('meta/instagram_messages')), { accepted: 5, ignored: 1 });
    assert.equal((await stored('meta', 'aWdfZAG0'))[0].state, 'deleted');
    assert.ok((await theCase(messages[2].case_id)).posts.some((one) => one.text === 'this'));

    const mentions = taken(await deliver(await fixture('meta/instagram_mentions')), { accepted: 2 });
    for (const mention of mentions) {
      assert.equal((await stored('meta', mention.native_id))[0].state, 'pending');
      const { state, actionable, posts: shown } = await theCase(mention.case_id);
      assert.deepEqual([state, actionable], ['new', true]);
      assert.match(JSON.stringify(shown.find((one) => one.id === mention.id).verdict.reasons), /its text could not be had: .*access_token/);
    }
    taken(await deliver(await fixture('meta/instagram_mentions')), { accepted: 0, duplicates: 2 });
  });

  test('WhatsApp messages of one number are one case, and their edits and revocations are followed', async () => {
    const messages = taken(await deliver(await fixture('meta/whatsapp_messages')), { accepted: 8, ignored: 2 });
    assert.equal(new Set(messages.map((one) => one.case_id)).size, 1);
    const opened = await theCase(messages[0].case_id);
    assert.equal(opened.customer.name, 'Sam Ode');
    assert.equal(opened.posts.length, 8);
    taken(await deliver(await fixture('meta/whatsapp_edit_revoke')), { accepted: 2 });
    assert.equal((await stored('meta', 'wamid.T1'))[0].text, 'Line 12 is dead since yesterday');
    assert.equal((await stored('meta', 'wamid.T2'))[0].state, 'deleted');
    taken(await deliver(await fixture('meta/whatsapp_not_messages')), { accepted: 0, ignored: 3 });
  });

  test('other objects are counted as ignored, with 200', async () => {
    taken(await deliver(await fixture('meta/other_objects')), { accepted: 0, ignored: 2 });
    taken(await deliver({ object: 'something_new', entry: [{ id: '1', changes: [{ field: 'x', value: {} }] }] }), { accepted: 0, ignored: 1 });
  });

  test('a kind that no rule knows is told in the log once, however often it comes', async () => {
    const unknown = { object: 'never_seen_before', entry: [{ id: '1', changes: [{ field: 'brand_new', value: {} }] }] };
    for (let i = 0; i < 5; i += 1) taken(await deliver(unknown), { accepted: 0, ignored: 1 });
    const told = () => server.log().match(/"[^"]*(?:never_seen_before|brand_new)[^"]*" is ignored/g) ?? [];
    await eventually(() => told().length > 0, { what: 'the log to tell of it' });
    assert.equal(told().length, 1);
  });
});

describe('every payload that the mappings are tested on', () => {
  for (const [folder, source, signed] of [['x', 'x-all', (body) => sign.x(consumerSecret, body)], ['meta', 'meta-all', (body) => sign.meta(appSecret, body)]]) {
    test(`of ${folder}: is taken through the door, twice, and the second time nothing is new`, async () => {
      const files = (await readdir(join(root, 'tests/fixtures', folder))).filter((name) => !name.endsWith('.expected.json'));
      assert.ok(files.length >= 15);
      for (const file of files) {
        const body = await fixture(`${folder}/${file.slice(0, -5)}`);
        const expected = JSON.parse(await fixture(`${folder}/${file.slice(0, -5)}.expected`));
        const answer = await knock(source, body, await signed(body));
        assert.equal(answer.status, 200, `${file}: ${answer.text}`);
        assert.equal(answer.body.accepted + answer.body.duplicates, expected.events.length, file);
        assert.equal(answer.body.ignored, expected.ignored, file);
        const rows = await server.sql(`SELECT * FROM posts WHERE source = '${source}'`);
        const again = await knock(source, body, await signed(body));
        assert.equal(again.status, 200, `${file}: ${again.text}`);
        assert.equal(again.body.accepted, 0, `${file}: ${again.text}`);
        assert.deepEqual(await server.sql(`SELECT * FROM posts WHERE source = '${source}'`), rows, file);
      }
    });
  }
});

describe('who watches over the sources', () => {
  test('sees refused signatures and handshakes, by source', async () => {
    const of = async (source) => [await metric('triaged_signatures_failed_total', { source }), await metric('triaged_handshakes_failed_total', { source }), await metric('triaged_hook_rejected_total', { source })];
    const before = await of('kiosk');
    const body = JSON.stringify(post());
    for (let i = 0; i < 3; i += 1) await knock('kiosk', body);
    for (let i = 0; i < 2; i += 1) await server.request('/v1/hooks/kiosk');
    await knock('kiosk', '{', sign.hmac(kioskKey, '{', { header: 'x-kiosk-signature' }));
    assert.deepEqual(await of('kiosk'), [before[0] + 3, before[1] + 2, before[2] + 1]);
    assert.deepEqual(await of('silent'), [0, 0, 0]);
    assert.ok((await metric('triaged_handshakes_failed_total', { source: 'meta' })) >= 17);
  });

  test('sees how long ago a source last spoke, and that one never did', async () => {
    taken(await send(server, post({ text: calm })));
    const age = await metric('triaged_source_last_event_age_seconds', { source: 'shop' });
    assert.ok(age >= 0 && age < 60, `${age} s`);
    assert.equal(await metric('triaged_source_last_event_age_seconds', { source: 'silent' }), undefined);
    assert.equal(await metric('triaged_source_expected_every_seconds', { source: 'shop' }), 600);
    const listed = (await server.request('/v1/sources', { token })).body.items;
    const byName = new Map(listed.map((one) => [one.name, one]));
    assert.equal(byName.size, sources.length);
    assert.ok(Date.now() - Date.parse(byName.get('shop').last_event_at) < 60_000);
    assert.equal(byName.get('silent').last_event_at, null);
    assert.equal(byName.get('shop').expect_every, '10m');
    assert.equal((await server.request('/readyz')).status, 200);
  });

  test('sees at readyz when nothing came for as long as expected, and when it does again', async () => {
    const ready = async () => {
      const answer = await server.request('/readyz');
      assert.equal(answer.status, 200);
      assert.ok(!answer.body.silent_sources.includes('shop') && !answer.body.silent_sources.includes('silent'), answer.text);
      return answer.body.silent_sources.includes('hurried');
    };
    await eventually(ready, { what: 'readyz to name the source that is silent' });
    await eventually(async () => {
      taken(await send(server, post({ text: calm }), { source: 'hurried' }));
      return !(await ready());
    }, { what: 'readyz to name it no longer' });
  });

  test('still sees it after a restart', async () => {
    const { code } = await server.stop();
    assert.equal(code, 0);
    await server.restart();
    assert.ok((await metric('triaged_source_last_event_age_seconds', { source: 'shop' })) >= 0);
    assert.equal(await metric('triaged_source_last_event_age_seconds', { source: 'silent' }), undefined);
  });

  test('sees no secret anywhere', async () => {
    const { text: metrics } = await server.request('/metrics', { token });
    const { text: listed } = await server.request('/v1/sources', { token });
    for (const secret of [signingKey, signingKey.slice(6), olderKey, kioskKey, consumerSecret, appSecret, verifyToken]) {
      for (const where of [metrics, listed, server.log()]) assert.ok(!where.includes(secret));
    }
  });
});
