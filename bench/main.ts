/**
 * `npm run bench [-- --quick] [-- --write]`: carpool beside Debian's HAProxy, the same configuration file, in one run.
 *
 *        core 1                  core 0                    core 1
 *   wrk, slow reader ──► haproxy | carpool ring | carpool epoll ──► two servers
 *
 * All three balancers stay up; a round loads one after the other, the next round in another order.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { needs } from '../test/helpers/peers.ts';
import { BOUNDS, judge, judgeCrowds, type LoadName, type Round } from './bounds.ts';
import { BY_HAND } from './failover/judge.ts';
import { openLogSink } from './log-sink.ts';
import { describeMachine, watchOtherPrograms } from './machine.ts';
import { type Crowd, MANY, measureCrowd, SOME } from './many-clients.ts';
import { type Load, measure, type Sample } from './measure.ts';
import {
  LOAD_CORE,
  PROXY_CORE,
  type ProxySet,
  type Reactor,
  type Running,
  startCarpool,
  startHaproxy,
  startLargeServers,
  startSmallServers,
} from './programs.ts';
import { formatRun } from './report.ts';
import { readSlowly } from './slow-reader.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    subject: { type: 'string', default: 'carpool' },
  },
});
const ROUNDS = options.quick ? 1 : 5;
const SECONDS = options.quick ? 1 : 4;
const WARM_UP_SECONDS = options.quick ? 0 : 2;

type Trio = { readonly haproxy: Running; readonly ring: Running; readonly epoll: Running };
const ORDERS: readonly (readonly (keyof Trio)[])[] = [
  ['haproxy', 'ring', 'epoll'],
  ['epoll', 'haproxy', 'ring'],
  ['ring', 'epoll', 'haproxy'],
];

process.exitCode = await main().catch((error: Error) => {
  console.error(`carpool: ${error.message}`);
  return 1;
});

async function main(): Promise<number> {
  const missing = needs('haproxy', 'nginx', 'wrk', 'unshare');
  if (missing) throw new Error(`the bench ${missing}`);
  if (availableParallelism() < 2) throw new Error('the bench needs two cores: one for the proxy, one for the load');
  // Every thread of this process, and so whatever it starts without a core of its own.
  execFileSync('taskset', ['-a', '-p', '-c', String(LOAD_CORE), String(process.pid)]);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const folder = mkdtempSync(join(tmpdir(), 'carpool-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  const othersShare = watchOtherPrograms();
  const sink = openLogSink();
  const small = await loadSmall(folder, sink.port);
  const { bodies, tunnels, crowds } = await loadLarge(folder, sink.port);
  if (!sink.lineArrived()) throw new Error('no log line ever came: what was measured is not what was meant');
  sink.close();
  const rounds = { ...small, '10 MiB bodies': bodies, '10 MiB tunnels': tunnels };
  const outcomes = BOUNDS.map((bound) => judge(bound, rounds));
  const others_share = othersShare();
  const slow_reads = bodies.length;
  const run = { machine: describeMachine(), how: how(), rounds, outcomes, crowds, slow_reads, others_share };
  const text = formatRun(run);
  console.log(text);
  if (options.write) writeResults(text);
  const missed = [...outcomes, ...judgeCrowds(crowds)].filter((outcome) => !outcome.held).length;
  if (others_share > 0.05) console.log('Other programs were at work: do not judge by these figures.');
  if (options.quick) console.log('Too short a run to judge by: it shows that everything works.');
  else console.log(missed === 0 ? 'Every bound held.' : `${missed} of ${outcomes.length + 4} bounds did not hold.`);
  return options.quick || missed === 0 ? 0 : 1;
}

/** What people wrote below the marker stays. */
function writeResults(text: string): void {
  const file = new URL('../../bench/RESULTS.md', import.meta.url);
  const [, by_hand = ''] = readFileSync(file, 'utf8').split(BY_HAND);
  writeFileSync(file, `${text.trimEnd()}\n\n${BY_HAND}${by_hand}`);
}

