// A platform's interface that a test plays: it keeps every call, and answers each as it was told to.
import { createServer } from 'node:http';

// How to answer a call. Without more: 200 and {}.
//   status, headers, json or body   the answer
//   delay                           milliseconds before it
//   hang: true                      never answers
//   drop: true                      takes the whole call, and cuts the connection without an answer
//   stream: true                    Server-Sent Events: see send() of Platform
class Platform {
  calls = [];
  #routes = [];
  #streams = new Set();
  #sockets = new Set();
  #watchers = new Set();
  #server;

  // What calls that `match` get: each answer once, the last one from then on. An answer may be a function of the call.
  // `match` is a method and the path ("POST /2/tweets"), a regular expression of both, or a function of the call. What
  // was said last about a call counts.
  answer(match, ...answers) {
    this.#routes.unshift({ matches: matcher(match), answers });
    return this;
  }

  // The calls that came and `match`, oldest first.
  of(match) {
    return this.calls.filter(matcher(match));
  }

  // Waits until at least `count` calls came that `match`, and gives them.
  async called(match, count = 1, { timeout = 30_000 } = {}) {
    const look = () => {
      const found = this.of(match);
      return found.length >= count ? found : null;
    };
    const now = look();
    if (now) return now;
    return new Promise((done, fail) => {
      const watcher = () => {
        const found = look();
        if (!found) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        done(found);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        const seen = this.calls.map((call) => `${call.method} ${call.path} ${call.body.slice(0, 200)}`).join('\n');
        fail(new Error(`waited ${timeout} ms for ${count} calls of ${match}; there came ${this.calls.length}:\n${seen}`));
      }, timeout);
      this.#watchers.add(watcher);
    });
  }

  // An event to everybody who listens to a stream; how many they are.
  send(event, data) {
    for (const response of this.#streams) response.write(`event: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    return this.#streams.size;
  }

  // Ends every stream, as platforms do now and then.
  endStreams() {
    for (const response of this.#streams) response.end();
  }

  get streams() {
    return this.#streams.size;
  }

  url(path = '') {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async start() {
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    await new Promise((done, fail) => {
      this.#server.once('error', fail);
      this.#server.listen(0, '127.0.0.1', done);
    });
    this.port = this.#server.address().port;
    return this;
  }

  async stop() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #handle(request, response) {
    const url = new URL(request.url, this.url());
    const call = { method: request.method, target: request.url, path: url.pathname, query: url.searchParams, headers: request.headers, at: Date.now() };
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;  // the client went away within its call
    }
    call.body = Buffer.concat(chunks).toString('utf8');
    const type = request.headers['content-type'] ?? '';
    if (type.includes('json')) call.json = JSON.parse(call.body);
    if (type.includes('x-www-form-urlencoded')) call.form = Object.fromEntries(new URLSearchParams(call.body));
    const route = this.#routes.find((one) => one.matches(call));
    const chosen = route && (route.answers.length > 1 ? route.answers.shift() : route.answers[0]);
    this.calls.push(call);
    const answer = (typeof chosen === 'function' ? await chosen(call) : chosen) ?? (route ? {} : { status: 404, json: { error: 'no such call' } });
    for (const watcher of [...this.#watchers]) watcher();
    if (answer.delay) await new Promise((done) => setTimeout(done, answer.delay));
    if (answer.hang || request.socket.destroyed) return;
    if (answer.drop) {
      request.socket.destroy();
      return;
    }
    if (answer.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(':)\n');
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      return;
    }
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body ?? JSON.stringify(answer.json ?? {}));
  }
}

function matcher(match) {
  if (typeof match === 'function') return match;
  if (match instanceof RegExp) return (call) => match.test(`${call.method} ${call.path}`);
  return (call) => `${call.method} ${call.path}` === match;
}

// Starts a platform on a free port.
export function platform() {
  return new Platform().start();
}
