/** What the control thread and a data thread say to each other. */
import type { Config, LogTarget } from '../config/model.ts';
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
  readonly lines: readonly LineTarget[];
  /** How long a soft stop waits for the clients that are being served. */
  readonly drain_ms: number;
};

/** A descriptor of the process that lines are printed on, and the ring that they go through. */
export type LineTarget = { readonly fd: number; readonly ring: SharedArrayBuffer };

export type ToData = { readonly kind: 'nothing yet' };

export type FromData =
  | { readonly kind: 'running'; readonly thread: number; readonly reactor: 'ring' | 'epoll'; readonly reason: string }
  /** There are log lines to print. */
  | { readonly kind: 'lines'; readonly thread: number; readonly fd: number }
  /** So many lines were lost since the last word of it. */
  | { readonly kind: 'dropped'; readonly thread: number; readonly lines: number };

/** The descriptor behind a target that is one: `stdout`, `stderr`, `fd@N`. */
export function lineDescriptor(to: Extract<LogTarget['to'], { kind: 'stdout' | 'stderr' | 'fd' }>): number {
  return to.kind === 'fd' ? to.fd : to.kind === 'stdout' ? 1 : 2;
}
