/**
 * The control thread's view of the servers: their numbers in shared memory, their states, and why.
 * Servers are numbered through all backends in the order of the configuration.
 */
import type { Config, Endpoint, Server } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import { isChecked } from '../health/plan.ts';
import { CODES } from '../health/verdict.ts';
import * as shared from '../threads/shared-memory.ts';
import {
  ADMIN_ANY_MAINTENANCE,
  ADMIN_MAINTENANCE,
  ADMIN_UNRESOLVED,
  SERVER_ADMINISTRATIVE,
  SERVER_AGENT_CODE,
  SERVER_CHECK_CODE,
  SERVER_CONNECTIONS,
  SERVER_DOWN,
  SERVER_OPERATIONAL,
  SERVER_TOTAL,
  SERVER_UP,
  SERVER_WEIGHT,
  type SharedMemory,
  serverAt,
} from '../threads/shared-memory.ts';
import type { ServersOf, ServerView } from './demotion-rules.ts';
import type { BackendReport, CheckReport, ServerReport } from './status-report.ts';

/** What is known of a server and outlives a reload. */
export type ServerState = {
  readonly config: Server;
  readonly endpoint: Endpoint;
  readonly origin: string;
  readonly administrative: number;
  readonly weight: number;
  readonly reason: string;
  readonly last_check: LastCheck;
  /** One of its words in shared memory. */
  word(word: number): number;
};

/** What its checks have found out, what its agent has said, and what the traffic goes by. */
const WORDS_OF_CHECK: readonly number[] = [
  shared.SERVER_OPERATIONAL,
  shared.SERVER_HEALTH,
  shared.SERVER_UP_SINCE_MS,
  shared.SERVER_CHANGED_MS,
  shared.SERVER_CHECK_CODE,
  shared.SERVER_CHECK_STATUS,
  shared.SERVER_CHECK_DURATION_MS,
];
const WORDS_OF_AGENT: readonly number[] = [
  shared.SERVER_AGENT_MAXCONN,
  shared.SERVER_AGENT_HEALTH,
  shared.SERVER_AGENT_CODE,
  shared.SERVER_AGENT_STATUS,
  shared.SERVER_AGENT_DURATION_MS,
];

/** Where a server is, and who says so: `configuration`, `libc`, `last`, `init-addr`, `mydns/dns1`, or `none`. */
export type ServerPlace = { readonly endpoint: Endpoint; readonly origin: string };

/** `backend/server` -> who said where it is, where that was not the configuration itself. */
export type Origins = ReadonlyMap<string, string>;

/** Servers of a time before. */
export type KnownServers = {
  /** What a later configuration's server of that name begins with; undefined: there is none. */
  stateOf(backend: string, server: string): ServerState | undefined;
};

export type ServerTable = KnownServers & {
  readonly serversOf: ServersOf;
  endpointOf(server: Server): Endpoint;
  /** Numbers of the server in shared memory, and where it is; undefined: there is none of that name. */
  find(backend: string, server: string): FoundServer | undefined;
  /** It is there from now on. The words of shared memory and the threads are the caller's (server-addresses.ts). */
  notePlace(server: Server, place: ServerPlace): void;
  noteReason(backend: string, server: string, reason: string): void;
  /** What the last check or agent said, for those who ask. */
  noteCheck(said: CheckSaid): void;
  /** HAProxy's last_chk and last_agt. */
  lastCheck(backend: string, server: string): LastCheck;
  report(): readonly BackendReport[];
};

export type FoundServer = ServerPlace & {
  readonly config: Server;
  /** Its number through all backends, and its backend's. */
  readonly number: number;
  readonly backend: number;
};

export type CheckSaid = {
  readonly backend: string;
  readonly server: string;
  readonly agent: boolean;
  readonly info: string;
};
export type LastCheck = { readonly check: string; readonly agent: string };

export const NOTHING_SAID: LastCheck = { check: '', agent: '' };

