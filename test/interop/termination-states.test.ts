/**
 * Each way in which a request or a session can end early, provoked on HAProxy and on carpool with one configuration: both must
 * log the same termination state (manual, section 8.5) and the same status.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { type Balancer, type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';
import { deafServer, type Misbehaving, misbehavingServer } from './misbehaving-server.js';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
/** Belongs to server s. */
const BOUND = GET('/hangs').replace('Host', 'Cookie: SRV=s\r\nHost');
const CLOSING = (path: string) => GET(path).replace('Host', 'Connection: close\r\nHost');
const POST = 'POST /reads HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart of it';
const UPGRADE = (path: string) => GET(path).replace('Host', 'Connection: upgrade\r\nUpgrade: other\r\nHost');

const CHUNKED = 'POST /reads HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno chunk\r\n';

type Kind =
  | ('http' | 'stored' | 'refused' | 'deaf' | 'none' | 'queue' | 'queue-full')
  | ('marked' | 'foreign' | 'guarded' | 'denied')
  | ('tcp-marked' | 'tcp' | 'tcp-refused' | 'tcp-deaf' | 'tcp-queue' | 'tcp-foreign');

/** `front`: what kind of section, of which every case has its own: all run at the same time. */
type Case = {
  readonly name: string;
  readonly front: Kind;
  readonly act: (scene: Scene) => void | Promise<void>;
  /** Clients that come first, where there is a queue (1): one occupies the server, the others wait. */
  readonly before?: number;
  /** Of the log, the last of which tells. */
  readonly lines?: number;
  /** It ends when a time is over. Nobody else's time is: a busy machine may take as long as it likes. */
  readonly silent?: boolean;
};

/** A case under way: its client is connected. */
type Scene = {
  readonly client: Socket;
  /** Requests with `Host: a` are told from those of other cases. */
  say(text: string): void;
  /** The first bytes of an answer. */
  readonly answered: Promise<unknown>;
  /** The client's request is at the server. */
  seen(): Promise<void>;
  queued(): Promise<void>;
  /** The proxy has accepted the client. */
  taken(): Promise<void>;
  /** The server does what it has put off. */
  goOn(): void;
  /** A command to the stats socket; SERVER stands for the section's. */
  ask(command: string): Promise<string>;
};

