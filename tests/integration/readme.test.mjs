// The README's first session, pasted: what it promises a newcomer is what happens.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { binary, root } from './lib/server.mjs';

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(String(port)));
    });
  });
}

test("the README's first session works as it is written", async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const section = readme.split('\n## A first session\n')[1].split('\n## ')[0];
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  assert.ok(blocks.length >= 6);

  // Elsewhere than a newcomer would, so as not to disturb whatever runs here; and the receiver has a moment, as it has
  // between two pastes.
  const directory = await mkdtemp(join(tmpdir(), 'triaged-readme-'));
  const script = blocks
    .map((block, i) => `printf '\\n--- ${i}\\n'\n${block}`)
    .join('\nsleep 0.2\n')
    .replaceAll('8080', await freePort())
    .replaceAll('9000', await freePort())
    .replaceAll('/tmp/triaged-try', directory)
    .replace('cat callbacks.txt', 'for i in $(seq 100); do [ -s callbacks.txt ] && break; sleep 0.1; done; cat callbacks.txt')
    .replace('triaged serve', `triaged serve --listen 127.0.0.1:$PORT`);
  const port = /127\.0\.0\.1:(\d+)\/readyz/.exec(script)[1];
  const env = { ...process.env, PORT: port, PATH: `${dirname(binary)}:${process.env.PATH}` };
  try {
    const { code, stdout, stderr } = await new Promise((done) => {
      const whole = `set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`;
      execFile('bash', ['-c', whole], { cwd: directory, env, timeout: 60_000 }, (error, out, err) =>
        done({ code: error ? error.code ?? error.signal : 0, stdout: out, stderr: err }),
      );
    });
    const log = await readFile(join(directory, 'triaged.log'), 'utf8').catch(() => '');
    assert.equal(code, 0, `${stdout}\n${stderr}\n${log}`);
    const parts = stdout.split(/^--- \d+$/m);
    const [received] = parts.flatMap((part) => (part.includes('"accepted"') ? [JSON.parse(part)] : []));
    assert.equal(received.accepted, 1);
    assert.equal(received.posts[0].moment, 'in_the_moment');
    const id = received.posts[0].case_id;
    const queue = parts.find((part) => part.includes('"next_cursor"'));
    assert.ok(queue.includes(id) && queue.includes('"name":"ann"'), 'the case is in the queue, and then ann has it');
    const called = parts.find((part) => part.includes('CALLBACK'));
    assert.match(called, /CALLBACK escalation\.raised (critical|high) \w+ LHR-T5 \| @acme stuck in the check-in queue/);
    assert.match(called, /"state":"acknowledged".*"action":"second desk open"/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
