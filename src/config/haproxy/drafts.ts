/** Sections while they are being read: the same fields as in the model, but open for change. */
import { NOWHERE, type Span } from '../diagnostic.ts';
import type { SysctlSetting } from '../freebsd/sysctl.ts';
import type {
  AclTest,
  Balance,
  Bind,
  Capture,
  CookieCapture,
  ErrorFile,
  Exporter,
  ForwardFor,
  Global,
  HashType,
  HttpConnections,
  InitAddress,
  InterfaceName,
  KeepAlive,
  LogFormat,
  LogTarget,
  Mode,
  NamedChoice,
  Observe,
  PersistRule,
  PriorityRule,
  Resolution,
  RetryEvent,
  RuleCondition,
  SessionCookie,
  SourceAddress,
  StatsPage,
  StatsSocket,
  Timeouts,
} from '../model.ts';
import { GLOBAL_DEFAULTS, HTTP_DEFAULTS, NO_TIMEOUTS } from '../model-defaults.ts';
import type { Word } from '../word.ts';
import { type ChecksDraft, inheritChecks, newChecks } from './checks/draft.ts';
import type { ErrorFilesOf, NoErrorFile } from './error-file.ts';
import type { ServerAddress } from './server-address.ts';
import { NO_UNIX_BIND, type UnixBind } from './unix-bind.ts';

type Spans = Record<string, Span>;
type Open<T> = { -readonly [K in keyof T]: T[K] };

export type GlobalDraft = Omit<Open<Global>, 'stats_sockets' | 'log_targets' | 'spans'> & {
  stats_sockets: StatsSocket[];
  log_targets: LogTarget[];
  /** carpool's own lines `interface em0 = eth0` and `sysctl net.inet.carp.preempt=1`. */
  interface_names: InterfaceName[];
  sysctls: SysctlSetting[];
  unix_bind: UnixBind;
  spans: Spans;
};

export type ProxyKind = 'defaults' | 'frontend' | 'listen' | 'backend';

export type ProxyDraft = {
  kind: ProxyKind;
  name: string;
  span: Span;
  mode: Mode;
  binds: Bind[];
  default_backend: string | undefined;
  maxconn: number | undefined;
  sessions_per_s: number;
  backlog: number | undefined;
  timeouts: Open<Timeouts>;
  log_targets: LogTarget[];
  /** Where `log global` stands: the global section's targets are added at the end. */
  log_global: Span | undefined;
  log_format: LogFormat;
  log_tag: string | undefined;
  log_null: boolean;
  log_normal: boolean;
  log_separate_errors: boolean;
  log_asap: boolean;
  error_log_format: LogFormat | undefined;
  log_format_sd: LogFormat | undefined;
  captures: { request: Capture[]; response: Capture[]; cookie: CookieCapture | undefined };
  unique_id_format: LogFormat | undefined;
  unique_id_header: string | undefined;
  /** In the order of the file: of two for one status the later counts. */
  error_files: (ErrorFile | ErrorFilesOf | NoErrorFile)[];
  forwardfor: ForwardFor | undefined;
  originalto: ForwardFor | undefined;
  states_from: 'global' | 'local' | undefined;
  states_file: string | undefined;
  stats: StatsPage | undefined;
  /** A line of its own: what defaults say counts no longer, as in HAProxy. */
  stats_own: boolean;
  exporters: Exporter[];
  priority_rules: PriorityRule[];
  socket_stats: boolean;
  http: Open<HttpConnections>;
  balance: Balance;
  hash: HashType | undefined;
  hash_balance_factor: number | undefined;
  servers: ServerDraft[];
  dispatch: (ServerAddress & { readonly span: Span }) | undefined;
  /** Where it was written. */
  transparent: Span | undefined;
  default_server: ServerSettings;
  retries: number;
  retry_on: readonly RetryEvent[];
  redispatch: number | undefined;
  persist: boolean;
  all_backups: boolean;
  fullconn: number | undefined;
  cookie: SessionCookie | undefined;
  dynamic_cookie_key: string | undefined;
  checks: ChecksDraft;
  /** By name, with what each asks. */
  acls: Map<string, AclTest>;
  client_keep_alive: Open<KeepAlive>;
  server_keep_alive: Open<KeepAlive>;
  tcpka: { client: boolean; server: boolean };
  source: SourceAddress | undefined;
  use_backends: NamedChoice[];
  use_servers: NamedChoice[];
  persist_rules: PersistRule[];
  monitor_uri: string | undefined;
  monitor_fails: RuleCondition[];
  disabled: boolean;
  spans: Spans;
};

/** What the words after a server's address set; `default-server` sets the same. */
export type ServerSettings = {
  weight: number;
  backup: boolean;
  disabled: boolean;
  check: boolean;
  inter_ms: number;
  fastinter_ms: number | undefined;
  downinter_ms: number | undefined;
  rise: number;
  fall: number;
  check_port: number | undefined;
  check_address: string | undefined;
  id: number | undefined;
  maxconn: number | undefined;
  minconn: number | undefined;
  maxqueue: number | undefined;
  slowstart_ms: number | undefined;
  cookie: string | undefined;
  observe: Observe['layer'] | undefined;
  on_error: Observe['on_error'];
  error_limit: number;
  shutdown_sessions_when_down: boolean;
  shutdown_backup_sessions_when_up: boolean;
  check_send_proxy: boolean;
  send_proxy: 1 | 2 | undefined;
  tcp_ut_ms: number | undefined;
  pool_max_conn: number | undefined;
  max_reuse: number | undefined;
  redirect: string | undefined;
  takes_rest: boolean;
  source: SourceAddress | undefined;
  proxy_options: { unique_id: boolean; crc32c: boolean; authority: boolean; ssl: boolean };
  /** `send-proxy-v2-ssl` was the last word of it. */
  tells_ssl: boolean;
  agent_check: boolean;
  agent_address: string | undefined;
  agent_port: number | undefined;
  agent_inter_ms: number;
  agent_send: string;
  /** `[BACKEND/]SERVER` as written. */
  track: string | undefined;
  init_addresses: readonly InitAddress[] | undefined;
  /** Undefined: no word of it was written, or only words that have no effect without `resolvers`. */
  resolvers: string | undefined;
  resolution: Open<Omit<Resolution, 'resolvers'>>;
  spans: Spans;
};

