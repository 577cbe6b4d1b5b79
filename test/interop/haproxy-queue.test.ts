/**
 * Servers with `maxconn` under HAProxy and under carpool, each with several threads: as many requests at the server at once, in the same
 * order out of the queue, the same log lines, and after a reload the same count for old and new clients.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { askRuntime } from '../control/stats/runtime.js';
import { type Balancer, type Program, reloadBalancer, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const PROGRAMS: readonly Program[] = ['haproxy', 'carpool'];
const skip = needs('haproxy');

/** Answers when it is told to. */
class HeldServer {
  port = 0;
  /** Paths in the order they came. */
  readonly asked: string[] = [];
  readonly held: { readonly path: string; readonly response: ServerResponse }[] = [];
  most = 0;

  async start(t: TestContext): Promise<this> {
    const server = createServer((request, response) => {
      const path = request.url as string;
      this.asked.push(path);
      this.held.push({ path, response });
      this.most = Math.max(this.most, this.held.length);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    t.after(() => server.close().closeAllConnections());
    return this;
  }

  /** The one that has been here longest gets its answer. */
  release(): void {
    this.held.shift()?.response.end('served');
  }
}

type Rig = {
  readonly server: HeldServer;
  readonly balancer: Balancer;
  /** The status, when it comes. */
  ask(path: string): Promise<number>;
  queued(): Promise<number>;
};

async function start(t: TestContext, program: Program, words: string, lines = ''): Promise<Rig> {
  const server = await new HeldServer().start(t);
  const port = await freePort();
  const socket = `/tmp/carpool-queue-${port}.sock`;
  t.after(() => rmSync(socket, { force: true }));
  const config = `global
    nbthread 3
    stats socket ${socket}
    log stderr format raw local0 info
defaults
    mode http
    log global
    log-format "%HU %ST %ts %sq/%bq"
    option dontlognull
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout queue 30s
listen web
    bind 127.0.0.1:${port}
    http-reuse never
${lines}
    server s 127.0.0.1:${server.port} ${words}
`;
  const balancer = await startBalancer(t, program, config, port);
  const ask = async (path: string) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, agent: false }).end();
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    return response.statusCode as number;
  };
  return { server, balancer, ask, queued: () => queuedAt(socket) };
}

/** Of any server and of this one. */
async function queuedAt(socket: string): Promise<number> {
  const [header, ...rows] = (await askRuntime(socket, 'show stat')).split('\n').map((line) => line.split(','));
  const backend = rows.find(([proxy, name]) => proxy === 'web' && name === 'BACKEND');
  return Number(backend?.[header!.indexOf('qcur')]);
}

/** One after the other, each when the one before has its place at the server or in the queue. */
async function askInTurn({ ask, server, queued }: Rig, paths: readonly string[]): Promise<Promise<number>[]> {
  const answers: Promise<number>[] = [];
  for (const path of paths) {
    const before = server.asked.length + (await queued());
    answers.push(ask(path));
    await until(`${path} has a place`, async () => server.asked.length + (await queued()) > before);
  }
  return answers;
}

function loggedBy({ log }: Balancer): string[] {
  return log()
    .split('\n')
    .filter((line) => line.startsWith('/'));
}

const paths = Array.from({ length: 9 }, (_, number) => `/${number}`);

test('the queue of a server gives its places to whoever came first, never more than maxconn, and logs say the same', {
  skip,
}, async (t) => {
  const seen = [];
  for (const program of PROGRAMS) {
    const rig = await start(t, program, 'maxconn 3');
    const answers = await askInTurn(rig, paths);
    assert.equal(await rig.queued(), 6);
    for (let number = 0; number < paths.length; number++) {
      const expected = Math.min(paths.length, number + 3);
      await until('the next one is there', () => rig.server.asked.length === expected);
      rig.server.release();
      await answers[number];
    }
    const statuses = await Promise.all(answers);
    await until('all are logged', () => loggedBy(rig.balancer).length === paths.length);
    seen.push({ statuses, asked: rig.server.asked, most: rig.server.most, log: loggedBy(rig.balancer).sort() });
  }
  const [theirs, ours] = seen;
  assert.deepEqual(ours, theirs);
  assert.equal(ours?.most, 3);
  assert.deepEqual(ours?.asked, paths);
});

test('who waits longer than timeout queue gets 503 and sQ, and those behind keep their order', { skip }, async (t) => {
  const sides = PROGRAMS.map(async (program) => {
    const rig = await start(t, program, 'maxconn 1', '    timeout queue 3s');
    const first = await askInTurn(rig, ['/first']);
    const late = await askInTurn(rig, ['/late']);
    assert.deepEqual(await Promise.all(late), [503]);
    const patient = await askInTurn(rig, ['/patient']);
    rig.server.release();
    await until('it has the place', () => rig.server.asked.includes('/patient'));
    rig.server.release();
    const statuses = await Promise.all([...first, ...patient]);
    await until('all are logged', () => loggedBy(rig.balancer).length === 3);
    return { statuses, asked: rig.server.asked, log: loggedBy(rig.balancer).sort() };
  });
  const [theirs, ours] = await Promise.all(sides);
  assert.deepEqual(ours, theirs);
  assert.ok(ours?.log.includes('/late 503 sQ 0/1'), ours?.log.join('\n'));
});

for (const program of PROGRAMS) {
  test(`${program}: with a full backend minconn has grown to maxconn, with few clients it holds`, {
    skip,
  }, async (t) => {
    const rig = await start(t, program, 'minconn 1 maxconn 4', '    fullconn 8');
    const few = await askInTurn(rig, ['/a', '/b', '/c']);
    assert.equal(rig.server.held.length, 1);
    const many = await askInTurn(rig, paths);
    // HAProxy looks at its queue when somebody leaves
    rig.server.release();
    await until('as many as maxconn are there', () => rig.server.held.length === 4);
    for (let left = few.length + paths.length; left > 1; left--) {
      await until('one is there', () => rig.server.held.length > 0);
      rig.server.release();
    }
    assert.deepEqual(new Set(await Promise.all([...few, ...many])), new Set([200]));
    assert.equal(rig.server.most, 4);
  });
}

for (const program of PROGRAMS) {
  test(`${program}: after a reload old and new clients have a server's maxconn each, and their own queues`, {
    skip,
  }, async (t) => {
    const rig = await start(t, program, 'maxconn 2');
    const old = await askInTurn(rig, ['/old1', '/old2', '/old3']);
    await reloadBalancer(t, program, rig.balancer);
    const fresh = await askInTurn(rig, ['/new1', '/new2', '/new3']);
    assert.deepEqual(rig.server.asked, ['/old1', '/old2', '/new1', '/new2']);
    rig.server.release();
    await until('a place of the old ones is for an old one', () => rig.server.asked.includes('/old3'));
    rig.server.release();
    await Promise.all(old.slice(0, 2));
    assert.deepEqual(rig.server.asked.slice(4), ['/old3']);
    rig.server.release();
    await until('and one of the new ones for a new one', () => rig.server.asked.includes('/new3'));
    while (rig.server.held.length > 0) rig.server.release();
    assert.deepEqual(await Promise.all([...old, ...fresh]), [200, 200, 200, 200, 200, 200]);
    assert.equal(rig.server.most, 4);
  });
}
