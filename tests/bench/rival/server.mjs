// The rival: what a careful team would write in an afternoon with Node. It does the same work for a post as triaged:
// HMAC over the raw body, parse, a judgement (VADER and a keyword moment), one insert with a commit before the answer
// (WAL, synchronous=FULL), a signed callback for the urgent ones.
//
// node server.mjs PORT DATABASE CALLBACK_URL KEY
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import Fastify from 'fastify';
import Database from 'better-sqlite3';
import vader from 'vader-sentiment';

const [port, file, callbackUrl, key] = process.argv.slice(2);

const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`CREATE TABLE IF NOT EXISTS posts (
  id TEXT PRIMARY KEY, native_id TEXT NOT NULL UNIQUE, platform TEXT, author TEXT, text TEXT, created_at TEXT,
  moment TEXT, urgency REAL, sentiment REAL, called INTEGER)`);
const insert = db.prepare(`INSERT INTO posts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (native_id) DO NOTHING`);

const now = /\b(now|still|waiting|stuck|right now|currently|minutes|hours?|on hold|help|stranded|delayed|today)\b/i;
const urgent = /\b(stuck|stranded|emergency|miss(ing)? (my|our) (flight|connection)|danger|smoke|bleeding|locked out|fraud)\b/i;

function judge(text) {
  const sentiment = vader.SentimentIntensityAnalyzer.polarity_scores(text).compound;
  const moment = now.test(text) ? 'in_the_moment' : 'after_the_fact';
  const urgency = Math.min(100, (moment === 'in_the_moment' ? 45 : 20) - 25 * sentiment + (urgent.test(text) ? 30 : 0));
  return { sentiment, moment, urgency };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
function call(post, verdict) {
  const body = JSON.stringify({ type: 'escalation.raised', data: { post, verdict } });
  const id = randomUUID();
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const request = http.request(callbackUrl, {
    method: 'POST',
    agent,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
  });
  request.on('response', (response) => response.resume());
  request.on('error', () => {});
  request.end(body);
}

const app = Fastify({ logger: false });
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
app.post('/v1/hooks/bench', (request, reply) => {
  const given = Buffer.from(request.headers['x-signature'] ?? '', 'hex');
  const expected = createHmac('sha256', key).update(request.body).digest();
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send();
  const post = JSON.parse(request.body);
  const verdict = judge(post.text);
  const called = verdict.urgency >= 75;
  const id = randomUUID();
  const { changes } = insert.run(id, post.native_id, post.platform, post.author?.native_id, post.text, post.created_at,
    verdict.moment, verdict.urgency, verdict.sentiment, called ? 1 : 0);
  if (called && changes > 0) call(post, verdict);
  return reply.send({
    accepted: changes, duplicates: 1 - changes, ignored: 0,
    posts: [{ id, native_id: post.native_id, moment: verdict.moment }],
  });
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
console.log('listening');
