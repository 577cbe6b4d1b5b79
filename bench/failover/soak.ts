/**
 * The soak: a pair whose adverts are milliseconds apart stays as it is while both nodes are busy.
 *
 *   wrk ──► carpool a (MASTER) ──► web server      each on a host of its own; show stat or status every 10 ms,
 *   wrk ──► carpool b (BACKUP) ──► web server      a reload every 10 s
 *   a sleeper on each CPU                          what makes it late is the machine, not carpool
 *
 * Nothing is done to the pair, so that every transition is unplanned. One during which a sleeper was late as well is the
 * machine's.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '#src/control/control-client.js';
import type { StatusReport } from '#src/control/status-report.js';
import { Child } from '#src/lab/child.js';
import { type HostLink, INTERFACE, type Network } from '#src/lab/network.js';
import { killAllInside } from '#src/lab/processes.js';
import { now_ns } from '#src/system/clock.js';
import { eventually } from './pair.ts';

export type SoakOptions = {
  readonly advskews: readonly [number, number];
  readonly seconds: number;
  /** Of both nodes together, as far as the machine gives it. */
  readonly requests_per_s: number;
};

export type Transition = {
  readonly node: string;
  /** Since the load began. */
  readonly at_s: number;
  readonly move: string;
  readonly reason: string;
  /** The longest that a sleeper was late shortly before. */
  readonly machine_ms: number;
  readonly ours: boolean;
};

export type SoakResult = SoakOptions & {
  readonly reached_per_s: number;
  readonly failed: number;
  readonly asked: number;
  readonly reloads: number;
  readonly transitions: readonly Transition[];
  /** Of the carp threads, by their own account: late by an advert interval or more. */
  readonly stalls: readonly number[];
  readonly longest_stall_ms: readonly number[];
  /** Of the sleepers together. */
  readonly late: number;
  readonly longest_late_ms: number;
  readonly scheduling: string;
};

/** By wrk (summary.lua). */
type Counted = { requests: number; errors: number; duration_us: number };
type Late = { readonly due_ns: number; readonly late_ms: number };
type Moved = { readonly node: Node; readonly at_ns: number; readonly move: string; readonly reason: string };

const SERVER_PORT = 9001;
const PORT = 8080;
const ASK_EVERY_MS = 10;
const RELOAD_EVERY_S = 10;
/** One connection asks some 90 times a second: paced.lua waits 10 ms between two requests. */
const REQUESTS_OF_A_CONNECTION = 90;
/** What starting leaves to do is done, and the load has settled. */
const SETTLE_MS = 10_000;
const START_MS = 30_000;
const START_TRIES = 300;
/** A stall ends in a transition within that time. */
const LOOK_BACK_NS = 250e6;
/** What a BACKUP waits (with advbase 0, three intervals): who is late by half of it sends too late, or hears too late. */
const patience_ms = (advskew: number) => (3 * 1000 * advskew) / 256;

export async function soak(network: Network, folder: string, options: SoakOptions): Promise<SoakResult> {
  const late: Late[] = [];
  const moved: Moved[] = [];
  const nodes = ['a', 'b'].map((name, index) => new Node(network, folder, name, index, options.advskews[index]!));
  try {
    for (const node of nodes) node.start((move) => moved.push(move));
    const holds = async () => (await states(nodes)).join(' ') === 'MASTER BACKUP';
    await untilTrue('the preferred node is MASTER, the other BACKUP', holds);
    const sleepers = startSleepers(nodes[0]!.link, late);
    await eventually('the sleepers sleep', () => sleepers.every(({ output }) => output.includes('"ready"')));
    const connections = Math.ceil(options.requests_per_s / nodes.length / REQUESTS_OF_A_CONNECTION);
    const loads = nodes.map((node) => node.load(connections, options.seconds + SETTLE_MS / 1000));
    await delay(SETTLE_MS);
    const before = await Promise.all(nodes.map((node) => node.status()));
    const from_ns = now_ns();
    const { asked, reloads } = await keepControlBusy(nodes, options.seconds);
    const until_ns = now_ns();
    const after = await Promise.all(nodes.map((node) => node.status()));
    await eventually('the load has ended', () => loads.every((load) => load.ended !== undefined), undefined, 30_000);
    const counts = loads.map(({ output }) => JSON.parse(output.at(-1) ?? '{}') as Counted);
    for (const sleeper of sleepers) sleeper.signal('SIGKILL');
    const during = late.filter(({ due_ns }) => due_ns >= from_ns && due_ns <= until_ns);
    return {
      ...options,
      reached_per_s: sum(counts.map(({ requests, duration_us }) => (requests * 1e6) / duration_us)),
      failed: sum(counts.map(({ errors }) => errors)),
      asked,
      reloads,
      transitions: moved
        .filter(({ at_ns }) => at_ns >= from_ns && at_ns <= until_ns)
        .map((one) => judge(one, from_ns, late, options)),
      stalls: after.map(({ carp }, node) => (carp?.stalls ?? 0) - (before[node]!.carp?.stalls ?? 0)),
      longest_stall_ms: after.map(({ carp }) => carp?.longest_stall_ms ?? 0),
      late: during.length,
      longest_late_ms: Math.max(0, ...during.map(({ late_ms }) => late_ms)),
      scheduling: after.map(({ carp }) => carp?.scheduling ?? 'no carp thread').join(', '),
    };
  } finally {
    for (const node of nodes) node.close();
  }
}

/** One host: its balancer, the server behind it, and what people ask it. */
class Node {
  readonly link: HostLink;
  readonly name: string;
  readonly #network: Network;
  readonly #directory: string;
  readonly #socket: string;
  readonly #stats: string;

