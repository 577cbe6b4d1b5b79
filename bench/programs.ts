/** Starts the balancers and the servers behind them, each pinned to its core, and stops what it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The proxy has a core for itself; the load, the servers and this program share the other. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

const LARGE_BYTES = 10 * 1024 * 1024;

/** HAProxy reads 10,000 servers in some seconds when it has a core to itself, but not when others are at work. */
const START_MS = 180_000;
const STOP_MS = 5_000;
const LOG_LIMIT = 64 * 1024;

export type Running = { readonly name: string; readonly port: number; readonly pid: number; readonly stop: Stop };
export type Stop = () => Promise<void>;
export type Servers = { readonly ports: readonly [number, number]; readonly stop: Stop };
export type Reactor = 'ring' | 'epoll';

/** What all balancers of a load have in common. */
export type ProxySet = {
  readonly template: 'balancer.cfg' | 'tunnel.cfg';
  readonly servers: Servers;
  readonly log_port: number;
  readonly maxconn?: number;
};

/** @param folder where the filled-in configuration goes; must exist */
export async function startHaproxy(folder: string, set: ProxySet): Promise<Running> {
  const { file, port } = await balancerFile(folder, 'haproxy', set);
  return startProxy({ name: 'haproxy', port, command: 'haproxy', args: ['-db', '-f', file], env: {} });
}

export async function startCarpool(folder: string, set: ProxySet, reactor: Reactor): Promise<Running> {
  const name = `carpool ${reactor}`;
  const { file, port } = await balancerFile(folder, `carpool-${reactor}`, set);
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const env = { CARPOOL_REACTOR: reactor, CARPOOL_SOCKET: join(folder, `${reactor}-${port}.sock`) };
  return startProxy({ name, port, command: process.execPath, args: [main, '-f', file, '-db'], env });
}

/** Two servers with tiny answers. */
export async function startSmallServers(folder: string): Promise<Servers> {
  const ports: [number, number] = [await freePort(), await freePort()];
  const file = join(folder, 'small-servers.cfg');
  writeFileSync(file, fillIn('small-servers.cfg', { SERVER1: ports[0], SERVER2: ports[1] }));
  return startServers('haproxy', ['-db', '-f', file], ports);
}

/** Two servers with `/large`, 10 MiB of random bytes, so that no two parts of it are the same. */
export async function startLargeServers(folder: string): Promise<Servers & { readonly body: Buffer }> {
  const ports: [number, number] = [await freePort(), await freePort()];
  const body = randomBytes(LARGE_BYTES);
  mkdirSync(join(folder, 'temp'));
  writeFileSync(join(folder, 'large'), body);
  writeFileSync(join(folder, 'k64'), body.subarray(0, 64 * 1024));
  writeFileSync(join(folder, 'nginx.conf'), fillIn('large-servers.conf', { SERVER1: ports[0], SERVER2: ports[1] }));
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'master_process off;'];
  return { ...(await startServers('nginx', args, ports)), body };
}

async function startServers(command: string, args: string[], ports: [number, number]): Promise<Servers> {
  const { stop } = await startPinned({ name: `${command} (servers)`, command, args, env: {}, core: LOAD_CORE, ports });
  return { ports, stop };
}

async function balancerFile(folder: string, name: string, set: ProxySet): Promise<{ file: string; port: number }> {
  const port = await freePort();
  const file = join(folder, `${name}-${port}.cfg`);
  const [SERVER1, SERVER2] = set.servers.ports;
  writeFileSync(
    file,
    fillIn(set.template, { LISTEN: port, SERVER1, SERVER2, LOG: set.log_port, MAXCONN: set.maxconn ?? 2000 }),
  );
  return { file, port };
}

function fillIn(template: string, ports: Record<string, number>): string {
  const text = readFileSync(new URL(`../../bench/${template}`, import.meta.url), 'utf8');
  return text.replace(/@(\w+)@/g, (_, name: string) => String(ports[name]));
}

type Proxy = { name: string; port: number; command: string; args: string[]; env: Record<string, string> };

export async function startProxy({ name, port, command, args, env }: Proxy): Promise<Running> {
  const { pid, stop } = await startPinned({ name, command, args, env, core: PROXY_CORE, ports: [port] });
  return { name, port, pid, stop };
}

type Pinned = {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  core: number;
  ports: number[];
};

/** Resolves when every port accepts; taskset becomes the program, so the pid is the program's own. */
async function startPinned({ name, command, args, env, core, ports }: Pinned): Promise<{ pid: number; stop: Stop }> {
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const keep = (text: Buffer) => {
    log = (log + text).slice(-LOG_LIMIT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const stop = async () => {
    await stopChild(child);
    process.off('exit', killAtExit);
  };
  const deadline = Date.now() + START_MS;
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}:\n${log}`);
      if (Date.now() > deadline) {
        await stop();
        throw new Error(`${name} does not listen after ${START_MS} ms:\n${log}`);
      }
      await delay(20);
    }
  }
  return { pid: child.pid!, stop };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(hard);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()));
    });
  });
}
