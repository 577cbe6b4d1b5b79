/** What happens to a whole daemon under traffic: it stands still, the wall clock jumps, descriptors run out. It recovers by itself. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { until } from '../helpers/balancers.js';
import { deadPort } from '../proxy/wire.js';
import { createHost, MAIN, needsRoot } from './host.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const FEW = 160;

type Running = { readonly child: ChildProcess; readonly port: number; readonly log: () => string };

/** A plain balancer before one server that is checked every 200 ms. */
async function start(t: TestContext, { shell = '' }: { shell?: string } = {}): Promise<Running> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await deadPort();
  const folder = mkdtempSync(join(tmpdir(), 'carpool-faults-'));
  writeFileSync(
    join(folder, 'a.cfg'),
    `global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s
listen www\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${(server.address() as AddressInfo).port} check inter 200ms fall 2\n`,
  );
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'c.sock') };
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

const VHID = `carp a
    interface ctl0
    vhid 1
    pass x
    address 10.10.0.1/16
`;
const WWW = `defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
listen www
    bind 10.10.0.1:80
    server s 127.0.0.1:9001 check inter 200ms
`;

test('a wall clock that jumps by days, to and fro, moves no address and fails no request', {
  skip: needsRoot,
}, async (t) => {
  // every thread reads it: each look at the wall clock is two days from the one before
  const jumps = 'let n = 0; const now = Date.now; Date.now = () => now() + (n++ % 2 ? 864e5 : -864e5);';
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(jumps)}` });
  await host.serve(9001, 'hello').listening;
  const daemon = host.start('-f', host.file('a.cfg', VHID + WWW));
  await daemon.sees(/BACKUP -> MASTER/);
  for (let count = 0; count < 5; count++) assert.equal(await host.get('http://10.10.0.1/'), '200 hello');
  assert.doesNotMatch(daemon.log(), /MASTER -> |is down|stood still|stall/);
  assert.ok(host.addresses().some((address) => address.startsWith('10.10.0.1/')));
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

test('a node whose control thread hangs gives its address away, and comes back when it moves again', {
  skip: needsRoot,
}, async (t) => {
  const hang = `import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGWINCH', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000));`;
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hang)}` });
  const daemon = host.start('-f', host.file('a.cfg', VHID));
  const holds = () => host.addresses().some((address) => address.startsWith('10.10.0.1/'));
  await daemon.sees(/BACKUP -> MASTER/);
  const hung_ms = performance.now();
  daemon.process.kill('SIGWINCH');
  await until('the carp thread takes the address away by itself', () => !holds());
  assert.ok(performance.now() - hung_ms < 8_900, 'while the control thread hangs still');
  await daemon.sees(/MASTER -> INIT: the control thread has not moved for 6000 ms/);
  await daemon.sees(/INIT -> BACKUP: all threads move again/);
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});
