/**
 * Thousands of clients at one balancer: what each costs while it is quiet, and whether slow ones are in the way of others.
 *
 *   quiet   each got one 64 KiB response:     (resident at all of them - resident at 1,000) / those between
 *   slow    each sends a byte a second:       p99 of 1,000 others with them / without them
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connectUpTo } from './client.ts';
import { LOAD_CORE, type Running } from './programs.ts';
import { p99Of } from './timed-clients.ts';

export type Counts = {
  readonly all: number;
  readonly few: number;
  readonly seconds: number;
  /** What was used while responses passed is given back meanwhile. */
  readonly settle_ms: number;
};

/** The machine allows 20,000 descriptors a process. */
export const MANY: Counts = { all: 18_000, few: 1_000, seconds: 10, settle_ms: 4_000 };
export const SOME: Counts = { all: 1_200, few: 200, seconds: 1, settle_ms: 200 };

export type Crowd = {
  readonly quiet_kib: number;
  readonly slow_ratio: number;
  readonly p99_ms: readonly [number, number];
};

/** Throws when a client lost its connection: a balancer that drops them is cheap, too. */
export async function measureCrowd(quiet: Running, slow: Running, counts: Counts): Promise<Crowd> {
  const quiet_kib = await measureQuiet(quiet, counts);
  await p99Of(slow.port, counts); // until its code is compiled
  const alone_ms = await p99Of(slow.port, counts);
  const senders = await startSlowSenders(slow.port, counts.all - counts.few);
  const beside_ms = await p99Of(slow.port, counts);
  await senders.stop();
  return { quiet_kib, slow_ratio: beside_ms / alone_ms, p99_ms: [alone_ms, beside_ms] };
}

async function measureQuiet(proxy: Running, { all, few, settle_ms }: Counts): Promise<number> {
  const clients: Client[] = [];
  await connectUpTo(clients, few, proxy.port);
  await delay(settle_ms);
  const before = residentKib(proxy.pid);
  await connectUpTo(clients, all, proxy.port);
  await delay(settle_ms);
  const after = residentKib(proxy.pid);
  const lost = clients.filter((client) => client.lost).length;
  for (const client of clients) client.close();
  if (lost > 0) throw new Error(`${proxy.name} lost ${lost} of ${all} quiet clients`);
  return (after - before) / (all - few);
}

/** In a process of its own: what it does would delay our own measuring. Resolves when all are connected. */
async function startSlowSenders(port: number, count: number): Promise<{ stop: () => Promise<void> }> {
  const child = fork(fileURLToPath(new URL('slow-senders.js', import.meta.url)), [String(port), String(count)], {
    execArgv: [],
    env: { ...process.env, LOAD_CORE: String(LOAD_CORE) },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', () => reject(new Error('the slow senders ended')));
  });
  const lost = new Promise<number>((resolve) => child.once('message', (count) => resolve(Number(count))));
  return {
    stop: async () => {
      child.send('stop');
      const count = await lost;
      if (count > 0) throw new Error(`${count} slow clients lost their connection`);
    },
  };
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
