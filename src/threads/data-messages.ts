/** What the control thread and a data thread say to each other. */
import type { Config } from '../config/model.ts';
import type { OpenListener } from '../proxy/proxy-thread.ts';
import type { Counts } from './shared-memory.ts';

/** workerData. */
export type DataSettings = {
  readonly thread: number;
  readonly config: Config;
  readonly shared: SharedArrayBuffer;
  readonly counts: Counts;
  readonly listeners: readonly OpenListener[];
  readonly wake_fd: number;
  /** CARPOOL_REACTOR. */
  readonly reactor: string | undefined;
  /** What the control thread prints for this one (line-ring.ts). */
  readonly lines: { readonly stdout: SharedArrayBuffer; readonly stderr: SharedArrayBuffer };
  /** How long a soft stop waits for the clients that are being served. */
  readonly drain_ms: number;
};

export type ToData = { readonly kind: 'nothing yet' };

export type FromData =
  | { readonly kind: 'running'; readonly thread: number; readonly reactor: 'ring' | 'epoll'; readonly reason: string }
  /** There are log lines to print. */
  | { readonly kind: 'lines'; readonly thread: number; readonly to: 'stdout' | 'stderr' };
