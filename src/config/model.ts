/**
 * The one typed model that every dialect parses to, that the checks run on, and that the daemon runs.
 *
 *   haproxy.cfg (+ carp sections)   rc.conf / ifconfig / sysctl.conf   ucarp argv
 *                        \                     |                      /
 *                              Config (a span for every value)
 *
 * Values are plain data (they travel to threads as messages). `spans` holds, under the field's own name,
 * where each value was written; a field that is missing there was not written but defaulted.
 * Durations end in `_ms`. Undefined means "not set", which for a timeout means "none", as in HAProxy.
 */
import type { Span } from './diagnostic.ts';
import type { Userlist } from './model-accounts.ts';
import type { Balance, HashType } from './model-balance.ts';
import type { Carp, CarpHost, InterfaceName } from './model-carp.ts';
import type { AgentCheck, CheckMethod, ServerCheck, TrackedServer } from './model-checks.ts';
import type { ForwardFor, HttpConnections, RetryEvent, SessionCookie } from './model-http.ts';
import type { Capture, CookieCapture, LogFormat, LogTarget, Ring } from './model-logs.ts';
import type { ErrorFile, Exporter, StatsPage } from './model-pages.ts';
import type { InitAddress, Resolution, Resolvers } from './model-resolvers.ts';
import type { Monitor, NamedChoice, PersistRule, PriorityRule } from './model-rules.ts';
import type { KeepAlive, SourceAddress, TcpSettings } from './model-tcp.ts';

export type * from './model-accounts.ts';
export type * from './model-balance.ts';
export type * from './model-carp.ts';
export type * from './model-checks.ts';
export type * from './model-http.ts';
export type * from './model-logs.ts';
export type * from './model-pages.ts';
export type * from './model-resolvers.ts';
export type * from './model-rules.ts';
export type * from './model-tcp.ts';

export type Spans = Readonly<Record<string, Span>>;

export type Config = {
  readonly files: readonly string[];
  readonly global: Global;
  /** A `listen` section appears in both lists, under one name. */
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  readonly resolvers: readonly Resolvers[];
  readonly rings: readonly Ring[];
  readonly userlists: readonly Userlist[];
  readonly carps: readonly Carp[];
  /** Settings of this host's CARP that are not of one vhid (net.inet.carp.* of the BSDs). */
  readonly carp_host: CarpHost;
  /** `interface em0 = eth0`. loadConfig has put the links' names into every Carp already. */
  readonly interface_names: readonly InterfaceName[];
};

export type Global = {
  /** Data threads; undefined: one per core. */
  readonly nbthread: number | undefined;
  /** Connections of the whole process; undefined: what the descriptor limit allows. */
  readonly maxconn: number | undefined;
  /** Megabytes that the command line allows it (`-m`). */
  readonly memory_max_mb: number | undefined;
  /** More clients than there are descriptors for: true makes an error of what else is a warning. */
  readonly strict_limits: boolean | undefined;
  /** No configuration with a warning is run. */
  readonly zero_warning: boolean;
  /** New clients of all frontends in a second (`maxconnrate`, `maxsessrate`); 0: any number. */
  readonly connections_per_s: number;
  readonly sessions_per_s: number;
  readonly daemon: boolean;
  readonly pidfile: string | undefined;
  readonly chroot: string | undefined;
  /** Whom the process becomes once everything is open; `user` and `group` are names, `uid` and `gid` numbers. */
  readonly identity: Identity;
  /** How long a graceful stop still serves as MASTER while it drains. */
  readonly grace_ms: number | undefined;
  /** How long clients of an earlier configuration, or of a stopping process, may go on. Undefined: without limit. */
  readonly hard_stop_after_ms: number | undefined;
  readonly stats_sockets: readonly StatsSocket[];
  /** How long a client of a stats socket may be silent. */
  readonly stats_timeout_ms: number | undefined;
  /** Checks may run programs (`external-check`). */
  readonly external_check: boolean;
  /** Percent by which the time between checks varies, 0..50. */
  readonly spread_checks: number;
  /** Longest time that the first round of checks is spread over; undefined: the shortest `inter`. */
  readonly max_spread_checks_ms: number | undefined;
  /** The name of this node, for `send-state`; undefined: the host name. */
  readonly node: string | undefined;
  readonly log_targets: readonly LogTarget[];
  /** What `show servers state` wrote, and the directory of such files whose path is relative. */
  readonly server_state_file: string | undefined;
  readonly server_state_base: string | undefined;
  readonly log_tag: string | undefined;
  /** What syslog headers call this host; '' stands for its own name. Undefined: no name, as HAProxy without the keyword. */
  readonly log_send_hostname: string | undefined;
  readonly spans: Spans;
};

export type Identity = {
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
};