/** Writes every server's first state into shared memory: up, as in HAProxy, until a check says otherwise. */
export function createServerTable(
  config: Config,
  memory: SharedMemory,
  earlier?: KnownServers,
  origins: Origins = new Map(),
): ServerTable {
  const numbers = new Map<Server, number>();
  for (const server of config.backends.flatMap((backend) => backend.servers)) numbers.set(server, numbers.size);
  const named = new Map(
    config.backends.flatMap(({ name, servers }) =>
      servers.map((server) => [`${name}/${server.name}`, server] as const),
    ),
  );
  const keys = new Map(Array.from(named, ([key, server]) => [server, key] as const));
  const places = new Map<Server, ServerPlace>();
  for (const [key, server] of named) {
    const origin = origins.get(key) ?? (server.endpoint.address === '' ? 'none' : 'configuration');
    places.set(server, { endpoint: server.endpoint, origin });
  }
  const reasons = new Map<Server, string>();
  const last_checks = new Map<string, LastCheck>();
  const copy = (to: Server, known: ServerState, words: readonly number[]) => {
    const at = serverAt(memory, numbers.get(to)!);
    for (const word of words) Atomics.store(memory.words, at + word, known.word(word));
  };
  for (const [server, number] of numbers) reasons.set(server, writeFirstState(memory, number, server));
  for (const backend of config.backends) {
    for (const server of backend.servers) {
      const known = earlier?.stateOf(backend.name, server.name);
      if (known === undefined) continue;
      reasons.set(server, carryOver(memory, numbers.get(server)!, server, known));
      if (!isSamePlace(server, known)) continue;
      const had = known.config;
      if (isJudged(server) && isJudged(had)) copy(server, known, WORDS_OF_CHECK);
      if (server.agent && had.agent) copy(server, known, WORDS_OF_AGENT);
      last_checks.set(`${backend.name}/${server.name}`, known.last_check);
    }
  }

  const read = (server: Server, word: number) =>
    Atomics.load(memory.words, serverAt(memory, numbers.get(server)!) + word);
  const isUp = (server: Server) => {
    const maintenance = (read(server, SERVER_ADMINISTRATIVE) & ADMIN_ANY_MAINTENANCE) !== 0;
    return !maintenance && read(server, SERVER_OPERATIONAL) !== SERVER_DOWN;
  };
  const view = (server: Server): ServerView => {
    const drained = read(server, SERVER_ADMINISTRATIVE) !== 0;
    const takes_clients = read(server, SERVER_OPERATIONAL) === SERVER_UP;
    const willing = !drained && read(server, SERVER_WEIGHT) > 0;
    return { name: server.name, up: isUp(server), usable: takes_clients && willing, willing, backup: server.backup };
  };
  const lastOf = (server: Server) => last_checks.get(keys.get(server)!) ?? NOTHING_SAID;
  // status and duration stand behind the code
  const reportCheck = (server: Server, word: number, info: string): CheckReport | null => {
    const code = CODES[read(server, word)];
    if (code === undefined || code === 'INI') return null;
    return { code, status: read(server, word + 1), duration_ms: read(server, word + 2), info };
  };
  const reportServer = (server: Server): ServerReport => ({
    name: server.name,
    address: formatServerAddress(server.host, places.get(server)!.endpoint),
    address_from: places.get(server)!.origin,
    up: isUp(server),
    checked: isJudged(server),
    backup: server.backup,
    weight: read(server, SERVER_WEIGHT),
    current: read(server, SERVER_CONNECTIONS),
    total: read(server, SERVER_TOTAL) >>> 0,
    reason: reasons.get(server)!,
    last_check: reportCheck(server, SERVER_CHECK_CODE, lastOf(server).check),
    last_agent: reportCheck(server, SERVER_AGENT_CODE, lastOf(server).agent),
  });

  return {
    serversOf: (name) => config.backends.find((backend) => backend.name === name)?.servers.map(view),
    endpointOf: (server) => places.get(server)!.endpoint,
    find(backend_name, server_name) {
      const server = named.get(`${backend_name}/${server_name}`);
      if (server === undefined) return undefined;
      const backend = config.backends.findIndex(({ name }) => name === backend_name);
      return { config: server, number: numbers.get(server)!, backend, ...places.get(server)! };
    },
    notePlace: (server, place) => void places.set(server, place),
    noteReason(backend_name, server_name, reason) {
      const server = named.get(`${backend_name}/${server_name}`);
      if (server !== undefined) reasons.set(server, reason);
    },
    stateOf(backend_name, server_name) {
      const server = named.get(`${backend_name}/${server_name}`);
      if (server === undefined) return undefined;
      return {
        config: server,
        ...places.get(server)!,
        administrative: read(server, SERVER_ADMINISTRATIVE),
        weight: read(server, SERVER_WEIGHT),
        reason: reasons.get(server)!,
        last_check: lastOf(server),
        word: (word) => read(server, word),
      };
    },
    noteCheck({ backend, server, agent, info }) {
      const key = `${backend}/${server}`;
      const last = last_checks.get(key) ?? NOTHING_SAID;
      last_checks.set(key, agent ? { ...last, agent: info } : { ...last, check: info });
    },
    lastCheck: (backend, server) => last_checks.get(`${backend}/${server}`) ?? NOTHING_SAID,
    report: () =>
      config.backends.map(({ name, mode, balance, servers }) => ({
        name,
        mode,
        balance: balance.kind,
        servers: servers.map(reportServer),
      })),
  };
}

