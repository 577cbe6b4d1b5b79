/** Checks of real servers, on both back ends of the reactor. Every test ends with everything home. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { Config } from '#src/config/model.js';
import { httpCheck, PLAIN_CHECK } from '#src/config/model-defaults.js';
import { planChecks } from '#src/health/plan.js';
import { codeNumber } from '#src/health/verdict.js';
import { EpollReactor } from '#src/reactor/epoll.js';
import type { ReactorOptions } from '#src/reactor/options.js';
import { RingReactor } from '#src/reactor/ring.js';
import { RingRefused } from '#src/reactor/ring-memory.js';
import * as libc from '#src/system/libc.js';
import { encodeSocketAddress } from '#src/system/socket-address.js';
import type { FromChecks } from '#src/threads/checks-messages.js';
import { ChecksRunner, SPARE_SOCKETS } from '#src/threads/checks-runner.js';
import * as shared from '#src/threads/shared-memory.js';
import { type AnsweringServers, type Behaviour, startAnsweringServers } from '../helpers/answering-servers.js';
import { type CheckedServer, checkConfig } from '../helpers/check-config.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { freePort } from '../helpers/ports.js';

const BACK_ENDS = ['ring', 'epoll'] as const;
type BackEnd = (typeof BACK_ENDS)[number];

const HTTP = httpCheck('OPTIONS', '/', 'HTTP/1.0');
const TCP = PLAIN_CHECK;

type ServerMessage = Extract<FromChecks, { kind: 'server' }>;

/** A runner on its reactor, driven by the test, which sees what others would see. */
class Bench {
  readonly reactor: RingReactor | EpollReactor;
  readonly memory: shared.SharedMemory;
  readonly messages: FromChecks[] = [];
  readonly runner: ChecksRunner;
  private readonly descriptors = openDescriptors();
  private readonly wake_fd = libc.eventfd(0, 0x80800);

  constructor(back_end: BackEnd, config: Config, most_in_flight = 100) {
    const servers = config.backends.flatMap((backend) => backend.servers).length;
    this.memory = shared.createSharedMemory({
      threads: 3,
      servers,
      backends: config.backends.length,
      frontends: 0,
      binds: 0,
    });
    for (let server = 0; server < servers; server++) this.set(server, shared.SERVER_OPERATIONAL, shared.SERVER_UP);
    const options: ReactorOptions = {
      small_count: 300,
      large_count: 0,
      reserve: 0,
      pipe_count: 0,
      socket_count: most_in_flight + SPARE_SOCKETS,
      wake_fd: this.wake_fd,
      onWake: () => {},
    };
    this.reactor = back_end === 'ring' ? new RingReactor(options) : new EpollReactor(options);
    this.reactor.buffers.poison = true;
    this.runner = new ChecksRunner({
      reactor: this.reactor,
      plans: planChecks(config),
      memory: this.memory,
      post: (message) => this.messages.push(message),
      most_in_flight,
    });
  }

  get changes(): ServerMessage[] {
    return this.messages.filter((message) => message.kind === 'server');
  }

  get checked_once(): boolean {
    return this.messages.some((message) => message.kind === 'checked-once');
  }

  get(server: number, word: number): number {
    return Atomics.load(this.memory.words, shared.serverAt(this.memory, server) + word);
  }

  set(server: number, word: number, value: number): void {
    Atomics.store(this.memory.words, shared.serverAt(this.memory, server) + word, value);
  }

  version(backend = 0): number {
    return Atomics.load(this.memory.words, shared.backendAt(this.memory, backend) + shared.BACKEND_VERSION);
  }

