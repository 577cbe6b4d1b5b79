/**
 * What is in use of the memory that this process may have, looked at once a second.
 *
 *   enough ── in use ≥ 92 % ──▶ short: no more clients than now, each second a tenth fewer; what lies free goes back to the system
 *      ▲                          │
 *      └────── in use < 85 % ─────┘
 *
 * The kernel ends a process that wants more, and asks nobody before. New clients wait in its queues meanwhile.
 */
import { openSync, readSync } from 'node:fs';
import { now_ns } from '../system/clock.ts';
import { collectNow } from '../threads/garbage.ts';
import { MEMORY_MAXCONN } from '../threads/shared-memory.ts';
import { type Daemon, logLine } from './daemon-state.ts';
import { countClients } from './generation.ts';
import type { MemoryLimit } from './memory-limits.ts';
import { allDataThreads } from './run-data.ts';

/** Shares of the limit. */
const SHORT_FROM = 0.92;
const ENOUGH_BELOW = 0.85;
/** So many are served, however short memory is: what they leave must be noticed. */
const LEAST_CLIENTS = 32;
/** While memory is short, what lies free is given back that often. */
const TRIM_MS = 5_000;
/** A file of numbers is shorter. */
const TEXT_BYTES = 8192;

/** Clients that may be here at once while memory is short; undefined: as many as are allowed anyway. */
export function nextCap(cap: number | undefined, used_share: number, clients: number): number | undefined {
  if (used_share >= SHORT_FROM) return Math.max(LEAST_CLIENTS, Math.floor(cap === undefined ? clients : cap * 0.9));
  return used_share < ENOUGH_BELOW ? undefined : cap;
}

export class MemoryWatch {
  private readonly limit: MemoryLimit;
  private readonly used: () => number;
  private cap: number | undefined;
  private next_trim_ms = 0;

  constructor(limit: MemoryLimit, used: () => number) {
    this.limit = limit;
    this.used = used;
  }

  look(daemon: Daemon): void {
    const { limit, cap } = this;
    const used = this.used();
    this.cap = nextCap(cap, used / limit.bytes, countClients(daemon.generation));
    // a reload brings another memory
    Atomics.store(daemon.generation.memory.words, MEMORY_MAXCONN, this.cap ?? 0);
    if (this.cap !== undefined) this.trim(daemon);
    if ((cap === undefined) === (this.cap === undefined)) return;
    const text = `${Math.round(used / 2 ** 20)} of ${Math.floor(limit.bytes / 2 ** 20)} MB of memory are in use (${limit.name})`;
    if (this.cap === undefined) logLine(daemon.events, 'notice', `${text}: new clients are served again`);
    else logLine(daemon.events, 'warning', `${text}: new clients wait until there is more`);
  }

  private trim(daemon: Daemon): void {
    const now_ms = now_ns() / 1e6;
    if (now_ms < this.next_trim_ms) return;
    this.next_trim_ms = now_ms + TRIM_MS;
    for (const handle of allDataThreads(daemon)) handle.trim();
    collectNow();
  }
}

/** Undefined where nobody set a limit. Before a chroot: the files stay open. */
export function watchMemory(limit: MemoryLimit | undefined): MemoryWatch | undefined {
  if (limit === undefined || limit.by === 'host') return undefined;
  const used = limit.group === undefined ? ownMemory() : memoryOfGroup(limit);
  return used && new MemoryWatch(limit, used);
}

/** Bytes that the group cannot give back without losing something. */
function memoryOfGroup({ group, bytes }: MemoryLimit): (() => number) | undefined {
  const usage = openText(group!.usage);
  const stat = openText(group!.stat);
  if (usage === undefined || stat === undefined) return undefined;
  return () => {
    const used = Number(usage());
    if (used < bytes * ENOUGH_BELOW) return used; // as a rule, and the long file is not read
    return used - linesOf(stat(), group!.file_pages);
  };
}

function linesOf(text: string, names: readonly string[]): number {
  let sum = 0;
  for (const name of names) sum += Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return sum;
}

/** What HAProxy's -m limits: memory of the process's own, without its files. */
function ownMemory(): (() => number) | undefined {
  const status = openText('/proc/self/status');
  return status && (() => Number(/^RssAnon:\s+(\d+) kB/m.exec(status())?.[1] ?? 0) * 1024);
}

/** Reads a file of the kernel again and again, from its beginning. */
function openText(path: string): (() => string) | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  const bytes = Buffer.alloc(TEXT_BYTES);
  return () => {
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, TEXT_BYTES, 0));
    } catch {
      return '0'; // the group is gone: nobody limits anything any more
    }
  };
}
