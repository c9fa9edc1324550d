// A platform, as a real HTTP server that a test plays. It answers each call as the test says and keeps every call. It
// knows no platform's interface.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

// How to answer a call. Without more: 200 and {}.
//   status, headers         of the answer
//   json or body            what is sent as JSON, or as it is (a text or a Buffer)
//   delay                   milliseconds before the answer
//   hang: true              never answers
//   close: 'at once'        cuts the connection without an answer
//          'in the header'  cuts it within the answer's header
//          'in the body'    cuts it half way through the answer's body
//   stream: true            Server-Sent Events: the connection stays open for send() and endStreams()
class Platform {
  calls = [];
  #routes = [];
  #streams = new Set();
  #sockets = new Set();
  #watchers = new Set();
  #server;

  // What calls that `match` get: each answer once, the last one from then on. An answer may be a function of the call.
  // `match` is a path, a method and a path ("POST /2/tweets"), a regular expression of both, or a function of the call.
  // Paths are compared as they came, with their percents. What was said last about a call counts.
  answer(match, ...answers) {
    this.#routes.unshift({ matches: matcher(match), answers });
    return this;
  }

  // The calls so far that `match`, oldest first.
  of(match) {
    return this.calls.filter(matcher(match));
  }

  // Waits until at least `count` calls came that `match`, and gives them.
  called(match, count = 1) {
    const now = this.of(match);
    if (now.length >= count) return Promise.resolve(now);
    return new Promise((done, fail) => {
      const watcher = () => {
        const found = this.of(match);
        if (found.length < count) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        done(found);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        const seen = this.calls.map((call) => `${call.method} ${call.target} ${call.body.slice(0, 200)}`).join('\n');
        fail(new Error(`waited 30 s for ${count} calls of ${match}; there came ${this.calls.length}:\n${seen}`));
      }, 30_000);
      this.#watchers.add(watcher);
    });
  }

  // Sends events ({event, id, data}) on every open stream. Data that is no text goes as JSON.
  send(...events) {
    for (const response of this.#streams) for (const event of events) response.write(frame(event));
  }

  // Ends every stream. With `cut` the connection is lost in the middle of an event.
  endStreams({ cut = false } = {}) {
    for (const response of this.#streams) {
      const { socket } = response;
      if (cut) response.write('event: update\ndata: {"half', () => socket.destroy());
      else response.end();
    }
    this.#streams.clear();
  }

  // How many streams are open.
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
      this.#server.listen(this.port ?? 0, '127.0.0.1', done);
    });
    this.port = this.#server.address().port;
    return this;
  }

  // Cuts every connection and refuses new ones. start() brings it back on the same port.
  async stop() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #handle(request, response) {
    const { method, url: target, headers } = request;
    const { pathname: path, searchParams: query } = new URL(target, this.url());
    const call = { method, target, path, query, headers, at: Date.now() };
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;  // the client went away within its call
    }
    call.body = Buffer.concat(chunks).toString('utf8');
    const type = headers['content-type'] ?? '';
    if (type.includes('json')) call.json = JSON.parse(call.body);
    if (type.includes('x-www-form-urlencoded')) call.form = Object.fromEntries(new URLSearchParams(call.body));

    const answers = this.#routes.find((route) => route.matches(call))?.answers ?? [{ status: 404 }];
    const chosen = answers.length > 1 ? answers.shift() : answers[0];
    this.calls.push(call);
    const answer = typeof chosen === 'function' ? await chosen(call) : chosen;
    call.status = answer.status ?? 200;  // what it is answered with
    for (const watcher of [...this.#watchers]) watcher();
    if (answer.delay) await sleep(answer.delay);
    if (answer.hang || request.socket.destroyed) return;
    if (answer.stream) this.#stream(response);
    else send(response, answer);
  }

  #stream(response) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(':)\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }
}

function send(response, { status = 200, headers = {}, json = {}, body, close }) {
  const bytes = Buffer.from(body ?? JSON.stringify(json));
  const { socket } = response;
  response.statusCode = status;
  if (body === undefined) response.setHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  switch (close) {
    case undefined:
      response.end(bytes);
      return;
    case 'at once':
      socket.destroy();
      return;
    case 'in the header':
      socket.end(`HTTP/1.1 ${status} OK\r\nContent-Le`);
      return;
    case 'in the body':
      response.setHeader('content-length', bytes.length);
      response.write(bytes.subarray(0, bytes.length >> 1));
      socket.end();
      return;
    default:
      throw new Error(`no such answer: close: ${close}`);
  }
}

function matcher(match) {
  if (typeof match === 'function') return match;
  if (match instanceof RegExp) return (call) => match.test(`${call.method} ${call.path}`);
  return (call) => match === call.path || match === `${call.method} ${call.path}`;
}

// An event as it goes over the wire.
function frame({ event, id, data }) {
  const lines = [];
  if (event !== undefined) lines.push(`event: ${event}`);
  if (id !== undefined) lines.push(`id: ${id}`);
  lines.push(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}`);
  return `${lines.join('\n')}\n\n`;
}

// Starts a platform on a free port.
export function startPlatform() {
  return new Platform().start();
}