/** Returns why the server is in its first state. */
function writeFirstState(memory: SharedMemory, number: number, server: Server): string {
  const at = serverAt(memory, number);
  const unresolved = server.endpoint.address === '';
  const maintenance = (server.disabled ? ADMIN_MAINTENANCE : 0) | (unresolved ? ADMIN_UNRESOLVED : 0);
  Atomics.store(memory.words, at + SERVER_OPERATIONAL, SERVER_UP);
  Atomics.store(memory.words, at + SERVER_ADMINISTRATIVE, maintenance);
  Atomics.store(memory.words, at + SERVER_WEIGHT, server.weight);
  Atomics.store(memory.words, at + shared.SERVER_AGENT_HEALTH, 1);
  if (unresolved) return `the name ${server.host} is not resolved`;
  if (server.disabled) return 'disabled in the configuration';
  if (server.track) return `it tracks ${server.track.backend}/${server.track.server}`;
  return isChecked(server) ? 'no check has changed its state yet' : 'not checked';
}

function isSamePlace({ endpoint }: Server, known: ServerState): boolean {
  return known.endpoint.address === endpoint.address && known.endpoint.port === endpoint.port;
}

/** What people set at run time stays unless the file says something else now than it did. Returns the reason of its state. */
function carryOver(memory: SharedMemory, number: number, server: Server, known: ServerState): string {
  const at = serverAt(memory, number);
  const before = known.config;
  if (before.maxconn === server.maxconn) {
    Atomics.store(memory.words, at + shared.SERVER_SET_MAXCONN, known.word(shared.SERVER_SET_MAXCONN));
  }
  if (before.weight === server.weight) Atomics.store(memory.words, at + SERVER_WEIGHT, known.weight);
  const unresolved = server.endpoint.address === '' ? ADMIN_UNRESOLVED : 0;
  if (before.disabled === server.disabled) {
    const administrative = (known.administrative & ~ADMIN_UNRESOLVED) | unresolved;
    Atomics.store(memory.words, at + SERVER_ADMINISTRATIVE, administrative);
  }
  return isSamePlace(server, known) ? known.reason : 'the configuration gave it another address';
}

/** Something decides whether it is up. */
function isJudged({ check, agent, track }: Server): boolean {
  return check !== undefined || agent !== undefined || track !== undefined;
}

function formatServerAddress(name: string, { address, port }: Endpoint): string {
  const host = address || name;
  if (isUnixAddress(host)) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