export type ServerDraft = {
  name: string;
  host: string;
  address: string;
  port: number;
  port_offset: number;
  settings: ServerSettings;
  span: Span;
};

export function newGlobal(): GlobalDraft {
  return {
    ...GLOBAL_DEFAULTS,
    unix_bind: NO_UNIX_BIND,
    stats_sockets: [],
    log_targets: [],
    interface_names: [],
    sysctls: [],
    spans: {},
  };
}

/** HAProxy's own defaults (manual 4.2 and 5.2). */
export function newDefaults(): ProxyDraft {
  return {
    kind: 'defaults',
    name: '',
    span: NOWHERE,
    mode: 'tcp',
    binds: [],
    default_backend: undefined,
    maxconn: undefined,
    sessions_per_s: 0,
    backlog: undefined,
    timeouts: { ...NO_TIMEOUTS },
    log_targets: [],
    log_global: undefined,
    log_format: { kind: 'none' },
    log_tag: undefined,
    log_null: true,
    log_normal: true,
    log_separate_errors: false,
    log_asap: false,
    error_log_format: undefined,
    log_format_sd: undefined,
    captures: { request: [], response: [], cookie: undefined },
    unique_id_format: undefined,
    unique_id_header: undefined,
    error_files: [],
    forwardfor: undefined,
    originalto: undefined,
    states_from: undefined,
    states_file: undefined,
    stats: undefined,
    stats_own: false,
    exporters: [],
    priority_rules: [],
    socket_stats: false,
    http: { ...HTTP_DEFAULTS },
    balance: { kind: 'roundrobin' },
    hash: undefined,
    hash_balance_factor: undefined,
    servers: [],
    dispatch: undefined,
    transparent: undefined,
    default_server: newServerSettings(),
    retries: 3,
    retry_on: ['conn-failure'],
    redispatch: undefined,
    persist: false,
    all_backups: false,
    fullconn: undefined,
    cookie: undefined,
    dynamic_cookie_key: undefined,
    checks: newChecks(),
    client_keep_alive: { count: undefined, idle_s: undefined, interval_s: undefined },
    server_keep_alive: { count: undefined, idle_s: undefined, interval_s: undefined },
    tcpka: { client: false, server: false },
    source: undefined,
    acls: new Map(),
    use_backends: [],
    use_servers: [],
    persist_rules: [],
    monitor_uri: undefined,
    monitor_fails: [],
    disabled: false,
    spans: {},
  };
}

export function newServerSettings(): ServerSettings {
  return {
    weight: 1,
    backup: false,
    disabled: false,
    check: false,
    inter_ms: 2000,
    fastinter_ms: undefined,
    downinter_ms: undefined,
    rise: 2,
    fall: 3,
    check_port: undefined,
    check_address: undefined,
    id: undefined,
    maxconn: undefined,
    minconn: undefined,
    maxqueue: undefined,
    slowstart_ms: undefined,
    cookie: undefined,
    observe: undefined,
    on_error: 'fail-check',
    error_limit: 10,
    shutdown_sessions_when_down: false,
    shutdown_backup_sessions_when_up: false,
    check_send_proxy: false,
    send_proxy: undefined,
    tcp_ut_ms: undefined,
    pool_max_conn: undefined,
    max_reuse: undefined,
    redirect: undefined,
    takes_rest: false,
    source: undefined,
    proxy_options: { unique_id: false, crc32c: false, authority: false, ssl: false },
    tells_ssl: false,
    agent_check: false,
    agent_address: undefined,
    agent_port: undefined,
    agent_inter_ms: 2000,
    agent_send: '',
    track: undefined,
    init_addresses: undefined,
    resolvers: undefined,
    resolution: { prefer: 'ipv6', networks: [], allows_duplicates: false, ignores_weight: false },
    spans: {},
  };
}

/** A section starts as a copy of the defaults that apply to it. */
export function newProxy(kind: ProxyKind, name: Word | undefined, span: Span, defaults: ProxyDraft): ProxyDraft {
  return {
    ...defaults,
    kind,
    name: name?.text ?? '',
    span,
    binds: [],
    timeouts: { ...defaults.timeouts },
    http: { ...defaults.http },
    log_targets: [...defaults.log_targets],
    captures: {
      request: [...defaults.captures.request],
      response: [...defaults.captures.response],
      cookie: defaults.captures.cookie,
    },
    error_files: [...defaults.error_files],
    client_keep_alive: { ...defaults.client_keep_alive },
    server_keep_alive: { ...defaults.server_keep_alive },
    tcpka: { ...defaults.tcpka },
    use_backends: [],
    use_servers: [],
    persist_rules: [],
    monitor_fails: [],
    stats_own: false,
    exporters: [...defaults.exporters],
    priority_rules: [...defaults.priority_rules],
    acls: new Map(), // those of a defaults section are its own
    servers: [],
    default_server: copySettings(defaults.default_server),
    checks: inheritChecks(defaults.checks),
    spans: { ...defaults.spans },
  };
}

export function copySettings(settings: ServerSettings): ServerSettings {
  return { ...settings, resolution: { ...settings.resolution }, spans: { ...settings.spans } };
}
