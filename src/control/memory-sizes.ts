/**
 * What this process takes of the memory that it may have: how many data threads, clients and buffers.
 *
 *   | the program | main, checks | each data thread | carp, guardian |      buffers      |      clients      | 1/20 free |
 *                                                                     └── half of what is left each ──┘
 */
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { DEFAULT_MAXCONN } from '../proxy/client-limit.ts';
import { type BufferCounts, LARGE_BYTES, SMALL_BYTES } from '../reactor/buffers.ts';
import { DEFAULT_COUNTS } from '../reactor/options.ts';
import type { MemoryLimit, MemoryLimits } from './memory-limits.ts';

const MIB = 2 ** 20;
/** Measured with Node 20 on x86-64: what a process has that serves nobody yet, in memory of its own. */
const MAIN_BYTES = 44 * MIB;
const THREAD_BYTES = 18 * MIB;
const CARP_BYTES = 24 * MIB;
/** Pages of the program's files: all of them where the carp thread locks them, else those that are used all the time. */
const PROGRAM_LOCKED = 48 * MIB;
const PROGRAM_USED = 16 * MIB;
/** A client and its server: objects here, sockets in the kernel, without what waits in their buffers. */
const CLIENT_BYTES = 16 * 1024;
const FULL_BUFFERS = DEFAULT_COUNTS.small_count * SMALL_BYTES + DEFAULT_COUNTS.large_count * LARGE_BYTES;
/** For one thread. */
const LEAST_BUFFERS = 8 * MIB;
/** Small ones that io_uring keeps for what comes. */
const KERNELS_BUFFERS = 256;
/** Of all buffers; threads do not have the same number of clients. */
const BUSY_SHARE = 3 / 4;
const LEAST_CLIENTS = 64;
const FREE_SHARE = 1 / 20;
/** What V8 and the C library reserve for each thread, and hardly use. */
const THREAD_ADDRESSES = 640 * MIB;
/** For heaps that grow. */
const FREE_ADDRESSES = 256 * MIB;
/** Large buffers have that share of all. */
const LARGE_SHARE = 1 / 5;

export type Sizes = {
  readonly threads: number;
  /** Clients at once. */
  readonly clients: number;
  /** Bytes of buffers of each data thread. */
  readonly buffer_bytes: number;
  /** It is the address space that leaves no room for more buffers. */
  readonly by_addresses: boolean;
};

/** `asked`: threads that were asked for, whether by `nbthread` (then they are not fewer) or by the number of cores. */
export type Asked = { readonly threads: number; readonly must: boolean; readonly carp: boolean };

export type TooLittle = { readonly what: 'memory' | 'addresses'; readonly needed: number; readonly threads: number };

/** What fits, or how much is missing for the least. */
export function sizesWithin({ memory, address_space }: MemoryLimits, asked: Asked): Sizes | TooLittle {
  const most = memory?.bytes ?? Number.POSITIVE_INFINITY;
  const carp = asked.carp ? CARP_BYTES : 0;
  const leastFor = (threads: number) => MAIN_BYTES + carp + threads * (THREAD_BYTES + LEAST_BUFFERS);
  const addressesFor = (threads: number) =>
    (address_space?.used ?? 0) + (threads + (asked.carp ? 2 : 1)) * THREAD_ADDRESSES + FREE_ADDRESSES;
  const addresses = address_space?.bytes ?? Number.POSITIVE_INFINITY;
  const fits = (count: number) => leastFor(count) <= most && addressesFor(count) + count * LEAST_BUFFERS <= addresses;
  let { threads } = asked;
  while (!asked.must && threads > 1 && !fits(threads)) threads--;
  if (leastFor(threads) > most) return { what: 'memory', needed: leastFor(threads), threads };
  const needed = addressesFor(threads) + threads * LEAST_BUFFERS;
  if (needed > addresses) return { what: 'addresses', needed, threads };
  const pages = asked.carp ? PROGRAM_LOCKED : PROGRAM_USED;
  const program = memory?.by === 'option' ? 0 : pages;
  const left = most * (1 - FREE_SHARE) - leastFor(threads) + threads * LEAST_BUFFERS - program;
  const mapped = addresses - addressesFor(threads);
  const buffer_bytes = Math.min(
    FULL_BUFFERS,
    Math.max(LEAST_BUFFERS, Math.min(left / 2, mapped) / Math.max(1, threads)),
  );
  const by_memory = Math.floor((left - threads * buffer_bytes) / CLIENT_BYTES);
  const clients = Math.max(LEAST_CLIENTS, Math.min(by_memory, clientsWithin(buffer_bytes, threads)));
  return { threads, clients, buffer_bytes, by_addresses: mapped < left / 2 };
}

/** Each of them may hold a buffer with half a head, and there must be another one to hear that it goes. */
function clientsWithin(buffer_bytes: number, threads: number): number {
  if (buffer_bytes >= FULL_BUFFERS) return Number.POSITIVE_INFINITY;
  return Math.floor(threads * (bufferCounts(buffer_bytes).small_count - KERNELS_BUFFERS) * BUSY_SHARE);
}

