/** A daemon in a real control group with little memory. Without its sizes the kernel ends it at the first thousand clients. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../helpers/balancers.js';
import { type MemoryGroup, makeMemoryGroup } from '../helpers/memory-group.js';
import { freePort } from '../helpers/ports.js';
import { MAIN } from './host.js';

const MIB = 2 ** 20;
const LIMIT = 96 * MIB;
const SOCKETS = 64 * 1024;
const CLIENTS = 2500;
/** Each keeps a buffer of 16 KiB: 40 MB, where carpool itself has 60. */
const HALF_A_HEAD = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}`;

function configFor(t: TestContext, port: number, server: string): string {
  const folder = mkdtempSync('/tmp/carpool-memory-');
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.cfg');
  const defaults = 'defaults\n mode http\n timeout client 60s\n timeout connect 5s\n timeout server 60s\n';
  writeFileSync(file, `global\n nbthread 1\n${defaults}listen a\n bind 127.0.0.1:${port}\n server s ${server}\n`);
  return file;
}

/** In the group, by way of a shell. */
function spawnWithin({ enter }: MemoryGroup, folder: string, words: string, ...values: string[]): ChildProcess {
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'c.sock') };
  return spawn('sh', ['-c', `${enter}; ${words}`, ...values], { env, stdio: ['pipe', 'ignore', 'pipe'] });
}

async function get(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  return String(bytes).slice(0, 12);
}

/** Gives the status, and how long the body is. */
function ask(agent: Agent, port: number): Promise<[number, number]> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port, host: '127.0.0.1' }, (response) => {
      let length = 0;
      response.on('data', (bytes: Buffer) => {
        length += bytes.length;
      });
      response.on('end', () => resolve([response.statusCode!, length]));
    });
    asked.on('error', reject).end();
  });
}

test('in little memory it takes fewer clients, has others wait when there is none left, and serves all when there is again', async (t) => {
  const group = makeMemoryGroup(`carpool-test-${process.pid}`, LIMIT);
  if (typeof group === 'string') return t.skip(group);
  const counts_sockets = group.limitSockets(LIMIT); // of sockets that are made from now on
  const left: ChildProcess[] = [];
  t.after(async () => {
    for (const child of left) {
      child.stdin!.destroy();
      child.kill('SIGKILL');
    }
    await until('the group is empty', () => {
      try {
        group.remove();
        return true;
      } catch {
        return false;
      }
    });
  });
  let body = 'hello';
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  const port = await freePort();
  const file = configFor(t, port, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  const daemon = spawnWithin(group, dirname(file), 'exec "$0" "$@"', process.execPath, MAIN, '-f', file, '-db');
  left.push(daemon);
  let log = '';
  daemon.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until('it is ready', () => / ready$/m.test(log));
  assert.match(
    log,
    /there are 96 MB of memory \(memory\.\w+ of .*\), so it takes 1 data thread with \d+ MB of buffers/,
  );

  const first = new Agent({ keepAlive: true, maxSockets: 1 });
  assert.deepEqual(await ask(first, port), [200, body.length]);
  const clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1').on('error', () => {}));
  for (const client of clients) client.write(HALF_A_HEAD);
  // so long that it has looked at all of them several times
  for (let count = 0; count < 50; count++)
    assert.deepEqual(await ask(first, port), [200, body.length], 'who was served is served');
  for (const client of clients) client.destroy();
  assert.equal(await get(port), 'HTTP/1.1 200');
  assert.doesNotMatch(log, /new clients wait/, 'its sizes suffice');

  // another program of the group takes nearly all that is left, until its input ends
  const other = spawnWithin(group, dirname(file), 'exec tail'); // it keeps a line that has no end
  left.push(other);
  const input = other.stdin!;
  await until('it is said', () => {
    if (input.writableLength === 0 && group.used() < group.limit * 0.95) input.write(Buffer.alloc(MIB / 2));
    return /warning: \d+ of 96 MB of memory are in use .*: new clients wait/.test(log);
  });
  assert.equal(await get(port), 'HTTP/1.1 200', 'a few are served all the same');
  input.end();
  await until('it goes on', () => /: new clients are served again$/m.test(log));
  assert.equal(await get(port), 'HTTP/1.1 200');

  // the kernel has no room for what lies in sockets: it goes slowly
  body = 'x'.repeat(1_000_000);
  if (counts_sockets) {
    group.limitSockets(SOCKETS);
    assert.deepEqual(await ask(first, port), [200, body.length]);
    assert.ok(group.mostInSockets() >= SOCKETS);
    group.limitSockets(LIMIT);
  }
  assert.deepEqual(await ask(first, port), [200, body.length]);
  first.destroy();
  assert.equal(group.killed(), 0);
});

for (const [name, shell, option, said] of [
  [
    '-m',
    '',
    ['-m', '30'],
    /carpool needs 70 MB of memory with 1 data thread, and this process may have 30 MB \(-m 30\)/,
  ],
  [
    'ulimit -v',
    'ulimit -v 2000000; ',
    [],
    /carpool needs \d+ MB of address space with 1 data thread, .* \(ulimit -v\)/,
  ],
] as const)
  test(`where ${name} allows far too little it does not start, and says how much it needs`, async (t) => {
    const file = configFor(t, await freePort(), '127.0.0.1:9');
    const env = { ...process.env, CARPOOL_SOCKET: `${file}.sock` };
    const words = ['-c', `${shell}exec "$0" "$@"`, process.execPath, MAIN, '-f', file, '-db', ...option];
    const { status, stderr } = spawnSync('sh', words, { env, encoding: 'utf8', timeout: 120_000 });
    assert.equal(status, 1, stderr);
    assert.match(stderr, said);
    assert.match(stderr, /\[too-little-memory\]\n {4}\w/);
  });
