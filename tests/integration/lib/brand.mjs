// A small brand for tests: one signed generic source, a care team, two operations teams with real receivers' URLs.
import { randomBytes } from 'node:crypto';
import { standardWebhooks } from './sign.mjs';

export const signingKey = `whsec_${Buffer.from('a key of the tests, 32 bytes long').toString('base64')}`;
export const opsSecret = `whsec_${randomBytes(24).toString('base64')}`;

// `ops` and `duty` are receivers. What `more` sets replaces what stands here, key by key.
export function brand({ ops, duty, more = {} } = {}) {
  const callback = (receiver, path) => ({ url: receiver.url(path), format: 'standard', secret: opsSecret });
  const teams = [{ name: 'care' }, { name: 'vip' }];
  const rungs = [];
  if (ops) {
    teams.push({ name: 'airport-ops', callback: callback(ops, '/ops') });
    rungs.push({ after: '0s', team: 'airport-ops' });
  }
  if (duty) {
    teams.push({ name: 'duty-manager', callback: callback(duty, '/duty') });
    rungs.push({ after: '10m', team: 'duty-manager' });
  }
  return {
    public_url: 'https://care.example.com',
    sources: [{ name: 'shop', use: 'generic', secrets: { signing_key: [signingKey] }, brand_account: 'acme' }],
    teams,
    sites: [{ name: 'LHR-T5', aliases: ['Heathrow T5', '#LHR'], lat: 51.4723, lon: -0.4887, radius_m: 1500 }],
    routing: {
      team: 'care',
      max_age: '2h',
      routes: rungs.length ? [{ name: 'live', match: { moment: 'in_the_moment', min_urgency: 55 }, escalate: 'ops' }] : [],
    },
    ladders: rungs.length ? { ops: rungs } : {},
    delivery: { allow_private_addresses: true, schedule: ['200ms', '400ms', '800ms', '1s', '2s'] },
    // On a busy machine a post would get the fast verdict, and another one while a test looks at it.
    classifier: { deep_wait: '1s' },
    ...more,
  };
}

let counter = 0;

// Texts whose verdicts the tests rely on: plain ones.
export const urgent = 'stuck in the check-in queue at Heathrow T5 for an hour, about to miss our flight, please help now!';
export const calm = 'last week your crew lost my bag and I would like the refund that I was promised';
export const chatter = 'lol nice advert';

export function post(fields = {}) {
  counter += 1;
  return {
    native_id: `n-${process.pid}-${counter}`,
    platform: 'x',
    kind: 'mention',
    text: urgent,
    created_at: new Date().toISOString(),
    author: { native_id: `a-${process.pid}-${counter}`, handle: `h${counter}`, followers: 10 },
    ...fields,
  };
}

// Sends posts through the signed door: the answer, as Server.request gives it.
export function send(server, posts, { key = signingKey, source = 'shop', headers = {}, signal } = {}) {
  const body = JSON.stringify(posts);
  return server.request(`/v1/hooks/${source}`, {
    body,
    headers: { 'content-type': 'application/json', ...standardWebhooks(key, body), ...headers },
    signal,
  });
}
