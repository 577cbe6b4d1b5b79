/**
 * Starts and stops the carp thread from the control thread.
 *
 *   const carp = startCarpThread({ vhids, memory, watched, guardian_fd, wait_for_ready: true, onMessage });
 *   carp.post({ kind: 'undemote', owner: 'starting' });
 *   await carp.stop('SIGTERM', 1000);
 */
import { Worker } from 'node:worker_threads';
import type { HostSettings, VhidSettings } from '../carp/events.ts';
import type { CarpSettings, FromCarp, RunAs, ToCarp, WatchedThread } from './carp-messages.ts';
import { leaseFor } from './lease.ts';
import type { SharedMemory } from './shared-memory.ts';
import { createWakeUp } from './wake-up.ts';

export type CarpThreadOptions = {
  /** From `checkCarpHost`. */
  readonly vhids: readonly VhidSettings[];
  /** net.inet.carp.*, where it differs from the defaults. */
  readonly host?: HostSettings | undefined;
  readonly memory: SharedMemory;
  /** Control, checks and every data thread that runs; a watched thread counts from its first beat on. */
  readonly watched: readonly WatchedThread[];
  /** The guardian's pipe, or -1. */
  readonly guardian_fd: number;
  readonly wait_for_ready: boolean;
  /** Until `take-over` is posted; left out: no other process runs these vhids. */
  readonly waits_for_other?: boolean;
  /** The user that the process becomes: the carp thread does that itself and keeps the rights that it needs. */
  readonly run_as?: RunAs | undefined;
  readonly onMessage: (message: FromCarp) => void;
};

export type CarpHandle = {
  /** Sends and wakes. */
  post(message: ToCarp): void;
  /** For what is written in shared memory (the stop word). */
  wake(): void;
  /** The thread's answer, or undefined when it gave none in time. */
  status(timeout_ms: number): Promise<Extract<FromCarp, { kind: 'status' }> | undefined>;
  /**
   * Resolves to true when the thread bowed out and left its loop in time. May be called again. `leaves`: slots that
   * another process of this host goes on with.
   */
  stop(reason: string, timeout_ms: number, leaves?: readonly number[]): Promise<boolean>;
};

export function startCarpThread(options: CarpThreadOptions): CarpHandle {
  const wake_up = createWakeUp();
  const worker = new Worker(new URL('./carp.js', import.meta.url), {
    workerData: settingsOf(options, wake_up.fd),
    // It allocates next to nothing, so a small nursery is enough, and what collects it never takes long.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const listeners = new Set<(message: FromCarp) => void>([options.onMessage]);
  const tell = (message: FromCarp): void => {
    for (const listener of [...listeners]) listener(message);
  };
  let stopped = false;
  let last_id = 0;
  worker.on('message', (message: FromCarp) => {
    if (message.kind === 'stopped') stopped = true;
    tell(message);
  });
  worker.on('error', (error: Error) => {
    tell({ kind: 'fatal', at_ns: 0, text: error.stack ?? error.message });
  });
  worker.on('exit', () => {
    wake_up.close();
    if (!stopped) tell({ kind: 'stopped', at_ns: 0 });
    stopped = true;
  });

  const post = (message: ToCarp): void => {
    worker.postMessage(message);
    wake_up.wake();
  };
  /** The first message that `pick` takes, or undefined after `timeout_ms`. */
  const waitFor = <T>(pick: (message: FromCarp) => T | undefined, timeout_ms: number): Promise<T | undefined> =>
    new Promise((resolve) => {
      const finish = (value: T | undefined): void => {
        clearTimeout(timer);
        listeners.delete(listener);
        resolve(value);
      };
      const listener = (message: FromCarp): void => {
        const value = pick(message);
        if (value !== undefined) finish(value);
      };
      const timer = setTimeout(finish, timeout_ms, undefined);
      listeners.add(listener);
    });

  return {
    post,
    wake: wake_up.wake,
    async status(timeout_ms) {
      if (stopped) return undefined;
      const id = ++last_id;
      const answer = waitFor(
        (message) => (message.kind === 'status' && message.id === id ? message : undefined),
        timeout_ms,
      );
      post({ kind: 'status', id });
      return answer;
    },
    async stop(reason, timeout_ms, leaves = []) {
      if (stopped) return true;
      const answer = waitFor((message) => (message.kind === 'stopped' ? true : undefined), timeout_ms);
      post({ kind: 'stop', reason, leaves });
      return (await answer) ?? false;
    },
  };
}

function settingsOf(options: CarpThreadOptions, wake_fd: number): CarpSettings {
  return {
    vhids: options.vhids,
    host: options.host,
    memory: options.memory.words.buffer as SharedArrayBuffer,
    counts: options.memory.counts,
    watched: options.watched,
    wake_fd,
    guardian_fd: options.guardian_fd,
    lease_s: leaseFor(options.vhids),
    wait_for_ready: options.wait_for_ready,
    waits_for_other: options.waits_for_other ?? false,
    seed: crypto.getRandomValues(new Uint32Array(4)),
    run_as: options.run_as,
  };
}
