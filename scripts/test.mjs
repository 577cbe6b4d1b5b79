// `npm test [-- WORD …] [--name PATTERN]`: installs what the tests need, compiles, and runs them all.
// WORDs keep the test files whose path contains one of them; --name keeps the tests whose name matches.
//
//   files that share the machine, two at a time  ─┐
//                                                 ├─► one report
//   files that need it for themselves, in a row  ─┘
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { installPeers } from './peers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Tests under these folders measure times or drive whole networks: never two of them at once. */
const ALONE = ['test/interop/', 'test/scenarios/', 'test/lab/', 'test/bench/', 'test/system/', 'test/reactor/'];
const TOGETHER = 2;
const FILE_MS = 240_000;
const TOTAL_MS = 1_500_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' } } });

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

const alone = files.filter((file) => ALONE.some((folder) => file.startsWith(folder)));
const together = files.filter((file) => !alone.includes(file));
const phases = [
  { files: together, concurrency: TOGETHER },
  { files: alone, concurrency: 1 },
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
