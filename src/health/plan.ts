/** Which servers are checked, where, how and when first: what the checks thread needs of the configuration. */
import type { Backend, CheckMethod, Config, Endpoint, Server, SourceAddress } from '../config/model.ts';
import type { Intervals, Thresholds } from './fold.ts';
import type { OnError } from './server-health.ts';

/** A server's place; servers count through all backends in the order of the configuration. */
export type ServerPlace = {
  readonly backend: string;
  readonly server: string;
  /** Positions in shared memory. */
  readonly backend_index: number;
  readonly server_index: number;
};

/** A server that is checked, by itself or by an agent or both. */
export type Subject = ServerPlace & {
  /** The server's own at first, not where it is checked. */
  readonly endpoint: Endpoint;
  readonly backup: boolean;
  /** As configured: what an agent's percentage is of. */
  readonly weight: number;
  readonly thresholds: Thresholds;
  readonly has_check: boolean;
  readonly has_agent: boolean;
  readonly observe: Observed | undefined;
  /** Log each change of what checks say. */
  readonly log_changes: boolean;
  /** Servers that take over this one's state, each behind the one that it tracks. */
  readonly trackers: readonly Tracker[];
  /** All servers of its backend stand side by side in shared memory. */
  readonly first_server_index: number;
  readonly server_count: number;
};

/** `tracks`: the server_index of the one that it tracks, at the end of a chain or within it. */
export type Tracker = ServerPlace & { readonly tracks: number };

/** What `on-error` does when the traffic has failed `error_limit` times in a row. */
export type Observed = { readonly on_error: OnError; readonly error_limit: number };

export type CheckPlan = {
  readonly subject: Subject;
  /** Where it is asked, when not at the server's own endpoint: '' and 0 stand for the server's. */
  readonly elsewhere: Endpoint;
  readonly method: CheckMethod | { readonly kind: 'agent'; readonly send: string };
  /** Where its connections come from; undefined: the kernel says. */
  readonly source: SourceAddress | undefined;
  /** Begin with a PROXY protocol line, where the method connects as the server line says. */
  readonly send_proxy: boolean;
  readonly intervals: Intervals;
  /** From the beginning of the check. */
  readonly connect_timeout_ms: number;
  /** From the connection on; undefined: what is left of the connect timeout. */
  readonly answer_timeout_ms: number | undefined;
  /** From the thread's start. */
  readonly first_delay_ms: number;
};

/**
 * The first round is spread over the shortest `inter`, as in HAProxy; but a node waits for it before it becomes MASTER, so
 * that few servers take no more than a second, and many one millisecond each.
 */
const SHORT_ROUND_MS = 1000;
const SPACING_MS = 1;

export function planChecks(config: Config): CheckPlan[] {
  const plans = listSubjects(config).flatMap(({ subject, backend, server }) => plansOf(subject, backend, server));
  const round_ms = firstRound_ms(plans, config);
  return plans.map((plan, position) => ({ ...plan, first_delay_ms: Math.floor((position * round_ms) / plans.length) }));
}

/** A server in maintenance has a plan too, and so has one without an address: it may come back. */
export function isChecked({ check, agent }: Server): boolean {
  return check !== undefined || agent !== undefined;
}

type Place = {
  readonly place: ServerPlace;
  readonly backend: Backend;
  readonly server: Server;
  readonly first_server_index: number;
};

/** Who tracks the server of that number, each behind the one that it tracks itself. */
export function trackersIn(config: Config): (server_index: number) => readonly Tracker[] {
  return followersOf(listPlaces(config));
}

