// docs/openapi.yaml is the full statement of the API: it must be whole in itself, the JSON that the binary serves must
// be made from it, and the server must have every path that it names.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { receiver } from './lib/receiver.mjs';
import { start } from './lib/server.mjs';
import { jsonFile, read } from './openapi-json.mjs';

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
const api = await read();

function* operations(items) {
  for (const [path, item] of Object.entries(items)) {
    for (const method of methods) {
      if (item[method]) yield { path, method, item, operation: item[method] };
    }
  }
}

function* references(value) {
  if (Array.isArray(value)) {
    for (const element of value) yield* references(element);
  } else if (value && typeof value === 'object') {
    if (typeof value.$ref === 'string') yield value.$ref;
    for (const element of Object.values(value)) yield* references(element);
  }
}

function resolve(reference) {
  return reference
    .slice(2)
    .split('/')
    .reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], api);
}

describe('the document', () => {
  test('docs/openapi.json is made from docs/openapi.yaml (node tests/integration/openapi-json.mjs)', async () => {
    assert.deepEqual(JSON.parse(await readFile(jsonFile, 'utf8')), api);
  });

  test('every reference leads somewhere, and every component is used', () => {
    const used = new Set(references(api));
    for (const reference of used) {
      assert.match(reference, /^#\//);
      assert.ok(resolve(reference), `${reference} leads nowhere`);
    }
    for (const [kind, components] of Object.entries(api.components)) {
      if (kind === 'securitySchemes') continue;
      for (const name of Object.keys(components)) {
        assert.ok(used.has(`#/components/${kind}/${name}`), `#/components/${kind}/${name} is used nowhere`);
      }
    }
  });

  test('operations have a name of their own, a summary, and the parameters of their path', () => {
    const names = new Set();
    for (const { path, item, operation } of [...operations(api.paths), ...operations(api.webhooks)]) {
      assert.ok(operation.operationId && !names.has(operation.operationId), `${path}: ${operation.operationId}`);
      names.add(operation.operationId);
      assert.ok(operation.summary, `${operation.operationId} has no summary`);
      const given = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
        .map((parameter) => (parameter.$ref ? resolve(parameter.$ref) : parameter))
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => parameter.name);
      const wanted = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
      assert.deepEqual(given.sort(), wanted.sort(), path);
    }
  });

  test('every error is a problem', () => {
    for (const { path, method, operation } of operations(api.paths)) {
      for (const [status, response] of Object.entries(operation.responses)) {
        if (status < '400' || !path.startsWith('/v1')) continue;
        const { content } = response.$ref ? resolve(response.$ref) : response;
        assert.ok(
          content['application/problem+json'] || content['text/html'],
          `${method} ${path} ${status} says nothing of what went wrong`,
        );
      }
    }
  });
});

