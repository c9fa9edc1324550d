// A real HTTP server that receives callbacks, behaves as the test tells it to, and keeps what it was sent.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

// How to treat a request. Without more, it is answered 200.
//   status, headers, body   the answer
//   delay                   milliseconds before it
//   hang: true              never answers
//   close: 'at once'        cuts the connection without an answer
//          'in the header'  cuts it within the answer's header
//          'in the body'    cuts it within the answer's body
class Receiver {
  requests = [];
  #behaviour = {};
  #once = [];
  #watchers = new Set();
  #sockets = new Set();
  #connections = 0;
  #server;
  #tls;

  constructor(tls) {
    this.#tls = tls;
  }

  // What it does from now on: a behaviour, or a function of the request that gives one.
  always(behaviour) {
    this.#behaviour = behaviour;
    return this;
  }

  // What it does with the next requests, one each, before `always` holds again.
  next(...behaviours) {
    this.#once.push(...behaviours);
    return this;
  }

  url(path = '/') {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.port}${path}`;
  }

  // Connections accepted so far.
  get connections() {
    return this.#connections;
  }

  // Requests in hand that have not been answered yet.
  get open() {
    return this.requests.filter((request) => !request.ended).length;
  }

  async start(port = this.port ?? 0) {
    const handle = (request, response) => this.#handle(request, response);
    const server = this.#tls ? createTlsServer(this.#tls, handle) : createServer(handle);
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      socket.number = ++this.#connections;
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

  // Stops listening and cuts every connection; start() brings it back on the same port.
  async stop() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  // Waits until at least `count` requests came (that `match`), and gives them.
  async received(count = 1, { match = () => true, timeout = 30_000 } = {}) {
    const look = () => {
      const found = this.requests.filter(match);
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
        const seen = this.requests.map((r) => `${r.method} ${r.path} ${r.body.slice(0, 200)}`).join('\n');
        fail(new Error(`waited ${timeout} ms for ${count} requests; there came ${this.requests.length}:\n${seen}`));
      }, timeout);
      this.#watchers.add(watcher);
    });
  }

  async #handle(request, response) {
    const record = {
      method: request.method,
      path: request.url,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      connection: (request.socket.number ??= this.#connections),
      at: Date.now(),
      bytes: null,
      ended: false,
    };
    response.on('close', () => (record.ended = true));
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;  // the client went away within its request
    }
    record.bytes = Buffer.concat(chunks);
    record.body = record.bytes.toString('utf8');
    try {
      record.json = JSON.parse(record.body);
    } catch {
      record.json = undefined;
    }
    const chosen = this.#once.length ? this.#once.shift() : this.#behaviour;
    this.requests.push(record);
    for (const watcher of [...this.#watchers]) watcher();
    const behaviour = (typeof chosen === 'function' ? await chosen(record) : chosen) ?? {};
    if (behaviour.delay) await new Promise((done) => setTimeout(done, behaviour.delay));
    if (behaviour.hang || request.socket.destroyed) return;
    const { status = 200, headers = {}, body = '' } = behaviour;
    switch (behaviour.close) {
      case undefined:
        response.writeHead(status, headers);
        response.end(body);
        return;
      case 'at once':
        request.socket.destroy();
        return;
      case 'in the header':
        request.socket.end(`HTTP/1.1 ${status} OK\r\nContent-Le`);
        return;
      case 'in the body':
        request.socket.end(`HTTP/1.1 ${status} OK\r\nContent-Length: 1000\r\n\r\nhalf`);
        return;
      default:
        throw new Error(`no such behaviour: close: ${behaviour.close}`);
    }
  }
}

// Starts a receiver on a free port. `tls` ({key, cert}) makes it HTTPS.
export function receiver({ tls, port } = {}) {
  return new Receiver(tls).start(port);
}
