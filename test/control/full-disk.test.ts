/** A log on a file system that runs full: lines are lost, counted and said, and it goes on whole when there is room again. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../helpers/balancers.js';
import { freePort } from '../helpers/ports.js';
import { MAIN, needsRoot } from './host.js';

const DISK_BYTES = 256 * 1024;
const FILLER_BYTES = 128 * 1024;
/** Their lines are more than what is left of the disk. */
const REQUESTS = 100;

test('a full disk costs log lines and no request; with room again lines are whole', { skip: needsRoot }, async (t) => {
  const { daemon, port, log, folder } = await start(t);
  const lines = () => readFileSync(join(folder, 'log'), 'latin1').split('\n').slice(0, -1);
  await ask(port, 'long', REQUESTS);
  await until('the disk is full', () => statSync(join(folder, 'log')).size > DISK_BYTES - FILLER_BYTES - 8192);
  await until('the loss is said', () => /\d+ log lines were lost: writing them failed \(ENOSPC\)/.test(log()));
  await ask(port, 'lost', 1);
  rmSync(join(folder, 'filler'));
  await ask(port, 'short', 1);
  await until('lines are written again', () => lines().some((line) => line.includes('/short-')));
  const whole = /^127\.0\.0\.1:\d+ .* "GET \/(long|lost|short)-x*y HTTP\/1\.1"$/;
  const torn = lines().filter((line) => !whole.test(line));
  assert.ok(torn.length <= 1, `torn lines: ${torn.map((line) => line.slice(0, 80)).join('\n')}`);
  assert.match(lines().at(-1)!, whole);
  daemon.kill('SIGTERM');
  assert.equal((await once(daemon, 'exit'))[0], 0);
});

/** A daemon whose standard output is a file on a small file system, most of which another file takes; `folder` is that. */
async function start(t: TestContext) {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'carpool-disk-'));
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  writeFileSync(
    join(folder, 'a.cfg'),
    `global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s
listen www\n bind 127.0.0.1:${port}\n log stdout len 16000 format raw local0\n option httplog
 server s 127.0.0.1:${(server.address() as AddressInfo).port}\n`,
  );
  const script = `mount -t tmpfs -o size=${DISK_BYTES} tmpfs ${disk} &&
    head -c ${FILLER_BYTES} /dev/zero >${disk}/filler && exec "$0" "$@" >>${disk}/log`;
  const words = ['-m', 'sh', '-c', script, process.execPath, MAIN, '-f', join(folder, 'a.cfg')];
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'c.sock') };
  const daemon: ChildProcess = spawn('unshare', words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => {
    daemon.kill('SIGKILL');
    server.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  let text = '';
  daemon.stderr!.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await until('it is ready', () => / ready$/m.test(text));
  return { daemon, port, log: () => text, folder: `/proc/${daemon.pid}/root${disk}` };
}

/** One after the other on one connection; each has its answer at once. */
async function ask(port: number, name: string, count: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  for (let number = 0; number < count; number++) {
    socket.write(`GET /${name}-${'x'.repeat(name === 'long' ? 5_000 : 5)}y HTTP/1.1\r\nHost: a\r\n\r\n`);
    for (let text = ''; !text.includes('hello'); ) text += String((await once(socket, 'data'))[0]);
  }
  socket.destroy();
}