/** `stats socket`: a socket of the runtime API. */
export type StatsSocket = {
  readonly to:
    | { readonly kind: 'unix'; readonly path: string }
    | { readonly kind: 'tcp'; readonly endpoint: Endpoint }
    /** A listening descriptor that the parent process left open. */
    | { readonly kind: 'inherited'; readonly fd: number };
  /** Permissions of a unix socket's file; undefined: the umask decides. */
  readonly mode: number | undefined;
  /** Its owner. */
  readonly identity: Identity;
  readonly level: 'user' | 'operator' | 'admin';
  /** `expose-fd listeners`: a new process may take the listening sockets over it. */
  readonly exposes_listeners: boolean;
  /** `-S`: it prompts as HAProxy's master. */
  readonly is_master?: true;
  readonly span: Span;
};

export type Mode = 'http' | 'tcp';

/**
 * An IPv4 or IPv6 literal and a port. `address` is '0.0.0.0' or '::' for "every address". A socket file has its path there,
 * a name of Linux's abstract namespace `@` and the name; their port is 0.
 */
export type Endpoint = { readonly address: string; readonly port: number };

export type Bind = {
  /** Of an inherited descriptor control/ fills it in, as the kernel tells it. */
  readonly endpoint: Endpoint;
  /** A listening descriptor that the parent process left open (`fd@N`); undefined: carpool opens its own. */
  readonly inherited_fd: number | undefined;
  readonly name: string | undefined;
  /** As written with `id`; undefined: its place in the frontend, from 1. */
  readonly id: number | undefined;
  readonly backlog: number | undefined;
  /** Clients at once over this address and port; beyond it new ones wait in the kernel's queue. */
  readonly maxconn: number | undefined;
  /** Each client is announced by a PROXY protocol header. */
  readonly accept_proxy: boolean;
  readonly tcp: TcpSettings;
  /** Of a socket file; undefined: the umask and the process decide. */
  readonly mode: number | undefined;
  readonly identity: Identity;
  readonly span: Span;
};

export type Timeouts = {
  readonly connect_ms: number | undefined;
  readonly client_ms: number | undefined;
  readonly server_ms: number | undefined;
  readonly http_request_ms: number | undefined;
  readonly http_keep_alive_ms: number | undefined;
  readonly check_ms: number | undefined;
  /** How long a request may wait for a server; undefined: as long as a connection may take. */
  readonly queue_ms: number | undefined;
  /** How long a client, or a server, may be silent once the other has ended; undefined: as before. */
  readonly client_fin_ms: number | undefined;
  readonly server_fin_ms: number | undefined;
  /** How long both may be silent once bytes go both ways; undefined: those of client and server. */
  readonly tunnel_ms: number | undefined;
};

export type Frontend = {
  readonly name: string;
  readonly kind: 'frontend' | 'listen';
  readonly mode: Mode;
  readonly binds: readonly Bind[];
  readonly default_backend: string | undefined;
  /** Before the default one. */
  readonly use_backends: readonly NamedChoice[];
  readonly monitor: Monitor | undefined;
  /** Connections at once; beyond it new ones wait in the kernel's queue. */
  readonly maxconn: number | undefined;
  /** New clients in a second (`rate-limit sessions`), more wait; 0: any number. */
  readonly sessions_per_s: number;
  readonly timeouts: Timeouts;
  readonly log_targets: readonly LogTarget[];
  readonly log_format: LogFormat;
  readonly log_tag: string | undefined;
  /** Log connections on which nothing was sent (false with `option dontlognull`). */
  readonly log_null: boolean;
  /** False with `option dontlog-normal`: only what went wrong is logged. */
  readonly log_normal: boolean;
  /** `option log-separate-errors`: what went wrong is logged at level err. */
  readonly log_separate_errors: boolean;
  /** `option logasap`: a line is written when the response's head is there. */
  readonly log_asap: boolean;
  /** `error-log-format`: of connections that fail before their first request, and of requests that are none. */
  readonly error_log_format: LogFormat | undefined;
  /** `log-format-sd`: the structured data of RFC 5424 lines. */
  readonly log_format_sd: LogFormat | undefined;
  readonly captures: {
    readonly request: readonly Capture[];
    readonly response: readonly Capture[];
    readonly cookie: CookieCapture | undefined;
  };
  /** What `%ID` shows. */
  readonly unique_id_format: LogFormat | undefined;
  /** The field that tells it to servers. */
  readonly unique_id_header: string | undefined;
  readonly error_files: readonly ErrorFile[];
  readonly http: HttpConnections;
  readonly forwardfor: ForwardFor | undefined;
  readonly originalto: ForwardFor | undefined;
  readonly stats: StatsPage | undefined;
  readonly exporters: readonly Exporter[];
  /** Which requests go first where they wait for servers. */
  readonly priority_rules: readonly PriorityRule[];
  /** Each bind is counted for itself as well. */
  readonly socket_stats: boolean;
  readonly span: Span;
  readonly spans: Spans;
};

