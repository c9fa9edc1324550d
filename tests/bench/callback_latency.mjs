// From a post sent to its callback received, at a steady rate, triaged against Prometheus Alertmanager doing the same
// (an alert sent to a webhook received, group_wait 0s), in one run. Both are asked and received by this process, so that
// one clock measures. Run by hand:
//
//   node tests/bench/callback_latency.mjs [--rate 200] [--seconds 10] [--rounds 2] [--judge deep|fast]
//
// Needs a release build (build/release/triaged) and Debian's prometheus-alertmanager.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const options = { rate: 200, seconds: 10, rounds: 2, judge: 'deep' };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options)) throw new Error(`unknown option --${name}`);
  options[name] = name === 'judge' ? process.argv[i + 1] : Number(process.argv[i + 1]);
}
const binary = process.env.TRIAGED ?? path.join(root, 'build/release/triaged');
const work = fs.mkdtempSync(path.join(root, 'build/bench-'));
const key = 'bench-key-0123456789abcdef';
const children = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const now = () => Number(process.hrtime.bigint()) / 1e6;

// Sends one request, and resolves when it was answered.
function ask(port, target, headers, body) {
  return new Promise((done, fail) => {
    const request = http.request({ port, host: '127.0.0.1', path: target, method: body ? 'POST' : 'GET', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode));
    });
    request.on('error', fail);
    request.end(body);
  });
}

const sent = new Map();
const took = [];
const receiver = http.createServer((request, response) => {
  const at = now();
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.end();
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const ids = body.alerts ? body.alerts.map((alert) => alert.labels.post) : body.data.posts.map((post) => post.native_id);
    for (const id of ids) {
      if (!sent.has(id)) continue;
      took.push(at - sent.get(id));
      sent.delete(id);
    }
  });
});

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  return child;
}

async function until(look) {
  for (let i = 0; i < 500; i += 1) {
    if (await look().catch(() => false)) return;
    await sleep(20);
  }
  throw new Error('it did not start');
}

async function measure(send) {
  for (let i = 0; i < 50; i += 1) await send(`warm-${i}-${Math.random()}`); // connections, caches
  await sleep(500);
  sent.clear();
  took.length = 0;
  const total = options.rate * options.seconds;
  const begin = now();
  const asked = [];
  for (let i = 0; i < total; i += 1) {
    const due = begin + (i * 1000) / options.rate;
    const wait = due - now();
    if (wait > 1) await sleep(wait - 0.5);
    while (now() < due);
    const id = `m-${i}-${Math.random()}`;
    sent.set(id, now());
    asked.push(send(id));
  }
  const bad = (await Promise.all(asked)).filter((status) => status !== 200).length;
  await sleep(1500);
  took.sort((a, b) => a - b);
  const at = (q) => took[Math.min(took.length - 1, Math.floor(took.length * q))];
  return { received: took.length, total, bad, p50: at(0.5), p99: at(0.99), max: took.at(-1) };
}

const print = (name, r) => console.log(`${name.padEnd(13)} ${r.received}/${r.total} received, ${r.bad} refused   p50 ${r.p50.toFixed(2)} ms   ` +
  `p99 ${r.p99.toFixed(2)} ms   max ${r.max.toFixed(2)} ms`);

async function alertmanager(port, callback) {
  const file = path.join(work, 'alertmanager.yml');
  fs.writeFileSync(file, `route:\n  receiver: ops\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1s\n` +
    `receivers:\n- name: ops\n  webhook_configs:\n  - url: ${callback}\n    send_resolved: false\n`);
  const child = start('prometheus-alertmanager', [`--config.file=${file}`, `--storage.path=${path.join(work, 'am')}`,
    `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address=', '--log.level=error']);
  await until(async () => (await ask(port, '/-/ready', {})) === 200);
  const result = await measure((id) => {
    const body = JSON.stringify([{ labels: { alertname: 'queue', post: id, severity: 'critical' }, annotations: { text: 'stuck in the queue' } }]);
    return ask(port, '/api/v2/alerts', { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, body);
  });
  child.kill('SIGTERM');
  return result;
}

async function triaged(port, callback) {
  const data = fs.mkdtempSync(path.join(work, 'triaged-'));
  const file = path.join(data, 'config.json');
  fs.writeFileSync(file, JSON.stringify({
    listen: `127.0.0.1:${port}`, data,
    sources: [{ name: 'bench', use: 'generic', secrets: { hmac_key: [key] }, header: 'X-Signature', algorithm: 'sha256', encoding: 'hex' }],
    teams: [{ name: 'care' }, { name: 'ops', callback: { url: callback, format: 'standard', secret: `whsec_${randomBytes(24).toString('base64')}` } }],
    routing: { team: 'care', routes: [{ match: { actionable: true }, escalate: 'ops' }] },
    ladders: { ops: [{ after: '0s', team: 'ops' }] },
    delivery: { allow_private_addresses: true }, classifier: { judge: options.judge },
    log: { level: 'error' },
  }));
  const child = start(binary, ['serve', '--config', file]);
  await until(async () => (await ask(port, '/readyz', {})) === 200);
  const result = await measure((id) => {
    const body = JSON.stringify({ native_id: id, platform: 'x', kind: 'mention', created_at: new Date().toISOString(),
      text: '@acme stuck in the check-in queue for an hour and about to miss our flight, please help', author: { native_id: id, handle: 'ann' } });
    const signature = createHmac('sha256', key).update(body).digest('hex');
    return ask(port, '/v1/hooks/bench', { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-signature': signature }, body);
  });
  child.kill('SIGTERM');
  await new Promise((done) => child.once('exit', done));
  return result;
}

try {
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  const callback = `http://127.0.0.1:${receiver.address().port}/`;
  for (let round = 1; round <= options.rounds; round += 1) {
    const port = 19000 + Math.floor(Math.random() * 5000);
    const theirs = await alertmanager(port, callback);
    print('alertmanager', theirs);
    const ours = await triaged(port + 1, callback);
    print('triaged', ours);
    console.log(`ratio of p99  ${(ours.p99 / theirs.p99).toFixed(2)}`);
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  receiver.closeAllConnections();
  receiver.close();
  agent.destroy();
  fs.rmSync(work, { recursive: true, force: true });
}
