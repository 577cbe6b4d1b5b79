/** One measurement: load on one proxy for some seconds, and what the proxy's process paid for it. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Running } from './programs.ts';

export type Load = {
  readonly connections: number;
  readonly seconds: number;
  readonly path: string;
  /** A connection for each request. */
  readonly close?: boolean;
};

export type Sample = {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly p99_us: number;
  /** User and system time of all the proxy's threads while the load ran. */
  readonly cpu_us: number;
};

/** Throws when wrk counted a single failed request: a fast wrong answer is no measurement. */
export async function measure(proxy: Running, load: Load): Promise<Sample> {
  const before_us = cpuOf(proxy.pid);
  const counted = await runWrk(proxy.port, load);
  const cpu_us = cpuOf(proxy.pid) - before_us;
  if (counted.errors > 0) throw new Error(`${proxy.name}: ${counted.errors} of ${counted.requests} requests failed`);
  if (counted.requests === 0) throw new Error(`${proxy.name} answered nothing in ${load.seconds} s`);
  return { ...counted, seconds: counted.duration_us / 1e6, cpu_us };
}

type Counted = { requests: number; bytes: number; duration_us: number; p99_us: number; errors: number };

async function runWrk(port: number, { connections, seconds, path, close = false }: Load): Promise<Counted> {
  const script = fileURLToPath(new URL('../../bench/summary.lua', import.meta.url));
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script];
  if (close) args.push('-H', 'Connection: close');
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await promisify(execFile)('wrk', [...args, url], { timeout: (seconds + 20) * 1000 });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`wrk did not end with its summary:\n${stdout}`);
  return JSON.parse(line);
}

/** proc(5): fields 14 (utime) and 15 (stime) of the whole process, ended threads included. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command in field 2 may hold spaces; what follows its closing parenthesis starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond();
}

let ticks = 0;
function ticksPerSecond(): number {
  ticks ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticks;
}
