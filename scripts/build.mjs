// Installs what is missing and compiles what is stale; prints nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param {{ tests?: boolean }} [options] also compile the tests and the benchmarks */
export function build({ tests = false } = {}) {
  if (packagesAreStale()) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing packages');
  // tsc -b compiles only what changed since its last run
  run(`${root}node_modules/.bin/tsc`, ['-b', tests ? 'tsconfig.test.json' : 'tsconfig.json'], 'compiling');
}

function packagesAreStale() {
  const installed = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return true;
  return statSync(`${root}package-lock.json`).mtimeMs > statSync(installed).mtimeMs;
}

/** @param {string} command @param {string[]} args @param {string} what */
function run(command, args, what) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (result.error) fail(`${what}: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed:\n${result.stdout}${result.stderr}`);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`carpool: ${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
