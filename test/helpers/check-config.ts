/** Configurations of backends whose servers are checked, as the configuration reader would give them. */
import { NOWHERE } from '#src/config/diagnostic.js';
import { loadConfig } from '#src/config/load.js';
import type {
  AgentCheck,
  Backend,
  CheckMethod,
  Config,
  Server,
  ServerCheck,
  SourceAddress,
  Timeouts,
  TrackedServer,
} from '#src/config/model.js';
import { emptyConfig, PLAIN_CHECK } from '#src/config/model-defaults.js';

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
  readonly source?: SourceAddress;
  readonly track?: TrackedServer;
};

export type CheckedBackend = {
  readonly servers: readonly CheckedServer[];
  readonly check?: CheckMethod;
  readonly timeouts?: Partial<Timeouts>;
  readonly log_health_checks?: boolean;
};

/** What a backend and a server are where nothing is said about them. */
const PLAIN = loadConfig([
  {
    file: 'haproxy.cfg',
    text: 'frontend f\n mode http\n bind :1\n default_backend b\nbackend b\n mode http\n server s 127.0.0.1:1\n',
  },
]).config!.backends[0]!;

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
    ...PLAIN,
    name,
    servers: servers.map((server, index) => serverOf(server, `server${index}`)),
    timeouts: { ...PLAIN.timeouts, ...timeouts },
    check: check ?? PLAIN_CHECK,
    log_health_checks: log_health_checks ?? false,
    span: NOWHERE,
    spans: {},
  };
}

function serverOf(server: CheckedServer, name: string): Server {
  const { port, address = '127.0.0.1', unchecked = false, agent, track, source } = server;
  return {
    ...PLAIN.servers[0]!,
    name,
    host: address,
    endpoint: { address, port },
    source,
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