const CASES: readonly Case[] = [
  { name: 'a whole request', front: 'http', act: say(CLOSING('/ok')) },
  { name: 'half a head, then FIN', front: 'http', act: ({ client }) => void client.end('GET / HT') },
  { name: 'half a head, then silence', silent: true, front: 'http', act: say('GET / HT') },
  { name: 'half a head, then RST', front: 'http', act: resetWhen('GET / HT', 'taken') },
  {
    name: 'half a second head, then RST',
    front: 'http',
    act: resetWhen(`${GET('/ok')}GET / HT`, 'answered'),
    lines: 2,
  },
  { name: 'no byte, then RST', front: 'http', act: resetWhen('', 'taken') },
  { name: 'no byte, then FIN', front: 'http', act: ({ client }) => void client.end() },
  { name: 'no byte, then silence', silent: true, front: 'http', act: () => {} },
  { name: 'no HTTP', front: 'http', act: say('no request at all\r\n\r\n') },
  { name: 'no server', front: 'none', act: say(GET('/')) },
  { name: 'a server that refuses', front: 'refused', act: say(GET('/')) },
  { name: 'a server that does not connect', silent: true, front: 'deaf', act: say(GET('/')) },
  { name: 'the queue is too slow', silent: true, front: 'queue', act: say(GET('/hangs')) },
  { name: 'a client that resets in the queue', front: 'queue', act: resetWhen(GET('/hangs'), 'queued') },
  { name: 'a client that ends in the queue', front: 'queue', act: endWhen(GET('/hangs'), 'queued') },
  { name: 'the queue of its server is too slow', silent: true, front: 'queue-full', act: say(BOUND) },
  { name: 'a client that resets in the queue of its server', front: 'queue-full', act: resetWhen(BOUND, 'queued') },
  { name: 'the queue of its server is full', front: 'queue-full', act: say(BOUND), before: 2 },
  { name: 'a server that does not answer', silent: true, front: 'http', act: say(GET('/hangs')) },
  { name: 'a server that closes', front: 'http', act: say(GET('/closes')) },
  { name: 'a server that resets', front: 'http', act: say(GET('/resets')) },
  { name: 'a server that answers garbage', front: 'http', act: say(GET('/garbage')) },
  { name: 'a server that closes within its body', front: 'http', act: say(GET('/half-then-close')) },
  { name: 'a server that resets within its body', front: 'http', act: sayInTwo(GET('/half-then-reset')) },
  { name: 'a server that stops within its body', silent: true, front: 'http', act: say(GET('/half-then-hang')) },
  { name: 'a client that resets while it waits', front: 'http', act: resetWhen(GET('/hangs'), 'seen') },
  {
    name: 'a client that resets behind a second request',
    front: 'http',
    act: resetWhen(GET('/hangs') + GET('/ok'), 'seen'),
  },
  { name: 'a client that ends behind a second request', front: 'http', act: endBehindAnother },
  { name: 'a client that resets within the answer', front: 'http', act: resetWhen(GET('/long'), 'answered') },
  { name: 'a client that stops reading', silent: true, front: 'http', act: stopReading(GET('/long')) },
  { name: 'a client that stops within its body', silent: true, front: 'http', act: say(POST) },
  { name: 'a client that resets within its body', front: 'http', act: resetWhen(POST, 'seen') },
  { name: 'a client that stops within a body that is stored', silent: true, front: 'stored', act: say(POST) },
  {
    name: 'a client that ends within a body that is stored',
    front: 'stored',
    act: ({ client }) => void client.end(POST),
  },
  { name: 'a client that resets within a body that is stored', front: 'stored', act: resetWhen(POST, 'taken') },
  { name: 'a tunnel: all said', front: 'http', act: endWhenSwitched },
  { name: 'a tunnel that is silent', silent: true, front: 'http', act: say(UPGRADE('/switches')) },
  { name: 'a client that resets a tunnel', front: 'http', act: resetWhen(UPGRADE('/switches'), 'answered') },
  { name: 'a server that resets a tunnel', front: 'http', act: sayInTwo(UPGRADE('/switches-then-resets')) },
  { name: 'a client that resets before there is a connection', front: 'deaf', act: resetWhen(GET('/'), 'taken') },
  {
    name: 'a client that ends before there is a connection',
    front: 'deaf',
    act: endWhen(GET('/'), 'taken'),
  },
  { name: 'a page of our own', front: 'http', act: say(CLOSING('/stats')) },
  { name: 'a page that wants a password', front: 'guarded', act: say(CLOSING('/stats')) },
  { name: 'a page that a rule denies', front: 'denied', act: say(CLOSING('/stats')) },
  { name: 'a source address that is not ours', front: 'foreign', act: say(GET('/')) },
  { name: 'tcp: a source address that is not ours', front: 'tcp-foreign', act: () => {} },
  { name: 'a server with a chunk that is none', front: 'http', act: sayInTwo(GET('/bad-chunk')) },
  { name: 'a server whose first chunk is none', front: 'http', act: say(GET('/bad-first-chunk')) },
  { name: 'a server whose head has no end', front: 'http', act: say(GET('/long-head')) },
  { name: 'a server with two lengths', front: 'http', act: say(GET('/two-lengths')) },
  { name: 'a client with a chunk that is none', front: 'http', act: say(CHUNKED) },
  { name: 'a client whose later chunk is none', front: 'http', act: sayMoreWhenSeen(CHUNKED, 'no chunk\r\n') },
  { name: 'a client whose session people end while it waits', front: 'http', act: ended(GET('/hangs'), 'seen') },
  {
    name: 'a client whose session people end within the answer',
    front: 'http',
    act: ended(GET('/half-then-hang'), 'answered'),
  },
  {
    name: 'a client that resets after half of a stopped answer',
    front: 'http',
    act: resetWhen(GET('/half-then-hang'), 'answered'),
  },
  { name: 'tcp: a client that resets before there is a connection', front: 'tcp-deaf', act: resetWhen('', 'taken') },
  { name: 'tcp: both sides are silent', silent: true, front: 'tcp', act: say(GET('/hangs')) },
  { name: 'tcp: a client that stops reading', silent: true, front: 'tcp', act: stopReading(GET('/long')) },
  {
    name: 'a server that goes down while it answers',
    front: 'marked',
    act: marked(GET('/half-then-hang'), 'answered'),
  },
  { name: 'a server that goes down before it answers', front: 'marked', act: marked(GET('/hangs'), 'seen') },
  { name: 'tcp: a server that goes down', front: 'tcp-marked', act: marked(GET('/hangs'), 'seen') },
  { name: 'tcp: a session that people end', front: 'tcp', act: ended(GET('/hangs'), 'seen') },
  { name: 'tcp: a server that refuses', front: 'tcp-refused', act: () => {} },
  { name: 'tcp: a server that does not connect', silent: true, front: 'tcp-deaf', act: () => {} },
  { name: 'tcp: the queue is too slow', silent: true, front: 'tcp-queue', act: () => {} },
  { name: 'tcp: a client that resets in the queue', front: 'tcp-queue', act: resetWhen('', 'queued') },
  { name: 'tcp: all said', front: 'tcp', act: ({ client }) => void client.end(GET('/closes')) },
  { name: 'tcp: a server that resets', front: 'tcp', act: say(GET('/resets')) },
  { name: 'tcp: a client that resets', front: 'tcp', act: resetWhen(GET('/hangs'), 'seen') },
];

