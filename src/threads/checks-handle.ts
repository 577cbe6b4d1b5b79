/**
 * Starts and stops the checks thread from the control thread.
 *
 *   const checks = startChecksThread({ config, memory, reactor: process.env.CARPOOL_REACTOR, onMessage });
 *   await checks.stop(1000);
 */
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/model.ts';
import { planChecks } from '../health/plan.ts';
import type { AddressChange } from './address-change.ts';
import type { CheckedServers, ChecksSettings, FromChecks, ProgramEnd, ToChecks } from './checks-messages.ts';
import type { SharedMemory } from './shared-memory.ts';
import { createWakeUp } from './wake-up.ts';

export type ChecksThreadOptions = {
  /** With every server's name resolved. */
  readonly config: Config;
  /** The states of its servers. */
  readonly memory: SharedMemory;
  /** Heartbeat and stop word, when they are elsewhere. */
  readonly process_memory?: SharedMemory;
  /** CARPOOL_REACTOR: `ring`, `epoll`, or undefined for what the kernel allows. */
  readonly reactor: string | undefined;
  readonly onMessage: (message: FromChecks) => void;
};

export type ChecksHandle = {
  /** For what is written in shared memory (the stop word). */
  wake(): void;
  /** Asks these servers from now on; what is known of them so far stands in `memory`. */
  configure(config: Config, memory: SharedMemory): void;
  /** These servers of the configuration that was last given are elsewhere. */
  moveServers(changes: readonly AddressChange[]): void;
  /** Answers `run-program`. */
  programEnded(run: number, end: ProgramEnd): void;
  /** Resolves to true when the thread left its loop in time. May be called again. */
  stop(timeout_ms: number): Promise<boolean>;
};

export function startChecksThread(options: ChecksThreadOptions): ChecksHandle {
  const { config, memory, process_memory = memory, reactor, onMessage } = options;
  const wake_up = createWakeUp();
  const settings: ChecksSettings = {
    ...serversOf(config, memory),
    process_memory: process_memory.words.buffer as SharedArrayBuffer,
    process_counts: process_memory.counts,
    wake_fd: wake_up.fd,
    reactor,
  };
  const worker = new Worker(new URL('./checks.js', import.meta.url), { workerData: settings });
  let stopped = false;
  let tellStopped: () => void = () => {};
  const has_stopped = new Promise<void>((resolve) => {
    tellStopped = resolve;
  });
  const onStopped = (message: FromChecks): void => {
    if (stopped) return;
    stopped = true;
    onMessage(message);
    tellStopped();
  };
  worker.on('message', (message: FromChecks) => {
    if (message.kind === 'stopped') onStopped(message);
    else onMessage(message);
  });
  worker.on('error', (error: Error) => onMessage({ kind: 'fatal', at_ns: 0, text: error.stack ?? error.message }));
  worker.on('exit', () => {
    wake_up.close();
    onStopped({ kind: 'stopped', at_ns: 0 });
  });

  const post = (message: ToChecks): void => {
    worker.postMessage(message);
    wake_up.wake();
  };
  return {
    wake: wake_up.wake,
    configure: (next, next_memory) => post({ kind: 'configure', ...serversOf(next, next_memory) }),
    moveServers: (changes) => post({ kind: 'addresses', changes }),
    programEnded: (run, end) => post({ kind: 'program-ended', run, end }),
    async stop(timeout_ms) {
      if (stopped) return true;
      post({ kind: 'stop' });
      const timeout = new AbortController();
      const in_time = await Promise.race([has_stopped.then(() => true), after(timeout_ms, timeout.signal)]);
      timeout.abort();
      return in_time;
    },
  };
}

function serversOf(config: Config, { words, counts }: SharedMemory): CheckedServers {
  return {
    plans: planChecks(config),
    spread_percent: config.global.spread_checks,
    host_name: config.global.node ?? hostname(),
    memory: words.buffer as SharedArrayBuffer,
    counts,
  };
}

/** False after `delay_ms`; an abort takes the timer away. */
function after(delay_ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay_ms, false);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
