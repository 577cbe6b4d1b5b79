/**
 * What the control thread and the checks thread say to each other.
 *
 *   control ── workerData: ChecksSettings ──> checks        once, at the start
 *   control ── ToChecks, then a write to the eventfd ──> checks
 *   control <── FromChecks ── checks
 *
 * All times are CLOCK_MONOTONIC nanoseconds as a Number.
 */
import type { CheckPlan } from '../health/plan.ts';
import type { Code } from '../health/verdict.ts';
import type { Counts } from './shared-memory.ts';

export type ChecksSettings = {
  readonly plans: readonly CheckPlan[];
  /** Of the configuration's generation: the servers' states. */
  readonly memory: SharedArrayBuffer;
  readonly counts: Counts;
  /** Of the process: heartbeat and stop word. */
  readonly process_memory: SharedArrayBuffer;
  readonly process_counts: Counts;
  /** An eventfd that control writes to after it posted or stored the stop word. */
  readonly wake_fd: number;
  /** CARPOOL_REACTOR: `ring`, `epoll`, or undefined for what the kernel allows. */
  readonly reactor: string | undefined;
};

/** Ends the loop; the stop word in shared memory does the same. Answered by `stopped`. */
export type ToChecks =
  | { readonly kind: 'stop' }
  /** From now on these servers, whose states so far stand in this memory. */
  | {
      readonly kind: 'configure';
      readonly plans: readonly CheckPlan[];
      readonly memory: SharedArrayBuffer;
      readonly counts: Counts;
    };

export type FromChecks =
  /** The loop runs, on this back end, for this reason. */
  | {
      readonly kind: 'started';
      readonly at_ns: number;
      readonly reactor: 'ring' | 'epoll';
      readonly reason: string;
      readonly checked: number;
    }
  /** A server's operational state changed; shared memory says so already. */
  | {
      readonly kind: 'server';
      readonly at_ns: number;
      readonly backend: string;
      readonly server: string;
      readonly up: boolean;
      /** What the deciding check saw: `connection refused`, `HTTP status 503`. */
      readonly reason: string;
      /** The same as HAProxy's code; undefined when it was no check that decided. */
      readonly code: Code | undefined;
    }
  /** Every checked server's first check is done. At once when no server is checked. */
  | { readonly kind: 'checked-once'; readonly at_ns: number }
  | {
      readonly kind: 'log';
      readonly at_ns: number;
      readonly level: 'info' | 'notice' | 'warning' | 'error';
      readonly text: string;
    }
  /** The thread failed. `stopped` follows. */
  | { readonly kind: 'fatal'; readonly at_ns: number; readonly text: string }
  | { readonly kind: 'stopped'; readonly at_ns: number };