  constructor(network: Network, folder: string, name: string, index: number, advskew: number) {
    this.name = name;
    this.#network = network;
    this.link = network.connect(`soak-${name}-${advskew}`, `10.97.${advskew}.${index + 1}`);
    this.#directory = join(folder, this.link.name);
    mkdirSync(this.#directory, { recursive: true });
    this.#socket = join(this.#directory, 'control.sock');
    this.#stats = join(this.#directory, 'stats.sock');
    writeFileSync(join(this.#directory, 'carpool.cfg'), balancer(advskew, this.#stats));
    const server = readFileSync(new URL('../../../bench/small-servers.cfg', import.meta.url), 'utf8');
    const ports: Record<string, number> = { SERVER1: SERVER_PORT, SERVER2: SERVER_PORT + 1 };
    writeFileSync(
      join(this.#directory, 'server.cfg'),
      server.replace(/@(\w+)@/g, (_, word) => String(ports[word])),
    );
  }

  start(onMove: (move: Moved) => void): void {
    const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
    this.#run('haproxy', ['-db', '-f', 'server.cfg']);
    this.#run(process.execPath, [main, 'run', '-f', 'carpool.cfg', '-db', '--socket', this.#socket]);
    void this.#follow(onMove);
  }

  load(connections: number, seconds: number): Child {
    const script = fileURLToPath(new URL('../../../bench/paced.lua', import.meta.url));
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script];
    return this.#run('wrk', [...args, `http://127.0.0.1:${PORT}/`]);
  }

  async status(): Promise<StatusReport> {
    let text = '';
    await ask({ candidates: [this.#socket], named: true }, 'status --json', (more) => {
      text += more;
    });
    return JSON.parse(text || '{}') as StatusReport;
  }

  reload(): Promise<unknown> {
    return ask({ candidates: [this.#socket], named: true }, 'reload', () => {});
  }

  /** Resolves when the answer is complete. */
  showStat(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#stats, () => socket.end('show stat\n'));
      socket
        .on('error', () => resolve())
        .once('close', () => resolve())
        .resume();
    });
  }

  close(): void {
    killAllInside(this.link.namespace_fd);
    this.#network.remove(this.link);
  }

  #run(command: string, args: readonly string[]): Child {
    return new Child(this.link.namespace_fd, { command, args, directory: this.#directory });
  }

  async #follow(onMove: (move: Moved) => void): Promise<void> {
    const follow = () =>
      ask({ candidates: [this.#socket], named: true }, 'events', (text) => {
        for (const line of text.split('\n')) {
          if (!line.includes('"transition"')) continue;
          const { at_ns, from, to, reason } = JSON.parse(line) as Record<'from' | 'to' | 'reason', string> & {
            at_ns: number;
          };
          onMove({ node: this, at_ns, move: `${from} -> ${to}`, reason });
        }
      });
    for (let tries = 0; tries < 100 && (await follow()).kind === 'absent'; tries++) await delay(100);
  }
}

function balancer(advskew: number, stats: string): string {
  return `global
    nbthread 1
    stats socket ${stats} level admin

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend web
    bind :${PORT}
    default_backend servers

backend servers
    server one 127.0.0.1:${SERVER_PORT} check
    server two 127.0.0.1:${SERVER_PORT + 1} check

carp web
    interface ${INTERFACE}
    vhid 1
    pass "s3cret"
    address 10.97.250.1/32
    advbase 0
    advskew ${advskew}
    preempt
`;
}

/** One for each CPU. */
function startSleepers(host: HostLink, late: Late[]): Child[] {
  const program = fileURLToPath(new URL('./sleeper.js', import.meta.url));
  const onLine = (line: string) => {
    if (!line.startsWith('[')) return;
    const [due_ns, late_ms] = JSON.parse(line) as [number, number];
    late.push({ due_ns, late_ms });
  };
  return cpus().map((_, cpu) => {
    const args = ['-c', String(cpu), process.execPath, program];
    return new Child(host.namespace_fd, { command: 'taskset', args, directory: '/', onLine });
  });
}

/** A question for each node every 10 ms, one after the other at each. */
async function keepControlBusy(nodes: readonly Node[], seconds: number): Promise<{ asked: number; reloads: number }> {
  const end_ns = now_ns() + seconds * 1e9;
  let asked = 0;
  let reloads = 0;
  const askAgainAndAgain = async (node: Node) => {
    let next_reload_ns = now_ns() + RELOAD_EVERY_S * 1e9;
    for (let count = 0; now_ns() < end_ns; count++) {
      const due = delay(ASK_EVERY_MS);
      if (now_ns() >= next_reload_ns) {
        await node.reload();
        reloads++;
        next_reload_ns += RELOAD_EVERY_S * 1e9;
      } else await (count % 2 === 0 ? node.status() : node.showStat());
      asked++;
      await due;
    }
  };
  await Promise.all(nodes.map(askAgainAndAgain));
  return { asked, reloads };
}

function judge({ node, at_ns, move, reason }: Moved, from_ns: number, late: readonly Late[], options: SoakOptions) {
  const before = late.filter(({ due_ns }) => due_ns > at_ns - LOOK_BACK_NS && due_ns < at_ns);
  const machine_ms = Math.max(0, ...before.map(({ late_ms }) => late_ms));
  const ours = machine_ms < patience_ms(Math.max(...options.advskews)) / 2;
  return { node: node.name, at_s: (at_ns - from_ns) / 1e9, move, reason, machine_ms, ours };
}

async function states(nodes: readonly Node[]): Promise<string[]> {
  const reports = await Promise.all(nodes.map((node) => node.status()));
  return reports.map(({ vhids }) => vhids?.[0]?.state ?? '');
}

async function untilTrue(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (await condition()) return;
    await delay(START_MS / START_TRIES);
  }
  throw new Error(`not within ${START_MS} ms: ${what}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