  async passUntil(holds: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      assert.ok(performance.now() < end, `${what} did not happen`);
      this.reactor.pass(20);
      await new Promise(setImmediate);
    }
  }

  async checkedOnce(): Promise<void> {
    this.runner.start();
    await this.passUntil(() => this.checked_once, 'the first check of each server');
  }

  /** Ends everything, and counts. */
  async goHome(): Promise<void> {
    this.runner.stop();
    await this.passUntil(() => this.runner.idle, 'the end of the last check');
    this.reactor.pass(0);
    const { reactor } = this;
    assert.equal(reactor.socket_count, 0);
    assert.equal(reactor.slices.left, reactor.slices.capacity);
    const provided = reactor instanceof RingReactor ? reactor.provided_count : 0;
    assert.equal(reactor.buffers.small_left + provided, reactor.buffers.small_count);
    reactor.destroy();
    libc.close(this.wake_fd);
    assert.deepEqual(openDescriptors(), this.descriptors);
  }
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** One test for each back end; where the kernel refuses io_uring, that one is skipped with the reason. */
function onBoth(name: string, body: (back_end: BackEnd, t: TestContext) => Promise<void>): void {
  for (const back_end of BACK_ENDS) {
    test(`${name} (${back_end})`, async (t) => {
      try {
        await body(back_end, t);
      } catch (error) {
        if (!(error instanceof RingRefused)) throw error;
        t.skip(error.message);
      }
    });
  }
}

async function withServers(
  t: TestContext,
  behaviours: readonly Behaviour[],
): Promise<AnsweringServers & { readonly servers: CheckedServer[] }> {
  const answering = await startAnsweringServers(behaviours);
  t.after(() => answering.stop());
  return { ...answering, servers: answering.ports.map((port) => ({ port })) };
}

const CASES: readonly { behaviour: Behaviour; check: typeof TCP | typeof HTTP; up: boolean; says?: string }[] = [
  { behaviour: 'accept', check: TCP, up: true },
  { behaviour: { status: 200 }, check: TCP, up: true },
  { behaviour: { status: 200 }, check: HTTP, up: true },
  { behaviour: { status: 302 }, check: HTTP, up: true },
  { behaviour: { bytes: 'HTTP/1.1 204 x\r\n\r\n', one_by_one: true }, check: HTTP, up: true },
  { behaviour: { bytes: 'HTTP/1.0 200 x\r\n\r\nbody', end: true }, check: HTTP, up: true },
  { behaviour: { status: 503 }, check: HTTP, up: false, says: 'L7STS HTTP status 503' },
  { behaviour: { bytes: 'hello, no HTTP here' }, check: HTTP, up: false, says: 'L7RSP the answer is not HTTP' },
  { behaviour: 'close', check: HTTP, up: false, says: 'L7RSP the server closed without an answer' },
  {
    behaviour: { bytes: 'HTTP/1.1 200 OK\r\nA', end: true },
    check: HTTP,
    up: false,
    says: 'L7RSP the server closed in the middle of its answer',
  },
  { behaviour: 'reset', check: HTTP, up: false, says: 'SOCKERR the connection was reset' },
  { behaviour: 'accept', check: HTTP, up: false, says: 'L7TOUT no answer within 1000 ms' },
  {
    behaviour: { bytes: 'HTTP/1.1 200 OK\r\nA: b\r\n' },
    check: HTTP,
    up: false,
    says: 'L7TOUT no answer within 1000 ms',
  },
];

onBoth('checks and agents come from where `source` says, as the traffic does', async (back_end) => {
  const port = await freePort();
  const agent = { address: '127.0.0.1', port, inter_ms: 2000, send: '' };
  const source = { endpoint: { address: '127.0.0.7', port: 0 }, interface: 'lo' };
  const bench = new Bench(back_end, checkConfig([{ servers: [{ port, source, agent }], check: HTTP }]));
  const came: (string | undefined)[] = [];
  const listening = createServer((socket) => {
    came.push(socket.remoteAddress);
    socket.on('error', () => {}).end('up\n');
    socket.resume();
  });
  await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
  await bench.checkedOnce();
  await bench.passUntil(() => came.length >= 2, 'a check and an agent check');
  assert.deepEqual(came, ['127.0.0.7', '127.0.0.7']);
  let closed = false;
  listening.close(() => {
    closed = true;
  });
  bench.runner.stop();
  await bench.passUntil(() => closed, 'the end of the connections');
  await bench.goHome();
});

