/** Configurations of backends whose servers are checked, as the configuration reader would give them. */
import { NOWHERE } from '#src/config/diagnostic.js';
import type {
  AgentCheck,
  Backend,
  CheckMethod,
  Config,
  Server,
  ServerCheck,
  Timeouts,
  TrackedServer,
} from '#src/config/model.js';
import { emptyConfig, HTTP_DEFAULTS, PLAIN_CHECK } from '#src/config/model-defaults.js';

export type CheckedServer = {
  readonly port: number;
  readonly address?: string;
  readonly inter_ms?: number;
  readonly fastinter_ms?: number;
  readonly downinter_ms?: number;
  readonly rise?: number;
  readonly fall?: number;
  readonly unchecked?: boolean;
  readonly send_proxy?: boolean;
  readonly agent?: AgentCheck;
  readonly track?: TrackedServer;
};

export type CheckedBackend = {
  readonly servers: readonly CheckedServer[];
  readonly check?: CheckMethod;
  readonly timeouts?: Partial<Timeouts>;
  readonly log_health_checks?: boolean;
};

const NO_TIMEOUTS: Timeouts = {
  connect_ms: undefined,
  client_ms: undefined,
  server_ms: undefined,
  http_request_ms: undefined,
  http_keep_alive_ms: undefined,
  check_ms: undefined,
  queue_ms: undefined,
};

/** Backends are named backend0, backend1, …; their servers server0, server1, … */
export function checkConfig(backends: readonly CheckedBackend[]): Config {
  const empty = emptyConfig([]);
  return {
    ...empty,
    global: { ...empty.global, nbthread: 1 },
    backends: backends.map((backend, index) => backendOf(backend, `backend${index}`)),
  };
}

function backendOf({ servers, check, timeouts, log_health_checks }: CheckedBackend, name: string): Backend {
  return {
    name,
    kind: 'backend',
    mode: 'http',
    balance: { kind: 'roundrobin' },
    hash: undefined,
    hash_balance_factor: undefined,
    servers: servers.map((server, index) => serverOf(server, `server${index}`)),
    timeouts: { ...NO_TIMEOUTS, ...timeouts },
    retries: 3,
    use_servers: [],
    source: undefined,
    keep_alive: undefined,
    persist_rules: [],
    retry_on: ['conn-failure'],
    redispatch: undefined,
    persist: false,
    all_backups: false,
    fullconn: undefined,
    cookie: undefined,
    dynamic_cookie_key: undefined,
    forwardfor: undefined,
    stats: undefined,
    exporters: [],
    http: HTTP_DEFAULTS,
    check: check ?? PLAIN_CHECK,
    log_health_checks: log_health_checks ?? false,
    error_files: [],
    log_targets: [],
    span: NOWHERE,
    spans: {},
  };
}

function serverOf(server: CheckedServer, name: string): Server {
  const { port, address = '127.0.0.1', unchecked = false, agent, track } = server;
  return {
    name,
    host: address,
    endpoint: { address, port },
    init_addresses: undefined,
    resolution: undefined,
    weight: 1,
    backup: false,
    disabled: false,
    id: undefined,
    maxconn: undefined,
    minconn: undefined,
    maxqueue: undefined,
    slowstart_ms: undefined,
    cookie: undefined,
    observe: undefined,
    send_proxy: undefined,
    tcp_ut_ms: undefined,
    source: undefined,
    shutdown_sessions_when_down: false,
    shutdown_backup_sessions_when_up: false,
    check: unchecked ? undefined : checkOf(server),
    agent,
    track,
    span: NOWHERE,
    spans: {},
  };
}

function checkOf(server: CheckedServer): ServerCheck {
  const { inter_ms = 2000, fastinter_ms, downinter_ms, rise = 2, fall = 3, send_proxy = false } = server;
  return { inter_ms, fastinter_ms, downinter_ms, rise, fall, endpoint: undefined, send_proxy };
}