describe('the server', () => {
  let server;
  before(async () => (server = await start({ sources: [{ name: 'lab', use: 'generic', unsigned: true }] })));
  after(() => server?.remove());

  test('serves the document', async () => {
    const { status, headers, body } = await server.request('/openapi.json');
    assert.equal(status, 200);
    assert.match(headers.get('content-type'), /^application\/json/);
    assert.deepEqual(body, api);
  });

  test('has every path with every method that it names', async () => {
    for (const { path, method } of operations(api.paths)) {
      if (path === '/v1/hooks/{source}' && method === 'get') continue;  // a generic source has no handshake: 405
      const real = path.replace('{source}', 'lab').replaceAll(/\{\w+\}/g, '01902a9e-6f2a-7c3b-9d51-0d4b1c2f3a4e');
      const answer = await server.request(real, { method: method.toUpperCase() });
      assert.ok(![404, 405, 500, 501].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      if (answer.status >= 400) assert.ok(api.paths[path][method].responses[answer.status], `${method} ${path}: ${answer.status} is not in the document`);
    }
  });

  test('answers errors as problems of the documented shape', async () => {
    const answer = await server.request('/v1/queue');
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    for (const field of api.components.schemas.Problem.required) assert.ok(field in answer.body, field);
  });
});

describe('what the server answers is what the document says:', () => {
  const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ ...api, $id: 'api' });

  function conforms(value, schema, what) {
    const validate = ajv.compile(typeof schema === 'string' ? { $ref: `api#/components/schemas/${schema}` } : absolute(schema));
    assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 1).slice(0, 3000)}`);
  }
  // Local references of a part of the document, made to lead there from outside.
  const absolute = (part) => JSON.parse(JSON.stringify(part).replaceAll('"$ref":"#/', '"$ref":"api#/'));

  let server, hook;
  const tokens = {};
  before(async () => {
    hook = await receiver();
    server = await start({
      sources: [{ name: 'lab', use: 'generic', unsigned: true, brand_account: 'acme' }],
      teams: [
        { name: 'care' },
        { name: 'ops', callback: { url: hook.url('/ops'), format: 'standard', secret, include: ['post_text', 'author'] } },
      ],
      sites: [{ name: 'LHR-T5', aliases: ['Heathrow T5'], lat: 51.4723, lon: -0.4887, radius_m: 1500 }],
      routing: { team: 'care', routes: [{ match: { min_urgency: 20 }, escalate: 'ops' }] },
      ladders: { ops: [{ after: '0s', team: 'ops' }, { after: '10m', team: 'ops' }] },
      delivery: { allow_private_addresses: true },
    });
    for (const role of ['agent', 'supervisor']) tokens[role] = await server.token(role);
    tokens.ops = await server.token('ops', { team: 'ops' });
  });
  after(async () => {
    await server?.remove();
    await hook?.stop();
  });

  // A call of the document, whose answer must be of its schema for the status that came.
  async function call(path, method, options = {}) {
    const { at = path, status = 200, ...request } = options;
    const answer = await server.request(at, { method: method.toUpperCase(), ...request });
    assert.equal(answer.status, status, `${method} ${at}: ${answer.text}`);
    const described = api.paths[path][method].responses[status];
    assert.ok(described, `${method} ${path}: ${status} is not in the document`);
    const { content } = described.$ref ? resolve(described.$ref) : described;
    const type = answer.headers.get('content-type').split(';')[0];
    assert.ok(content[type], `${method} ${path} ${status}: ${type} is not in the document`);
    if (/json/.test(type)) conforms(answer.body, content[type].schema, `${method} ${at}`);
    return answer.body;
  }

  test('posts, cases, the queue, escalations, callbacks and deliveries', async () => {
    const post = {
      native_id: '1803',
      platform: 'x',
      kind: 'mention',
      text: 'stuck in the check-in queue at Heathrow T5 for an hour, we are going to miss our flight',
      author: { native_id: '77', handle: 'ann', name: 'Ann', followers: 1200, verified: false },
      geo: { lat: 51.4723, lon: -0.4887, place: 'Heathrow' },
      media: [{ type: 'photo', url: 'https://example.com/1.jpg' }],
    };
    conforms(post, 'NewPost', 'the post');
    const received = await call('/v1/hooks/{source}', 'post', { at: '/v1/hooks/lab', json: { posts: [post, post] } });
    assert.deepEqual([received.accepted, received.duplicates], [1, 1]);
    const id = received.posts[0].case_id;

    const [callback] = await hook.received();
    conforms(callback.json, 'EscalationCallback', 'the callback');
    assert.equal(callback.json.type, 'escalation.raised');

    const { agent, ops, supervisor } = tokens;
    const queue = await call('/v1/queue', 'get', { token: agent });
    assert.equal(queue.items[0].id, id);
    const at = (name) => `/v1/cases/${id}${name}`;
    await call('/v1/queue/claim', 'post', { token: agent, json: { limit: 1, lease_seconds: 60 } });
    const reply = { native_id: '1804', platform: 'x', kind: 'reply', text: 'sorry!', in_reply_to: '1803', author: { native_id: 'acme' } };
    await call('/v1/hooks/{source}', 'post', { at: '/v1/hooks/lab', json: reply });
    await call('/v1/cases/{id}/note', 'post', { at: at('/note'), token: agent, json: { text: 'called the desk' }, status: 201 });
    const whole = await call('/v1/cases/{id}', 'get', { at: at(''), token: agent });
    assert.deepEqual([whole.posts.length, whole.replies.length, whole.notes.length, whole.escalations.length], [1, 1, 1, 1]);
    await call('/v1/cases/{id}/timeline', 'get', { at: at('/timeline'), token: agent });
    await call('/v1/cases/{id}/claim', 'post', { at: at('/claim'), token: supervisor, json: {}, status: 409 });

    const { items } = await call('/v1/escalations', 'get', { token: ops });
    const escalation = (name) => `/v1/escalations/${items[0].id}${name}`;
    const says = { token: ops, json: { action: 'second desk open', eta: '09:40' } };
    await call('/v1/escalations/{id}/ack', 'post', { at: escalation('/ack'), ...says });
    await call('/v1/escalations/{id}/resolve', 'post', { at: escalation('/resolve'), ...says });

    const deliveries = await call('/v1/deliveries', 'get', { token: supervisor });
    const sent = deliveries.items.at(-1);
    await call('/v1/deliveries/{id}/retry', 'post', { at: `/v1/deliveries/${sent.id}/retry`, token: supervisor, status: 409 });

    await call('/v1/cases/{id}/resolve', 'post', { at: at('/resolve'), token: agent, json: {}, status: 422 });
    await call('/v1/cases/{id}/resolve', 'post', { at: at('/resolve'), token: agent, json: { outcome: 'resolved_in_moment' } });
    await call('/v1/cases/{id}/release', 'post', { at: at('/release'), token: agent, status: 409 });
  });

  test('the configuration and health', async () => {
    for (const path of ['/v1/teams', '/v1/sites', '/v1/sources', '/metrics', '/healthz', '/readyz']) {
      await call(path, 'get', { token: tokens.supervisor });
    }
    await call('/v1/teams/{id}/enable', 'post', { at: '/v1/teams/ops/enable', token: tokens.supervisor });
    await call('/v1/teams/{id}/enable', 'post', { at: '/v1/teams/care/enable', token: tokens.supervisor, status: 409 });
    await call('/v1/deliveries', 'get', { token: tokens.agent, status: 403 });
    await call('/v1/cases/{id}', 'get', { at: '/v1/cases/nobody', token: tokens.agent, status: 404 });
    await call('/v1/queue', 'get', { at: '/v1/queue?moment=now', token: tokens.agent, status: 400 });
  });

  test('refused posts', async () => {
    const at = '/v1/hooks/lab';
    await call('/v1/hooks/{source}', 'post', { at, body: '{"posts": [', headers: { 'content-type': 'application/json' }, status: 400 });
    await call('/v1/hooks/{source}', 'post', { at, json: { text: 'no id' }, status: 422 });
    await call('/v1/hooks/{source}', 'post', { at: '/v1/hooks/nowhere', json: {}, status: 404 });
    await call('/v1/hooks/{source}', 'get', { at, status: 405 });
  });
});