onBoth('a server that is only knocked at does not hear of it', async (back_end) => {
  let heard = 0;
  const listening = createServer((socket) => {
    heard++;
    socket.on('error', () => {}).destroy();
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as { port: number };
  const bench = new Bench(back_end, checkConfig([{ servers: Array.from({ length: 20 }, () => ({ port })) }]));
  await bench.checkedOnce();
  assert.equal(bench.get(0, shared.SERVER_CHECK_CODE), codeNumber('L4OK'));
  assert.ok(heard < 20, 'at most those between whose first and last step this thread stood still for 40 ms');
  await bench.goHome();
  await new Promise((resolve) => listening.close(resolve));
});

onBoth('a check that its source does not let out fails, and says so', async (back_end) => {
  const source = { endpoint: { address: '192.0.2.77', port: 0 }, interface: undefined };
  const bench = new Bench(back_end, checkConfig([{ servers: [{ port: await freePort(), source }] }]));
  await bench.checkedOnce();
  assert.match(bench.changes[0]!.reason, /address/);
  await bench.goHome();
});

onBoth('each kind of check says what its server did', async (back_end, t) => {
  const { servers } = await withServers(
    t,
    CASES.map(({ behaviour }) => behaviour),
  );
  const config = checkConfig(
    servers.map((server, index) => ({
      servers: [{ ...server, inter_ms: CASES[index].says?.includes('1000 ms') ? 1000 : 20_000 }],
      check: CASES[index].check,
    })),
  );
  const bench = new Bench(back_end, config);
  await bench.checkedOnce();
  for (const [index, { behaviour, check, up, says }] of CASES.entries()) {
    const change = bench.changes.find((message) => message.backend === `backend${index}`);
    const what = `${check.kind} check of ${JSON.stringify(behaviour)}`;
    assert.equal(change && `${change.code} ${change.reason}`, says, what);
    assert.equal(bench.get(index, shared.SERVER_OPERATIONAL) === shared.SERVER_UP, up, what);
    assert.equal(bench.version(index), up ? 0 : 1, what);
    assert.ok(bench.get(index, shared.SERVER_CHECKS_DONE) >= 1, what);
  }
  await bench.goHome();
});

onBoth('a closed port refuses, over IPv6 too', async (back_end) => {
  const port = await freePort();
  const has_ipv6 = networkInterfaces()['lo']?.some(({ address }) => address === '::1') ?? false;
  const servers = [{ port }, ...(has_ipv6 ? [{ port, address: '::1' }] : [])];
  const bench = new Bench(back_end, checkConfig([{ servers }]));
  await bench.checkedOnce();
  assert.deepEqual(
    bench.changes.map(({ server, up, code, reason }) => ({ server, up, code, reason })),
    servers.map((_, index) => ({ server: `server${index}`, up: false, code: 'L4CON', reason: 'connection refused' })),
  );
  await bench.goHome();
});

onBoth('a server that does not take the connection is given up after the connect timeout', async (back_end) => {
  const full = listenWithoutAccepting();
  const timeouts = { check_ms: 5000, connect_ms: 150 };
  const bench = new Bench(
    back_end,
    checkConfig([{ servers: [{ port: full.port, inter_ms: 60_000 }], timeouts, check: HTTP }]),
  );
  await bench.checkedOnce();
  assert.equal(bench.changes[0].code, 'L4TOUT');
  assert.equal(bench.changes[0].reason, 'no connection within 150 ms');
  await bench.goHome();
  full.close();
});

onBoth('timeout check bounds the answer, and inter bounds both when it is not set', async (back_end, t) => {
  const { servers } = await withServers(t, ['accept', 'accept']);
  const backends = [
    { servers: [{ ...servers[0], inter_ms: 60_000 }], timeouts: { check_ms: 120 }, check: HTTP },
    { servers: [{ ...servers[1], inter_ms: 250 }], timeouts: { connect_ms: 10 }, check: HTTP },
  ];
  const bench = new Bench(back_end, checkConfig(backends));
  await bench.checkedOnce();
  const reasons = bench.changes.map(({ reason }) => reason).sort();
  assert.deepEqual(reasons, ['no answer within 120 ms', 'no answer within 250 ms']);
  await bench.goHome();
});

onBoth('a server goes DOWN after fall failures and comes UP after rise passes', async (back_end, t) => {
  const answering = await withServers(t, [{ status: 200 }]);
  const intervals = { inter_ms: 1500, fastinter_ms: 20, downinter_ms: 20 };
  const server = { ...answering.servers[0], ...intervals, rise: 2, fall: 3 };
  const bench = new Bench(back_end, checkConfig([{ servers: [server], check: HTTP }]));
  await bench.checkedOnce();
  assert.equal(bench.changes.length, 0);
  assert.equal(bench.get(0, shared.SERVER_HEALTH), 4);

  const done_at_503 = bench.get(0, shared.SERVER_CHECKS_DONE);
  await answering.set(0, { status: 503 });
  await bench.passUntil(() => bench.changes.length === 1, 'DOWN');
  assert.ok(bench.get(0, shared.SERVER_CHECKS_DONE) >= done_at_503 + 3);
  assert.equal(bench.get(0, shared.SERVER_OPERATIONAL), shared.SERVER_DOWN);
  assert.equal(bench.get(0, shared.SERVER_HEALTH), 0);

  const done_at_200 = bench.get(0, shared.SERVER_CHECKS_DONE);
  await answering.set(0, { status: 200 });
  await bench.passUntil(() => bench.changes.length === 2, 'UP');
  assert.ok(bench.get(0, shared.SERVER_CHECKS_DONE) >= done_at_200 + 2);
  assert.deepEqual(
    bench.changes.map(({ up, reason }) => `${up} ${reason}`),
    ['false HTTP status 503', 'true HTTP status 200'],
  );
  assert.ok(bench.changes[1].at_ns > bench.changes[0].at_ns);
  assert.equal(bench.version(), 2);
  await bench.goHome();
});

onBoth('200 servers are first checked evenly over one second, never more at once than allowed', async (back_end, t) => {
  const COUNT = 200;
  const MOST = 5;
  const answering = await withServers(t, [{ status: 200 }, 'accept']);
  const servers = Array.from({ length: COUNT }, () => ({ ...answering.servers[0], inter_ms: 60_000 }));
  const config = checkConfig([{ servers, check: HTTP }]);
  const delays = planChecks(config).map(({ first_delay_ms }) => first_delay_ms);
  assert.deepEqual(
    delays,
    Array.from({ length: COUNT }, (_, index) => index * 5),
  );

  const began = performance.now();
  const bench = new Bench(back_end, config, MOST);
  bench.runner.start();
  let most_at_once = 0;
  await bench.passUntil(() => {
    most_at_once = Math.max(most_at_once, bench.reactor.socket_count);
    return bench.checked_once;
  }, 'the first round');
  assert.ok(performance.now() - began >= delays.at(-1)!, 'they did not come all at once');
  assert.ok(most_at_once <= MOST, `${most_at_once} at once`);
  for (let server = 0; server < COUNT; server++) assert.equal(bench.get(server, shared.SERVER_CHECKS_DONE), 1);
  assert.equal(bench.messages.filter(({ kind }) => kind === 'checked-once').length, 1);
  assert.equal((await answering.ask()).accepted[0], COUNT);
  await bench.goHome();
});

onBoth('checks that wait for a place are all made', async (back_end, t) => {
  const answering = await withServers(t, ['accept']);
  const servers = Array.from({ length: 12 }, () => ({ ...answering.servers[0], inter_ms: 100 }));
  const bench = new Bench(back_end, checkConfig([{ servers, check: HTTP }]), 2);
  await bench.checkedOnce();
  assert.deepEqual(new Set(bench.changes.map(({ reason }) => reason)), new Set(['no answer within 100 ms']));
  assert.equal(bench.changes.length, 12);
  await bench.goHome();
});

onBoth('after a stall of this process a server is heard before it is judged', async (back_end, t) => {
  const answering = await withServers(t, [{ status: 200 }, 'accept']);
  for (const [index, reasons] of [[], ['no answer within 100 ms']].entries()) {
    const server = { ...answering.servers[index], inter_ms: 100 };
    const bench = new Bench(back_end, checkConfig([{ servers: [server], check: HTTP }]));
    bench.runner.start();
    await bench.passUntil(() => bench.reactor.socket_count === 1, 'a check in flight');
    await new Promise((resolve) => setTimeout(resolve, 400)); // nobody runs the loop
    await bench.passUntil(() => bench.checked_once, 'the first check');
    assert.deepEqual(
      bench.changes.map(({ reason }) => reason),
      reasons,
    );
    await bench.goHome();
  }
});

onBoth('stopping in the middle of checks leaves nothing open', async (back_end, t) => {
  const answering = await withServers(t, ['accept']);
  const full = listenWithoutAccepting();
  const inter_ms = 60_000;
  const servers = [
    ...Array.from({ length: 30 }, () => ({ ...answering.servers[0], inter_ms })),
    { port: full.port, inter_ms },
  ];
  const bench = new Bench(back_end, checkConfig([{ servers, check: HTTP }]), 20);
  bench.runner.start();
  await bench.passUntil(() => bench.reactor.socket_count === 20, 'twenty checks in flight');
  await bench.goHome();
  full.close();
  let open = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + PATIENCE_MS; open > 0 && performance.now() < end; )
    open = (await answering.ask()).open;
  assert.equal(open, 0, 'the server sees every connection end');
});

onBoth(
  'a server in maintenance is left alone, and what is said of it when it comes back holds until the next check',
  async (back_end, t) => {
    const answering = await withServers(t, ['accept']);
    const servers = [
      { port: await freePort(), inter_ms: 200 },
      { ...answering.servers[0], inter_ms: 200 },
    ];
    const bench = new Bench(back_end, checkConfig([{ servers }]));
    bench.set(1, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_MAINTENANCE);
    await bench.checkedOnce();
    assert.equal(bench.get(1, shared.SERVER_CHECKS_DONE), 0);
    assert.equal(bench.get(0, shared.SERVER_OPERATIONAL), shared.SERVER_DOWN);

    bench.set(0, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_MAINTENANCE);
    bench.set(1, shared.SERVER_ADMINISTRATIVE, 0);
    await bench.passUntil(() => bench.get(1, shared.SERVER_CHECKS_DONE) > 1, 'checks of the other server');
    const done = bench.get(0, shared.SERVER_CHECKS_DONE);
    await bench.passUntil(() => bench.get(1, shared.SERVER_CHECKS_DONE) > 3, 'more checks of the other server');
    assert.equal(bench.get(0, shared.SERVER_CHECKS_DONE), done);

    bench.set(0, shared.SERVER_OPERATIONAL, shared.SERVER_UP);
    bench.set(0, shared.SERVER_HEALTH, checkConfig([{ servers }]).backends[0]!.servers[0]!.check!.rise);
    bench.set(0, shared.SERVER_ADMINISTRATIVE, 0);
    await bench.passUntil(() => bench.changes.length === 2, 'the check that fails');
    assert.deepEqual(
      bench.changes.slice(1).map(({ up, reason }) => `${up} ${reason}`),
      ['false connection refused'],
    );
    await bench.goHome();
  },
);

onBoth('without a checked server everything is checked at once', async (back_end) => {
  const bench = new Bench(back_end, checkConfig([{ servers: [] }]));
  bench.runner.start();
  assert.deepEqual(
    bench.messages.map(({ kind }) => kind),
    ['checked-once'],
  );
  await bench.goHome();
});

/** Its queue is full, so that the kernel ignores further connections: their connect never ends. */
function listenWithoutAccepting(): { readonly port: number; close(): void } {
  const fds: number[] = [];
  const open = (): number => {
    const fd = libc.socket(2, 1 | 0x80000 | 0x800, 0);
    fds.push(fd);
    return fd;
  };
  const listener = open();
  const any = encodeSocketAddress({ address: '127.0.0.1', port: 0 });
  assert.equal(libc.bind(listener, any.address, any.length), 0);
  assert.equal(libc.listen(listener, 0), 0);
  const name = libc.allocatePinned(32);
  name.words[7] = 16;
  assert.equal(libc.getsockname(listener, name.address, name.address + 28), 0);
  const port = (name.bytes[2] << 8) | name.bytes[3];
  const filler = encodeSocketAddress({ address: '127.0.0.1', port });
  for (let count = 0; count < 3; count++) libc.connect(open(), filler.address, filler.length);
  return {
    port,
    close: () => {
      for (const fd of fds) libc.close(fd);
    },
  };
}