function listSubjects(config: Config): { subject: Subject; backend: Backend; server: Server }[] {
  const places = listPlaces(config);
  const followersOfOne = followersOf(places);
  return places
    .filter(({ server }) => isChecked(server))
    .map(({ place, backend, server, first_server_index }) => {
      const { endpoint, backup, weight } = server;
      const subject: Subject = {
        ...place,
        endpoint,
        backup,
        weight,
        thresholds: { rise: server.check?.rise ?? 1, fall: server.check?.fall ?? 1 },
        has_check: server.check !== undefined,
        has_agent: server.agent !== undefined,
        observe: server.observe,
        log_changes: backend.log_health_checks,
        trackers: followersOfOne(place.server_index),
        first_server_index,
        server_count: backend.servers.length,
      };
      return { subject, backend, server };
    });
}

function listPlaces({ backends }: Config): Place[] {
  let next = 0;
  return backends.flatMap((backend, backend_index) => {
    const first_server_index = next;
    next += backend.servers.length;
    return backend.servers.map((server, position) => {
      const server_index = first_server_index + position;
      const place = { backend: backend.name, server: server.name, backend_index, server_index };
      return { place, backend, server, first_server_index };
    });
  });
}

/** Who follows whom, to the end of each chain. The configuration has been checked for circles. */
function followersOf(places: readonly Place[]): (server_index: number) => Tracker[] {
  const named = new Map(places.map(({ place }) => [`${place.backend}/${place.server}`, place.server_index]));
  const direct = new Map<number, Tracker[]>();
  for (const { place, server } of places) {
    const tracks = server.track && named.get(`${server.track.backend}/${server.track.server}`);
    if (tracks === undefined) continue;
    const beside = direct.get(tracks);
    if (beside) beside.push({ ...place, tracks });
    else direct.set(tracks, [{ ...place, tracks }]);
  }
  const chain = (server_index: number): Tracker[] =>
    (direct.get(server_index) ?? []).flatMap((tracker) => [tracker, ...chain(tracker.server_index)]);
  return chain;
}

function plansOf(subject: Subject, backend: Backend, server: Server): CheckPlan[] {
  const plans: CheckPlan[] = [];
  if (subject.has_check) plans.push(planCheck(subject, backend, server));
  if (subject.has_agent) plans.push(planAgent(subject, backend, server));
  return plans;
}

function planCheck(subject: Subject, { check: method, timeouts, source }: Backend, server: Server): CheckPlan {
  const { inter_ms, fastinter_ms, downinter_ms, send_proxy } = server.check!;
  return {
    subject,
    elsewhere: server.check!.endpoint ?? { address: '', port: 0 },
    method,
    source: server.source ?? source,
    send_proxy,
    intervals: { inter_ms, fastinter_ms, downinter_ms },
    ...timeoutsOf(timeouts, inter_ms),
    first_delay_ms: 0,
  };
}

function planAgent(subject: Subject, { timeouts, source }: Backend, server: Server): CheckPlan {
  const { inter_ms, send } = server.agent!;
  return {
    subject,
    elsewhere: { address: server.agent!.address ?? '', port: server.agent!.port },
    method: { kind: 'agent', send },
    source: server.source ?? source,
    send_proxy: false,
    intervals: { inter_ms, fastinter_ms: undefined, downinter_ms: undefined },
    ...timeoutsOf(timeouts, inter_ms),
    first_delay_ms: 0,
  };
}

/** HAProxy: `inter` bounds the whole check, unless `timeout check` bounds its second half. */
function timeoutsOf({ check_ms, connect_ms }: Backend['timeouts'], inter_ms: number) {
  const connect_timeout_ms = check_ms === undefined ? inter_ms : Math.min(inter_ms, connect_ms ?? inter_ms);
  return { connect_timeout_ms, answer_timeout_ms: check_ms };
}

function firstRound_ms(plans: readonly CheckPlan[], { global }: Config): number {
  const shortest_ms = plans.reduce((shortest, { intervals }) => Math.min(shortest, intervals.inter_ms), Infinity);
  const longest_ms = global.max_spread_checks_ms ?? Math.max(SHORT_ROUND_MS, plans.length * SPACING_MS);
  return Math.min(shortest_ms, longest_ms);
}
