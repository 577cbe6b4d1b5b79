/**
 * `npm run bench:failover [-- --quick] [-- --write]`: how long an address is away, beside Debian's ucarp and keepalived.
 *
 *   this process ── unshare ── inside.js: one switch, and for each pair of daemons two hosts and a client
 *
 * Each pair is killed, loses its host, is stopped and loses its link, ten times each. Then 255 vhids idle.
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
import { watchOtherPrograms } from './machine.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    /** Only programs and parts whose name has this in it. */
    only: { type: 'string', default: '' },
    trials: { type: 'string' },
  },
});

process.exitCode = await main().catch((error: Error) => {
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

/** What people wrote below the marker stays. */
function writeResults(text: string): void {
  const file = new URL('../../bench/RESULTS-failover.md', import.meta.url);
  const [, by_hand = ''] = readFileSync(file, 'utf8').split(BY_HAND);
  writeFileSync(file, `${text.trimEnd()}\n\n${BY_HAND}${by_hand}`);
}
