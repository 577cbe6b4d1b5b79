/**
 * `npm run bench:checks [-- --quick]`: what it costs to check 10,000 servers every two seconds, beside Debian's HAProxy.
 *
 *        core 0                                     core 1
 *   haproxy | carpool ring | carpool epoll ──► servers with tiny answers
 *
 * One after the other, each from its own start: first round over, then its CPU for some seconds. Meanwhile carpool's
 * control socket is asked again and again.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { needs } from '../test/helpers/peers.ts';
import { median } from './bounds.ts';
import { watchOtherPrograms } from './machine.ts';
import { cpuOf } from './measure.ts';
import { freePort, LOAD_CORE, type Reactor, type Running, startProxy, startSmallServers } from './programs.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const SERVERS = options.quick ? 500 : 10_000;
const INTER_S = 2;
/** A round and a half: the first one is over, whoever spreads it how. */
const WARM_UP_MS = options.quick ? 1500 : 5000;
const MEASURE_MS = options.quick ? 1000 : 8000;
const ROUNDS = options.quick ? 1 : Number(process.env['R'] ?? 3);

/** Seldom enough that the answers cost little: HAProxy is not asked. */
const ASK_EVERY_MS = 500;

const MOST_CPU_RATIO = 1.2;
const LONGEST_ANSWER_MS = 50;

type Method = 'connection' | 'option httpchk';
type Program = 'haproxy' | Reactor;
const PROGRAMS: readonly Program[] = ['haproxy', 'ring', 'epoll'];

process.exitCode = await main().catch((error: Error) => {
  console.error(`carpool: ${error.message}`);
  return 1;
});

async function main(): Promise<number> {
  const missing = needs('haproxy', 'unshare');
  if (missing) throw new Error(`the bench ${missing}`);
  if (availableParallelism() < 2) throw new Error('the bench needs two cores: one for the checks, one for the servers');
  execFileSync('taskset', ['-a', '-p', '-c', String(LOAD_CORE), String(process.pid)]);
  const folder = mkdtempSync(join(tmpdir(), 'carpool-bench-checks-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const othersShare = watchOtherPrograms();
  const servers = await startSmallServers(folder);
  let held = true;
  for (const method of ['connection', 'option httpchk'] as const) {
    held = (await compare(method, folder, servers.ports[0])) && held;
  }
  await servers.stop();
  if (othersShare() > 0.05) console.log('Other programs were at work: do not judge by these figures.');
  return options.quick || held ? 0 : 1;
}

async function compare(method: Method, folder: string, server_port: number): Promise<boolean> {
  const costs: Record<Program, number[]> = { haproxy: [], ring: [], epoll: [] };
  let longest_ms = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const program of PROGRAMS) {
      const sample = await measureOne(program, method, folder, server_port);
      costs[program].push(sample.cpu_us_per_check);
      longest_ms = Math.max(longest_ms, sample.longest_answer_ms);
    }
  }
  const haproxy = median(costs.haproxy);
  console.log(`${SERVERS} servers, ${method}, every ${INTER_S} s: HAProxy ${haproxy.toFixed(1)} µs of CPU a check`);
  let held = longest_ms <= LONGEST_ANSWER_MS;
  for (const reactor of ['ring', 'epoll'] as const) {
    const ratios = costs[reactor].map((cost, round) => cost / costs.haproxy[round]!);
    const ratio = median(ratios);
    const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
    console.log(`  carpool ${reactor}: ${ratio.toFixed(2)} of that (${range}), at most ${MOST_CPU_RATIO}`);
    held &&= ratio <= MOST_CPU_RATIO;
  }
  console.log(`  the control socket answered within ${longest_ms.toFixed(1)} ms, at most ${LONGEST_ANSWER_MS}`);
  return held;
}

type Sample = { readonly cpu_us_per_check: number; readonly longest_answer_ms: number };

async function measureOne(program: Program, method: Method, folder: string, server_port: number): Promise<Sample> {
  const socket = join(folder, `${program}-${Date.now()}.sock`);
  const proxy = await start(program, method, folder, server_port, socket);
  await delay(WARM_UP_MS);
  const before_us = cpuOf(proxy.pid);
  const began = performance.now();
  const longest_answer_ms = program === 'haproxy' ? await delay(MEASURE_MS, 0) : await askAllTheTime(socket);
  const checks = (SERVERS * (performance.now() - began)) / 1000 / INTER_S;
  const cpu_us = cpuOf(proxy.pid) - before_us;
  await proxy.stop();
  return { cpu_us_per_check: cpu_us / checks, longest_answer_ms };
}

async function start(
  program: Program,
  method: Method,
  folder: string,
  server_port: number,
  socket: string,
): Promise<Running> {
  const port = await freePort();
  const file = join(folder, `checks-${program}-${port}.cfg`);
  writeFileSync(file, configuration(method, port, server_port));
  if (program === 'haproxy') {
    return startProxy({ name: 'haproxy', port, command: 'haproxy', args: ['-db', '-f', file], env: {} });
  }
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const env = { CARPOOL_REACTOR: program, CARPOOL_SOCKET: socket };
  const args = [main, '-f', file, '-db'];
  return startProxy({ name: `carpool ${program}`, port, command: process.execPath, args, env });
}

function configuration(method: Method, port: number, server_port: number): string {
  const lines = ['global', '  nbthread 1', '  maxconn 2000', 'defaults', '  mode http', '  timeout connect 5s'];
  lines.push('  timeout client 60s', '  timeout server 60s', 'frontend one', `  bind 127.0.0.1:${port}`);
  lines.push('  default_backend many', 'backend many');
  if (method !== 'connection') lines.push(`  ${method}`);
  for (let number = 0; number < SERVERS; number++) {
    lines.push(`  server s${number} 127.0.0.1:${server_port} check inter ${INTER_S}s`);
  }
  return `${lines.join('\n')}\n`;
}

/** The longest time to an answer. */
async function askAllTheTime(socket: string): Promise<number> {
  let longest_ms = 0;
  for (const end = performance.now() + MEASURE_MS; performance.now() < end; ) {
    const began = performance.now();
    await askOnce(socket);
    longest_ms = Math.max(longest_ms, performance.now() - began);
    await delay(ASK_EVERY_MS);
  }
  return longest_ms;
}

function askOnce(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = connect(path, () => client.write('version\n'));
    client.once('data', () => {
      client.destroy();
      resolve();
    });
    client.once('error', reject);
  });
}
