// docs/openapi.yaml is the full statement of the API: it must be whole in itself, the JSON that the binary serves must
// be made from it, and the server must have every path that it names.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { jsonFile, read } from './openapi-json.mjs';
import { start } from './lib/server.mjs';

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
