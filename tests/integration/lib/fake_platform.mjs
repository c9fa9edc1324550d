// A platform as triaged sees one from its own side: a real HTTP server that is asked, answers as the test tells it to, and
// keeps what it was asked. It knows nothing of any platform's API; a test says what stands where.
import { createServer } from 'node:http';

// How to treat a request. Without more, it is answered 200 with an empty JSON object.
//   status, headers, body   the answer; a text or a Buffer, or else what is sent as JSON
//   etag, modified          the answer's ETag or Last-Modified: who asks for what is newer than that is answered 304
//   delay                   milliseconds before it
//   hang: true              never answers
//   close: 'at once'        cuts the connection without an answer
//          'in the header'  cuts it within the answer's header
//          'in the body'    cuts it half way through the answer's body, of which the length was told
//   stream: [event, …]      Server-Sent Events ({event, id, data}); the connection stays open for send() and end()
class FakePlatform {
  requests = [];
  #routes = new Map();
  #watchers = new Set();
  #sockets = new Set();
  #streams = new Map(); // path → open responses
  #server;

  // What it does on `path` (without its query) from now on: a behaviour, or a function of the request that gives one.
  on(path, behaviour) {
    this.#route(path).always = behaviour;
    return this;
  }

  // What it does with the next requests on `path`, one each, before that.
  next(path, ...behaviours) {
    this.#route(path).once.push(...behaviours);
    return this;
  }

  url(path = '') {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  // The requests on `path` so far.
  asked(path) {
    return this.requests.filter((request) => request.path === path);
  }

  // Resolves with the requests on `path` that `match` when there are `count` of them.
  received(path, count = 1, { match = () => true, timeout = 30_000 } = {}) {
    const look = () => this.asked(path).filter(match);
    if (look().length >= count) return Promise.resolve(look());
    return new Promise((done, fail) => {
      const watcher = () => {
        if (look().length < count) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        done(look());
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        const seen = this.requests.map((one) => `${one.method} ${one.path}${one.search}`).join('\n');
        fail(new Error(`waited ${timeout} ms for ${count} requests on ${path}; there came:\n${seen}`));
      }, timeout);
      this.#watchers.add(watcher);
    });
  }

  // Sends events on the open streams of `path`.
  send(path, ...events) {
    for (const response of this.#streams.get(path) ?? []) for (const event of events) response.write(frame(event));
  }

  // Ends the open streams of `path`; `cut` as a connection that is lost, in the middle of an event.
  end(path, { cut = false } = {}) {
    for (const response of this.#streams.get(path) ?? []) {
      if (cut) {
        response.write('event: update\ndata: {"half');
        response.socket.destroy();
      } else {
        response.end();
      }
    }
    this.#streams.delete(path);
  }

  // How many streams of `path` are open.
  open(path) {
    return this.#streams.get(path)?.size ?? 0;
  }

  async start(port = this.port ?? 0) {
    const server = createServer((request, response) => this.#handle(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.#server = server;
    await new Promise((done, fail) => {
      server.once('error', fail);
      server.listen(port, '127.0.0.1', done);
    });
    this.port = server.address().port;
    return this;
  }

  // The platform is down: connections are refused. start() brings it back on the same port.
  async stop() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    this.#streams.clear();
    await closed;
  }

  #route(path) {
    if (!this.#routes.has(path)) this.#routes.set(path, { always: undefined, once: [] });
    return this.#routes.get(path);
  }

  async #handle(request, response) {
    const { pathname, search, searchParams } = new URL(request.url, 'http://platform');
    const record = {
      method: request.method,
      path: decodeURIComponent(pathname),
      written: pathname, // as it came, with its percents
      search,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      at: Date.now(),
    };
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the client went away within its request
    }
    record.body = Buffer.concat(chunks).toString('utf8');
    const type = request.headers['content-type'] ?? '';
    if (type.includes('json')) record.json = JSON.parse(record.body);
    if (type.includes('form')) record.form = Object.fromEntries(new URLSearchParams(record.body));

    const route = this.#routes.get(record.path) ?? { always: { status: 404 }, once: [] };
    const chosen = route.once.length ? route.once.shift() : route.always;
    this.requests.push(record);
    const behaviour = (typeof chosen === 'function' ? await chosen(record) : chosen) ?? {};
    record.status = behaviour.status ?? 200;
    for (const watcher of [...this.#watchers]) watcher();
    if (behaviour.delay) await new Promise((done) => setTimeout(done, behaviour.delay));
    if (behaviour.hang || request.socket.destroyed) return;
    this.#answer(request, response, record, behaviour);
  }

  #answer(request, response, record, { status = 200, headers = {}, body = {}, etag, modified, close, stream }) {
    if (stream) {
      response.writeHead(status, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...headers });
      response.write(': here\n\n');
      for (const event of stream) response.write(frame(event));
      const open = this.#streams.get(record.path) ?? this.#streams.set(record.path, new Set()).get(record.path);
      open.add(response);
      response.on('close', () => open.delete(response));
      return;
    }
    const sent = { ...headers };
    if (etag) sent.etag = etag;
    if (modified) sent['last-modified'] = modified;
    const known = (etag && request.headers['if-none-match'] === etag) || (!etag && modified && request.headers['if-modified-since'] === modified);
    if (known && !close) {
      record.status = 304;
      response.writeHead(304, sent);
      return response.end();
    }
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    if (!raw) sent['content-type'] ??= 'application/json';
    const bytes = Buffer.from(raw ? body : JSON.stringify(body));
    switch (close) {
      case undefined:
        response.writeHead(status, { 'content-length': bytes.length, ...sent });
        return response.end(bytes);
      case 'at once':
        return request.socket.destroy();
      case 'in the header':
        return request.socket.end(`HTTP/1.1 ${status} OK\r\nContent-Le`);
      case 'in the body': {
        const head = Object.entries({ ...sent, 'content-length': bytes.length }).map(([name, value]) => `${name}: ${value}\r\n`).join('');
        request.socket.write(`HTTP/1.1 ${status} OK\r\n${head}\r\n`);
        return request.socket.end(bytes.subarray(0, bytes.length >> 1));
      }
      default:
        throw new Error(`no such behaviour: close: ${close}`);
    }
  }
}

// An event as it goes over the wire; data that is no text goes as JSON.
function frame({ event, id, data }) {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const lines = [];
  if (event !== undefined) lines.push(`event: ${event}`);
  if (id !== undefined) lines.push(`id: ${id}`);
  for (const line of text.split('\n')) lines.push(`data: ${line}`);
  return `${lines.join('\n')}\n\n`;
}

// Starts a platform on a free port.
export function fakePlatform() {
  return new FakePlatform().start();
}

// Sums a metric over all its label sets that have these labels; 0 where there is none yet.
export async function metric(server, token, name, labels = {}) {
  const { text } = await server.request('/metrics', { token });
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
