/** What holds where nobody wrote anything. */
import type {
  Carp,
  CarpHost,
  CheckMethod,
  Config,
  Global,
  HttpCheckMethod,
  HttpConnections,
  Identity,
  InitAddress,
  Resolvers,
  TcpSettings,
  Timeouts,
} from './model.ts';

/** FreeBSD's own. */
export const CARP_HOST_DEFAULTS: CarpHost = {
  allow: true,
  preempt: false,
  log: 1,
  senderr_demotion_factor: 240,
  ifdown_demotion_factor: 240,
  demotion: 0,
  arpbalance: false,
  dscp: undefined,
  spans: {},
};

/** Of new clients in a second; what proxy/client-rate.ts can count. */
export const HIGHEST_RATE = 2 ** 20 - 1;

/** The process stays who it is. */
export const NO_IDENTITY: Identity = { user: undefined, group: undefined, uid: undefined, gid: undefined };

export const GLOBAL_DEFAULTS: Global = {
  nbthread: undefined,
  maxconn: undefined,
  memory_max_mb: undefined,
  strict_limits: undefined,
  zero_warning: false,
  connections_per_s: 0,
  sessions_per_s: 0,
  daemon: false,
  pidfile: undefined,
  chroot: undefined,
  identity: NO_IDENTITY,
  grace_ms: undefined,
  hard_stop_after_ms: undefined,
  stats_sockets: [],
  stats_timeout_ms: undefined,
  log_targets: [],
  server_state_file: undefined,
  server_state_base: undefined,
  log_tag: undefined,
  log_send_hostname: undefined,
  external_check: false,
  spread_checks: 0,
  max_spread_checks_ms: undefined,
  node: undefined,
  spans: {},
};

/** The Config of an empty file. */
export function emptyConfig(files: readonly string[]): Config {
  return {
    files,
    global: GLOBAL_DEFAULTS,
    frontends: [],
    backends: [],
    resolvers: [],
    rings: [],
    userlists: [],
    carps: [],
    carp_host: CARP_HOST_DEFAULTS,
    interface_names: [],
  };
}

export const NO_TIMEOUTS: Timeouts = {
  connect_ms: undefined,
  client_ms: undefined,
  server_ms: undefined,
  http_request_ms: undefined,
  http_keep_alive_ms: undefined,
  check_ms: undefined,
  queue_ms: undefined,
  client_fin_ms: undefined,
  server_fin_ms: undefined,
  tunnel_ms: undefined,
};

/** The kernel's own. */
export const NO_TCP_SETTINGS: TcpSettings = {
  user_timeout_ms: undefined,
  keep_alive: undefined,
  interface: undefined,
  mss: undefined,
  defer_accept: false,
  takes_ipv4: false,
  fast_open: false,
  transparent: false,
};

/** A server that accepts a connection is well. */
export const PLAIN_CHECK: CheckMethod = { kind: 'tcp', rules: [] };

/** `option httpchk METHOD URI VERSION` without a rule. */
export function httpCheck(method: string, uri: string, version: string): HttpCheckMethod {
  const parts = { method, uri, version, headers: [], body: undefined };
  return { kind: 'http', ...parts, rules: [], disable_on_404: false, send_state: false };
}

type Required = 'name' | 'vhid' | 'addresses' | 'span' | 'spans';

/** A vhid with the defaults that all dialects share. */
export function carpWith(written: Pick<Carp, Required> & Partial<Carp>): Carp {
  return { ...CARP_DEFAULTS, ...written };
}

export const CARP_DEFAULTS: Omit<Carp, Required> = {
  dialect: 'native',
  disabled: false,
  interface: undefined,
  pass: '',
  advbase: 1,
  advskew: 0,
  preempt: false,
  deadratio: 3,
  demotions: [],
  source_address: undefined,
  peers: [],
  mac: 'real',
  advert_mac: 'interface',
  also_accept: [],
  preempt_delay_ms: 0,
  nodad: true,
  balancing: 'none',
  hash_link_locals: true,
  openbsd_demote_byte: false,
  multicast_address: undefined,
  broadcast: false,
  ignore_link_state: false,
  tracks: [],
  scripts: undefined,
};

/** HAProxy's: connections are kept on both sides. */
export const HTTP_DEFAULTS: HttpConnections = {
  after_response: 'keep-alive',
  pretend_keepalive: false,
  buffer_request: false,
  reuse: 'safe',
  abort_on_close: false,
  ignore_probes: false,
  prefer_last_server: false,
  name_header: undefined,
  lax_requests: false,
  lax_responses: false,
  restrict_names: 'preserve',
  check_cache: false,
};

/** A name that does not resolve is no reason not to start. */
export const INIT_ADDRESSES: readonly InitAddress[] = [{ kind: 'last' }, { kind: 'libc' }, { kind: 'none' }];

/** HAProxy's. */
export const RESOLVERS_DEFAULTS: Omit<Resolvers, 'name' | 'nameservers' | 'span' | 'spans'> = {
  resolve_retries: 3,
  resolve_ms: 1000,
  retry_ms: 1000,
  payload_bytes: 512,
  hold: {
    nx_ms: 30_000,
    refused_ms: 30_000,
    timeout_ms: 30_000,
    other_ms: 30_000,
    obsolete_ms: 0,
    valid_ms: 10_000,
  },
};
