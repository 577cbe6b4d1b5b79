/**
 * Each way in which a request or a session can end early, provoked on HAProxy and on carpool with one configuration: both must
 * log the same termination state (manual, section 8.5) and the same status.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import * as libc from '#src/system/libc.js';
import { type Balancer, type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';
import { listenOnLoopback } from '../reactor/peer.js';

const LONG = 4_000_000;
const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
/** Belongs to server s. */
const BOUND = GET('/hangs').replace('Host', 'Cookie: SRV=s\r\nHost');
const CLOSING = (path: string) => GET(path).replace('Host', 'Connection: close\r\nHost');
const POST = 'POST /reads HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart of it';

const UPGRADE = (path: string) => GET(path).replace('Host', 'Connection: upgrade\r\nUpgrade: other\r\nHost');

const CHUNKED = 'POST /reads HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno chunk\r\n';

const FRONTS = [
  ...['http', 'stored', 'refused', 'deaf', 'none', 'queue', 'queue-full'],
  ...['marked', 'foreign', 'guarded', 'denied'],
  ...['tcp-marked', 'tcp', 'tcp-refused', 'tcp-deaf', 'tcp-queue', 'tcp-foreign'],
] as const;

/** `front`: which frontend; `act` gets the client's socket, connected, and the path of the stats socket. */
type Case = {
  readonly name: string;
  readonly front: (typeof FRONTS)[number];
  readonly act: (client: Socket, runtime: string) => void | Promise<void>;
  /** Clients that come first, where there is a queue (1): one occupies the server, the others wait. */
  readonly before?: number;
  /** Of the log, the last of which tells. */
  readonly lines?: number;
};

