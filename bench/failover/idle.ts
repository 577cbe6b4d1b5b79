/** What 255 vhids cost while nothing happens: CPU time of the whole program and of its CARP thread, and memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '#src/lab/child.js';
import type { HostLink, Network } from '#src/lab/network.js';
import { entriesInside, killAllInside } from '#src/lab/processes.js';
import { now_ns } from '#src/system/clock.js';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';
import { eventually } from './pair.ts';
import type { Program, Software } from './programs.ts';

export type Role = 'MASTER' | 'BACKUP';
const ROLES: readonly Role[] = ['MASTER', 'BACKUP'];

export type IdleCost = {
  readonly software: Software;
  readonly family: 4 | 6;
  readonly vhids: number;
  readonly role: Role;
  /** CPU time per second of all its processes and threads, and of the one that does CARP or VRRP. */
  readonly cpu_ms: number;
  readonly carp_cpu_ms: number;
  /** Resident, of all its processes. */
  readonly memory_kib: number;
};

export type IdleOptions = { readonly family: 4 | 6; readonly vhids: number; readonly seconds: number };

const START_MS = 30_000;
/**
 * After the last announcement, and after what starting leaves to the compiler and the collector: V8 makes the heap smaller
 * once in a life, some 65 s after the start.
 */
const CALM_MS = 90_000;
const SCHED_RR = 2;

/** Starts the pair on two new hosts, waits until it is calm and looks at both. */
export async function measureIdle(
  network: Network,
  program: Program,
  folder: string,
  options: IdleOptions,
): Promise<IdleCost[]> {
  const { family, vhids, seconds } = options;
  const addresses = ['10.98.0.1', '10.98.0.2'];
  const hosts = addresses.map((address, index) =>
    network.connect(`${program.name}-${family}-${vhids}-${index}`, address),
  );
  const vips = Array.from({ length: vhids }, (_, index) =>
    family === 4 ? `10.98.1.${index + 1}` : `fd00::${(index + 1).toString(16)}`,
  );
  // an IPv6 address of the hosts themselves has to be known as their own first
  if (family === 6) await delay(2500);
  const daemons: Child[] = [];
  try {
    for (const [index, host] of hosts.entries())
      daemons.push(program.start(host, { vips, first_id: 1, preferred: index === 0 }, folder));
    const said = () => daemons.flatMap((daemon) => daemon.output.slice(-5)).join('\n');
    const held = () =>
      countAddresses(hosts[0]!, new Set(vips)) === vhids && countAddresses(hosts[1]!, new Set(vips)) === 0;
    await eventually(`${program.name} holds ${vhids} addresses`, held, said, START_MS);
    await delay(seconds > 1 ? CALM_MS : 1000);
    const before = hosts.map(timesOf);
    const before_ns = now_ns();
    await delay(seconds * 1000);
    const elapsed_s = (now_ns() - before_ns) / 1e9;
    return hosts.map((host, index) => {
      const after = timesOf(host);
      return {
        software: program.software,
        family,
        vhids,
        role: ROLES[index]!,
        cpu_ms: (after.all_ms - before[index]!.all_ms) / elapsed_s,
        carp_cpu_ms: (after.carp_ms - before[index]!.carp_ms) / elapsed_s,
        memory_kib: after.memory_kib,
      };
    });
  } finally {
    for (const daemon of daemons) daemon.signal('SIGTERM');
    const end_ns = now_ns() + 5e9;
    while (daemons.some((daemon) => daemon.ended === undefined) && now_ns() < end_ns) await delay(20);
    for (const host of hosts) {
      killAllInside(host.namespace_fd);
      network.remove(host);
    }
  }
}

function countAddresses(host: HostLink, vips: ReadonlySet<string>): number {
  const netlink = insideNetworkNamespace(host.namespace_fd, () => new Netlink());
  try {
    return netlink.listAddresses().filter(({ address }) => vips.has(address)).length;
  } finally {
    netlink.close();
  }
}

type Times = { all_ms: number; carp_ms: number; memory_kib: number };

/** The real-time thread is the one that does CARP, or VRRP. */
function timesOf(host: HostLink): Times {
  const sum: Times = { all_ms: 0, carp_ms: 0, memory_kib: 0 };
  for (const entry of entriesInside(host.namespace_fd)) {
    sum.memory_kib += Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1] ?? 0);
    for (const thread of readdirSync(`/proc/${entry}/task`)) {
      const folder = `/proc/${entry}/task/${thread}`;
      // proc(5): time spent on the CPU, in nanoseconds, is the first number
      const ms = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
      sum.all_ms += ms;
      if (policyOf(readFileSync(`${folder}/stat`, 'utf8')) === SCHED_RR) sum.carp_ms += ms;
    }
  }
  return sum;
}

/** Field 41 of proc(5); what follows the closing parenthesis starts with field 3. */
function policyOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}