export type Backend = {
  readonly name: string;
  readonly kind: 'backend' | 'listen';
  readonly mode: Mode;
  readonly balance: Balance;
  /** Undefined: map-based, sdbm. */
  readonly hash: HashType | undefined;
  /** Percent of the average load that one server may have under consistent hashing; undefined: any. */
  readonly hash_balance_factor: number | undefined;
  readonly servers: readonly Server[];
  readonly use_servers: readonly NamedChoice[];
  readonly source: SourceAddress | undefined;
  /** Undefined: the kernel does not probe quiet connections to servers. */
  readonly keep_alive: KeepAlive | undefined;
  readonly persist_rules: readonly PersistRule[];
  /** Which file has its servers' states: that of the global section, or one of its own; undefined: none. */
  readonly states_from: 'global' | 'local' | undefined;
  /** Its own one; undefined: it is called as the backend. */
  readonly states_file: string | undefined;
  readonly timeouts: Timeouts;
  /** Connection attempts after the first (HAProxy `retries`, default 3). */
  readonly retries: number;
  /** On what a request is tried again (manual 4.2 "retry-on"); empty: on nothing. Only of `mode http`. */
  readonly retry_on: readonly RetryEvent[];
  /** Which retries may leave the server that a cookie or a hash names: every Nth, or the Nth from the end (negative). */
  readonly redispatch: number | undefined;
  /** Clients stay with their cookie's server even when it is down. */
  readonly persist: boolean;
  /** All backup servers take traffic, not only the first that works. */
  readonly all_backups: boolean;
  /** Connections of the backend at which servers with `minconn` take their `maxconn`. */
  readonly fullconn: number | undefined;
  readonly cookie: SessionCookie | undefined;
  readonly dynamic_cookie_key: string | undefined;
  readonly forwardfor: ForwardFor | undefined;
  readonly originalto: ForwardFor | undefined;
  readonly stats: StatsPage | undefined;
  readonly exporters: readonly Exporter[];
  readonly priority_rules: readonly PriorityRule[];
  readonly http: HttpConnections;
  /** How the servers with `check` are asked. */
  readonly check: CheckMethod;
  readonly error_files: readonly ErrorFile[];
  /** `option log-health-checks`: log each change of what checks say, not only changes of state. */
  readonly log_health_checks: boolean;
  readonly log_targets: readonly LogTarget[];
  /** What syslog headers call the program in lines about its servers; undefined: as the global section says. */
  readonly log_tag: string | undefined;
  readonly span: Span;
  readonly spans: Spans;
};

export type Server = {
  readonly name: string;
  /** As written; control/ resolves a name at the start and fills `endpoint.address`. */
  readonly host: string;
  /** In this order; without `none` a name that does not resolve is an error. Undefined: INIT_ADDRESSES. */
  readonly init_addresses: readonly InitAddress[] | undefined;
  /** Undefined: the name is resolved at the start only. */
  readonly resolution: Resolution | undefined;
  /** `address` is '' until a host name is resolved. Port 0: the port the client connected to. */
  readonly endpoint: Endpoint;
  /** Added to the client's port where `endpoint` has none. */
  readonly port_offset: number;
  /** `dispatch` or `option transparent`: whatever no cookie binds to another server. */
  readonly takes_rest: boolean;
  /** Clients of GET and HEAD are sent there; the path follows. */
  readonly redirect: string | undefined;
  /** 0..256; 0 takes no new traffic. */
  readonly weight: number;
  readonly backup: boolean;
  readonly disabled: boolean;
  /** As written with `id`; undefined: its place in the backend, from 1. */
  readonly id: number | undefined;
  /** Requests or connections at once; more wait. */
  readonly maxconn: number | undefined;
  /** The limit while the backend is idle; it grows to `maxconn` as the backend fills. */
  readonly minconn: number | undefined;
  /** How many may wait for this server. */
  readonly maxqueue: number | undefined;
  /** How long it takes a server that comes back to get its whole share. */
  readonly slowstart_ms: number | undefined;
  /** What a client's cookie says to come back to this server. */
  readonly cookie: string | undefined;
  readonly observe: Observe | undefined;
  readonly send_proxy: SendProxy | undefined;
  /** Idle connections that all data threads together keep; undefined: any number. */
  readonly pool_max_conn: number | undefined;
  /** How often a connection is used again; undefined: any number of times. */
  readonly max_reuse: number | undefined;
  /** How long the kernel tries to get bytes through (`tcp-ut`). */
  readonly tcp_ut_ms: number | undefined;
  /** Where its connections come from; undefined: the backend says, or the kernel. */
  readonly source: SourceAddress | undefined;
  readonly shutdown_sessions_when_down: boolean;
  readonly shutdown_backup_sessions_when_up: boolean;
  readonly check: ServerCheck | undefined;
  readonly agent: AgentCheck | undefined;
  readonly track: TrackedServer | undefined;
  readonly span: Span;
  readonly spans: Spans;
};

/** How a server is told whose connection it is; `unique_id` and `crc32c` are fields of version 2. */
export type SendProxy = {
  readonly version: 1 | 2;
  readonly unique_id: boolean;
  readonly crc32c: boolean;
  /** What `accept-proxy` heard of the name that the client asked for. */
  readonly authority: boolean;
  /** Says that the client does not use TLS. */
  readonly ssl: boolean;
};

/** What traffic tells of a server's health (manual 5.2 "observe", "on-error", "error-limit"). */
export type Observe = {
  readonly layer: 4 | 7;
  /** Errors in a row. */
  readonly error_limit: number;
  readonly on_error: 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';
};
