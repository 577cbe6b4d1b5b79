/** What happens to a whole balancer under traffic: it stands still, descriptors run out. It recovers by itself. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { until } from '../helpers/balancers.js';
import { freePort } from '../helpers/ports.js';
import { MAIN } from './host.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const FEW = 160;

type Running = { readonly child: ChildProcess; readonly port: number; readonly log: () => string };

type Options = {
  readonly shell?: string;
  readonly reactor?: string;
  readonly backend?: string;
  readonly server?: string;
};

/** A plain balancer before one server that is checked every 200 ms. */
async function start(
  t: TestContext,
  { shell = '', reactor = '', backend = '', server: words_of_server = '' }: Options = {},
): Promise<Running> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'carpool-faults-'));
  writeFileSync(
    join(folder, 'a.cfg'),
    `global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s
listen www\n bind 127.0.0.1:${port}\n${backend}
 server s 127.0.0.1:${(server.address() as AddressInfo).port} check inter 200ms fall 2 ${words_of_server}\n`,
  );
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'c.sock'), CARPOOL_REACTOR: reactor };
  const words = ['-c', `${shell} exec "$0" "$@"`, process.execPath, MAIN, '-f', join(folder, 'a.cfg')];
  const child = spawn('sh', words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  t.after(() => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    server.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  await until('it serves', () => / ready$/m.test(text));
  return { child, port, log: () => text };
}

/** Asks again and again over kept connections until told to stop; gives every status. */
function load(port: number, clients: number): { stop: () => Promise<number[]>; count: () => number } {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const statuses: number[] = [];
  let going = true;
  const ask = () =>
    new Promise<number>((resolve) => {
      const asked = request({ agent, port, host: '127.0.0.1' }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      });
      asked.on('error', () => resolve(0));
      asked.end();
    });
  const loops = Array.from({ length: clients }, async () => {
    while (going) statuses.push(await ask());
  });
  const stop = async () => {
    going = false;
    await Promise.all(loops);
    agent.destroy();
    return statuses;
  };
  return { stop, count: () => statuses.length };
}

test('a daemon that stood still under load goes on where it was: no request fails, no server is taken for down', async (t) => {
  const { child, port, log } = await start(t);
  const { stop, count } = load(port, 20);
  await until('it is under load', () => count() > 200);
  child.kill('SIGSTOP');
  await rest(500); // what it had sent comes to an end
  const before = count();
  await rest(2000);
  assert.equal(count(), before, 'it stands still');
  child.kill('SIGCONT');
  await until('it goes on', () => count() > before + 200);
  assert.deepEqual(new Set(await stop()), new Set([200]));
  assert.doesNotMatch(log(), /server www\/s is down/);
});

test('out of descriptors new clients wait, those that are served go on, and the others get their turn', async (t) => {
  const { child, port, log } = await start(t, { shell: `ulimit -n ${FEW};` });
  const clients: { socket: Socket; text: string }[] = [];
  t.after(() => {
    for (const { socket } of clients) socket.destroy();
  });
  const join = async () => {
    const client = { socket: connect(port, '127.0.0.1').on('error', () => {}), text: '' };
    client.socket.setEncoding('latin1').on('data', (more: string) => {
      client.text += more;
    });
    await once(client.socket, 'connect');
    clients.push(client);
    return client;
  };
  const first = await join();
  first.socket.write(GET);
  await until('the first is served', () => first.text.includes('hello'));
  // more than there are descriptors: the kernel accepts them all
  for (let number = 0; number < 250; number++) await join();
  await until('none is left', () => readdirSync(`/proc/${child.pid}/fd`).length >= FEW);
  first.text = '';
  first.socket.write(GET);
  await until('who was served is served', () => first.text.includes('hello'));
  const last = await join();
  last.socket.write(GET);
  for (const { socket } of clients.splice(1, 250)) socket.destroy();
  await until('the last has its turn', () => last.text.includes('hello'));
  assert.match(last.text, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(log(), /failed|stopping/);
});

for (const reactor of ['ring', 'epoll'])
  test(`${reactor}: without a descriptor for its server a request gets 503, the server is not blamed, and it recovers`, async (t) => {
    const server = 'observe layer4 error-limit 1 on-error mark-down';
    const { child, port, log } = await start(t, { reactor, backend: ' retries 0', server });
    assert.match(await get(port), /^HTTP\/1\.1 200 /);
    limitDescriptors(child, (await lowestFree(child)) + 1); // the client's is the last
    const first = connect(port, '127.0.0.1').on('error', () => {});
    const second = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => [first, second].forEach((socket) => void socket.destroy()));
    const reply = new Promise<string>((resolve) => first.once('data', (bytes) => resolve(String(bytes))));
    first.write(GET);
    assert.match(await reply, /^HTTP\/1\.1 503 /);
    await until('it is said', () => /no descriptor or memory left \(EMFILE\)/.test(log()));
    const before = cpuTicks(child);
    await rest(500);
    assert.ok(cpuTicks(child) - before < 25, 'it does not spin');
    first.destroy();
    limitDescriptors(child, 1000);
    second.write(GET);
    assert.match(String((await once(second, 'data'))[0]), /^HTTP\/1\.1 200 /);
    assert.match(await get(port), /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(log(), /is down|failed:|stopping/);
  });

/** What a new client is answered that says goodbye with its request. */
async function get(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
  });
  socket.write(GET.replace('Host', 'Connection: close\r\nHost'));
  await once(socket, 'close');
  return text;
}

function limitDescriptors({ pid }: ChildProcess, count: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
}

/** The number that the next descriptor has; some looks, as a health check has one now and then. */
async function lowestFree({ pid }: ChildProcess): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 10; look++, await rest(20)) {
    const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let free = 0;
    while (used.has(free)) free++;
    lowest = Math.min(lowest, free);
  }
  return lowest;
}

/** Of 10 ms each, in user and kernel mode. */
function cpuTicks({ pid }: ChildProcess): number {
  const [, rest_of_line] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
  const fields = rest_of_line!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
