/**
 * `npm run bench:checks [-- --quick]`: what it costs to check 10,000 servers every two seconds, beside Debian's HAProxy.
 *
 *        core 0                                     core 1
 *   haproxy | carpool ring | carpool epoll ──► servers with tiny answers
 *
 * One after the other, each from its own start: when a round costs what the one before did, its CPU for some seconds,
 * divided by the connections that the kernel counted. Meanwhile carpool's control socket is asked again and again.
 * Every figure is told when it is there, so that an end before the end leaves those of before.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
/** Compilers and readers of configurations are done when two rounds in a row cost the same, but for this share. */
const STEADY_SHARE = 0.1;
const LONGEST_WARM_UP_MS = options.quick ? 3000 : 30_000;
const MEASURE_MS = options.quick ? 2000 : 8000;
const ROUNDS = options.quick ? 1 : Number(process.env['R'] ?? 3);

/** Seldom enough that the answers cost little: HAProxy is not asked. */
const ASK_EVERY_MS = 500;

const MOST_CPU_RATIO = 1.2;
const LONGEST_ANSWER_MS = 50;
/** Who has not answered by then is no longer waited for. */
const ANSWER_TIMEOUT_MS = 5_000;

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
  const rounds: Record<Program, number>[] = [];
  let longest_ms = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const costs: Record<Program, number> = { haproxy: NaN, ring: NaN, epoll: NaN };
    for (const program of PROGRAMS) {
      const sample = await tryOne(program, method, folder, server_port);
      costs[program] = sample.cpu_us_per_check;
      longest_ms = Math.max(longest_ms, sample.longest_answer_ms);
    }
    const texts = PROGRAMS.map((program) => `${program} ${costs[program].toFixed(1)} µs`);
    console.log(`  round ${round}, ${method}: ${texts.join(', ')}`);
    rounds.push(costs);
  }
  const haproxy = median(rounds.map((costs) => costs.haproxy).filter(Number.isFinite));
  console.log(`${SERVERS} servers, ${method}, every ${INTER_S} s: HAProxy ${haproxy.toFixed(1)} µs of CPU a check`);
  let held = longest_ms <= LONGEST_ANSWER_MS;
  for (const reactor of ['ring', 'epoll'] as const) {
    const ratios = rounds.map((costs) => costs[reactor] / costs.haproxy).filter(Number.isFinite);
    if (ratios.length === 0) {
      console.log(`  carpool ${reactor}: no figure`);
      held = false;
      continue;
    }
    const ratio = median(ratios);
    const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
    console.log(`  carpool ${reactor}: ${ratio.toFixed(2)} of that (${range}), at most ${MOST_CPU_RATIO}`);
    held &&= ratio <= MOST_CPU_RATIO;
  }
  console.log(`  the control socket answered within ${longest_ms.toFixed(1)} ms, at most ${LONGEST_ANSWER_MS}`);
  return held;
}

type Sample = { readonly cpu_us_per_check: number; readonly longest_answer_ms: number };

/** One that fails is told, and the others go on. */
async function tryOne(program: Program, method: Method, folder: string, server_port: number): Promise<Sample> {
  try {
    return await measureOne(program, method, folder, server_port);
  } catch (error) {
    console.log(`  ${program}, ${method}: no figure: ${(error as Error).message}`);
    return { cpu_us_per_check: NaN, longest_answer_ms: Infinity };
  }
}

async function measureOne(program: Program, method: Method, folder: string, server_port: number): Promise<Sample> {
  const socket = join(folder, `${program}-${Date.now()}.sock`);
  const proxy = await start(program, method, folder, server_port, socket);
  try {
    await settle(proxy.pid);
    const [cpu_before_us, made_before] = [cpuOf(proxy.pid), connectionsMade()];
    const longest_answer_ms = program === 'haproxy' ? await delay(MEASURE_MS, 0) : await askAllTheTime(socket);
    const checks = connectionsMade() - made_before;
    if (checks === 0) throw new Error('it checked nothing');
    return { cpu_us_per_check: (cpuOf(proxy.pid) - cpu_before_us) / checks, longest_answer_ms };
  } finally {
    await proxy.stop();
  }
}

/** Until a round costs what the one before did. */
async function settle(pid: number): Promise<void> {
  let before_us = NaN;
  for (const end = performance.now() + LONGEST_WARM_UP_MS; performance.now() < end; ) {
    const [cpu_us, made] = [cpuOf(pid), connectionsMade()];
    await delay(INTER_S * 1000);
    const round_us = cpuOf(pid) - cpu_us;
    const is_round = connectionsMade() - made > 0.9 * SERVERS;
    if (is_round && Math.abs(round_us - before_us) <= STEADY_SHARE * before_us) return;
    before_us = round_us;
  }
}

/** By everybody in this network namespace. /proc/net/snmp: a line of names, a line of numbers. */
function connectionsMade(): number {
  const lines = readFileSync('/proc/net/snmp', 'utf8').split('\n');
  const [names = [], numbers = []] = lines.filter((line) => line.startsWith('Tcp:')).map((line) => line.split(' '));
  return Number(numbers[names.indexOf('ActiveOpens')]);
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
    client.setTimeout(ANSWER_TIMEOUT_MS, () => client.destroy(new Error('the control socket does not answer')));
    client.once('data', () => {
      client.destroy();
      resolve();
    });
    client.once('error', reject);
    client.once('close', () => reject(new Error('the control socket closed without an answer')));
  });
}
