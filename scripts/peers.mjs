// Installs the Debian packages of the real programs that the tests talk to (test/peers.json), without starting one.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';

/** @typedef {{ package: string, command: string, service?: string, for: string }} Peer */

// Debian asks this program before a package's script starts a service; 101 means "no".
const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_ASIDE = `${POLICY}.before-carpool-tests`;

const APT_MS = 600_000;

/** As root on Debian installs what is missing, after CI=true or a yes; else says what will be skipped. */
export async function installPeers() {
  const missing = missingPeers();
  if (missing.length === 0) return;
  console.log('The tests talk to real programs. Missing here:');
  for (const peer of missing) console.log(`  ${peer.package.padEnd(14)} ${peer.for}`);
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    console.log('Only root on Debian installs them; tests that need one are skipped and name it.\n');
    return;
  }
  if (!(await agreed())) {
    console.log('Not installed; tests that need one are skipped and name it.\n');
    return;
  }
  console.log('installing packages of Debian …\n');
  installWithoutStarting(missing);
  const still = missingPeers();
  if (still.length > 0)
    throw new Error(`installed, but still missing: ${still.map((peer) => peer.command).join(', ')}`);
}

/** @returns {Peer[]} */
function missingPeers() {
  /** @type {Record<string, Peer>} */
  const peers = JSON.parse(readFileSync(new URL('../test/peers.json', import.meta.url), 'utf8'));
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', ...postgresFolders()];
  return Object.values(peers).filter((peer) => !folders.some((folder) => isExecutable(join(folder, peer.command))));
}

// Debian keeps PostgreSQL's programs below its version.
function postgresFolders() {
  const versions = '/usr/lib/postgresql';
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : [];
}

async function agreed() {
  if (process.env['CI'] === 'true') return true;
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // At the end of the input there is no answer to wait for.
  const ended = new Promise((resolve) => lines.once('close', () => resolve('')));
  const asked = lines.question('Install them now with apt-get (no service is started)? [yes/no] ');
  const answer = await Promise.race([asked, ended]);
  lines.close();
  return /^y(es)?$/i.test(String(answer).trim());
}

/** @param {Peer[]} peers */
function installWithoutStarting(peers) {
  // While a handler exists an interrupt waits for apt-get to end, and the policy file is put back.
  const wait = () => {};
  process.on('SIGINT', wait).on('SIGTERM', wait);
  const restorePolicy = forbidServiceStarts();
  try {
    apt(['update']);
    apt(['install', '-y', '--no-install-recommends', ...peers.map((peer) => peer.package)]);
    // Nor should a test's peer come up at the next boot.
    for (const { service } of peers) if (service) spawnSync('update-rc.d', [service, 'disable'], { stdio: 'ignore' });
  } finally {
    restorePolicy();
    process.off('SIGINT', wait).off('SIGTERM', wait);
  }
}

/** @returns {() => void} what puts back the policy that was there */
function forbidServiceStarts() {
  // An aside file that exists is the true one, left by a run that was killed.
  if (existsSync(POLICY) && !existsSync(POLICY_ASIDE)) renameSync(POLICY, POLICY_ASIDE);
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => {
    if (existsSync(POLICY_ASIDE)) renameSync(POLICY_ASIDE, POLICY);
    else rmSync(POLICY, { force: true });
  };
}

/** @param {string[]} args */
function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=60'];
  const result = spawnSync('apt-get', [...options, ...args], { env, encoding: 'utf8', timeout: APT_MS });
  if (result.status === 0) return;
  throw new Error(`apt-get ${args[0]} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