const CASES: readonly Case[] = [
  { name: 'a whole request', front: 'http', act: say(CLOSING('/ok')) },
  { name: 'half a head, then FIN', front: 'http', act: (client) => void client.end('GET / HT') },
  { name: 'half a head, then silence', front: 'http', act: say('GET / HT') },
  { name: 'half a head, then RST', front: 'http', act: resetAfter('GET / HT', 100) },
  { name: 'half a second head, then RST', front: 'http', act: resetAfter(`${GET('/ok')}GET / HT`, 100), lines: 2 },
  { name: 'no byte, then RST', front: 'http', act: resetAfter('', 100) },
  { name: 'no byte, then FIN', front: 'http', act: (client) => void client.end() },
  { name: 'no byte, then silence', front: 'http', act: () => {} },
  { name: 'no HTTP', front: 'http', act: say('no request at all\r\n\r\n') },
  { name: 'no server', front: 'none', act: say(GET('/')) },
  { name: 'a server that refuses', front: 'refused', act: say(GET('/')) },
  { name: 'a server that does not connect', front: 'deaf', act: say(GET('/')) },
  { name: 'the queue is too slow', front: 'queue', act: say(GET('/hangs')) },
  { name: 'a client that resets in the queue', front: 'queue', act: resetAfter(GET('/hangs'), 100) },
  { name: 'a client that ends in the queue', front: 'queue', act: endAfter(GET('/hangs'), 100) },
  { name: 'the queue of its server is too slow', front: 'queue-full', act: say(BOUND) },
  { name: 'a client that resets in the queue of its server', front: 'queue-full', act: resetAfter(BOUND, 100) },
  { name: 'the queue of its server is full', front: 'queue-full', act: say(BOUND), before: 2 },
  { name: 'a server that does not answer', front: 'http', act: say(GET('/hangs')) },
  { name: 'a server that closes', front: 'http', act: say(GET('/closes')) },
  { name: 'a server that resets', front: 'http', act: say(GET('/resets')) },
  { name: 'a server that answers garbage', front: 'http', act: say(GET('/garbage')) },
  { name: 'a server that closes within its body', front: 'http', act: say(GET('/half-then-close')) },
  { name: 'a server that resets within its body', front: 'http', act: say(GET('/half-then-reset')) },
  { name: 'a server that stops within its body', front: 'http', act: say(GET('/half-then-hang')) },
  { name: 'a client that resets while it waits', front: 'http', act: resetAfter(GET('/hangs'), 200) },
  { name: 'a client that resets within the answer', front: 'http', act: resetAfter(GET('/long'), 200) },
  { name: 'a client that stops reading', front: 'http', act: stopReading(GET('/long')) },
  { name: 'a client that stops within its body', front: 'http', act: say(POST) },
  { name: 'a client that resets within its body', front: 'http', act: resetAfter(POST, 200) },
  { name: 'a client that stops within a body that is stored', front: 'stored', act: say(POST) },
  { name: 'a client that ends within a body that is stored', front: 'stored', act: (client) => void client.end(POST) },
  { name: 'a client that resets within a body that is stored', front: 'stored', act: resetAfter(POST, 100) },
  { name: 'a tunnel: all said', front: 'http', act: endWhenSwitched },
  { name: 'a tunnel that is silent', front: 'http', act: say(UPGRADE('/switches')) },
  { name: 'a client that resets a tunnel', front: 'http', act: resetAfter(UPGRADE('/switches'), 200) },
  { name: 'a server that resets a tunnel', front: 'http', act: say(UPGRADE('/switches-then-resets')) },
  { name: 'a client that resets before there is a connection', front: 'deaf', act: resetAfter(GET('/'), 100) },
  {
    name: 'a client that ends before there is a connection',
    front: 'deaf',
    act: (client) => void client.end(GET('/')),
  },
  { name: 'a page of our own', front: 'http', act: say(CLOSING('/stats')) },
  { name: 'a page that wants a password', front: 'guarded', act: say(CLOSING('/stats')) },
  { name: 'a page that a rule denies', front: 'denied', act: say(CLOSING('/stats')) },
  { name: 'a source address that is not ours', front: 'foreign', act: say(GET('/')) },
  { name: 'tcp: a source address that is not ours', front: 'tcp-foreign', act: () => {} },
  { name: 'a server with a chunk that is none', front: 'http', act: say(GET('/bad-chunk')) },
  { name: 'a server whose first chunk is none', front: 'http', act: say(GET('/bad-first-chunk')) },
  { name: 'a server whose head has no end', front: 'http', act: say(GET('/long-head')) },
  { name: 'a server with two lengths', front: 'http', act: say(GET('/two-lengths')) },
  { name: 'a client with a chunk that is none', front: 'http', act: say(CHUNKED) },
  { name: 'a client whose session people end while it waits', front: 'http', act: ended(GET('/hangs')) },
  { name: 'a client whose session people end within the answer', front: 'http', act: ended(GET('/half-then-hang')) },
  {
    name: 'a client that resets after half of a stopped answer',
    front: 'http',
    act: resetAfter(GET('/half-then-hang'), 200),
  },
  { name: 'tcp: a client that resets before there is a connection', front: 'tcp-deaf', act: resetAfter('', 100) },
  { name: 'tcp: both sides are silent', front: 'tcp', act: say(GET('/hangs')) },
  { name: 'tcp: a client that stops reading', front: 'tcp', act: stopReading(GET('/long')) },
  { name: 'a server that goes down while it answers', front: 'marked', act: marked(GET('/half-then-hang')) },
  { name: 'a server that goes down before it answers', front: 'marked', act: marked(GET('/hangs')) },
  { name: 'tcp: a server that goes down', front: 'tcp-marked', act: marked(GET('/hangs')) },
  { name: 'tcp: a session that people end', front: 'tcp', act: ended(GET('/hangs')) },
  { name: 'tcp: a server that refuses', front: 'tcp-refused', act: () => {} },
  { name: 'tcp: a server that does not connect', front: 'tcp-deaf', act: () => {} },
  { name: 'tcp: the queue is too slow', front: 'tcp-queue', act: () => {} },
  { name: 'tcp: a client that resets in the queue', front: 'tcp-queue', act: resetAfter('', 100) },
  { name: 'tcp: all said', front: 'tcp', act: (client) => void client.end(GET('/closes')) },
  { name: 'tcp: a server that resets', front: 'tcp', act: say(GET('/resets')) },
  { name: 'tcp: a client that resets', front: 'tcp', act: resetAfter(GET('/hangs'), 200) },
];

function say(text: string): Case['act'] {
  return (client) => void client.write(text);
}

function resetAfter(text: string, wait_ms: number): Case['act'] {
  return async (client) => {
    client.write(text);
    await rest(wait_ms);
    client.resetAndDestroy();
  };
}

