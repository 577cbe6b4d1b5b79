/**
 * Two hosts that hold one address between them, and a client that looks at it all the time:
 *
 *   host a (preferred) ──┐                ┌── probe.js: an ICMP echo each millisecond
 *                        ├── switch ── client
 *   host b ──────────────┘                └── connects.js: a TCP connection every five
 *
 * Both hosts listen on a TCP port, whatever their daemon does.
 */
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from '#src/lab/child.js';
import type { HostLink, Network } from '#src/lab/network.js';
import { GapFinder } from '#src/lab/outages.js';
import { killAllInside } from '#src/lab/processes.js';
import { now_ns } from '#src/system/clock.js';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';
import type { Program } from './programs.ts';

const PORT = 7000;
const CONNECT_EVERY_MS = 5;
const STOP_MS = 5000;
const READY_MS = 15_000;
const POLL_MS = 5;
const HOSTS = 2;

export type Connect = { readonly begun_ms: number; readonly ended_ms: number; readonly succeeded: boolean };

/** When a host got the address and when it lost it, ms; Infinity: it still has it. */
export type Presence = { readonly from_ms: number; until_ms: number };

/** One of the two hosts. */
export class Member {
  readonly link: HostLink;
  readonly presences: Presence[] = [];
  readonly #netlink: Netlink;
  readonly #server: Server;
  daemon: Child | undefined;

  constructor(link: HostLink) {
    this.link = link;
    this.#netlink = insideNetworkNamespace(link.namespace_fd, () => new Netlink());
    this.#server = createServer((socket) => socket.on('error', () => {}).resume());
    insideNetworkNamespace(link.namespace_fd, () => this.#server.listen({ port: PORT, backlog: 511 }));
  }

  get holds(): boolean {
    return this.presences.at(-1)?.until_ms === Number.POSITIVE_INFINITY;
  }

  note(at_ms: number, present: boolean): void {
    if (present) this.presences.push({ from_ms: at_ms, until_ms: Number.POSITIVE_INFINITY });
    else if (this.holds) this.presences.at(-1)!.until_ms = at_ms;
  }

  /** What a killed daemon left behind. */
  removeAddress(vip: string): void {
    for (const { index, bytes, prefix_length, address } of this.#netlink.listAddresses())
      if (address === vip) this.#netlink.deleteAddress({ index, bytes, prefix_length });
  }

  close(): void {
    this.#server.close();
    this.#netlink.close();
  }
}

export class Pair {
  readonly program: Program;
  readonly vip: string;
  readonly network: Network;
  /** The preferred one first. */
  readonly members: readonly [Member, Member];
  readonly gaps = new GapFinder();
  connects: Connect[] = [];
  /** Undoes what was done to the network. */
  mend: () => void = () => {};
  readonly #number: number;
  readonly #folder: string;
  readonly #client: HostLink;
  #tools: readonly Child[] = [];

  /** `number`: of this pair in the network, from 1. */
  constructor(network: Network, number: number, program: Program, folder: string) {
    this.program = program;
    this.network = network;
    this.#number = number;
    this.#folder = folder;
    this.vip = `10.99.${number}.250`;
    const member = (host: number) => new Member(network.connect(`pair${number}-${host}`, `10.99.${number}.${host}`));
    this.members = [member(1), member(2)];
    this.#client = network.connect(`pair${number}-client`, `10.99.${number}.100`);
  }

  /** Starts the client's programs; resolves when they are at work. */
  async watch(): Promise<void> {
    const start = (file: string, args: string[], onLine: (line: string) => void) =>
      new Child(this.#client.namespace_fd, {
        command: process.execPath,
        args: [file, ...args],
        directory: '/',
        onLine,
      });
    const probes = fileURLToPath(import.meta.resolve('#src/lab/probe.js'));
    const connects = fileURLToPath(new URL('./connects.js', import.meta.url));
    this.#tools = [
      start(probes, [`${this.vip}=1`], (line) => this.#noteProbes(line)),
      start(connects, [this.vip, String(PORT), String(CONNECT_EVERY_MS)], (line) => this.#noteConnects(line)),
    ];
    await eventually('the client is at work', () => this.#tools.every((tool) => tool.output.includes('"ready"')));
  }

  /** Both daemons run, the preferred one alone has the address and answers. */
  async restore(): Promise<void> {
    const [first, second] = this.members;
    this.mend();
    this.mend = () => {};
    for (const member of [second, first]) if (!this.runs(member)) member.removeAddress(this.vip);
    for (const member of [second, first]) if (!this.runs(member)) this.start(member);
    await eventually(
      `${this.program.name}: the preferred host has the address alone and answers`,
      () => first.holds && !second.holds && this.gaps.silent_since_ms === undefined && this.#answered,
      () => this.members.flatMap(({ daemon }) => daemon?.output.slice(-5) ?? []).join('\n'),
    );
  }

  start(member: Member): void {
    const role = { vips: [this.vip], first_id: this.#number, preferred: member === this.members[0] };
    member.daemon = this.program.start(member.link, role, this.#folder);
  }

  runs({ daemon }: Member): boolean {
    return daemon !== undefined && daemon.ended === undefined;
  }

  /** Ends one daemon in order, at most in seconds. */
  async stop(member: Member): Promise<void> {
    member.daemon?.signal('SIGTERM');
    const end_ns = now_ns() + STOP_MS * 1e6;
    while (this.runs(member) && now_ns() < end_ns) await delay(POLL_MS);
    killAllInside(member.link.namespace_fd);
  }

  async close(): Promise<void> {
    for (const tool of this.#tools) tool.signal('SIGKILL');
    await Promise.all(this.members.map((member) => this.stop(member)));
    for (const member of this.members) {
      member.close();
      this.network.remove(member.link);
    }
    this.network.remove(this.#client);
  }

  get #answered(): boolean {
    return this.gaps.first_answered_ms !== undefined;
  }

  #noteProbes(line: string): void {
    for (const [, sent_ns, answered] of rowsOf(line))
      this.gaps.add({ sent_ms: sent_ns! / 1e6, answered: answered === 1 });
  }

  #noteConnects(line: string): void {
    for (const [begun_ns, ended_ns, succeeded] of rowsOf(line))
      this.connects.push({ begun_ms: begun_ns! / 1e6, ended_ms: ended_ns! / 1e6, succeeded: succeeded === 1 });
  }
}

/** Throws when the condition does not come true; `more` is said then. */
export async function eventually(
  what: string,
  condition: () => boolean,
  more = () => '',
  within_ms = READY_MS,
): Promise<void> {
  const end_ns = now_ns() + within_ms * 1e6;
  while (!condition()) {
    if (now_ns() > end_ns) throw new Error(`not within ${within_ms} ms: ${what}\n${more()}`);
    await delay(POLL_MS);
  }
}

/** Which host of which pair the watching thread means by a number. */
export function memberOf(pairs: readonly Pair[], host: number): Member | undefined {
  return pairs[Math.floor(host / HOSTS)]?.members[host % HOSTS];
}

function rowsOf(line: string): number[][] {
  return line.startsWith('[') ? JSON.parse(line) : [];
}
