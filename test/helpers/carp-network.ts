/**
 * A switch, the hosts on it, and the CARP daemons that run there, for tests with two real programs.
 *
 *   const network = new TestNetwork();
 *   const a = network.addHost('a', '10.44.0.1');
 *   const carpool = startCarpool(a, [carpOf({ vhid: 1, addresses: [vip] })]);
 *   await carpool.becomes('MASTER');
 *   await network.close();
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { State } from '#src/carp/events.js';
import type { Carp, VirtualAddress } from '#src/config/model.js';
import { type HostLink, INTERFACE, Network } from '#src/lab/network.js';
import { now_ns } from '#src/system/clock.js';
import { SystemError } from '#src/system/errors.js';
import { parseIpv4 } from '#src/system/ipv4-address.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { type Link, Netlink } from '#src/system/netlink.js';
import type { FromCarp, ToCarp } from '#src/threads/carp-messages.js';
import type { RunnerOptions, ToRunner } from './carp-runner.js';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';

const RUNNER = fileURLToPath(new URL('./carp-runner.js', import.meta.url));
/** util-linux; root's limit of real-time priorities is 0, so that only the capability allows them. */
const WITHOUT_REAL_TIME = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice'];
const POLL_MS = 5;
const MOST_LATE_NS = 1e9;
const GUARDED = { guardian: true };

/** For node:test's `skip`: false where this process may make network namespaces. */
export function needsNamespaces(): string | false {
  try {
    closeSync(createNetworkNamespace());
    return false;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return 'needs root, or to run under `unshare --user --map-root-user --net`';
  }
}

export function vip(address: string): VirtualAddress {
  return { address, prefix_length: 32, span: { file: '', line: 0, column: 0, end_column: 0 } };
}

/**
 * Resolves with the time (ns) when `condition` holds; throws, with `what`, when it does not within the bound. While the machine
 * wakes even this loop late nobody else comes in time either: that does not count, up to a second.
 */
export async function eventually(what: string, within_ms: number, condition: () => boolean): Promise<number> {
  const end_ns = now_ns() + within_ms * 1e6;
  let late_ns = 0;
  while (!condition()) {
    const looked_ns = now_ns();
    if (looked_ns > end_ns + Math.min(late_ns, MOST_LATE_NS)) throw new Error(`not within ${within_ms} ms: ${what}`);
    await delay(POLL_MS);
    late_ns += Math.max(0, now_ns() - looked_ns - 2 * POLL_MS * 1e6);
  }
  return now_ns();
}

/** Resolves when `condition` held all the time; throws at the first moment it does not. */
export async function always(what: string, for_ms: number, condition: () => boolean): Promise<void> {
  const end_ns = now_ns() + for_ms * 1e6;
  while (now_ns() < end_ns) {
    if (!condition()) throw new Error(`not all the time: ${what}`);
    await delay(POLL_MS * 2);
  }
}

export class TestHost {
  readonly link: HostLink;
  readonly #network: Network;
  readonly #netlink: Netlink;
  readonly #children: ChildProcess[] = [];

  constructor(network: Network, link: HostLink) {
    this.#network = network;
    this.link = link;
    this.#netlink = insideNetworkNamespace(link.namespace_fd, () => new Netlink());
  }

  get address(): string {
    return this.link.address;
  }

  has(address: string): boolean {
    return this.#netlink.listAddresses().some((one) => one.address === address);
  }

  /** The link that carries the address, or undefined. */
  carrierOf(address: string): Link | undefined {
    const found = this.#netlink.listAddresses().find((one) => one.address === address);
    return found && this.#netlink.listLinks().find((link) => link.index === found.index);
  }

  /** For what a test does to the host behind the daemon's back. */
  get netlink(): Netlink {
    return this.#netlink;
  }

  /** Starts a program on this host; it ends with the host. */
  spawn(command: string, args: readonly string[]): ChildProcess {
    const child = insideNetworkNamespace(this.link.namespace_fd, () =>
      spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    this.#children.push(child);
    return child;
  }

  /** Nothing leaves or reaches the host any more, and it does not notice. */
  cut(): void {
    this.#network.isolate(this.link);
  }

  /** The switch keeps multicast from the host. */
  filterMulticast(): void {
    this.#network.filterMulticast(this.link);
  }

  unplug(): void {
    this.#network.unplug(this.link);
  }

  plug(): void {
    this.#network.plug(this.link);
  }

  /** Kills what runs, deletes its interface (the switch's end of the cable goes with it) and leaves the namespace to the kernel. */
  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#netlink.deleteLink(this.#netlink.indexOf(INTERFACE));
    this.#netlink.close();
    closeSync(this.link.namespace_fd);
  }
}

