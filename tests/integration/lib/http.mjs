// HTTP by hand over a raw socket, for what no proper client does: slow-loris, pipelining, bodies cut off half way.
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

// The bytes of a request. Content-Length is set from the body unless given; `headers` as an object, or an array of
// pairs to send a name twice.
export function requestBytes(method, path, { headers = {}, body = '', host = 'localhost' } = {}) {
  const pairs = Array.isArray(headers) ? [...headers] : Object.entries(headers);
  const has = (name) => pairs.some(([key]) => key.toLowerCase() === name);
  if (!has('host')) pairs.unshift(['Host', host]);
  const bytes = Buffer.from(body);
  if (!has('content-length') && !has('transfer-encoding') && (bytes.length || method === 'POST')) {
    pairs.push(['Content-Length', String(bytes.length)]);
  }
  const head = `${method} ${path} HTTP/1.1\r\n${pairs.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

class Connection {
  #socket;
  #buffer = Buffer.alloc(0);
  #wake = () => {};
  #closed = false;

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
    const ended = () => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('error', (error) => {
      this.error = error;
      ended();
    });
  }

  // True when the server has closed its side, or cut the connection.
  get closed() {
    return this.#closed;
  }

  write(data) {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(data);
  }

  // Closes our side; the server can still answer.
  end() {
    this.#socket.end();
  }

  // Cuts the connection with a reset, as a client that dies does.
  cut() {
    this.#socket.resetAndDestroy();
  }

  destroy() {
    this.#socket.destroy();
  }

  // Writes `data` in pieces of `size` bytes, `every` milliseconds one, until all is sent or the server closes. Gives
  // the number of bytes sent.
  async trickle(data, { size = 1, every = 10 } = {}) {
    const bytes = Buffer.from(data);
    let sent = 0;
    while (sent < bytes.length && !this.#closed) {
      const piece = bytes.subarray(sent, sent + size);
      this.write(piece);
      sent += piece.length;
      await new Promise((done) => setTimeout(done, every));
    }
    return sent;
  }

  // The next response: {status, reason, headers, body}; null when the server closed before one began. Throws when it
  // is cut off or takes longer than `timeout`.
  async response({ timeout = 30_000, head = false } = {}) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const parsed = this.#parse(head);
      if (parsed) return parsed;
      if (this.#closed) {
        if (this.#buffer.length === 0) return null;
        const whole = this.#parse(head, true);
        if (whole) return whole;
        throw new Error(`the response was cut off: ${this.#buffer.toString('latin1').slice(0, 500)}`);
      }
      await this.#change(deadline, 'a response');
    }
  }

  // Waits until the server closes, and gives all that came before and was not taken.
  async untilClosed({ timeout = 60_000 } = {}) {
    const deadline = Date.now() + timeout;
    while (!this.#closed) await this.#change(deadline, 'the server to close the connection');
    const rest = this.#buffer;
    this.#buffer = Buffer.alloc(0);
    return rest.toString('latin1');
  }

  #change(deadline, what) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`waited too long for ${what}`)), Math.max(0, deadline - Date.now()));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        done();
      };
    });
  }

  #parse(head, atEnd = false) {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return null;
      const [line, ...fields] = this.#buffer.subarray(0, end).toString('latin1').split('\r\n');
      const match = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(line);
      if (!match) throw new Error(`not an HTTP/1.1 status line: ${line}`);
      const status = Number(match[1]);
      const headers = {};
      for (const field of fields) {
        const colon = field.indexOf(':');
        headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
      }
      const start = end + 4;
      if (status >= 100 && status < 200) {
        this.#buffer = this.#buffer.subarray(start);  // 100 Continue comes before the answer itself
        this.continued = true;
        continue;
      }
      const take = (body, next) => {
        this.#buffer = this.#buffer.subarray(next);
        return { status, reason: match[2], headers, body: body.toString('utf8') };
      };
      if (head || status === 204 || status === 304) return take(Buffer.alloc(0), start);
      if (/chunked/i.test(headers['transfer-encoding'] ?? '')) {
        const chunks = [];
        for (let at = start; ; ) {
          const eol = this.#buffer.indexOf('\r\n', at);
          if (eol < 0) return null;
          const size = parseInt(this.#buffer.subarray(at, eol).toString('latin1'), 16);
          if (this.#buffer.length < eol + 2 + size + 2) return null;
          if (size === 0) return take(Buffer.concat(chunks), eol + 4);
          chunks.push(this.#buffer.subarray(eol + 2, eol + 2 + size));
          at = eol + 2 + size + 2;
        }
      }
      if (headers['content-length'] === undefined) {
        return atEnd ? take(this.#buffer.subarray(start), this.#buffer.length) : null;
      }
      const length = Number(headers['content-length']);
      if (this.#buffer.length < start + length) return null;
      return take(this.#buffer.subarray(start, start + length), start + length);
    }
  }
}

// Opens a connection to a port of this machine. `tls` takes the options of tls.connect, or true.
export function connect(port, { host = '127.0.0.1', tls = false } = {}) {
  return new Promise((done, fail) => {
    const socket = tls
      ? connectTls({ port, host, rejectUnauthorized: false, ...(tls === true ? {} : tls) })
      : connectTcp({ port, host });
    socket.once('error', fail);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail);
      socket.setNoDelay(true);
      done(new Connection(socket));
    });
  });
}
