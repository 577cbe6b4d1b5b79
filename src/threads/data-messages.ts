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
  /** For every descriptor that its log targets print on (line-ring.ts). */
  readonly lines: readonly LineTarget[];
};

/** workerData. The first generation's memory also holds the thread's heartbeat and the stop word, for good. */
export type DataSettings = {
  readonly thread: number;
  readonly first: GenerationSettings;
  readonly wake_fd: number;
  /** CARPOOL_REACTOR. */
  readonly reactor: string | undefined;
};

/** A descriptor of the process that lines are printed on, and the ring that they go through. */
export type LineTarget = { readonly fd: number; readonly ring: SharedArrayBuffer };

export type ToData =
  /** Serve this from now on; who is served by an earlier one is served to the end. Answered by `configured`. */
  | { readonly kind: 'configure'; readonly settings: GenerationSettings }
  /** New connections to these servers of this generation go elsewhere; those that are in use go on. */
  | { readonly kind: 'addresses'; readonly generation: number; readonly changes: readonly AddressChange[] }
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
  /** There are log lines to print. */
  | { readonly kind: 'lines'; readonly thread: number; readonly fd: number }
  /** So many lines were lost since the last word of it. */
  | { readonly kind: 'dropped'; readonly thread: number; readonly lines: number };

/** The descriptor behind a target that is one: `stdout`, `stderr`, `fd@N`. */
export function lineDescriptor(to: Extract<LogTarget['to'], { kind: 'stdout' | 'stderr' | 'fd' }>): number {
  return to.kind === 'fd' ? to.fd : to.kind === 'stdout' ? 1 : 2;
}
