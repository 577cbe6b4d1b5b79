// Installs what is missing and compiles what is stale; prints nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = 20;

/** @param {{ tests?: boolean }} [options] also compile the tests and the benchmarks */
export function build({ tests = false } = {}) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    fail(`Node ${OLDEST_NODE} or later is needed; this is Node ${process.versions.node}.`);
  }
  if (packagesAreStale()) installPackages();
  compile('tsconfig.json', 'dist', ['src']);
  makeCommand(join(root, 'dist/main.js'));
  if (tests) compile('tsconfig.test.json', 'build', ['src', 'test', 'bench']);
}

/** So that a link to it is a command. Of a clone that somebody else built it is one already. */
function makeCommand(/** @type {string} */ path) {
  if ((statSync(path).mode & 0o111) !== 0o111) chmodSync(path, 0o755);
}

function installPackages() {
  needWritable(root);
  process.stderr.write('installing packages …\n');
  // A person's NODE_ENV=production would leave the compiler out.
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['ci', ...flags], 'npm ci');
}

/** Compares what is installed with the lock file by content, because copying a tree changes its times. */
function packagesAreStale() {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return true;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(installedFile).packages;
  return Object.entries(wanted).some(([path, entry]) => {
    if (path === '') return false;
    const have = installed[path];
    return have ? have.integrity !== entry.integrity : !entry.optional;
  });
}

/** @param {string} project @param {string} outDir @param {string[]} sourceDirs */
function compile(project, outDir, sourceDirs) {
  const stamp = join(root, outDir, '.compiled');
  const sources = [...sourceDirs, 'package-lock.json', 'tsconfig.base.json', project];
  if (existsSync(stamp) && newest(sources) < statSync(stamp).mtimeMs) return;
  const started = new Date();
  mkdirSyncOrFail(join(root, outDir));
  process.stderr.write(`compiling ${project === 'tsconfig.json' ? 'the program' : 'the tests'} …\n`);
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', project], 'the compiler');
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started); // what changed while the compiler ran is still stale
}

/** The latest change below the paths, in ms; directories count too, so that a deleted file is noticed. */
function newest(/** @type {string[]} */ paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(root, path);
    if (!existsSync(full)) continue;
    const stat = statSync(full);
    latest = Math.max(latest, stat.mtimeMs);
    if (stat.isDirectory()) latest = Math.max(latest, newest(readdirSync(full).map((name) => join(path, name))));
  }
  return latest;
}

/** @param {string} command @param {string[]} args @param {string} what */
function run(command, args, what) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (result.error && 'code' in result.error && result.error.code === 'ENOENT') {
    fail(`${command} is not on the PATH; install it (Debian: apt-get install ${command}).`);
  }
  if (result.error) fail(`${what}: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed:\n${result.stdout}${result.stderr}`);
}

/** @param {string} dir */
function mkdirSyncOrFail(dir) {
  if (!existsSync(dir)) needWritable(root);
  mkdirSync(dir, { recursive: true });
  needWritable(dir);
}

/** @param {string} dir */
function needWritable(dir) {
  try {
    accessSync(dir, constants.W_OK);
  } catch {
    fail(`something has to be built, but ${dir} is not writable for you: run \`npm run build\` as its owner first.`);
  }
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`carpool: ${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build({ tests: process.argv.includes('--tests') });