/** Of one thread; as ever where there is enough. */
export function bufferCounts(buffer_bytes: number): BufferCounts {
  if (buffer_bytes >= FULL_BUFFERS) return DEFAULT_COUNTS;
  const large_count = Math.floor((buffer_bytes * LARGE_SHARE) / LARGE_BYTES);
  const small_count = Math.floor((buffer_bytes - large_count * LARGE_BYTES) / SMALL_BYTES);
  const pipe_count = Math.ceil((DEFAULT_COUNTS.pipe_count * buffer_bytes) / FULL_BUFFERS);
  return { small_count, large_count, reserve: Math.floor(small_count / 16), pipe_count };
}

export type Sized = {
  /** With the threads and clients that there is memory for. */
  readonly config: Config;
  readonly buffers: BufferCounts;
  readonly diagnostics: readonly Diagnostic[];
  /** One line for the log, where it takes less than it would. */
  readonly notice: string | undefined;
};

/** `threads`: as many as the configuration or the host asks for. */
export function sizeToMemory(config: Config, limits: MemoryLimits, threads: number): Sized {
  const { global, carps } = config;
  const sizes = sizesWithin(limits, { threads, must: global.nbthread !== undefined, carp: carps.length > 0 });
  if ('needed' in sizes) {
    const diagnostics = [describeTooLittle(sizes, limits)];
    return { config, buffers: DEFAULT_COUNTS, diagnostics, notice: undefined };
  }
  const asked = global.maxconn ?? DEFAULT_MAXCONN;
  const fewer_clients = threads > 0 && sizes.clients < asked;
  const fewer_threads = sizes.threads < threads;
  const buffers = bufferCounts(sizes.buffer_bytes);
  if (!fewer_clients && !fewer_threads && buffers === DEFAULT_COUNTS)
    return { config, buffers, diagnostics: [], notice: undefined };
  const nbthread = fewer_threads ? sizes.threads : global.nbthread;
  const maxconn = fewer_clients ? sizes.clients : global.maxconn;
  const { memory, address_space } = limits;
  const who =
    memory === undefined || sizes.by_addresses
      ? `${inMb(address_space?.bytes ?? 0)} MB of address space (ulimit -v)`
      : `${inMb(memory.bytes)} MB of memory (${memory.name})`;
  const notice = `there are ${who}, so it takes ${count(sizes.threads, 'data thread')} with ${inMb(sizes.buffer_bytes)} MB of buffers each, and ${Math.min(sizes.clients, asked)} clients at once`;
  return {
    config: { ...config, global: { ...global, nbthread, maxconn } },
    buffers,
    diagnostics: fewer_clients && memory !== undefined ? describeFewer(config, sizes, memory) : [],
    notice: threads > 0 ? notice : undefined,
  };
}

/** Said where somebody wrote more. */
function describeFewer({ global }: Config, { clients }: Sizes, limit: MemoryLimit): Diagnostic[] {
  const { maxconn, strict_limits, spans } = global;
  if (maxconn === undefined) return [];
  const message = `There is memory for ${clients} clients at once and not for ${maxconn}: this process may have ${inMb(limit.bytes)} MB (${limit.name}).`;
  const mend = `${raise(limit)}, or write \`maxconn ${clients}\`.`;
  const severity = strict_limits ? 'error' : 'warning';
  return [{ severity, code: 'memory-for-fewer', message, mend, span: spans['maxconn'] ?? NOWHERE }];
}

function describeTooLittle({ what, needed, threads }: TooLittle, { memory, address_space }: MemoryLimits): Diagnostic {
  const base = { severity: 'error', code: 'too-little-memory', span: NOWHERE } as const;
  const fewer = threads > 1 ? ', or lower `nbthread`' : '';
  const of = threads > 0 ? ` with ${count(threads, 'data thread')}` : '';
  if (what === 'memory' && memory !== undefined) {
    const message = `carpool needs ${inMb(needed)} MB of memory${of}, and this process may have ${inMb(memory.bytes)} MB (${memory.name}).`;
    return { ...base, message, mend: `${raise(memory)}${fewer}.` };
  }
  const message = `carpool needs ${inMb(needed)} MB of address space${of}, most of it only reserved, and this process may have ${inMb(address_space?.bytes ?? 0)} MB (ulimit -v).`;
  const mend = `Leave "ulimit -v" (LimitAS= of a systemd unit) unlimited and limit the memory that is used, by MemoryMax= or -m${fewer}.`;
  return { ...base, message, mend };
}

function raise({ by }: MemoryLimit): string {
  if (by === 'option') return 'Give -m more';
  return by === 'host' ? 'Give the host more' : 'Raise it (MemoryMax= of a systemd unit, --memory of a container)';
}

/** Megabytes are those of -m: 1,048,576 bytes. Rounded so that what is written is enough. */
function inMb(bytes: number): number {
  return Math.ceil(bytes / MIB);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
