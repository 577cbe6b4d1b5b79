/** The part of the model that says how the names of servers become addresses (manual 5.3); types only. */
import type { Span } from './diagnostic.ts';
import type { Endpoint, Spans } from './model.ts';

/** A `resolvers` section: whom to ask, how often, and how long an answer holds when no other one comes. */
export type Resolvers = {
  readonly name: string;
  readonly nameservers: readonly Nameserver[];
  /** Queries of a name before its status is an error; at least 1. */
  readonly resolve_retries: number;
  /** From one resolution to the next. */
  readonly resolve_ms: number;
  /** How long nameservers may think about a query. */
  readonly retry_ms: number;
  /** The longest answer over UDP that nameservers are told of, in bytes. */
  readonly payload_bytes: number;
  readonly hold: Hold;
  readonly span: Span;
  readonly spans: Spans;
};

/** For how long after the last valid answer each kind of failure is ignored. */
export type Hold = {
  readonly nx_ms: number;
  readonly refused_ms: number;
  readonly timeout_ms: number;
  readonly other_ms: number;
  /** How long a record stays that the last answers did not have. */
  readonly obsolete_ms: number;
  /** Of rules that resolve names; servers do not heed it. */
  readonly valid_ms: number;
};

export type Nameserver =
  | {
      readonly kind: 'address';
      readonly name: string;
      readonly transport: 'udp' | 'tcp';
      readonly endpoint: Endpoint;
      readonly span: Span;
    }
  /** Those of the host's /etc/resolv.conf, which control/ reads. */
  | { readonly kind: 'resolv-conf'; readonly span: Span };

/** How a server's name is looked up while the process runs. */
export type Resolution = {
  /** The section's name. */
  readonly resolvers: string;
  readonly prefer: 'ipv4' | 'ipv6';
  /** Addresses in these networks come first. */
  readonly networks: readonly Network[];
  /** Servers of one backend and name may have the same address. */
  readonly allows_duplicates: boolean;
  /** The weights of SRV records are not the server's. */
  readonly ignores_weight: boolean;
};

export type Network = { readonly address: string; readonly prefix_length: number };

/** Where the first address of a name comes from: an earlier configuration, the system's resolver, nowhere, or here. */
export type InitAddress =
  | { readonly kind: 'last' | 'libc' | 'none' }
  | { readonly kind: 'address'; readonly address: string };