/** Not with the request: whether HAProxy then hears of it before `timeout queue` is a matter of luck. */
function endAfter(text: string, wait_ms: number): Case['act'] {
  return async (client) => {
    client.write(text);
    await rest(wait_ms);
    client.end();
  };
}

/** FIN as soon as the tunnel stands. */
function endWhenSwitched(client: Socket): void {
  client.write(UPGRADE('/switches'));
  client.once('data', () => client.end());
}

/** `shutdown sessions server`, of both servers that it may be at. */
function ended(text: string): Case['act'] {
  return async (client, runtime) => {
    client.write(text);
    await rest(200);
    for (const server of ['http/s', 'tcp/s']) await ask(runtime, `shutdown sessions server ${server}`);
  };
}

/** Its server is taken out under a client. */
function marked(text: string): Case['act'] {
  return async (client, runtime) => {
    const both = async (state: string) => {
      for (const server of ['marked/s', 'tcp-marked/s']) await ask(runtime, `set server ${server} state ${state}`);
    };
    client.write(text);
    await rest(200);
    await both('maint');
    await rest(50);
    await both('ready');
  };
}

async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path, () => socket.write(`${command}\n`)).setEncoding('utf8');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

function stopReading(text: string): Case['act'] {
  return (client) => {
    client.pause();
    client.write(text);
  };
}

test('HAProxy and carpool log the same termination state for each early end', { skip: needs('haproxy') }, async (t) => {
  const { port: servers } = await misbehavingServer(t);
  const refusing = await freePort();
  const deaf = deafServer(t);
  const sides = await Promise.all(
    (['haproxy', 'carpool'] as const).map(async (program) => {
      const ports = Object.fromEntries(
        await Promise.all(FRONTS.map(async (front) => [front, await freePort()] as const)),
      ) as Record<Case['front'], number>;
      const runtime = runtimeSocket(t, program);
      return startProgram(t, program, configOf(ports, { server: servers, refusing, deaf, runtime }), ports, runtime);
    }),
  );
  const differences: string[] = [];
  for (const one of CASES) {
    const [theirs, ours] = await Promise.all(sides.map((side) => side.stateAfter(one)));
    if (theirs !== ours) differences.push(`${one.name}: HAProxy ${theirs}, carpool ${ours}`);
  }
  assert.deepEqual(differences, DIFFERENCES);
});

/**
 * On purpose, where the manual's letters are clearer, or a client may still read why it gets nothing: who has only ended its side;
 * a client that was silent itself is told so (408); nobody sent data to a session that only waited for a server; what the proxy
 * refuses is `PD`; the status is the one that the client was sent.
 *
 * HAProxy itself calls it SC, not RC, when it has no address, port or descriptor left to connect from. `CT` and `PT` are of tarpits,
 * which come with `http-request`.
 */
const DIFFERENCES = [
  'a client that ends in the queue: HAProxy CQ -1 0/1, carpool CQ 503 0/1',
  'a client that stops within its body: HAProxy sH 504 0/0, carpool cH 408 0/0',
  'a client that ends before there is a connection: HAProxy CC -1 0/0, carpool CC 503 0/0',
  'a page that wants a password: HAProxy LR 400 0/0, carpool LR 401 0/0',
  'a page that a rule denies: HAProxy PR 400 0/0, carpool PR 403 0/0',
  'a server with a chunk that is none: HAProxy SD 200 0/0, carpool PD 200 0/0',
  'tcp: a client that resets before there is a connection: HAProxy CD 0/0, carpool CC 0/0',
  'tcp: a client that resets in the queue: HAProxy CD 0/1, carpool CQ 0/1',
];

test('HAProxy and carpool log the same places in queues', { skip: needs('haproxy') }, async (t) => {
  const server = await misbehavingServer(t);
  const free = CLOSING('/held');
  const bound = free.replace('Host', 'Cookie: SRV=s\r\nHost');
  const [theirs, ours] = await Promise.all(
    (['haproxy', 'carpool'] as const).map(async (program) => {
      const [port, probed] = [await freePort(), await freePort()];
      const runtime = runtimeSocket(t, program);
      const balancer = await startBalancer(t, program, queueConfig(port, probed, server.port, runtime), probed);
      // the first one comes to the server at once, then they wait behind each other in either queue
      for (const [ahead, request] of [bound, bound, free, bound, free].entries()) {
        say(request)(
          connect(port, '127.0.0.1')
            .on('error', () => {})
            .on('data', () => {}),
          runtime,
        );
        await until(`${program} has taken ${ahead + 1}`, async () => (await atOnce(runtime, 'queues')) > ahead);
      }
      return balancer;
    }),
  );
  server.release();
  const places = async (balancer: Balancer) => {
    await until('all is logged', () => statesIn(balancer.log(), 'queues').length === 5);
    return statesIn(balancer.log(), 'queues').sort();
  };
  assert.deepEqual(await places(ours!), await places(theirs!));
});

