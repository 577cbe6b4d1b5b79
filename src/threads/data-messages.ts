/**
 * What the control thread and a data thread say to each other.
 *
 *   control ── workerData: DataSettings ──> data         once, at the start
 *   control ── ToData, then a write to the eventfd ──> data
 *   control <── FromData ── data
 */
import type { Config, LogTarget } from '../config/model.ts';
import type { BadMessage } from '../proxy/http/bad-messages.ts';
import type { PageQuestion, PageReply } from '../proxy/http/page.ts';
import type { OpenListener } from '../proxy/proxy-thread.ts';
import type { SessionReport } from '../proxy/session-list.ts';
import type { BufferCounts } from '../reactor/buffers.ts';
import type { AddressChange } from './address-change.ts';
import type { Counts } from './shared-memory.ts';

/** A configuration that a thread serves, with shared memory of its own. */
export type GenerationSettings = {
  /** 1, 2, … : one more with each reload. */
  readonly generation: number;
  readonly config: Config;
  readonly shared: SharedArrayBuffer;
  readonly counts: Counts;
  /** Descriptors that an earlier generation listens on are taken over from it. */
  readonly listeners: readonly OpenListener[];
  /** Descriptors that other threads go on with: who gives one of them back leaves it open. */
  readonly elsewhere: readonly number[];
  /** For everything that main does with its lines (line-ring.ts). */
  readonly lines: readonly LineTarget[];
};

/** workerData. */
export type DataSettings = {
  /** Its number in the memory of generations. */
  readonly thread: number;
  /** Heartbeats and the stop word, and its place there. */
  readonly process: { readonly shared: SharedArrayBuffer; readonly counts: Counts; readonly place: number };
  readonly first: GenerationSettings;
  readonly wake_fd: number;
  /** CARPOOL_REACTOR. */
  readonly reactor: string | undefined;
  readonly buffers: BufferCounts;
};

/** What main prints or keeps: on a descriptor of the process or in a ring of the configuration, and the way there. */
export type LineTarget = { readonly key: LineKey; readonly ring: SharedArrayBuffer };

/** `fd 2`, `ring latest`. */
export type LineKey = `fd ${number}` | `ring ${string}`;

export type ToData =
  /** Serve this from now on; who is served by an earlier one is served to the end. Answered by `configured`. */
  | { readonly kind: 'configure'; readonly settings: GenerationSettings }
  /** Serve who is there to the end, and go: the next generation has fewer threads. */
  | { readonly kind: 'leave'; readonly elsewhere: readonly number[] }
  /** New connections to these servers of this generation go elsewhere; those that are in use go on. */
  | { readonly kind: 'addresses'; readonly generation: number; readonly changes: readonly AddressChange[] }
  /** Memory is short: what lies free goes back to the system. */
  | { readonly kind: 'trim' }
  /** Clients of this generation that are left lose their connections. */
  | { readonly kind: 'abandon'; readonly generation: number }
  /**
   * The process will stop: replies say `Connection: close`, and new clients are still served. After the stop word clients
   * may go on for `limit_ms`; null: as long as they want.
   */
  | { readonly kind: 'announce-end'; readonly limit_ms: number | null }
  /** Answers `page`, of whichever configuration asked. */
  | { readonly kind: 'page'; readonly ask: number; readonly generation: number; readonly reply: PageReply }
  /** Answered by `sessions`, `bad-messages` with the same number. */
  | { readonly kind: 'list-sessions'; readonly ask: number }
  | { readonly kind: 'list-bad-messages'; readonly ask: number }
  /** Answered by `ended`: one session, or all that a server of the present configuration serves. */
  | { readonly kind: 'end-sessions'; readonly ask: number; readonly which: { id: string } | { server: number } };

export type RuntimeMessage = Extract<ToData, { kind: 'list-sessions' | 'list-bad-messages' | 'end-sessions' | 'page' }>;

export type FromData =
  | { readonly kind: 'running'; readonly thread: number; readonly reactor: 'ring' | 'epoll'; readonly reason: string }
  | { readonly kind: 'configured'; readonly thread: number; readonly generation: number }
  | { readonly kind: 'sessions'; readonly ask: number; readonly sessions: readonly SessionReport[] }
  | { readonly kind: 'bad-messages'; readonly ask: number; readonly messages: readonly BadMessage[] }
  /** A page that main is to write. */
  | { readonly kind: 'page'; readonly generation: number; readonly question: PageQuestion }
  | { readonly kind: 'ended'; readonly ask: number; readonly count: number }
  /** There are log lines to print or to keep. */
  | { readonly kind: 'lines'; readonly thread: number; readonly key: LineKey }
  /** The system has no descriptor or memory for another connection (errno). */
  | { readonly kind: 'shortage'; readonly thread: number; readonly error: number }
  /** So many lines were lost since the last word of it. */
  | { readonly kind: 'dropped'; readonly thread: number; readonly lines: number };

/** Undefined for targets that data threads send to themselves. */
export function lineKey(to: LogTarget['to']): LineKey | undefined {
  switch (to.kind) {
    case 'stdout':
      return 'fd 1';
    case 'stderr':
      return 'fd 2';
    case 'fd':
      return `fd ${to.fd}`;
    case 'ring':
      return `ring ${to.name}`;
    default:
      return undefined;
  }
}