export class TestNetwork {
  readonly #namespace_fd = createNetworkNamespace();
  readonly #network: Network;
  readonly #hosts: TestHost[] = [];
  readonly #daemons: Daemon[] = [];
  #cables = 0;

  constructor() {
    const subnet = { address: '10.44.0.0', prefix_length: 24 };
    this.#network = insideNetworkNamespace(this.#namespace_fd, () => new Network(subnet));
  }

  addHost(name: string, address: string): TestHost {
    const host = new TestHost(this.#network, this.#network.connect(name, address));
    this.#hosts.push(host);
    return host;
  }

  /** Deletes the host's interface and makes another of the same name and address (and another MAC). */
  replaceCable(host: TestHost): void {
    host.netlink.deleteLink(host.netlink.indexOf(INTERFACE));
    this.connect(host, INTERFACE, host.address);
  }

  /** A new cable from the switch to a host (it may be one of another network), with an address. Returns how to pull it. */
  connect(host: TestHost, name: string, address: string): { unplug(): void; plug(): void } {
    const port_name = `more${++this.#cables}`;
    host.netlink.createVeth({ name }, { name: port_name, namespace_fd: this.#namespace_fd });
    const within = <T>(body: (netlink: Netlink) => T): T => {
      const netlink = insideNetworkNamespace(this.#namespace_fd, () => new Netlink());
      try {
        return body(netlink);
      } finally {
        netlink.close();
      }
    };
    const port = within((netlink) => {
      const bridge = netlink.listLinks().find((link) => link.kind === 'bridge')!;
      const found = netlink.indexOf(port_name);
      netlink.setLink(found, { master: bridge.index, up: true });
      return found;
    });
    const index = host.netlink.indexOf(name);
    host.netlink.addAddress({ index, bytes: parseIpv4(address)!, prefix_length: 24 });
    host.netlink.setLink(index, { up: true });
    const set = (up: boolean): void => within((netlink) => netlink.setLink(port, { up }));
    return { unplug: () => set(false), plug: () => set(true) };
  }

  startCarpool(host: TestHost, carps: readonly Carp[], options: Omit<RunnerOptions, 'carps'> = GUARDED): Carpool {
    const carpool = new Carpool(host, { ...options, carps });
    this.#daemons.push(carpool);
    return carpool;
  }

  startUcarp(host: TestHost, address: string, options: UcarpOptions): Ucarp {
    const ucarp = new Ucarp(host, address, options);
    this.#daemons.push(ucarp);
    return ucarp;
  }

  /** Kills what still runs and takes everything down. */
  async close(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill('SIGKILL');
    for (const host of this.#hosts) host.close();
    closeSync(this.#namespace_fd);
  }
}

/** A running program and what it said about its state. */
abstract class Daemon {
  readonly process: ChildProcess;
  readonly states: { readonly state: State; readonly at_ns: number }[] = [];
  output = '';
  exited = false;

  constructor(process: ChildProcess) {
    this.process = process;
    process.on('exit', () => {
      this.exited = true;
    });
    createInterface({ input: process.stdout! }).on('line', (line) => this.onLine(line));
    createInterface({ input: process.stderr! }).on('line', (line) => this.onLine(line));
  }

  abstract onLine(line: string): void;

  get state(): State {
    return this.states.at(-1)?.state ?? 'INIT';
  }

  /** When it entered the state (ns), now or within the bound. */
  async becomes(state: State, within_ms: number): Promise<number> {
    const what = `${this.constructor.name} becomes ${state}`;
    try {
      await eventually(what, within_ms, () => this.state === state);
    } catch (error) {
      throw new Error(`${what}; it said:\n${this.output}`, { cause: error });
    }
    return this.states.at(-1)!.at_ns;
  }

  /** Sends the signal and returns when that was (ns). */
  signal(signal: NodeJS.Signals): number {
    const sent_ns = now_ns();
    this.process.kill(signal);
    return sent_ns;
  }

  /** Sends a signal that ends the program, and waits for that. Returns when it was sent (ns). */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    if (this.exited) return now_ns();
    const sent_ns = this.signal(signal);
    await eventually(`${this.constructor.name} ends`, PATIENCE_MS, () => this.exited);
    return sent_ns;
  }
}

export class Carpool extends Daemon {
  readonly messages: FromCarp[] = [];
  guardian_pid = 0;
  #id = 0;

  constructor(host: TestHost, options: RunnerOptions) {
    const command = [process.execPath, RUNNER, JSON.stringify(options)];
    const [program = '', ...args] = options.real_time === false ? [...WITHOUT_REAL_TIME, ...command] : command;
    super(host.spawn(program, args));
  }

  override onLine(line: string): void {
    // A status is long, and asked for again and again.
    if (!line.startsWith('{"kind":"status"')) this.output += `${line}\n`;
    if (!line.startsWith('{')) return;
    const message = JSON.parse(line) as FromCarp | { kind: 'guardian'; pid: number };
    if (message.kind === 'guardian') this.guardian_pid = message.pid;
    else this.messages.push(message);
    if (message.kind === 'transition') this.states.push({ state: message.to, at_ns: message.at_ns });
  }

  /** Its guardian is up, which means that it sleeps in read(2) (and did not end). */
  guardianRuns(): boolean {
    if (this.guardian_pid === 0) return false;
    try {
      // number of the system call, then its arguments: read(2) on descriptor 0
      return /^\d+ 0x0 /.test(readFileSync(`/proc/${this.guardian_pid}/syscall`, 'utf8'));
    } catch {
      return false;
    }
  }

  post(message: ToCarp | ToRunner): void {
    this.process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async status(): Promise<Extract<FromCarp, { kind: 'status' }>> {
    const id = ++this.#id;
    const find = () => this.messages.find((message) => message.kind === 'status' && message.id === id);
    this.post({ kind: 'status', id });
    await eventually('a status', PATIENCE_MS, () => find() !== undefined);
    return find() as Extract<FromCarp, { kind: 'status' }>;
  }

  /** CPU time of the whole process so far (proc(5), /proc/PID/schedstat of every thread). */
  cpu_ms(): number {
    const tasks = `/proc/${this.process.pid}/task`;
    return readdirSync(tasks).reduce(
      (sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
      0,
    );
  }

  /** Resolves when an advert of the other node authenticated. */
  async hears(within_ms: number): Promise<void> {
    for (const end_ns = now_ns() + within_ms * 1e6; now_ns() < end_ns; await delay(POLL_MS * 4)) {
      if ((await this.status()).vhids[0].heard !== undefined) return;
    }
    throw new Error(`no advert within ${within_ms} ms: ${JSON.stringify(await this.status())}`);
  }

  /** The reason of the last transition. */
  get reason(): string {
    const last = this.messages.filter((message) => message.kind === 'transition').at(-1);
    return last?.reason ?? '';
  }
}

export type UcarpOptions = {
  readonly vhid: number;
  readonly pass?: string;
  readonly advskew?: number;
  readonly preempt?: boolean;
  /** Other options, as they are. */
  readonly words?: readonly string[];
};

export class Ucarp extends Daemon {
  readonly #folder: string;

  constructor(host: TestHost, address: string, options: UcarpOptions) {
    const folder = mkdtempSync(join(tmpdir(), 'carpool-ucarp-'));
    const up = writeScript(folder, 'up', 'ip address add "$2/32" dev "$1"');
    const down = writeScript(folder, 'down', 'ip address del "$2/32" dev "$1"');
    const args = ['-i', 'eth0', '-s', host.address, '-v', String(options.vhid), '-p', options.pass ?? 'secret'];
    args.push('-a', address, '-u', up, '-d', down, '-b', '1', '-k', String(options.advskew ?? 0), '-z', '-n');
    if (options.preempt) args.push('-P');
    args.push(...(options.words ?? []));
    super(host.spawn(peerPath('ucarp'), args));
    this.#folder = folder;
  }

  override onLine(line: string): void {
    this.output += `${line}\n`;
    const state = /Switching to state: (INIT|BACKUP|MASTER)/.exec(line)?.[1];
    if (state) this.states.push({ state: state as State, at_ns: now_ns() });
  }

  override async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    const sent_ns = await super.kill(signal);
    if (this.exited) rmSync(this.#folder, { recursive: true, force: true });
    return sent_ns;
  }
}

function writeScript(folder: string, name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}
