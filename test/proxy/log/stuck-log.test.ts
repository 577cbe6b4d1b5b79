/** A log that nobody takes: requests go on at once, and the lines that are lost are counted and said. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAIN } from '../../control/host.js';
import { until } from '../../helpers/balancers.js';
import { freePort } from '../../helpers/ports.js';

/** A request whose line is long. */
const TARGET = `/${'x'.repeat(12_000)}`;
const REQUESTS = 400;
/** Each of them, however slow the machine: far less than a reader that never comes. */
const SLOW_MS = 30_000;

for (const [what, stdout] of [
  ['a pipe that nobody reads', 'pipe'],
  ['a full disk', '/dev/full'],
] as const) {
  test(`${what} costs lines and no time`, async (t) => {
    const { daemon, port, log } = await start(t, stdout);
    const longest_ms = await askOften(port);
    assert.ok(longest_ms < SLOW_MS, `the slowest took ${longest_ms} ms`);
    await until('the loss is said', () => /\d+ log lines were lost/.test(log()));
    daemon.kill('SIGTERM');
    assert.equal((await once(daemon, 'exit'))[0], 0);
  });
}

async function start(
  t: TestContext,
  stdout: string,
): Promise<{ daemon: ChildProcess; port: number; log: () => string }> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  const directory = mkdtempSync('/tmp/carpool-stuck-');
  writeFileSync(
    join(directory, 'a.cfg'),
    `global\n nbthread 1\ndefaults\n mode http\n timeout connect 60s\n timeout client 60s\n timeout server 60s
listen www\n bind 127.0.0.1:${port}\n log stdout len 16000 format raw local0\n option httplog
 server s 127.0.0.1:${(server.address() as AddressInfo).port}\n`,
  );
  const target = stdout === 'pipe' ? 'pipe' : openSync(stdout, 'w');
  const env = { ...process.env, CARPOOL_SOCKET: join(directory, 'c.sock') };
  const words = [MAIN, '-f', join(directory, 'a.cfg')];
  const daemon = spawn(process.execPath, words, { env, stdio: ['ignore', target, 'pipe'] });
  t.after(() => {
    daemon.kill('SIGKILL');
    server.close().closeAllConnections();
    if (typeof target === 'number') closeSync(target);
    rmSync(directory, { recursive: true });
  });
  let text = '';
  daemon.stderr!.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await until('it is ready', () => / ready$/m.test(text));
  return { daemon, port, log: () => text };
}

/** On one connection, one after the other; the longest wait in milliseconds. */
async function askOften(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let longest_ms = 0;
  for (let number = 0; number < REQUESTS; number++) {
    const begin_ms = performance.now();
    socket.write(`GET ${TARGET} HTTP/1.1\r\nHost: a\r\n\r\n`);
    for (let text = ''; !text.includes('hello'); ) text += String((await once(socket, 'data'))[0]);
    longest_ms = Math.max(longest_ms, performance.now() - begin_ms);
  }
  socket.destroy();
  return longest_ms;
}
