/** More clients than there are descriptors for: said at the start, and refused where `strict-limits` is written. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { checkDescriptorLimit } from '#src/control/descriptor-limit.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { MAIN } from './host.js';

const PROXY = 'frontend a\n bind 127.0.0.1:80\n timeout client 1s\n';

function configOf(lines: string) {
  return loadConfig([{ file: 'haproxy.cfg', text: `global\n${lines}${PROXY}` }]).config!;
}

const saidOf = (lines: string, limit: number) =>
  checkDescriptorLimit(configOf(` maxconn 1000\n${lines}`), limit).map(({ severity, code, span }) => [
    severity,
    code,
    span.line,
  ]);

test('a client and its server have two descriptors; who allows more clients hears of it', () => {
  assert.deepEqual(saidOf('', 2000), []);
  assert.deepEqual(saidOf('', 1999), [['warning', 'too-few-descriptors', 2]]);
  assert.deepEqual(saidOf(' no strict-limits\n', 1999), [['warning', 'too-few-descriptors', 2]]);
  assert.deepEqual(saidOf(' strict-limits\n', 1999), [['error', 'too-few-descriptors', 2]]);
});

test('where the limit is unknown, or maxconn not written, nothing is said', () => {
  assert.deepEqual(saidOf(' strict-limits\n', 0), []);
  assert.deepEqual(checkDescriptorLimit(configOf(' strict-limits\n'), 10), []);
});

test('with strict-limits carpool does not start, and names the line and a number that would do', (t) => {
  const folder = mkdtempSync('/tmp/carpool-limits-');
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'haproxy.cfg');
  const proxy = `listen a\n bind ${join(folder, 'a')}\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n`;
  writeFileSync(file, `global\n strict-limits\n maxconn 1000\n${proxy}`);
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'c.sock') };
  const command = `ulimit -n 600 && exec '${process.execPath}' '${MAIN}' -f '${file}' -db`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { env, encoding: 'utf8', timeout: PATIENCE_MS });
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /haproxy\.cfg:3:10: error: 1000 clients .* need 2000 descriptors, and this process may have 600/,
  );
  assert.match(stderr, /write `maxconn 300`/);
});
