/** A host for tests: a network namespace with one link (`ctl0`, 10.10.0.5/16) whose other end is `ctl1`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AF_INET, SO_REUSEADDR, SO_REUSEPORT, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from '#src/system/abi/linux.js';
import { byReference } from '#src/system/arguments.js';
import { check } from '#src/system/errors.js';
import * as libc from '#src/system/libc.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';
import { socketAddressBytes } from '#src/system/socket-address.js';
import { PATIENCE_MS } from '../helpers/patience.js';

export const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const FETCH = 'fetch(process.argv[1]).then(async (r) => process.stdout.write(`${r.status} ${await r.text()}`))';

/** For node:test's `skip`. */
export const needsRoot = process.getuid?.() === 0 ? false : 'network namespaces need root here';

export type Daemon = {
  readonly process: ChildProcess;
  /** Everything it has written to stderr so far. */
  log(): string;
  /** And to stdout. */
  output(): string;
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
  /** Another program in this host's namespace, run to its end. */
  runProgram(command: string, ...words: string[]): ReturnType<Host['run']>;
  /** The same without these capabilities (`net_raw`). */
  runWithout(capabilities: readonly string[], ...words: string[]): ReturnType<Host['run']>;
  /** Another program's listening socket on every address, until the end of the test. */
  occupyPort(port: number, reuse_port: boolean): void;
  /** A web server on every address that answers `body`, until the end of the test. */
  serve(port: number, body: string): { readonly listening: Promise<unknown> };
  /** Calls a function in this host's namespace. */
  inside<T>(call: () => T): T;
  /** `200 body`, asked for from this host. */
  get(url: string): Promise<string>;
  /** `carpool WORDS`, and goes on. */
  start(...words: string[]): Daemon;
  /** The IPv4 addresses of its link. */
  addresses(): string[];
};

/** `variables` go into the environment of every carpool on this host. */
export function createHost(t: TestContext, variables: Record<string, string> = {}): Host {
  const namespace = createNetworkNamespace();
  const netlink = insideNetworkNamespace(namespace, () => new Netlink());
  netlink.createVeth({ name: 'ctl0' }, { name: 'ctl1' });
  for (const name of ['lo', 'ctl0', 'ctl1']) netlink.setLink(netlink.indexOf(name), { up: true });
  const link = netlink.indexOf('ctl0');
  netlink.addAddress({ index: link, bytes: Uint8Array.of(10, 10, 0, 5), prefix_length: 16 });
  netlink.close();
  return hostIn(t, namespace, 'ctl0', variables);
}

/** The same in a namespace that is there already, which is closed at the end. `name`: of its link. */
export function hostIn(t: TestContext, namespace: number, name: string, variables: Record<string, string> = {}): Host {
  const directory = mkdtempSync('/tmp/carpool-control-');
  const socket = join(directory, 'control.sock');
  const netlink = insideNetworkNamespace(namespace, () => new Netlink());
  const link = netlink.indexOf(name);
  const daemons: ChildProcess[] = [];
  t.after(() => {
    for (const daemon of daemons) {
      daemon.kill('SIGKILL');
      // a script that outlives it may hold these open: the test file shall end all the same
      for (const stream of [daemon.stdout, daemon.stderr]) stream?.destroy();
    }
    for (const server of servers) server.close().closeAllConnections();
    for (const fd of fds) libc.close(fd);
    netlink.close();
    libc.close(namespace);
    rmSync(directory, { recursive: true });
  });
  const fds: number[] = [];
  const servers: Server[] = [];
  const env = { ...process.env, CARPOOL_SOCKET: socket, ...variables };
  const run = (command: string, ...words: string[]) =>
    insideNetworkNamespace(namespace, () => spawnSync(command, words, { env, encoding: 'utf8', timeout: PATIENCE_MS }));
  return {
    directory,
    socket,
    netlink,
    file(name, text) {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    },
    run: (...words) => run(process.execPath, MAIN, ...words),
    runProgram: run,
    runWithout: (capabilities, ...words) => {
      const dropped = capabilities.map((name) => `-${name}`).join(',');
      return run('setpriv', `--bounding-set=${dropped}`, '--inh-caps=-all', process.execPath, MAIN, ...words);
    },
    occupyPort(port, reuse_port) {
      for (const fd of fds.splice(0)) libc.close(fd);
      fds.push(insideNetworkNamespace(namespace, () => listenOn(port, reuse_port)));
    },
    serve(port, body) {
      // without a host name, so that it is bound at once and here
      const server = insideNetworkNamespace(
        namespace,
        // chunked; its connections are ended by others
        () =>
          createServer({ keepAliveTimeout: PATIENCE_MS }, (_request, response) =>
            response.writeHead(200).end(body),
          ).listen(port),
      );
      servers.push(server);
      return { listening: once(server, 'listening') };
    },
    inside: (call) => insideNetworkNamespace(namespace, call),
    async get(url) {
      const child = insideNetworkNamespace(namespace, () =>
        spawn(process.execPath, ['-e', FETCH, url], { stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE_MS }),
      );
      let answer = '';
      for await (const text of child.stdout.setEncoding('utf8')) answer += text;
      return answer;
    },
    start(...words) {
      const child = insideNetworkNamespace(namespace, () =>
        spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
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

function listenOn(port: number, reuse_port: boolean): number {
  const fd = check(libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  for (const option of reuse_port ? [SO_REUSEADDR, SO_REUSEPORT] : [SO_REUSEADDR]) {
    check(libc.setsockopt(fd, SOL_SOCKET, option, byReference(Int32Array.of(1)), 4), 'setsockopt');
  }
  const address = socketAddressBytes({ address: '0.0.0.0', port });
  check(libc.bind(fd, byReference(address), address.length), 'bind');
  check(libc.listen(fd, 1024), 'listen'); // nobody accepts: room for all who come
  return fd;
}

function watch(child: ChildProcess): Daemon {
  let log = '';
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const end = new Promise<number | string>((resolve) => {
    child.once('close', (status, signal) => resolve(status ?? signal!));
  });
  return {
    process: child,
    log: () => log,
    output: () => output,
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(log)) return;
          clearTimeout(timer);
          child.stderr!.off('data', look);
          resolve();
        };
        const timer = setTimeout(() => reject(new Error(`no ${pattern} in:\n${log}`)), PATIENCE_MS);
        child.stderr!.on('data', look);
        look();
      }),
    ended: () => end,
  };
}