/** How many requests a proxy has to answer, those that wait too. */
async function atOnce(runtime: string, proxy: string): Promise<number> {
  const [head = '', ...rows] = (await ask(runtime, `show stat ${proxy} 2 -1`)).split('\n');
  return Number(rows[0]?.split(',')[head.split(',').indexOf('scur')] ?? 0);
}

function runtimeSocket(t: TestContext, program: Program): string {
  const path = `/tmp/carpool-states-${process.pid}-${program}.sock`;
  t.after(() => rmSync(path, { force: true }));
  return path;
}

/** One thread: of two the one that is woken first may serve the later request. */
function queueConfig(port: number, probed: number, server: number, runtime: string): string {
  return `global
  nbthread 1
  log stderr format raw local0
  stats socket ${runtime} level admin
defaults
  mode http
  timeout connect 1s
  timeout queue 9s
  timeout client 9s
  timeout server 9s
listen queues
  bind 127.0.0.1:${port}
  log global
  option httplog
  cookie SRV
  server s 127.0.0.1:${server} maxconn 1 cookie s
listen probed
  bind 127.0.0.1:${probed}
`;
}

type Places = { readonly server: number; readonly refusing: number; readonly deaf: number; readonly runtime: string };

function configOf(ports: Record<Case['front'], number>, { server, refusing, deaf, runtime }: Places): string {
  const section = (front: Case['front'], lines: string) =>
    `listen ${front}\n  bind 127.0.0.1:${ports[front]}\n  ${front.startsWith('tcp') ? 'mode tcp\n  option tcplog' : 'option httplog'}\n${lines}`;
  return `global
  log stderr format raw local0
  stats socket ${runtime} level admin
defaults
  mode http
  log global
  retries 0
  timeout connect 400ms
  timeout client 700ms
  timeout server 900ms
  option abortonclose
  timeout http-request 600ms
  timeout queue 300ms
${section('http', `  stats uri /stats\n  server s 127.0.0.1:${server}`)}
${section('stored', `  option http-buffer-request\n  server s 127.0.0.1:${server}`)}
${section('marked', `  server s 127.0.0.1:${server} on-marked-down shutdown-sessions`)}
${section('tcp-marked', `  server s 127.0.0.1:${server} on-marked-down shutdown-sessions`)}
${section('refused', `  server s 127.0.0.1:${refusing}`)}
${section('deaf', `  server s 127.0.0.1:${deaf}`)}
${section('none', '')}
${section('foreign', `  server s 127.0.0.1:${server} source 203.0.113.7`)}
${section('tcp-foreign', `  server s 127.0.0.1:${server} source 203.0.113.7`)}
${section('guarded', '  stats uri /stats\n  stats auth a:b')}
${section('denied', '  stats uri /stats\n  stats http-request deny')}
${section('queue', `  server s 127.0.0.1:${server} maxconn 1`)}
${section('queue-full', `  cookie SRV\n  server s 127.0.0.1:${server} maxconn 1 maxqueue 1 cookie s`)}
${section('tcp-queue', `  server s 127.0.0.1:${server} maxconn 1`)}
${section('tcp', `  server s 127.0.0.1:${server}`)}
${section('tcp-refused', `  server s 127.0.0.1:${refusing}`)}
${section('tcp-deaf', `  server s 127.0.0.1:${deaf}`)}
`;
}

type Side = { stateAfter(one: Case): Promise<string> };

