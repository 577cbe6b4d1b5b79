/**
 * Real servers that speak other protocols than HTTP, each in a folder of its own, as an ordinary user where they insist.
 *
 *   const database = await startMariadb(t, { port, user: 'haproxy' });
 *   await database.kill();
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';
import { freePort } from './ports.js';

export type Database = { readonly port: number; kill(): Promise<void> };

const run = promisify(execFile);

/** Nobody, where this is root: PostgreSQL refuses to be. */
const NOBODY = 65_534;
const AS_NOBODY = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** With a user that needs no password and may do nothing. */
export async function startMariadb(t: TestContext, { user }: { user: string }): Promise<Database> {
  const folder = ownFolder(t, 'mariadb');
  const data = join(folder, 'data');
  const own = join(folder, 'tmp');
  mkdirSync(own);
  // A server that starts clears temporary tables out of its tmpdir: in a shared /tmp also those of another that is being installed.
  const small = ['--innodb-log-file-size=4M', '--innodb-buffer-pool-size=8M', `--tmpdir=${own}`];
  const as_root = process.getuid?.() === 0 ? ['--user=root'] : [];
  const installer = join(dirname(dirname(peerPath('mariadb'))), 'bin', 'mariadb-install-db');
  const fresh = ['--auth-root-authentication-method=normal', '--skip-test-db', `--datadir=${data}`];
  await run(installer, ['--no-defaults', ...fresh, ...small, ...as_root], { timeout: PATIENCE_MS });
  const first_words = join(folder, 'init.sql');
  writeFileSync(first_words, `CREATE USER '${user}'@'%';\n`);
  const port = await freePort();
  const place = [`--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${folder}/socket`];
  const options = [
    '--no-defaults',
    ...place,
    ...small,
    ...as_root,
    '--skip-name-resolve',
    `--init-file=${first_words}`,
  ];
  return startDatabase(t, port, spawn(peerPath('mariadb'), options, { stdio: 'ignore' }));
}

export async function startPostgres(t: TestContext): Promise<Database> {
  const folder = ownFolder(t, 'postgres');
  if ('uid' in AS_NOBODY) chownSync(folder, NOBODY, NOBODY);
  const data = join(folder, 'data');
  const program = peerPath('postgres');
  const fresh = ['-D', data, '-A', 'trust', '-U', 'postgres', '-N', '--locale=C', '-E', 'UTF8'];
  await run(join(dirname(realpathSync(program)), 'initdb'), fresh, { timeout: PATIENCE_MS, ...AS_NOBODY });
  const port = await freePort();
  const options = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'];
  return startDatabase(t, port, spawn(program, options, { stdio: 'ignore', ...AS_NOBODY }));
}

export async function startRedis(t: TestContext, ...options: readonly string[]): Promise<Database> {
  const port = await freePort();
  const folder = ownFolder(t, 'redis');
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options];
  return startDatabase(t, port, spawn(peerPath('redis'), words, { stdio: 'ignore' }));
}

export async function startSlapd(t: TestContext): Promise<Database> {
  const folder = ownFolder(t, 'slapd');
  mkdirSync(join(folder, 'data'));
  const lines = [
    'include /etc/ldap/schema/core.schema',
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    `pidfile ${folder}/pid`,
    'database mdb',
    'maxsize 1048576',
    'suffix "dc=test"',
    `directory ${folder}/data`,
    '',
  ];
  writeFileSync(join(folder, 'slapd.conf'), lines.join('\n'));
  const port = await freePort();
  const options = ['-d', '0', '-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}/`];
  return startDatabase(t, port, spawn(peerPath('slapd'), options, { stdio: 'ignore' }));
}

function ownFolder(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `carpool-${name}-`));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startDatabase(t: TestContext, port: number, child: ChildProcess): Promise<Database> {
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  t.after(kill);
  const end = performance.now() + PATIENCE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with status ${child.exitCode}`);
    if (performance.now() > end) throw new Error(`${child.spawnfile} does not listen after ${PATIENCE_MS} ms`);
    await delay(50);
  }
  return { port, kill };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
  });
}
