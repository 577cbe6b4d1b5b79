// `npm test [-- WORD …] [--name PATTERN]`: installs what the tests need, compiles, and runs them all.
// WORDs keep the test files whose path contains one of them; --name keeps the tests whose name matches.
//
//   most files: they wait for what comes, however late    four at a time ─┐
//   files with two or more nodes, by the protocol's clock   two at a time ─┼─► one report
//   files that measure                                      one at a time ─┘   (what fails is run once more, alone)
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { readOptions } from './options.mjs';
import { installPeers } from './peers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** They measure, or hold something to a few milliseconds: nothing else runs. */
const ALONE = ['test/bench/', 'test/reactor/', 'test/scenarios/', 'test/interop/termination-states.'];
/** They hold daemons to tenths of a second, and mostly wait for the protocol's seconds. */
const TIMED = [
  ...['test/system/carp-', 'test/interop/ucarp.', 'test/interop/keepalived.'],
  'test/interop/log-rings.',
  ...['test/control/faults.', 'test/control/failing-parts.', 'test/control/hand-over.', 'test/control/stop.'],
  'test/control/doctor-',
];
const FILE_MS = 240_000;
const TOTAL_MS = 1_500_000;

const { values, positionals } = readOptions({ allowPositionals: true, options: { name: { type: 'string' } } });

const files = testFiles().filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)));
if (files.length === 0) {
  process.stderr.write(`carpool: no test file has ${positionals.join(' or ')} in its path\n`);
  process.exit(1);
}
try {
  build({ tests: true });
  await installPeers();
} catch (error) {
  process.stderr.write(`carpool: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

const under = (/** @type {string[]} */ places) =>
  files.filter((file) => places.some((place) => file.startsWith(place)));
const compiled = (/** @type {string} */ file) => join(root, 'build', file.replace(/\.ts$/, '.js'));
const [timed, alone] = [under(TIMED), under(ALONE)];
const others = files.filter((file) => !timed.includes(file) && !alone.includes(file));
const phases = [
  { files: others.map(compiled), concurrency: 4 },
  { files: timed.map(compiled), concurrency: 2 },
  { files: alone.map(compiled), concurrency: 1 },
];
// Loaded late: an old Node is told so by build() instead of by a missing module.
const { report } = await import('./test-report.mjs');
process.exitCode = await report(phases, { name: values.name, file_ms: FILE_MS, total_ms: TOTAL_MS });

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
