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
import type { Operational } from '../health/server-health.ts';
import type { Code } from '../health/verdict.ts';
import type { AddressChange } from './address-change.ts';
import type { Counts } from './shared-memory.ts';

/** Whom to ask, and where to write what they say. */
export type CheckedServers = {
  readonly plans: readonly CheckPlan[];
  /** Percent by which intervals vary. */
  readonly spread_percent: number;
  /** The name of this node. */
  readonly host_name: string;
  /** Of the configuration's generation: the servers' states. */
  readonly memory: SharedArrayBuffer;
  readonly counts: Counts;
};

export type ChecksSettings = CheckedServers & {
  /** Of the process: heartbeat and stop word. */
  readonly process_memory: SharedArrayBuffer;
  readonly process_counts: Counts;
  /** An eventfd that control writes to after it posted or stored the stop word. */
  readonly wake_fd: number;
  /** CARPOOL_REACTOR: `ring`, `epoll`, or undefined for what the kernel allows. */
  readonly reactor: string | undefined;
};

export type ToChecks =
  /** Ends the loop; the stop word in shared memory does the same. Answered by `stopped`. */
  | { readonly kind: 'stop' }
  /** From now on these servers, whose states so far stand in this memory. */
  | ({ readonly kind: 'configure' } & CheckedServers)
  /** These servers of the present configuration are elsewhere. */
  | { readonly kind: 'addresses'; readonly changes: readonly AddressChange[] }
  /** A program that `run-program` asked for has ended, or never began. */
  | { readonly kind: 'program-ended'; readonly run: number; readonly end: ProgramEnd };

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly timed_out: boolean }
  | { readonly kind: 'not-started'; readonly problem: string };

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
      /** STOPPING is up, too. */
      readonly up: boolean;
      readonly state: Operational;
      /** What the deciding check saw: `connection refused`, `HTTP status 503`. */
      readonly reason: string;
      /** The same as HAProxy's code. */
      readonly code: Code;
      /** The same in the words of HAProxy's log, behind the server's name. */
      readonly why: string;
    }
  /** What a check or an agent says is new; shared memory has its code. */
  | {
      readonly kind: 'check';
      readonly at_ns: number;
      readonly backend: string;
      readonly server: string;
      readonly agent: boolean;
      readonly code: Code;
      /** HAProxy's last_chk or last_agt; '' when there is nothing to add to the code. */
      readonly info: string;
      /** For the log, with `option log-health-checks`. */
      readonly line: string | undefined;
    }
  /** An agent changed the administrative word, or that of a server that tracks its own; shared memory says so already. */
  | {
      readonly kind: 'administrative';
      readonly at_ns: number;
      readonly backend: string;
      readonly server: string;
      readonly before: number;
      readonly after: number;
    }
  /** An agent changed the weight; shared memory says so already. */
  | {
      readonly kind: 'weight';
      readonly at_ns: number;
      readonly backend: string;
      readonly server: string;
      /** Of the configured one. */
      readonly weight_percent: number;
    }
  /** `external-check`: threads cannot start programs. Answered by `program-ended` with the same `run`. */
  | {
      readonly kind: 'run-program';
      readonly run: number;
      readonly backend: string;
      readonly server: string;
      readonly timeout_ms: number;
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
