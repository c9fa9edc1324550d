// The tools of these tests, tested on each other: a receiver that does not do what it was told, or a client that
// misreads an answer, would make every other test worthless.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connect, requestBytes } from './lib/http.mjs';
import { receiver } from './lib/receiver.mjs';
import * as sign from './lib/sign.mjs';

let hook;
before(async () => (hook = await receiver()));
after(() => hook.stop());
afterEach(() => {
  hook.always({});
  hook.requests.length = 0;
});

const post = (body, headers = {}) => fetch(hook.url('/hook'), { method: 'POST', body, headers });

describe('the receiver', () => {
  test('keeps what it was sent, and answers 200', async () => {
    const answer = await post('{"type":"escalation.raised"}', { 'webhook-id': 'msg_1' });
    assert.equal(answer.status, 200);
    const [request] = await hook.received();
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/hook');
    assert.equal(request.headers['webhook-id'], 'msg_1');
    assert.deepEqual(request.json, { type: 'escalation.raised' });
  });

  test('answers as told, once or always', async () => {
    hook.always({ status: 410 }).next({ status: 503, headers: { 'retry-after': '7' }, body: 'busy' });
    const first = await post('1');
    assert.equal(first.status, 503);
    assert.equal(first.headers.get('retry-after'), '7');
    assert.equal(await first.text(), 'busy');
    assert.equal((await post('2')).status, 410);
    assert.equal((await post('3')).status, 410);
  });

  test('decides by the request', async () => {
    hook.always((request) => ({ status: request.body === 'good' ? 204 : 400 }));
    assert.equal((await post('good')).status, 204);
    assert.equal((await post('bad')).status, 400);
  });

  test('delays its answer', async () => {
    hook.next({ delay: 50 });
    const from = Date.now();
    await post('x');
    assert.ok(Date.now() - from >= 49);
  });

  test('hangs until the client gives up', async () => {
    hook.next({ hang: true });
    const giveUp = new AbortController();
    const answer = fetch(hook.url('/'), { method: 'POST', body: 'x', signal: giveUp.signal });
    const [request] = await hook.received();
    assert.equal(hook.open, 1);
    giveUp.abort();
    await assert.rejects(answer, { name: 'AbortError' });
    assert.equal(request.body, 'x');
  });

  for (const close of ['at once', 'in the header', 'in the body']) {
    test(`cuts the connection ${close}`, async () => {
      hook.next({ close });
      await assert.rejects(post('x').then((answer) => answer.text()));
      assert.equal(hook.requests.length, 1);
    });
  }

  test('goes away and comes back on its port', async () => {
    const other = await receiver();
    const { port } = other;
    await other.stop();
    await assert.rejects(fetch(other.url()));
    await other.start();
    assert.equal(other.port, port);
    assert.equal((await fetch(other.url())).status, 200);
    await other.stop();
  });
});

describe('the raw client', () => {
  test('pipelines requests and reads the answers in order', async () => {
    hook.always((request) => ({ body: request.path }));
    const connection = await connect(hook.port);
    connection.write(
      Buffer.concat(['/1', '/2', '/3'].map((path) => requestBytes('POST', path, { body: 'some body' }))),
    );
    for (const path of ['/1', '/2', '/3']) assert.equal((await connection.response()).body, path);
    connection.destroy();
  });

  test('reads an answer without content-length, in chunks or to the end', async () => {
    hook.next({ headers: { 'transfer-encoding': 'chunked' }, body: 'in chunks' });
    const connection = await connect(hook.port);
    connection.write(requestBytes('GET', '/'));
    assert.equal((await connection.response()).body, 'in chunks');
    hook.next({ headers: { connection: 'close' }, body: 'to the end' });
    connection.write(requestBytes('GET', '/', { headers: { Connection: 'close' } }));
    assert.equal((await connection.response()).body, 'to the end');
    assert.equal(await connection.response(), null);
    assert.ok(connection.closed);
  });

  test('sends a request byte by byte', async () => {
    const connection = await connect(hook.port);
    const bytes = requestBytes('POST', '/', { body: 'slow' });
    assert.equal(await connection.trickle(bytes, { every: 0 }), bytes.length);
    assert.equal((await connection.response()).status, 200);
    assert.equal(hook.requests[0].body, 'slow');
    connection.destroy();
  });

  test('cuts a body off half way', async () => {
    const connection = await connect(hook.port);
    connection.write(requestBytes('POST', '/', { headers: { 'Content-Length': '100' }, body: 'half' }));
    connection.cut();
    await connection.untilClosed();
    assert.equal(hook.requests.length, 0);
  });

  test('says when a response was cut off', async () => {
    hook.next({ close: 'in the body' });
    const connection = await connect(hook.port);
    connection.write(requestBytes('GET', '/'));
    await assert.rejects(connection.response(), /cut off/);
  });
});

describe('signatures', () => {
  const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

  test('Standard Webhooks: what is signed verifies, and nothing else', () => {
    const body = '{"hello":"wörld"}';
    const headers = sign.standardWebhooks(secret, body);
    assert.deepEqual(sign.verifyStandardWebhooks(secret, { headers, body }), { hello: 'wörld' });
    assert.throws(() => sign.verifyStandardWebhooks(secret, { headers, body: body + ' ' }));
    const old = sign.standardWebhooks(secret, body, { time: new Date(Date.now() - 3600_000) });
    assert.throws(() => sign.verifyStandardWebhooks(secret, { headers: old, body }));
  });

  // RFC 4231, test case 2.
  test('HMAC-SHA256 agrees with its standard', async () => {
    const hex = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const body = 'what do ya want for nothing?';
    assert.deepEqual(sign.hmac('Jefe', body), { 'x-signature': hex });
    assert.deepEqual(await sign.meta('Jefe', body), { 'x-hub-signature-256': `sha256=${hex}` });
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    assert.deepEqual(sign.x('Jefe', body), { 'x-twitter-webhooks-signature': `sha256=${base64}` });
    assert.equal(sign.xCrc('Jefe', body), `sha256=${base64}`);
  });
});
