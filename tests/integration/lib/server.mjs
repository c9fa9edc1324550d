// Starts the real server binary on a free port with a data directory of its own, and looks at it from outside: its
// log, its API, its database. It knows nothing of the server's insides but the database's path.
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
export const binary = resolve(process.env.TRIAGED ?? join(root, 'build/dev/triaged'));

const listening = /^triaged listening on (https?):\/\/(\S+):(\d+)\/?\s*$/m;

// No server outlives its test file, however that ends.
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

// Runs `triaged ARGS…` to its end, with `input` on its standard input: {code, stdout, stderr}.
export function triaged(args, { input = '', env = {}, cwd, timeout = 120_000 } = {}) {
  return new Promise((done) => {
    const options = { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: 1 << 28 };
    const child = execFile(binary, args, options, (error, stdout, stderr) => {
      done({ code: error ? error.code ?? error.signal : 0, stdout, stderr });
    });
    child.stdin.on('error', () => {});  // it may end without reading all
    child.stdin.end(input);
  });
}

class Server {
  #child = null;
  #exited = null;
  #output = '';
  #watchers = new Set();

  constructor(directory, configPath, options) {
    this.directory = directory;
    this.configPath = configPath;
    this.data = options.data ?? join(directory, 'data');
    this.options = options;
  }

  get pid() {
    return this.#child?.pid;
  }

  // Everything it has printed, over all restarts.
  log() {
    return this.#output;
  }

  // Waits until the log, from `from` on, matches.
  async logged(pattern, { timeout = 30_000, from = 0 } = {}) {
    return this.#watch(() => pattern.exec(this.#output.slice(from)), timeout, `the log to match ${pattern}`);
  }

  #watch(look, timeout, what) {
    const now = look();
    if (now) return now;
    return new Promise((done, fail) => {
      const finish = (act) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        act();
      };
      const watcher = (ended) => {
        const found = look();
        if (found) finish(() => done(found));
        else if (ended) finish(() => fail(new Error(`triaged ended (${ended}) before ${what}:\n${this.#output}`)));
      };
      const timer = setTimeout(
        () => finish(() => fail(new Error(`waited ${timeout} ms for ${what}:\n${this.#output}`))),
        timeout,
      );
      this.#watchers.add(watcher);
    });
  }

  async launch(port = 0) {
    const from = this.#output.length;
    const { command = 'serve', args = [], env = {}, prefix = [], timeout = 60_000 } = this.options;
    const line = [...prefix, binary, command];
    if (this.configPath) line.push('--config', this.configPath);
    line.push('--listen', `127.0.0.1:${port}`, '--data', this.data, ...args);
    const child = spawn(line[0], line.slice(1), {
      env: { ...process.env, ...env },
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    children.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        this.#output += text;
        for (const watcher of [...this.#watchers]) watcher();
      });
    }
    this.#exited = new Promise((done) => {
      child.on('error', (error) => done({ code: null, signal: null, error }));
      child.on('close', (code, signal) => done({ code, signal }));
    }).then((exit) => {
      children.delete(child);
      const how = exit.error ? String(exit.error) : exit.signal ?? `exit code ${exit.code}`;
      for (const watcher of [...this.#watchers]) watcher(how);
      return exit;
    });
    const found = await this.#watch(() => listening.exec(this.#output.slice(from)), timeout, 'it accepted connections');
    this.port = Number(found[3]);
    this.url = `${found[1]}://127.0.0.1:${this.port}`;
    return this;
  }

  // Resolves with {code, signal} when the process has ended.
  exited() {
    return this.#exited;
  }

  signal(name) {
    return this.#child.kill(name);
  }

  // SIGTERM: drains. Gives {code, signal}.
  async stop() {
    this.#child.kill('SIGTERM');
    return this.#exited;
  }

  async kill9() {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }

  // Starts it again on the same data, after stop() or kill9(); on the same port unless told otherwise.
  async restart({ port = this.port } = {}) {
    if (children.has(this.#child)) await this.stop();
    return this.launch(port);
  }

  // Ends it and removes its directory.
  async remove() {
    if (children.has(this.#child)) await this.kill9();
    await rm(this.directory, { recursive: true, force: true });
  }

  // A new access token's secret, made by the command that an operator would use.
  async token(role, { name = role, team, args = [] } = {}) {
    const line = ['token', 'create', '--role', role, '--name', name, '--data', this.data, ...args];
    if (team) line.push('--team', team);
    const { code, stdout, stderr } = await triaged(line, { cwd: this.directory });
    if (code !== 0) throw new Error(`triaged token create: exit code ${code}\n${stderr}`);
    return stdout.trim();
  }

  // One request: {status, headers, text, body}, where body is the parsed JSON, or undefined when it is none. `json` is
  // sent as JSON, `body` as it is.
  async request(path, { method, token, headers = {}, json, body, signal } = {}) {
    const sent = { ...headers };
    if (token) sent.authorization = `Bearer ${token}`;
    if (json !== undefined) {
      body = JSON.stringify(json);
      sent['content-type'] ??= 'application/json';
    }
    const answer = await fetch(this.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: sent,
      body,
      signal,
      redirect: 'manual',
    });
    const text = await answer.text();
    let parsed;
    if (/json/.test(answer.headers.get('content-type') ?? '') && text) parsed = JSON.parse(text);
    return { status: answer.status, headers: answer.headers, text, body: parsed };
  }

  // The rows of a query over the server's database, read beside the running server.
  async sql(query) {
    const file = join(this.data, 'triaged.db');
    const line = ['-readonly', '-batch', '-json', '-cmd', '.timeout 10000', file, query];
    const { stdout } = await run('sqlite3', line, { maxBuffer: 1 << 28 });
    return stdout.trim() ? JSON.parse(stdout) : [];
  }

  // A metric, summed over all its label sets that have these labels; 0 where there is none yet.
  async metric(token, name, labels = {}) {
    const { text } = await this.request('/metrics', { token });
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return text
      .split('\n')
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  // Resident memory in bytes.
  async resident() {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
  }

  // Writes a new configuration in place of the old, for a reload or restart.
  async configure(config) {
    await writeFile(this.configPath, JSON.stringify(config, null, 2));
  }
}

// Starts `triaged serve` with a configuration (an object, or the path of a file) and waits until it accepts
// connections. Options: data (a directory), args, env, command, prefix (a command to run it under), timeout.
export async function start(config = {}, options = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'triaged-'));
  let configPath = config;
  if (config && typeof config === 'object') {
    configPath = join(directory, 'triaged.json');
    await writeFile(configPath, JSON.stringify(config, null, 2));
  }
  const server = new Server(directory, configPath, options);
  await mkdir(server.data, { recursive: true, mode: 0o700 });
  try {
    return await server.launch(options.port);
  } catch (error) {
    await server.remove();
    throw error;
  }
}

// Repeats `look` until it gives something true, and gives that.
export async function eventually(look, { timeout = 30_000, every = 20, what = 'it' } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`);
    await new Promise((done) => setTimeout(done, every));
  }
}