async function loadSmall(folder: string, log_port: number): Promise<Record<SmallLoad, Round[]>> {
  const servers = await startSmallServers(folder);
  const trio = await startTrio(folder, { template: 'balancer.cfg', servers, log_port });
  const run = (name: SmallLoad, connections: number, close = false) => {
    const load = { connections, seconds: SECONDS, path: '/', close };
    return runRounds(name, trio, load, (proxy) => measure(proxy, load));
  };
  const rounds = {
    '50 connections': await run('50 connections', 50),
    '8 connections': await run('8 connections', 8),
    'closed connections': await run('closed connections', 50, true),
  };
  await stopAll(trio);
  await servers.stop();
  return rounds;
}

type SmallLoad = '50 connections' | '8 connections' | 'closed connections';
type LargeLoads = { bodies: Round[]; tunnels: Round[]; crowds: Record<Reactor, Crowd> };

async function loadLarge(folder: string, log_port: number): Promise<LargeLoads> {
  const prefix = join(folder, 'nginx');
  mkdirSync(prefix);
  const servers = await startLargeServers(prefix);
  const load = { connections: 16, seconds: SECONDS, path: '/large' };
  const run = async (name: LoadName, template: 'balancer.cfg' | 'tunnel.cfg') => {
    const trio = await startTrio(folder, { template, servers, log_port });
    // In each sample a slow reader compares its bytes too, on all programs alike.
    const rounds = await runRounds(name, trio, load, async (proxy) => {
      const [sample, slow] = await Promise.all([measure(proxy, load), readSlowly(proxy.port, servers.body)]);
      if (!slow.exact)
        throw new Error(`${proxy.name} changed the bytes that a slow reader got (${slow.bytes} of them)`);
      return sample;
    });
    await stopAll(trio);
    return rounds;
  };
  const bodies = await run('10 MiB bodies', 'balancer.cfg');
  const tunnels = await run('10 MiB tunnels', 'tunnel.cfg');
  const set: ProxySet = { template: 'balancer.cfg', servers, log_port, maxconn: 18_500 };
  const crowds = { ring: await crowdAt(folder, set, 'ring'), epoll: await crowdAt(folder, set, 'epoll') };
  await servers.stop();
  return { bodies, tunnels, crowds };
}

/** Each measured on a fresh process: memory that others needed before would hide what clients need. */
async function crowdAt(folder: string, set: ProxySet, reactor: Reactor): Promise<Crowd> {
  process.stderr.write(`many clients: ${reactor} …\n`);
  const quiet = await startCarpool(folder, set, reactor);
  const slow = await startCarpool(folder, set, reactor);
  const crowd = await measureCrowd(quiet, slow, options.quick ? SOME : MANY);
  await Promise.all([quiet.stop(), slow.stop()]);
  return crowd;
}

async function runRounds(
  name: LoadName,
  trio: Trio,
  load: Load,
  take: (proxy: Running) => Promise<Sample>,
): Promise<Round[]> {
  if (WARM_UP_SECONDS > 0)
    for (const proxy of Object.values(trio)) await measure(proxy, { ...load, seconds: WARM_UP_SECONDS });
  const rounds: Round[] = [];
  for (let number = 0; number < ROUNDS; number += 1) {
    process.stderr.write(`${name}: round ${number + 1} of ${ROUNDS} …\n`);
    const samples: Partial<Record<keyof Trio, Sample>> = {};
    for (const program of ORDERS[number % ORDERS.length]!) samples[program] = await take(trio[program]);
    rounds.push(samples as Round);
  }
  return rounds;
}

async function startTrio(folder: string, set: ProxySet): Promise<Trio> {
  // HAProxy in all roles shows what the method itself adds: every ratio should be 1.
  const itself = options.subject === 'haproxy';
  return {
    haproxy: await startHaproxy(folder, set),
    ring: await (itself ? startHaproxy(folder, set) : startCarpool(folder, set, 'ring')),
    epoll: await (itself ? startHaproxy(folder, set) : startCarpool(folder, set, 'epoll')),
  };
}

async function stopAll(trio: Trio): Promise<void> {
  await Promise.all([trio.haproxy.stop(), trio.ring.stop(), trio.epoll.stop()]);
}

function how(): string {
  return [
    `${ROUNDS} rounds of ${SECONDS} s for each load. The same file (bench/*.cfg) for each program, one data thread each,`,
    `on core ${PROXY_CORE}; client and servers on core ${LOAD_CORE}. CPU is user and system time of the whole process, all threads`,
    'included, over the requests that wrk counted. All programs log each request (httplog, tcplog) to a UDP port.',
  ].join('\n');
}
