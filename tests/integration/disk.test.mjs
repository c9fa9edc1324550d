// A full or read-only disk: 503 and not ready, nothing half stored, and service resumes by itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brand, calm, post, send } from './lib/brand.mjs';
import { binary, eventually, start } from './lib/server.mjs';

// A tmpfs in a mount namespace of the server's own; the test reaches into it through /proc/PID/root.
const namespaces = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test('with the disk full posts are answered 503, readyz says no, and service resumes when there is room', { skip: !namespaces && 'no mount namespaces here' }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'triaged-disk-'));
  const script = join(directory, 'in-tmpfs');
  const data = join(directory, 'small');
  await writeFile(script, `#!/bin/sh\nset -e\nmkdir -p ${data}\nmount -t tmpfs -o size=6m none ${data}\nexec "$@"\n`);
  await chmod(script, 0o755);
  const server = await start(brand(), { data, prefix: ['unshare', '--user', '--map-root-user', '--mount', script] });
  try {
    const inside = `/proc/${server.pid}/root${data}`;
    const stored = [];
    const fill = spawnSync('dd', ['if=/dev/zero', `of=${inside}/ballast`, 'bs=64k'], { encoding: 'utf8' });
    assert.match(fill.stderr, /No space left/);
    const refused = await eventually(async () => {
      const one = post({ text: calm });
      const answer = await send(server, one);
      if (answer.status === 200) {
        stored.push(one.native_id); // what still fitted
        return null;
      }
      return answer;
    }, { what: 'the disk to be full for the server too' });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('content-type'), 'application/problem+json');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    await eventually(async () => (await server.request('/readyz')).status === 503, { what: 'readyz to say no' });
    assert.equal((await server.request('/healthz')).status, 200);

    await rm(`${inside}/ballast`);
    await eventually(async () => (await server.request('/readyz')).status === 200, { what: 'readyz to say yes again' });
    const later = post({ text: calm });
    const answer = await send(server, later);
    assert.equal(answer.status, 200, answer.text);
    stored.push(later.native_id);
    const copy = join(directory, 'copy.db');
    const backup = spawnSync('cp', [`${inside}/triaged.db`, copy]);
    assert.equal(backup.status, 0);
    spawnSync('cp', [`${inside}/triaged.db-wal`, `${copy}-wal`]);
    const rows = JSON.parse(spawnSync('sqlite3', ['-json', copy, 'SELECT native_id, case_id FROM posts ORDER BY seq'], { encoding: 'utf8' }).stdout || '[]');
    assert.deepEqual(rows.map((row) => row.native_id), stored);
    assert.ok(rows.every((row) => row.case_id));
  } finally {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  }
});

// The disk fails under the running server by a shim below the C library's calls. A sanitizer's runtime wants to be
// loaded first, so these two run on the plain builds only.
const shim = join(tmpdir(), `triaged-faulty-disk-${process.pid}.so`);
const source = fileURLToPath(new URL('lib/faulty_disk.c', import.meta.url));
const sanitized = /\/(asan|tsan)\//.test(binary);
before(() => {
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl'], { encoding: 'utf8' });
  assert.equal(built.status, 0, built.stderr);
});
after(() => rm(shim, { force: true }));

for (const [fault, name] of [['read-only', 'that became read-only'], ['sync', 'whose fdatasync fails']]) {
  test(`on a disk ${name} posts are answered 503 and nothing of them is kept, and service resumes`, { skip: sanitized && 'not under a sanitizer' }, async () => {
    const switchFile = join(tmpdir(), `triaged-fault-${process.pid}-${fault}`);
    const server = await start(brand(), { env: { LD_PRELOAD: shim, TRIAGED_FAULT: switchFile } });
    try {
      const kept = [];
      const keep = async () => {
        const one = post({ text: calm });
        const answer = await send(server, one);
        assert.equal(answer.status, 200, answer.text);
        kept.push(one.native_id);
      };
      await keep();
      await writeFile(switchFile, fault);
      const refused = await send(server, post({ text: calm }));
      assert.equal(refused.status, 503);
      assert.ok(Number(refused.headers.get('retry-after')) >= 1);
      assert.equal((await server.request('/readyz')).status, 503);
      assert.equal((await send(server, post({ text: calm }))).status, 503);
      await rm(switchFile);
      await eventually(async () => (await server.request('/readyz')).status === 200, { what: 'readyz to say yes again' });
      await keep();
      // What was refused is not there; what was accepted outlives a crash.
      await server.kill9();
      await server.restart();
      const rows = await server.sql('SELECT native_id FROM posts ORDER BY seq');
      assert.deepEqual(rows.map((row) => row.native_id), kept);
    } finally {
      await server.remove();
      await rm(switchFile, { force: true });
    }
  });
}
