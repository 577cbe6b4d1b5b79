/** The run itself, in namespaces of its own. Arguments: FOLDER TRIALS quick|whole ONLY; leaves FOLDER/measured.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Network } from '#src/lab/network.js';
import { type IdleCost, measureIdle } from './idle.ts';
import { memberOf, Pair } from './pair.ts';
import { MANY, PROGRAMS, type Program } from './programs.ts';
import { HAPPENINGS, type Happening, runTrial, type Trial } from './trial.ts';
import type { AddressNews } from './watch.ts';

export type Trials = { readonly program: string; readonly happening: Happening; readonly trials: readonly Trial[] };
export type Measured = {
  readonly trials: readonly Trials[];
  readonly idle: readonly IdleCost[];
  /** Of all CPU time during the trials, what the machine below this one took. */
  readonly steal_share: number;
};

const SUBNET = { address: '10.96.0.0', prefix_length: 11 };
/** Pairs of each slow program at once: they wait for seconds and disturb nobody. */
const LANES = 2;

const [folder = '', trials_text, length, only = ''] = process.argv.slice(2);
const trials = Number(trials_text);
const quick = length === 'quick';
const network = new Network(SUBNET);
let pairs_made = 0;

process.stdin.on('end', () => process.exit(1)).resume();
await main();
process.exit(0);

async function main(): Promise<void> {
  const before = readStat();
  const wanted = PROGRAMS.filter((program) => program.name.includes(only));
  const lanes = Math.min(LANES, trials);
  const slow = wanted.filter((program) => !program.fast);
  const measured = [await compare(slow.flatMap((program) => new Array<Program>(lanes).fill(program)))];
  for (const program of wanted) if (program.fast) measured.push(await compare([program]));
  const after = readStat();
  const idle = 'idle'.includes(only) ? await measureAllIdle() : [];
  const result: Measured = {
    trials: wanted.flatMap(({ name }) =>
      HAPPENINGS.map((happening) => ({ program: name, happening, trials: pick(measured.flat(), name, happening) })),
    ),
    idle,
    steal_share: (after.stolen - before.stolen) / (after.all - before.all),
  };
  writeFileSync(join(folder, 'measured.json'), JSON.stringify(result));
}

type Found = { readonly program: string; readonly happening: Happening; readonly trial: Trial };

function pick(found: readonly Found[], name: string, happening: Happening): Trial[] {
  return found.filter((one) => one.program === name && one.happening === happening).map(({ trial }) => trial);
}

/** All at once, and each program's trials shared out among its pairs. */
async function compare(programs: readonly Program[]): Promise<Found[]> {
  const pairs = programs.map((program) => new Pair(network, ++pairs_made, program, folder));
  const watcher = await watch(pairs);
  const found = await Promise.all(pairs.map((pair) => runPair(pair, trials / shareOf(programs, pair.program))));
  await watcher.terminate();
  return found.flat();
}

function shareOf(programs: readonly Program[], program: Program): number {
  return programs.filter((one) => one === program).length;
}

async function runPair(pair: Pair, rounds: number): Promise<Found[]> {
  const found: Found[] = [];
  await pair.watch();
  for (let round = 1; round <= Math.ceil(rounds); round++) {
    for (const happening of HAPPENINGS) {
      process.stderr.write(`${pair.program.name}: ${happening}, ${round} of ${rounds} …\n`);
      found.push({ program: pair.program.name, happening, trial: await runTrial(pair, happening) });
    }
  }
  await pair.close();
  return found;
}

async function watch(pairs: readonly Pair[]): Promise<Worker> {
  const namespaces = pairs.flatMap((pair) => pair.members.map((member) => member.link.namespace_fd));
  const watcher = new Worker(new URL('./watch.js', import.meta.url), { workerData: namespaces });
  await new Promise<void>((resolve, reject) => {
    watcher.once('message', () => resolve()).once('error', reject);
  });
  watcher.on('message', ([host, at_ns, address, present]: AddressNews) => {
    const vip = pairs[Math.floor(host / 2)]!.vip;
    if (address === vip) memberOf(pairs, host)?.note(at_ns / 1e6, present);
  });
  return watcher;
}

async function measureAllIdle(): Promise<IdleCost[]> {
  const costs: IdleCost[] = [];
  const seconds = quick ? 1 : 6;
  const vhids = quick ? 20 : 255;
  for (const [program, options] of [
    [MANY.keepalived, { family: 4, vhids, seconds }],
    [MANY.carpool, { family: 4, vhids, seconds }],
    [MANY.carpool, { family: 6, vhids, seconds }],
    [MANY.carpool, { family: 4, vhids: 1, seconds }],
  ] as const) {
    process.stderr.write(`${program.software}: ${options.vhids} vhids over IPv${options.family}, idle …\n`);
    costs.push(...(await measureIdle(network, program, folder, options)));
  }
  return costs;
}

/** proc(5): the first line of /proc/stat; the eighth number is steal time. */
function readStat(): { all: number; stolen: number } {
  const times = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/ +/).slice(1, 9).map(Number);
  return { all: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 };
}
