/** A host for tests: a network namespace with one link (`ctl0`, 10.10.0.5/16) whose other end is `ctl1`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { close } from '#src/system/libc.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
export const BOUND_MS = 15_000;

/** For node:test's `skip`. */
export const needsRoot = process.getuid?.() === 0 ? false : 'network namespaces need root here';

export type Daemon = {
  readonly process: ChildProcess;
  /** Everything it has written to stderr so far. */
  log(): string;
  /** Resolves when the log matches; rejects when it does not in time, with the log. */
  sees(pattern: RegExp): Promise<void>;
  /** The exit status, or the signal's name. */
  ended(): Promise<number | string>;
};

export type Host = {
  /** Holds configuration files and the control socket; removed at the end. */
  readonly directory: string;
  readonly socket: string;
  readonly netlink: Netlink;
  /** Writes a configuration file and gives its path. */
  file(name: string, text: string): string;
  /** `carpool WORDS` with this host's control socket, run to its end. */
  run(...words: string[]): { status: number | null; stdout: string; stderr: string };
  /** `carpool WORDS`, and goes on. */
  start(...words: string[]): Daemon;
  /** The IPv4 addresses of `ctl0`. */
  addresses(): string[];
};

export function createHost(t: TestContext): Host {
  const directory = mkdtempSync('/tmp/carpool-control-');
  const socket = join(directory, 'control.sock');
  const namespace = createNetworkNamespace();
  const netlink = insideNetworkNamespace(namespace, () => new Netlink());
  netlink.createVeth({ name: 'ctl0' }, { name: 'ctl1' });
  for (const name of ['lo', 'ctl0', 'ctl1']) netlink.setLink(netlink.indexOf(name), { up: true });
  const link = netlink.indexOf('ctl0');
  netlink.addAddress({ index: link, bytes: Uint8Array.of(10, 10, 0, 5), prefix_length: 16 });
  const daemons: ChildProcess[] = [];
  t.after(() => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
    netlink.close();
    close(namespace);
    rmSync(directory, { recursive: true });
  });
  const env = { ...process.env, CARPOOL_SOCKET: socket };
  return {
    directory,
    socket,
    netlink,
    file(name, text) {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    },
    run: (...words) =>
      insideNetworkNamespace(namespace, () =>
        spawnSync(process.execPath, [MAIN, ...words], { env, encoding: 'utf8', timeout: BOUND_MS }),
      ),
    start(...words) {
      const child = insideNetworkNamespace(namespace, () =>
        spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'inherit', 'pipe'] }),
      );
      daemons.push(child);
      return watch(child);
    },
    addresses: () =>
      netlink
        .listAddresses()
        .filter((address) => address.index === link && address.family === 2)
        .map(({ address, prefix_length }) => `${address}/${prefix_length}`),
  };
}

function watch(child: ChildProcess): Daemon {
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const end = new Promise<number | string>((resolve) => {
    child.once('close', (status, signal) => resolve(status ?? signal!));
  });
  return {
    process: child,
    log: () => log,
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(log)) return;
          clearTimeout(timer);
          child.stderr!.off('data', look);
          resolve();
        };
        const timer = setTimeout(() => reject(new Error(`no ${pattern} in:\n${log}`)), BOUND_MS);
        child.stderr!.on('data', look);
        look();
      }),
    ended: () => end,
  };
}