type Moment = 'taken' | 'queued' | 'seen' | 'answered';

/** Says it, and waits until it has come so far. */
async function sayUntil(scene: Scene, text: string, moment: Moment): Promise<void> {
  scene.say(text);
  if (moment === 'answered') await scene.answered;
  else await scene[moment]();
  // nothing tells that a proxy has read what it does not act upon
  if (moment === 'taken' || moment === 'answered') await rest(100);
}

function say(text: string): Case['act'] {
  return (scene) => scene.say(text);
}

/** The server does the rest when the beginning of its answer has come. */
function sayInTwo(text: string): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text, 'answered');
    scene.goOn();
  };
}

function resetWhen(text: string, moment: Moment): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text, moment);
    scene.client.resetAndDestroy();
  };
}

/** Not with the request: whether HAProxy then hears of it is a matter of luck. */
function endWhen(text: string, moment: Moment): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text, moment);
    scene.client.end();
  };
}

/** `last`, with which the text ends, comes when the rest is at the server. */
function sayMoreWhenSeen(text: string, last: string): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text.slice(0, -last.length), 'seen');
    scene.client.write(last);
  };
}

async function endBehindAnother(scene: Scene): Promise<void> {
  await sayUntil(scene, GET('/hangs'), 'seen');
  scene.client.end(GET('/ok'));
}

/** FIN as soon as the tunnel stands. */
async function endWhenSwitched(scene: Scene): Promise<void> {
  scene.say(UPGRADE('/switches'));
  await scene.answered;
  scene.client.end();
}

function ended(text: string, moment: Moment): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text, moment);
    await scene.ask('shutdown sessions server SERVER');
  };
}

/** Its server is taken out under a client. */
function marked(text: string, moment: Moment): Case['act'] {
  return async (scene) => {
    await sayUntil(scene, text, moment);
    await scene.ask('set server SERVER state maint');
  };
}

async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path, () => socket.write(`${command}\n`)).setEncoding('utf8');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

function stopReading(text: string): Case['act'] {
  return ({ client, say }) => {
    client.pause();
    say(text);
  };
}

