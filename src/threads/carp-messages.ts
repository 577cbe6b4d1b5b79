/**
 * What the control thread and the carp thread say to each other.
 *
 *   control ── workerData: CarpSettings ──> carp       once, at the start
 *   control ── ToCarp, then a write to the eventfd ──> carp
 *   control <── FromCarp ── carp
 *
 * All times are CLOCK_MONOTONIC nanoseconds as a Number. `index` is a vhid's position in `CarpSettings.vhids`.
 */
import type { BadSource, Counters, Event, HostSettings, State, VhidSettings, VhidStatus } from '../carp/events.ts';
import type { Privileges } from '../system/privileges.ts';
import type { Counts } from './shared-memory.ts';

/** A thread that must beat in shared memory while this node holds an address, at least every `patience_ms`. */
export type WatchedThread = { readonly thread: number; readonly name: string; readonly patience_ms: number };

export type CarpSettings = {
  readonly vhids: readonly VhidSettings[];
  readonly host?: HostSettings | undefined;
  readonly memory: SharedArrayBuffer;
  readonly counts: Counts;
  readonly watched: readonly WatchedThread[];
  /** An eventfd that control writes to after it posted. */
  readonly wake_fd: number;
  /** The guardian's pipe (its writing end), or -1. */
  readonly guardian_fd: number;
  /** Whole seconds, the kernel's lifetime of an address. */
  readonly lease_s: number;
  /** Stay in INIT until `undemote` of owner `starting`, 10 s at most. */
  readonly wait_for_ready: boolean;
  /** Touch nothing and take part in nothing until `take-over`: another process of this host runs these vhids still. */
  readonly waits_for_other: boolean;
  /** Four random words, not all 0. */
  readonly seed: Uint32Array;
  /** Whom the thread becomes once its sockets are open; it keeps CAP_NET_RAW and CAP_NET_ADMIN. Undefined: stay. */
  readonly run_as?: RunAs | undefined;
};

export type RunAs = Omit<Privileges, 'keep'>;

export type ToCarp =
  /** The engine's events. Without the owner `starting` (the listeners accept, every check ran once) vhids may leave INIT. */
  | Extract<Event, { readonly kind: 'demote' | 'undemote' }>
  /** The engine's event of that name. */
  | { readonly kind: 'yield'; readonly index?: number; readonly reason: string }
  | { readonly kind: 'maintenance'; readonly index: number; readonly reason: string | undefined }
  /**
   * Other settings on the running node, by the engine's event of that name; answered by `configured`. The vhids come
   * from `checkCarpHost`.
   */
  | {
      readonly kind: 'configure';
      readonly id: number;
      readonly vhids: readonly VhidSettings[];
      readonly host?: HostSettings;
      /** What control takes the vhids' slots to be, by the engine's rule; it is an error when they are others. */
      readonly slots?: readonly number[];
    }
  /** The other process gives the vhids back; of those in the slots `adopts` it leaves the addresses and links as they are. */
  | { readonly kind: 'take-over'; readonly adopts: readonly number[] }
  /** The engine's event of that name. */
  | {
      readonly kind: 'set-state';
      readonly index: number;
      readonly state: 'BACKUP' | 'MASTER';
      readonly reason?: string;
    }
  /** The down script has run: unless the vhid is MASTER again, no entry of its VIPs stays on the interface. */
  | { readonly kind: 'remove-entries'; readonly index: number }
  | { readonly kind: 'status'; readonly id: number }
  /** A new guardian after the old one died; -1: none. */
  | { readonly kind: 'guardian'; readonly fd: number }
  /**
   * Bow out, remove the addresses, leave the loop; answered by `stopped`. The vhids in the slots `leaves` are another
   * process's by now: of these everything stays.
   */
  | { readonly kind: 'stop'; readonly reason: string; readonly leaves: readonly number[] };

export type FromCarp =
  /** The packet sockets are open and the engine runs. */
  | { readonly kind: 'started'; readonly at_ns: number }
  | {
      readonly kind: 'transition';
      readonly at_ns: number;
      readonly index: number;
      readonly vhid: number;
      readonly interface: string;
      readonly from: State;
      readonly to: State;
      readonly reason: string;
    }
  | {
      readonly kind: 'log';
      readonly at_ns: number;
      readonly level: 'info' | 'notice' | 'warning' | 'error';
      readonly text: string;
    }
  | {
      readonly kind: 'status';
      readonly id: number;
      readonly at_ns: number;
      readonly vhids: readonly CarpVhidStatus[];
      readonly counters: Counters;
      readonly bad_sources: readonly BadSource[];
      /** Real-time scheduling: what the thread runs under. */
      readonly scheduling: 'SCHED_RR' | 'SCHED_OTHER';
      readonly guardian: boolean;
      /** How often this thread was late by more than adverts allow, since its start. */
      readonly stalls: number;
      readonly longest_stall_ms: number;
      /** 0: never. */
      readonly last_stall_ns: number;
    }
  /** Scripts run in control's process, one after the other per vhid; `arguments` are INTERFACE VIP [XPARAM]. */
  | {
      readonly kind: 'run-script';
      readonly at_ns: number;
      readonly index: number;
      readonly which: 'up' | 'down';
      readonly path: string;
      readonly arguments: readonly string[];
    }
  /** The slot, which is `index` everywhere, of each vhid of the `configure` message, in its order. */
  | { readonly kind: 'configured'; readonly id: number; readonly at_ns: number; readonly slots: readonly number[] }
  /** The guardian's pipe broke: start another and post its descriptor. */
  | { readonly kind: 'guardian-lost'; readonly at_ns: number }
  /** The thread failed, after it bowed out and removed the addresses. `stopped` follows. */
  | { readonly kind: 'fatal'; readonly at_ns: number; readonly text: string }
  | { readonly kind: 'stopped'; readonly at_ns: number };

/** The engine's view of a vhid, and what the thread knows beside it. */
export type CarpVhidStatus = VhidStatus & {
  /** How often this node adverts, or would as MASTER, with its demotion. */
  readonly interval_ms: number;
  /** What the last advert that it heard says. */
  readonly heard_interval_ms: number | undefined;
  readonly link_up: boolean;
  /** The VIPs that are on the interface now by our hand. */
  readonly leases: readonly Lease[];
};

export type Lease = { readonly address: string; readonly lease_s: number; readonly renewed_ns: number };
