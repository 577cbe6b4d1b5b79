/** What people set of TCP itself. Undefined: the kernel's own. */
import type { Endpoint } from './model.ts';

/** Probes of quiet connections: how many without an answer, after how long, how often. */
export type KeepAlive = {
  readonly count: number | undefined;
  readonly idle_s: number | undefined;
  readonly interval_s: number | undefined;
};

/** Of a listener and the connections that it accepts. */
export type TcpSettings = {
  readonly user_timeout_ms: number | undefined;
  /** Undefined: quiet connections are not probed. */
  readonly keep_alive: KeepAlive | undefined;
  readonly interface: string | undefined;
  /** The largest segment that clients are offered. */
  readonly mss: number | undefined;
  /** A client is accepted when it has said something. */
  readonly defer_accept: boolean;
  /** `v4v6`: of `::`, IPv4 clients too. */
  readonly takes_ipv4: boolean;
  /** `tfo`: TCP Fast Open (RFC 7413). */
  readonly fast_open: boolean;
  /** `transparent`: of an address that need not be here. */
  readonly transparent: boolean;
};

/** `source`: an undefined endpoint is any address. */
export type SourceAddress = { readonly endpoint: Endpoint | undefined; readonly interface: string | undefined };
