/**
 * Thousands of clients at one balancer: what each costs while it is quiet, and whether slow ones are in the way of others.
 *
 *   quiet   each got one 64 KiB response:     (resident at all of them - resident at 1,000) / those between
 *   slow    each sends a byte a second:       p99 of 1,000 others with them / without them
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, type Running } from './programs.ts';

export type Counts = {
  readonly all: number;
  readonly few: number;
  readonly seconds: number;
  /** What was used while responses passed is given back meanwhile. */
  readonly settle_ms: number;
};

/** The machine allows 20,000 descriptors a process. */
export const MANY: Counts = { all: 18_000, few: 1_000, seconds: 10, settle_ms: 4_000 };
export const SOME: Counts = { all: 1_200, few: 200, seconds: 2, settle_ms: 200 };

export type Crowd = {
  readonly quiet_kib: number;
  readonly slow_ratio: number;
  readonly p99_ms: readonly [number, number];
};

const AT_ONCE = 20;
const RESPONSE_MS = 10_000;

/** Throws when a client lost its connection: a balancer that drops them is cheap, too. */
export async function measureCrowd(quiet: Running, slow: Running, counts: Counts): Promise<Crowd> {
  const quiet_kib = await measureQuiet(quiet, counts);
  const alone_ms = await p99Of(slow, counts);
  const senders = await startSlowSenders(slow.port, counts.all - counts.few);
  const beside_ms = await p99Of(slow, counts);
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

async function connectUpTo(clients: Client[], count: number, port: number): Promise<void> {
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () => new Client(port));
    clients.push(...some);
    await Promise.all(some.map((client) => client.ask('/k64')));
  }
}

/** Each client asks once a second, at its own moment of it. */
async function p99Of(proxy: Running, { few, seconds }: Counts): Promise<number> {
  const clients = Array.from({ length: few }, () => new Client(proxy.port));
  const times_ms: number[] = [];
  await Promise.all(
    clients.map(async (client, index) => {
      await delay((index / few) * 1000);
      for (let second = 0; second < seconds; second++) {
        const begin_ms = performance.now();
        await client.ask('/k64');
        const took_ms = performance.now() - begin_ms;
        if (second > 0) times_ms.push(took_ms); // the first one connects
        await delay(Math.max(0, 1000 - took_ms));
      }
    }),
  );
  for (const client of clients) client.close();
  times_ms.sort((a, b) => a - b);
  return times_ms[Math.floor(times_ms.length * 0.99)]!;
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

class Client {
  lost = false;
  private readonly socket: Socket;
  private waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  private head = '';
  private left = -1;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.lost = true;
      this.waiting?.reject(new Error('a client lost its connection'));
    });
  }

  async ask(path: string): Promise<void> {
    this.head = '';
    this.left = -1;
    const limit = setTimeout(() => this.socket.destroy(), RESPONSE_MS);
    await new Promise<void>((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    });
    clearTimeout(limit);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    if (this.left < 0) {
      this.head += chunk.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(this.head)?.[1]);
      this.left = length - (this.head.length - end - 4);
    } else this.left -= chunk.length;
    if (this.left === 0) this.waiting?.resolve();
  }
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
