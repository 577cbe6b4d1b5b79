/**
 * Starts data threads from the control thread.
 *
 *   const fds = openListeners(config, threads);          one descriptor a bind and thread
 *   const data = startDataThread({ number: 0, config, memory, listeners: fds[0], … });
 *
 * They stop by the stop word of shared memory and `wake`.
 */
import { Worker } from 'node:worker_threads';
import type { Bind, Config } from '../config/model.ts';
import type { OpenListener } from '../proxy/proxy-thread.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../system/abi/linux.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import { openTcpListener } from '../system/tcp-listener.ts';
import { type DataSettings, type FromData, type LineTarget, lineDescriptor } from './data-messages.ts';
import { createLineRing, LineRing } from './line-ring.ts';
import { type SharedMemory, THREAD_DATA } from './shared-memory.ts';

/** The kernel cuts this to net.core.somaxconn. */
const DEFAULT_BACKLOG = 4096;

/** For each data thread its listeners. Throws SystemError where the system refuses; what was opened stays open. */
export function openListeners(config: Config, threads: number): OpenListener[][] {
  const vips = new Set(config.carps.flatMap((carp) => carp.addresses.map(({ address }) => address)));
  return Array.from({ length: threads }, () =>
    config.frontends.flatMap(({ binds }, frontend) => binds.map((bind) => ({ frontend, fd: open(bind, vips) }))),
  );
}

function open(bind: Bind, vips: ReadonlySet<string>): number {
  const { address, port } = bind.endpoint;
  return openTcpListener({ address, port, backlog: bind.backlog ?? DEFAULT_BACKLOG, freebind: vips.has(address) });
}

export type DataThreadOptions = {
  /** 0, 1, … */
  readonly number: number;
  readonly config: Config;
  readonly memory: SharedMemory;
  readonly listeners: readonly OpenListener[];
  /** CARPOOL_REACTOR. */
  readonly reactor: string | undefined;
  readonly drain_ms: number;
  /** It accepts. The reason says why it runs on this back end. */
  readonly onRunning: (reactor: 'ring' | 'epoll', reason: string) => void;
  /** Log lines of requests, each with its newline. */
  readonly onLines: (fd: number, lines: Uint8Array) => void;
  /** So many lines could not be sent. */
  readonly onDropped: (lines: number) => void;
  /** The thread threw: a mistake of ours. */
  readonly onError: (error: Error) => void;
};

export type DataHandle = {
  /** Its number in shared memory. */
  readonly thread: number;
  wake(): void;
};

export function startDataThread(options: DataThreadOptions): DataHandle {
  const wake_fd = check(libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  const one = libc.allocatePinned(8);
  one.words[0] = 1;
  const lines = lineDescriptors(options.config).map((fd): LineTarget => ({ fd, ring: createLineRing() }));
  const rings = new Map(lines.map(({ fd, ring }) => [fd, new LineRing(ring)]));
  const settings: DataSettings = {
    thread: THREAD_DATA + options.number,
    config: options.config,
    shared: options.memory.words.buffer as SharedArrayBuffer,
    counts: options.memory.counts,
    listeners: options.listeners,
    wake_fd,
    lines,
    reactor: options.reactor,
    drain_ms: options.drain_ms,
  };
  const worker = new Worker(new URL('./data.js', import.meta.url), { workerData: settings });
  let exited = false;
  worker.on('message', (message: FromData) => {
    if (message.kind === 'running') options.onRunning(message.reactor, message.reason);
    else if (message.kind === 'lines') options.onLines(message.fd, rings.get(message.fd)!.takeAll());
    else options.onDropped(message.lines);
  });
  worker.on('error', options.onError);
  worker.on('exit', () => {
    exited = true;
    for (const [fd, ring] of rings) options.onLines(fd, ring.takeAll());
    libc.close(wake_fd);
    libc.munmap(one.address, 8);
  });
  return {
    thread: settings.thread,
    wake: () => {
      if (!exited) libc.write(wake_fd, one.address, 8);
    },
  };
}

/** Every descriptor that a target of the configuration prints on. */
function lineDescriptors(config: Config): number[] {
  const fds = config.frontends.flatMap(({ log_targets }) =>
    log_targets.flatMap(({ to }) => (to.kind === 'udp' || to.kind === 'unix' ? [] : [lineDescriptor(to)])),
  );
  return [...new Set(fds)];
}