test('HAProxy and carpool log the same termination state for each early end', { skip: needs('haproxy') }, async (t) => {
  const server = await misbehavingServer(t);
  const refusing = await freePort();
  const deaf = deafServer(t);
  const [theirs, ours] = await Promise.all(
    (['haproxy', 'carpool'] as const).map(async (program) => {
      const side = await startProgram(t, program, { server: server.port, refusing, deaf });
      return Promise.all(CASES.map((one, index) => stateAfter(one, index, side, server)));
    }),
  );
  const differences = CASES.flatMap(({ name }, index) =>
    theirs![index] === ours![index] ? [] : [`${name}: HAProxy ${theirs![index]}, carpool ${ours![index]}`],
  );
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
  'a client that ends in the queue: HAProxy CQ -1 ++--+ 0/1, carpool CQ 503 ++--+ 0/1',
  'a client that stops within its body: HAProxy sH 504 +++-+ 0/0, carpool cH 408 +++-+ 0/0',
  'a client that ends before there is a connection: HAProxy CC -1 ++--+ 0/0, carpool CC 503 ++--+ 0/0',
  'a page that wants a password: HAProxy LR 400 +++-+ 0/0, carpool LR 401 +++-+ 0/0',
  'a page that a rule denies: HAProxy PR 400 +++-+ 0/0, carpool PR 403 +++-+ 0/0',
  'a server with a chunk that is none: HAProxy SD 200 +++++ 0/0, carpool PD 200 +++++ 0/0',
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
        const before = await waiting(runtime, 'queues');
        const client = connect(port, '127.0.0.1').on('error', () => {});
        client.resume().write(request.replace('Host: a', `Host: ${program}`));
        const has_place = async () =>
          ahead === 0 ? server.seen.has(program) : (await waiting(runtime, 'queues')) > before;
        await until(`${program} has a place for ${ahead + 1}`, has_place);
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

/** A number for each of a listen section's places: it grows with each request that waits there. */
async function waiting(runtime: string, section: string): Promise<number> {
  return (await columnOf(runtime, section, 'qcur')).reduce((sum, each) => sum + each, 0);
}

/** Of the rows of frontend, backend and server. */
async function columnOf(runtime: string, section: string, name: string): Promise<number[]> {
  const [head = '', ...rows] = (await ask(runtime, `show stat ${section} 7 -1`)).trimEnd().split('\n');
  return rows.map((row) => Number(row.split(',')[head.split(',').indexOf(name)]));
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

type Places = { readonly server: number; readonly refusing: number; readonly deaf: number };

const DEFAULTS = `defaults
  mode http
  log global
  retries 0
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  option abortonclose
  timeout http-request 60s
  timeout queue 60s
`;

/** Far apart: a busy machine shall not mistake one for another. */
const SOON = `timeout connect 800ms
  timeout client 1800ms
  timeout server 2400ms
  timeout http-request 1300ms`;
/** Who occupies the server stays there. */
const SOON_IN_QUEUE = 'timeout queue 800ms';

/** The lines of each kind of section. */
function linesOf({ server, refusing, deaf }: Places): Readonly<Record<Kind, string>> {
  const at = `server s 127.0.0.1:${server}`;
  return {
    http: `stats uri /stats\n  ${at}`,
    stored: `option http-buffer-request\n  ${at}`,
    refused: `server s 127.0.0.1:${refusing}`,
    deaf: `server s 127.0.0.1:${deaf}`,
    none: '',
    queue: `${at} maxconn 1`,
    'queue-full': `cookie SRV\n  ${at} maxconn 1 maxqueue 1 cookie s`,
    marked: `${at} on-marked-down shutdown-sessions`,
    foreign: `${at} source 203.0.113.7`,
    guarded: 'stats uri /stats\n  stats auth a:b',
    denied: 'stats uri /stats\n  stats http-request deny',
    'tcp-marked': `${at} on-marked-down shutdown-sessions`,
    tcp: at,
    'tcp-refused': `server s 127.0.0.1:${refusing}`,
    'tcp-deaf': `server s 127.0.0.1:${deaf}`,
    'tcp-queue': `${at} maxconn 1`,
    'tcp-foreign': `${at} source 203.0.113.7`,
  };
}

type Side = {
  readonly program: Program;
  readonly balancer: Balancer;
  readonly runtime: string;
  /** By case. */
  readonly ports: readonly number[];
};

async function startProgram(t: TestContext, program: Program, places: Places): Promise<Side> {
  const runtime = runtimeSocket(t, program);
  const ports = await Promise.all(CASES.map(freePort));
  const probed = await freePort();
  const lines = linesOf(places);
  const sections = CASES.map(({ front, silent }, index) => {
    const mode = front.startsWith('tcp') ? 'mode tcp\n  option tcplog' : 'option httplog';
    const times = !silent ? '' : front.includes('queue') ? SOON_IN_QUEUE : SOON;
    return `listen case${index}\n  bind 127.0.0.1:${ports[index]}\n  ${times}\n  ${mode}\n  ${lines[front]}\n`;
  });
  const global = `global\n  log stderr format raw local0\n  stats socket ${runtime} level admin\n`;
  const config = `${global}${DEFAULTS}${sections.join('')}listen probed\n  bind 127.0.0.1:${probed}\n`;
  return { program, balancer: await startBalancer(t, program, config, probed), runtime, ports };
}

/** What the case's client finds in the log about itself. */
async function stateAfter(one: Case, index: number, side: Side, server: Misbehaving): Promise<string> {
  const { name, front, act, before: ahead = 1, lines = 1 } = one;
  const { program, balancer, runtime } = side;
  const [section, sockets]: [string, Socket[]] = [`case${index}`, []];
  const enter = async (tag: string) => {
    const client = connect(side.ports[index]!, '127.0.0.1');
    sockets.push(client);
    client.on('error', () => {}).resume();
    await once(client, 'connect');
    return { client, say: (text: string) => void client.write(text.replace('Host: a', `Host: ${tag}`)) };
  };
  const has = (what: string, done: () => boolean | Promise<boolean>) => until(`${program}, "${name}": ${what}`, done);
  const isSeen = (tag: string) => has('it is at the server', () => server.seen.has(tag));
  const queued = () => has('it waits', async () => (await waiting(runtime, section)) > 0);

  for (let number = 0; front.includes('queue') && number < ahead; number++) {
    const tag = `${program}-${index}-${number}`;
    (await enter(tag)).say(BOUND);
    await (number === 0 ? isSeen(tag) : queued());
  }
  const tag = `${program}-${index}`;
  const { client, say } = await enter(tag);
  const port = client.localPort!;
  await act({
    client,
    say,
    answered: once(client, 'data').catch(() => {}),
    seen: () => isSeen(tag),
    queued,
    goOn: () => server.goOn(tag),
    taken: () => has('it is taken', async () => (await columnOf(runtime, section, 'scur')).some((count) => count > 0)),
    ask: (command) => ask(runtime, command.replace('SERVER', `${section}/s`)),
  });
  const states = () => statesIn(balancer.log(), section, port);
  await has('it is logged', () => states().length >= lines);
  for (const socket of sockets) socket.destroy();
  return states()[lines - 1]!;
}

/**
 * Of the lines of one section (and client), `SH 502 +++-+ 0/0`: which of the times TR/Tw/Tc/Tr/Ta there are, and the places in the
 * queues; or in tcp mode `SC 0/0`.
 */
function statesIn(log: string, section: string, port?: number): string[] {
  const place = `:${port ?? '\\d+'} \\[\\S+\\] ${section} `;
  const http = new RegExp(`${place}\\S+ (\\S+) (\\S+) \\S+ - - (..)\\S\\S \\S+ (\\S+)`);
  const tcp = new RegExp(`${place}\\S+ \\S+ \\d+ (..) \\S+ (\\S+)`);
  // all cases look again and again
  const lines = log.includes(`] ${section} `) ? log.split('\n') : [];
  return lines.flatMap((line) => {
    const [, times = '', status, state, queues] = http.exec(line) ?? [];
    const there = times.split('/').map((time) => (time === '-1' ? '-' : '+'));
    if (state) return [`${state} ${status} ${there.join('')} ${queues}`];
    const [, tcp_state, tcp_queues] = tcp.exec(line) ?? [];
    return tcp_state ? [`${tcp_state} ${tcp_queues}`] : [];
  });
}
