/**
 * What `carpool status` tells, as one object: `--json` prints it as it is, the table and the ifconfig form are
 * drawn from it. Times are ISO 8601 in UTC; durations are seconds with a fraction, or milliseconds where named so.
 */

import type { OrderReport } from './order.ts';

export type StatusReport = {
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  readonly uptime_s: number;
  /** False until the listeners accept and every check has run once. */
  readonly ready: boolean;
  readonly files: readonly string[];
  readonly vhids: readonly VhidReport[];
  /** The thread that carries the vhids; null where there are none. */
  readonly carp: CarpReport | null;
  /** What people ordered: drain, maint, demote. */
  readonly orders: readonly OrderReport[];
  /** Since the start, because whoever reads them was too slow. */
  readonly lost_log_lines: number;
  /** Seconds since the last of them; null when none was lost. */
  readonly last_lost_line_s: number | null;
  /** The back end of the data threads, and why it was chosen; null before they run, and without frontends. */
  readonly reactor: { readonly kind: 'ring' | 'epoll'; readonly reason: string } | null;
  readonly frontends: readonly FrontendReport[];
  readonly backends: readonly BackendReport[];
};

export type CarpReport = {
  readonly scheduling: 'SCHED_RR' | 'SCHED_OTHER';
  /** Whether the guardian would take the addresses away if this process died now. */
  readonly guardian: boolean;
  /** How often the thread stood still, and for how long at the longest. */
  readonly stalls: number;
  readonly longest_stall_ms: number;
  /** Seconds since the last one; null when there was none. */
  readonly last_stall_s: number | null;
  /** Vhids (`1@eth0`) that another daemon of this host runs as well. */
  readonly taken: readonly string[];
};

export type VhidReport = {
  /** The section's name. */
  readonly name: string;
  readonly vhid: number;
  readonly interface: string;
  readonly state: 'INIT' | 'BACKUP' | 'MASTER';
  readonly since: string;
  readonly since_s: number;
  /** Why it is in this state. */
  readonly reason: string;
  /** The address that adverts come from, this node's own included; null when nobody is heard. */
  readonly master: string | null;
  /** Seconds since the last advert of another node; null when none was heard. */
  readonly last_heard_s: number | null;
  /** `10.10.0.1/16` */
  readonly addresses: readonly string[];
  readonly advbase: number;
  /** As configured, and as sent with the demotion in it. */
  readonly advskew: number;
  readonly advertised_advskew: number;
  /** Milliseconds between two adverts of this node when it is MASTER. */
  readonly interval_ms: number;
  readonly preempt: boolean;
  readonly demotion: number;
  readonly demotions: readonly { readonly owner: string; readonly amount: number; readonly reason: string }[];
  /** What is wrong on the segment, one sentence each. */
  readonly troubles: readonly string[];
  readonly adverts_sent: number;
  readonly adverts_received: number;
};

export type FrontendReport = {
  readonly name: string;
  readonly mode: 'http' | 'tcp';
  /** `10.10.0.1:80` */
  readonly binds: readonly string[];
  /** Client connections open now. */
  readonly connections: number;
  /** Whose `maxconn` new clients wait for: `frontend`, `process`, an address of `binds`. */
  readonly full: readonly string[];
};

export type BackendReport = {
  readonly name: string;
  readonly mode: 'http' | 'tcp';
  readonly balance: string;
  readonly servers: readonly ServerReport[];
};

/** What the last check, or the last word of the agent, said. */
export type CheckReport = {
  /** HAProxy's: `L7STS`. */
  readonly code: string;
  /** Of the protocol: an HTTP status, an error number; 0 when there is none. */
  readonly status: number;
  readonly duration_ms: number;
  /** What the code does not tell: `connection refused`. */
  readonly info: string;
};

export type ServerReport = {
  readonly name: string;
  readonly address: string;
  /** `configuration`, `libc`, `last`, `init-addr`, `mydns/dns1`, or `none` while there is only a name. */
  readonly address_from: string;
  readonly up: boolean;
  /** Whether checks decide about `up`. */
  readonly checked: boolean;
  readonly backup: boolean;
  readonly weight: number;
  /** Requests (http) or connections (tcp) being served now, and since the start. */
  readonly current: number;
  readonly total: number;
  readonly reason: string;
  /** Null before the first, and for a server that is not asked. */
  readonly last_check: CheckReport | null;
  readonly last_agent: CheckReport | null;
};
