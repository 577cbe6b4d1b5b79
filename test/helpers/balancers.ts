/** HAProxy and carpool as programs with the same configuration, and what each writes to standard error. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export type Program = 'haproxy' | 'carpool';
export type Balancer = {
  readonly pid: number;
  /** Its configuration file, and carpool's control socket. */
  readonly file: string;
  readonly socket: string;
  log(): string;
};

/** Resolves when it listens on `port` and on its stats socket; it ends with the test. */
export async function startBalancer(t: TestContext, program: Program, config: string, port: number): Promise<Balancer> {
  const directory = mkdtempSync('/tmp/carpool-balancer-');
  const file = join(directory, 'a.cfg');
  writeFileSync(file, config);
  const [command, words] = program === 'haproxy' ? [peerPath('haproxy'), []] : [process.execPath, [MAIN]];
  const env = { ...process.env, CARPOOL_SOCKET: join(directory, 'c.sock') };
  const child = spawn(command, [...words, '-f', file, '-db'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(`${program} listens`, () => {
    if (child.exitCode !== null) throw new Error(`${program} does not start: ${log}`);
    return canConnect(port);
  });
  const stats = /stats socket (\/\S+)/.exec(config)?.[1];
  await until('its stats socket is there', () => stats === undefined || existsSync(stats));
  return { pid: child.pid!, file, socket: env.CARPOOL_SOCKET, log: () => log };
}

/** The same file again: carpool reads it, another HAProxy takes the place of the first. Resolves when new clients are the new one's. */
export async function reloadBalancer(t: TestContext, program: Program, { pid, file, log }: Balancer): Promise<void> {
  if (program === 'carpool') {
    process.kill(pid, 'SIGHUP');
    await until('the configuration holds', () => /configuration 2 holds/.test(log()));
    return;
  }
  const child = spawn(peerPath('haproxy'), ['-f', file, '-db', '-sf', String(pid)], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await until('the old one stops listening', () => /Stopping (frontend|proxy) |Proxy \S+ stopped/.test(log()));
}

/** Looks every few milliseconds; throws after a while. */
export async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end_ms = performance.now() + PATIENCE_MS; !(await done()); await rest(10)) {
    if (performance.now() > end_ms) throw new Error(`waited in vain until ${what}`);
  }
}

/** Somebody listens there. */
export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** One request of HTTP/1.0, whatever becomes of it; resolves when the connection is over. */
export function askOnce(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
    socket
      .setTimeout(PATIENCE_MS, () => socket.destroy())
      .on('error', () => {})
      .once('close', () => resolve())
      .resume();
  });
}
