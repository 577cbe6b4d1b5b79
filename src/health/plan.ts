/** Which servers are checked, where, how and when first: what the checks thread needs of the configuration. */
import type { Backend, CheckMethod, Config, Endpoint, Server } from '../config/model.ts';
import type { Intervals, Thresholds } from './fold.ts';

export type CheckPlan = {
  readonly backend: string;
  readonly server: string;
  /** Positions in shared memory; servers count through all backends in the order of the configuration. */
  readonly backend_index: number;
  readonly server_index: number;
  readonly endpoint: Endpoint;
  readonly method: CheckMethod;
  readonly thresholds: Thresholds;
  readonly intervals: Intervals;
  /** From the beginning of the check. */
  readonly connect_timeout_ms: number;
  /** From the connection on; undefined: what is left of the connect timeout. */
  readonly answer_timeout_ms: number | undefined;
  /** From the thread's start. */
  readonly first_delay_ms: number;
};

/** The first round takes no longer, however long the intervals are: a node waits for it before it becomes MASTER. */
const LONGEST_FIRST_ROUND_MS = 1000;

export function planChecks(config: Config): CheckPlan[] {
  const places = config.backends.flatMap((backend, backend_index) =>
    backend.servers.map((server) => ({ backend, backend_index, server })),
  );
  const checked = places
    .map((place, server_index) => ({ ...place, server_index }))
    .filter(({ server }) => isChecked(server));
  const shortest_ms = Math.min(...checked.map(({ server }) => server.check!.inter_ms), LONGEST_FIRST_ROUND_MS);
  return checked.map(({ backend, backend_index, server, server_index }, position) => ({
    backend: backend.name,
    server: server.name,
    backend_index,
    server_index,
    ...settingsOf(backend, server),
    first_delay_ms: Math.floor((position * shortest_ms) / checked.length),
  }));
}

/** A server in maintenance has a plan too: it may come back. One without an address has none. */
export function isChecked(server: Server): boolean {
  return server.check !== undefined && checkedEndpoint(server).address !== '';
}

function checkedEndpoint(server: Server): Endpoint {
  return server.check?.endpoint ?? server.endpoint;
}

function settingsOf({ check: method, timeouts }: Backend, server: Server) {
  const { inter_ms, fastinter_ms, downinter_ms, rise, fall } = server.check!;
  const { check_ms, connect_ms } = timeouts;
  return {
    endpoint: checkedEndpoint(server),
    method,
    thresholds: { rise, fall },
    intervals: { inter_ms, fastinter_ms, downinter_ms },
    // HAProxy: `inter` bounds the whole check, unless `timeout check` bounds its second half
    connect_timeout_ms: check_ms === undefined ? inter_ms : Math.min(inter_ms, connect_ms ?? inter_ms),
    answer_timeout_ms: check_ms,
  };
}
