/**
 * `npm run bench:failover [-- --quick] [-- --write]`: how long an address is away, beside Debian's ucarp and keepalived.
 *
 *   this process ── unshare ── inside.js: one switch, and for each pair of daemons two hosts and a client
 *
 * Each pair is killed, loses its host, is stopped and loses its link, ten times each. Then 255 vhids idle.
 *
 * `-- --soak [--minutes 10] [--skew 1/2] [--rate 10000]`: nothing is done to a busy pair instead, which must stay as it is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { enterNamespaces } from '#src/lab/sandbox.js';
import { needs } from '../test/helpers/peers.ts';
import type { Measured } from './failover/inside.ts';
import { BY_HAND, judgeAll } from './failover/judge.ts';
import { formatFailover } from './failover/report.ts';
import type { SoakOptions, SoakResult } from './failover/soak.ts';
import { formatSoak, SOAK_HEADING } from './failover/soak-report.ts';
import { watchOtherPrograms } from './machine.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Only programs and parts whose name has this in it. */
    only: { type: 'string', default: '' },
    trials: { type: 'string' },
    soak: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    /** Of the two nodes; several pairs one after the other: 1/2,8/16. */
    skew: { type: 'string', default: '1/2' },
    /** Requests per second, of both nodes together. */
    rate: { type: 'string', default: '10000' },
  },
});

process.exitCode = await (options.soak ? soakAll() : main()).catch((error: Error) => {
  console.error(`carpool: ${error.message}`);
  return 1;
});

async function main(): Promise<number> {
  const missing = needs('ucarp', 'keepalived', 'ip', 'unshare');
  if (missing) throw new Error(`the bench ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'carpool-bench-failover-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const othersShare = watchOtherPrograms();
  const trials = options.trials ?? (options.quick ? '1' : '10');
  const inside = fileURLToPath(new URL('./failover/inside.js', import.meta.url));
  const status = await enterNamespaces(inside, [folder, trials, options.quick ? 'quick' : 'whole', options.only]);
  if (typeof status === 'string') throw new Error(status);
  if (status !== 0) throw new Error(`the run inside the namespaces ended with status ${status}`);
  const measured: Measured = JSON.parse(readFileSync(join(folder, 'measured.json'), 'utf8'));
  const others_share = othersShare();
  const text = formatFailover(measured, others_share);
  console.log(text);
  if (options.write) writeResults(text);
  if (others_share > 0.05) console.log('Other programs were at work: do not judge by these figures.');
  const missed = judgeAll(measured).filter((outcome) => !outcome.held).length;
  if (options.quick) console.log('Too short a run to judge by: it shows that everything works.');
  else console.log(missed === 0 ? 'Every bound held.' : `${missed} bounds did not hold.`);
  return options.quick || missed === 0 ? 0 : 1;
}

async function soakAll(): Promise<number> {
  const missing = needs('haproxy', 'wrk', 'unshare');
  if (missing) throw new Error(`the soak ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'carpool-soak-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const othersShare = watchOtherPrograms();
  const pairs = options.skew.split(',').map((text): SoakOptions => {
    const [first = 1, second = 2] = text.split('/').map(Number);
    return { advskews: [first, second], seconds: Number(options.minutes) * 60, requests_per_s: Number(options.rate) };
  });
  const inside = fileURLToPath(new URL('./failover/soak-inside.js', import.meta.url));
  const status = await enterNamespaces(inside, [folder, JSON.stringify(pairs)]);
  if (status !== 0) throw new Error(typeof status === 'string' ? status : `the soak ended with status ${status}`);
  const results: SoakResult[] = JSON.parse(readFileSync(join(folder, 'soak.json'), 'utf8'));
  const text = formatSoak(results, othersShare());
  console.log(text);
  if (options.write) writeResults(text);
  return results.every(({ transitions }) => transitions.every(({ ours }) => !ours)) ? 0 : 1;
}

/** Replaces the trials, or the soak. What people wrote below the marker stays. */
function writeResults(text: string): void {
  const file = new URL('../../bench/RESULTS-failover.md', import.meta.url);
  const [measured = '', by_hand = ''] = readFileSync(file, 'utf8').split(BY_HAND);
  const [trials = '', soaked] = measured.split(SOAK_HEADING);
  const parts = options.soak ? [trials, text] : [text, soaked === undefined ? '' : SOAK_HEADING + soaked];
  const kept = parts.map((part) => part.trim()).filter((part) => part !== '');
  writeFileSync(file, `${kept.join('\n\n')}\n\n${BY_HAND}${by_hand}`);
}
