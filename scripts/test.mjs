// `npm test [-- WORD …] [--name PATTERN]`: installs what the tests need, compiles, and runs them all.
// A WORD keeps the test files whose path contains it; --name keeps the tests whose name matches.
//
//   files that share the machine, two at a time  ─┐
//                                                 ├─► one report
//   files that need it for themselves, in a row  ─┘
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { installPeers } from './peers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Tests under these folders measure times or drive whole networks: never two of them at once. */
const ALONE = ['test/interop/', 'test/scenarios/', 'test/lab/', 'test/bench/'];
const TOGETHER = 2;
const FILE_MS = 240_000;
const TOTAL_MS = 1_500_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' } } });

const files = testFiles().filter((file) => positionals.every((word) => file.includes(word)));
if (files.length === 0) {
  process.stderr.write(`carpool: no test file has ${positionals.join(' and ')} in its path\n`);
  process.exit(1);
}
try {
  build({ tests: true });
  await installPeers();
} catch (error) {
  process.stderr.write(`carpool: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

const alone = files.filter((file) => ALONE.some((folder) => file.startsWith(folder)));
const together = files.filter((file) => !alone.includes(file));
await report([
  { files: together, concurrency: TOGETHER },
  { files: alone, concurrency: 1 },
]);

/** Paths of the sources, so that the compiled remains of a deleted test do not run. */
function testFiles() {
  const below = (/** @type {string} */ folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? below(path) : [relative(root, path)];
    });
  return below(join(root, 'test'))
    .filter((path) => path.endsWith('.test.ts'))
    .sort();
}

/**
 * Runs the phases one after the other into one spec report with one set of closing lines.
 * @param {{ files: string[], concurrency: number }[]} phases
 */
async function report(phases) {
  const reporter = new spec();
  reporter.pipe(process.stdout);
  /** @type {Map<string, number>} */
  const totals = new Map();
  const signal = AbortSignal.timeout(TOTAL_MS);
  for (const { files, concurrency } of phases.filter((phase) => phase.files.length > 0)) {
    const compiled = files.map((file) => join(root, 'build', file.replace(/\.ts$/, '.js')));
    const pattern = values.name === undefined ? {} : { testNamePatterns: [values.name] };
    const events = run({ files: compiled, concurrency, timeout: FILE_MS, signal, ...pattern });
    for await (const event of events) {
      const total = closingLine(event);
      if (total) totals.set(total.name, (totals.get(total.name) ?? 0) + total.value);
      else if (event.type !== 'test:summary') reporter.write(event);
    }
  }
  for (const [name, value] of totals) {
    const message = `${name} ${Math.round(value * 1000) / 1000}`;
    reporter.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
  }
  reporter.end();
  const bad = ['fail', 'cancelled'].some((name) => (totals.get(name) ?? 0) > 0);
  process.exitCode = bad || !totals.has('pass') ? 1 : 0;
}

/** `pass 12` and its like, which the runner says once at the end of a run, or undefined. */
function closingLine(/** @type {{ type: string, data: any }} */ event) {
  if (event.type !== 'test:diagnostic' || event.data.nesting !== 0) return undefined;
  const match = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/.exec(event.data.message);
  return match ? { name: match[1], value: Number(match[2]) } : undefined;
}
