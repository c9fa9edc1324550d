// Posts a second that are judged and durable before their answer, triaged against the rival, in one run on the same
// two cores with the load generator (wrk) and the callback receiver beside them. Run by hand:
//
//   node tests/bench/throughput.mjs [--seconds 10] [--cores 0,1] [--rounds 2]
//
// Needs wrk, a release build (build/release/triaged) and `npm ci` in tests/bench/rival (done here when missing).
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const here = path.dirname(new URL(import.meta.url).pathname);
const root = path.resolve(here, '../..');
const options = { seconds: 10, cores: '0,1', rounds: 2, connections: 32 };
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options)) throw new Error(`unknown option --${name}`);
  options[name] = name === 'cores' ? process.argv[i + 1] : Number(process.argv[i + 1]);
}
const binary = process.env.TRIAGED ?? path.join(root, 'build/release/triaged');
const work = fs.mkdtempSync(path.join(root, 'build/bench-'));
const key = 'bench-key-0123456789abcdef';
const threads = 2;
const children = [];

function start(command, args, ready, extra = {}) {
  const child = spawn('taskset', ['-c', options.cores, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'], ...extra });
  children.push(child);
  return new Promise((resolve, reject) => {
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
      const match = ready.exec(out);
      if (match) resolve({ child, match });
    });
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
  });
}

