// The process: signals, reload, TLS, drain, logs, backup and restore beside the running server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brand, calm, opsSecret, post, send, signingKey, urgent } from './lib/brand.mjs';
import { connect } from './lib/http.mjs';
import { receiver } from './lib/receiver.mjs';
import { eventually, start, triaged } from './lib/server.mjs';

const with_server = async (config, options, run) => {
  const server = await start(config, options);
  try {
    await run(server);
  } finally {
    await server.remove();
  }
};

test('SIGTERM lets a request in hand finish, then the server exits 0', () =>
  with_server(brand(), {}, async (server) => {
    const agent = await server.token('agent');
    const first = await server.request('/v1/queue', { token: agent });
    const waiting = server.request('/v1/queue?wait=20', { token: agent, headers: { 'if-none-match': first.headers.get('etag') } });
    await new Promise((done) => setTimeout(done, 200));
    const exit = await server.stop();
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.ok([200, 304].includes((await waiting).status));
  }));

test('SIGHUP takes a new configuration, keeps the old one when the new one is wrong, and says so', () =>
  with_server(brand(), {}, async (server) => {
    const supervisor = await server.token('supervisor');
    const next = brand();
    next.teams.push({ name: 'night' });
    next.routing.team = 'night';
    await server.configure(next);
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/);
    const answer = await send(server, post({ text: calm }));
    assert.equal((await server.request(`/v1/cases/${answer.body.posts[0].case_id}`, { token: supervisor })).body.team, 'night');
    await server.configure({ ...next, routng: {} });
    server.signal('SIGHUP');
    await server.logged(/routng.*routing/);
    assert.equal((await send(server, post({ text: calm }))).status, 200);
    // A secret can be rotated without a restart.
    const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    next.sources[0].secrets.signing_key = [key];
    await server.configure(next);
    const from = server.log().length;
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/, { from });
    assert.equal((await send(server, post({ text: calm }), { key })).status, 200);
    assert.equal((await send(server, post({ text: calm }), { key: signingKey })).status, 401);
  }));

test('with TLS configured the door speaks TLS, and SIGHUP brings in a renewed certificate', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'triaged-tls-'));
  const make = (name) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-keyout', join(directory, 'key.pem'),
    '-out', join(directory, 'cert.pem')], { stdio: 'ignore' });
  const name = (port) => new Promise((done, fail) => {
    const request = https.get({ port, host: '127.0.0.1', path: '/healthz', rejectUnauthorized: false, agent: false }, (response) => {
      const { subject } = response.socket.getPeerCertificate();
      response.resume();
      response.on('end', () => done(subject.CN));
    });
    request.on('error', fail);
  });
  make('first');
  const config = brand({ more: { tls: { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') } } });
  await with_server(config, {}, async (server) => {
    assert.match(server.url, /^https:/);
    assert.equal(await name(server.port), 'first');
    make('second');
    server.signal('SIGHUP');
    await server.logged(/configuration reloaded/);
    assert.equal(await name(server.port), 'second');
    const plain = await connect(server.port);
    plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.doesNotMatch(await plain.untilClosed(), /HTTP\/1.1 200/);
  });
  await rm(directory, { recursive: true });
});

test('JSON logs are one object a line with a request id, and hold no secret', () =>
  with_server(brand({ more: { log: { format: 'json', level: 'debug' } } }), {}, async (server) => {
    const agent = await server.token('agent');
    await send(server, post({ text: calm }));
    await server.request('/v1/cases/none', { token: agent });
    await send(server, post({ text: calm }), { key: opsSecret });
    await server.logged(/"status":"404"/);
    const lines = server.log().trim().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.ok(lines.length >= 3);
    const request = lines.find((line) => line.status === '404');
    assert.ok(request.request_id && request.time && request.level);
    for (const secret of [signingKey, signingKey.slice(6), agent, opsSecret]) assert.ok(!server.log().includes(secret));
  }));

test('a backup beside the running server restores to the same cases, deliveries held, and overwrites nothing', async () => {
  const ops = await receiver();
  ops.always({ status: 500 });
  try {
    await with_server(brand({ ops }), {}, async (server) => {
      const stored = [];
      for (let i = 0; i < 20; i += 1) stored.push((await send(server, post({ text: i % 2 ? calm : urgent }))).body.posts[0].id);
      const copy = join(server.directory, 'copy.db');
      assert.equal((await triaged(['backup', copy, '--data', server.data])).code, 0);
      assert.equal((await stat(copy)).mode & 0o777, 0o600);
      assert.notEqual((await triaged(['backup', copy, '--data', server.data])).code, 0);
      await send(server, post({ text: calm }));
      await server.stop();
      assert.notEqual((await triaged(['restore', copy, '--data', server.data])).code, 0);
      const fresh = join(server.directory, 'fresh');
      const restored = await triaged(['restore', copy, '--data', fresh]);
      assert.equal(restored.code, 0, restored.stderr);
      server.data = fresh;
      ops.always({ status: 200 });
      const called = ops.requests.length;
      await server.launch(0);
      assert.deepEqual((await server.sql('SELECT id FROM posts ORDER BY seq')).map((row) => row.id), stored);
      assert.equal((await server.sql("SELECT count(*) AS n FROM deliveries WHERE state = 'held'"))[0].n, 10);
      const supervisor = await server.token('supervisor');
      assert.equal((await server.request('/v1/deliveries?state=held', { token: supervisor })).body.items.length, 10);
      assert.equal(ops.requests.length, called);
    });
  } finally {
    await ops.stop();
  }
});

test('files of the data directory can be read by their owner alone, and a second server on it is refused', () =>
  with_server(brand(), {}, async (server) => {
    for (const name of await readdir(server.data)) {
      assert.equal((await stat(join(server.data, name))).mode & 0o077, 0, name);
    }
    const second = await triaged(['serve', '--data', server.data, '--listen', '127.0.0.1:0']);
    assert.equal(second.code, 3);
    assert.match(second.stderr, /another|in use|already/i);
  }));

test('when the writer falls behind, posts are refused with 503 and Retry-After, and what was accepted is stored', () =>
  with_server(brand({ more: { limits: { writer_queue: 4 }, classifier: {} } }), {}, async (server) => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => send(server, post({ text: calm }))));
    const good = answers.filter((answer) => answer.status === 200);
    for (const answer of answers) {
      assert.ok([200, 503].includes(answer.status), answer.text);
      if (answer.status === 503) assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    }
    assert.equal((await server.sql('SELECT count(*) AS n FROM posts'))[0].n, good.length);
    await eventually(async () => (await send(server, post({ text: calm }))).status === 200);
  }));

test('a burst far beyond what the writer takes is answered within seconds, and nothing of it is half stored', () =>
  with_server(brand(), {}, async (server) => {
    const batch = () => Array.from({ length: 200 }, () => post({ text: calm }));
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(server, batch())));
    let accepted = 0;
    for (const answer of answers) {
      assert.ok([200, 503].includes(answer.status), answer.text);
      if (answer.status === 200) accepted += answer.body.accepted;
      else assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    }
    const [row] = await server.sql("SELECT count(*) AS n, sum(case_id IS NULL) AS loose FROM posts");
    assert.equal(row.n, accepted);
    assert.equal(row.loose ?? 0, 0);
  }));