/** `state status` of the next log line of each act. */
async function startProgram(
  t: TestContext,
  program: Program,
  config: string,
  ports: Record<Case['front'], number>,
  runtime: string,
): Promise<Side> {
  const balancer = await startBalancer(t, program, config, ports.none);
  await rest(100); // the last probe's line is written
  return {
    async stateAfter({ name, front, act, before: ahead = 1, lines = 1 }) {
      const before = statesIn(balancer.log(), front).length;
      const has_queue = front.includes('queue');
      const sockets: Socket[] = [];
      for (let index = 0; has_queue && index < ahead; index++) {
        sockets.push(connect(ports[front], '127.0.0.1'));
        sockets
          .at(-1)!
          .on('error', () => {})
          .write(BOUND);
        await until(`${program} has taken who comes first`, async () => (await atOnce(runtime, front)) > index);
      }
      const client = connect(ports[front], '127.0.0.1');
      sockets.push(client);
      client.on('error', () => {}).on('data', () => {});
      await act(client, runtime);
      await until(`${program} logs "${name}"`, async () => statesIn(balancer.log(), front).length >= before + lines);
      const state = statesIn(balancer.log(), front)[before + lines - 1]!;
      await rest(20);
      for (const socket of sockets) socket.destroy();
      if (!has_queue) return state;
      await until(`${program} has nobody left`, async () => (await atOnce(runtime, front)) === 0);
      await until(
        `${program} has logged who came first`,
        () => statesIn(balancer.log(), front).length >= before + lines + ahead,
      );
      return state;
    },
  };
}

/** Of the lines of one frontend, `SH 502 0/0` with the places in the queues, or in tcp mode `SC 0/0`. */
function statesIn(log: string, front: string): string[] {
  return log.split('\n').flatMap((line) => {
    const http = new RegExp(`\\] ${front} \\S+ \\S+ (\\S+) \\S+ - - (..)\\S\\S \\S+ (\\S+)`).exec(line);
    const tcp = new RegExp(`\\] ${front} \\S+ \\S+ \\d+ (..) \\S+ (\\S+)`).exec(line);
    return http ? [`${http[2]} ${http[1]} ${http[3]}`] : tcp ? [`${tcp[1]} ${tcp[2]}`] : [];
  });
}

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Answers by the request's path. */
async function misbehavingServer(t: TestContext): Promise<{ readonly port: number; release(): void }> {
  const held: Socket[] = [];
  let holds = true;
  const answerHeld = (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it';
  const behaviours: Record<string, (socket: Socket) => void> = {
    '/ok': (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    '/hangs': () => {},
    '/held': (socket) => void (holds ? held.push(socket) : answerHeld(socket)),
    '/reads': () => {},
    '/closes': (socket) => void socket.end(),
    '/resets': (socket) => void socket.resetAndDestroy(),
    '/garbage': (socket) => void socket.write('this is no HTTP\r\n\r\n'),
    '/bad-chunk': (socket) =>
      void socket.write(`${CHUNKS}3\r\nabc\r\n`, () => setTimeout(() => socket.write('no chunk\r\n'), 100)),
    '/bad-first-chunk': (socket) => void socket.write(`${CHUNKS}no chunk\r\n`),
    '/long-head': (socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`),
    '/two-lengths': (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
    '/half-then-close': (socket) => void socket.end(half),
    '/half-then-reset': (socket) => void socket.write(half, () => setTimeout(() => socket.resetAndDestroy(), 100)),
    '/switches': (socket) => void socket.write(SWITCH),
    '/switches-then-resets': (socket) =>
      void socket.write(SWITCH, () => setTimeout(() => socket.resetAndDestroy(), 100)),
    '/half-then-hang': (socket) => void socket.write(half),
    '/long': (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG * 100}\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65536))) {}
      };
      socket.on('drain', more);
      more();
    },
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => behaviours[/^\w+ (\S+)/.exec(String(bytes))?.[1] ?? '']?.(socket));
    socket.on('end', () => setTimeout(() => socket.destroy(), 50));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
  });
  server.unref();
  const release = () => {
    holds = false;
    held.splice(0).forEach(answerHeld);
  };
  return { port: (server.address() as AddressInfo).port, release };
}

/** Listens, and its accept queue is full: a connection attempt gets no answer. */
function deafServer(t: TestContext): number {
  const { fd, port } = listenOnLoopback(0);
  const fillers = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const socket of fillers) socket.on('error', () => {});
  t.after(() => {
    for (const socket of fillers) socket.destroy();
    libc.close(fd);
  });
  return port;
}