async function stop(child) {
  child.removeAllListeners('exit');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function* posts(count) {
  const rows = fs.readFileSync(path.join(root, 'config/corpus/corpus.tsv'), 'utf8').trim().split('\n').slice(1);
  const texts = rows.map((row) => row.split('\t').at(-1));
  let seed = 7;
  const random = () => { // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const created = new Date().toISOString();
  for (let i = 0; i < count; i += 1) {
    const author = Math.floor(random() * 300000);
    yield JSON.stringify({
      native_id: String(18030000000000000000n + BigInt(i)), platform: 'x', kind: 'mention', created_at: created,
      text: texts[Math.floor(random() * texts.length)], language: 'en', brand_account: 'acme',
      author: { native_id: String(700000 + author), handle: `customer${author}`, name: `Customer ${author}`,
        followers: Math.floor(random() ** 6 * 200000), verified: false },
      url: `https://x.example/customer${author}/status/${i}`,
    });
  }
}

// The same requests for both, in one file a wrk thread.
function writeRequests(count) {
  const files = Array.from({ length: threads }, (_, i) => fs.openSync(path.join(work, `requests-${i}`), 'w'));
  const chunks = files.map(() => []);
  let i = 0;
  for (const body of posts(count)) {
    const signature = createHmac('sha256', key).update(body).digest('hex');
    const request = `POST /v1/hooks/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
      `X-Signature: ${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const thread = i % threads;
    chunks[thread].push(String(Buffer.byteLength(request)).padStart(7, '0') + request);
    if (chunks[thread].length === 5000) fs.writeSync(files[thread], chunks[thread].splice(0).join(''));
    i += 1;
  }
  files.forEach((file, n) => {
    fs.writeSync(file, chunks[n].join(''));
    fs.closeSync(file);
  });
}

function diskRate() {
  const file = fs.openSync(path.join(work, 'sync'), 'w');
  const page = randomBytes(4096);
  const until = process.hrtime.bigint() + 1_000_000_000n;
  let count = 0;
  while (process.hrtime.bigint() < until) {
    fs.writeSync(file, page, 0, page.length, (count % 512) * 4096);
    fs.fdatasyncSync(file);
    count += 1;
  }
  fs.closeSync(file);
  return count;
}

function wrk(port) {
  const run = spawnSync('taskset', ['-c', options.cores, 'wrk', '-t', String(threads), '-c', String(options.connections),
    '-d', `${options.seconds}s`, '--timeout', '5s', '-s', path.join(here, 'requests.lua'), `http://127.0.0.1:${port}/v1/hooks/bench`],
  { encoding: 'utf8', env: { ...process.env, TRIAGED_REQUESTS: path.join(work, 'requests-%d') } });
  const match = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(run.stdout);
  if (!match) throw new Error(`wrk: ${run.stdout}${run.stderr}`);
  const [requests, micros, errors, p50, p99] = match.slice(1).map(Number);
  return { rate: requests / (micros / 1e6), requests, errors, p50: p50 / 1000, p99: p99 / 1000 };
}

const resident = (pid) => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const count = (db, sql) => Number(spawnSync('sqlite3', [db, sql], { encoding: 'utf8' }).stdout.trim());
const calls = async (port) => Number(await (await fetch(`http://127.0.0.1:${port}/count`)).text());

async function measureTriaged(receiverPort) {
  const data = fs.mkdtempSync(path.join(work, 'triaged-'));
  const config = {
    listen: '127.0.0.1:0', data,
    sources: [{ name: 'bench', use: 'generic', secrets: { hmac_key: [key] }, header: 'X-Signature', algorithm: 'sha256', encoding: 'hex' }],
    teams: [{ name: 'care' }, { name: 'ops', callback: { url: `http://127.0.0.1:${receiverPort}/`, format: 'standard', secret: `whsec_${randomBytes(24).toString('base64')}` } }],
    routing: { team: 'care', max_age: '24h', routes: [{ match: { min_urgency: 90 }, escalate: 'ops' }] },
    ladders: { ops: [{ after: '0s', team: 'ops' }] },
    delivery: { allow_private_addresses: true },
    log: { level: 'warn' },
  };
  const file = path.join(data, 'config.json');
  fs.writeFileSync(file, JSON.stringify(config));
  const { child, match } = await start(binary, ['serve', '--config', file], /listening on http:\/\/127\.0\.0\.1:(\d+)/);
  const before = await calls(receiverPort);
  const result = wrk(match[1]);
  await sleep(1500);
  result.resident = resident(child.pid);
  result.calls = (await calls(receiverPort)) - before;
  await stop(child);
  result.stored = count(path.join(data, 'triaged.db'), 'SELECT count(*) FROM posts');
  fs.rmSync(data, { recursive: true });
  return result;
}

async function measureRival(receiverPort) {
  const data = fs.mkdtempSync(path.join(work, 'rival-'));
  const port = 18000 + Math.floor(Math.random() * 10000);
  const { child } = await start(process.execPath, [path.join(here, 'rival/server.mjs'), String(port), path.join(data, 'rival.db'),
    `http://127.0.0.1:${receiverPort}/`, key], /listening/);
  const before = await calls(receiverPort);
  const result = wrk(port);
  await sleep(1500);
  result.resident = resident(child.pid);
  result.calls = (await calls(receiverPort)) - before;
  await stop(child);
  result.stored = count(path.join(data, 'rival.db'), 'SELECT count(*) FROM posts');
  fs.rmSync(data, { recursive: true });
  return result;
}

function print(name, r) {
  console.log(`${name.padEnd(8)} ${r.rate.toFixed(0).padStart(7)} posts/s   p50 ${r.p50.toFixed(2)} ms   p99 ${r.p99.toFixed(2)} ms   ` +
    `errors ${r.errors}   stored ${r.stored}   callbacks ${r.calls}   peak memory ${r.resident.toFixed(0)} MB`);
}

try {
  if (!fs.existsSync(path.join(here, 'rival/node_modules'))) {
    console.log('installing the rival’s packages');
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: path.join(here, 'rival'), stdio: 'inherit' });
    if (npm.status !== 0) throw new Error('npm ci failed');
  }
  const wanted = options.seconds * 70000;
  console.log(`signing ${wanted} requests, outside the timed run`);
  writeRequests(wanted);
  const receiverPort = 17000 + Math.floor(Math.random() * 900);
  await start(process.execPath, [path.join(here, 'receiver.mjs'), String(receiverPort)], /listening/);
  const ratios = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    console.log(`round ${round}: ${diskRate()} fdatasync/s on this disk, cores ${options.cores} of ${os.cpus().length}, node ${process.version}`);
    const rival = await measureRival(receiverPort);
    print('rival', rival);
    const triaged = await measureTriaged(receiverPort);
    print('triaged', triaged);
    ratios.push(triaged.rate / rival.rate);
    console.log(`ratio    ${ratios.at(-1).toFixed(2)}`);
  }
  console.log(`ratios: ${ratios.map((r) => r.toFixed(2)).join(', ')}`);
} finally {
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
  fs.rmSync(work, { recursive: true, force: true });
}
