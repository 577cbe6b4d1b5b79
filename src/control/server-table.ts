/**
 * The control thread's view of the servers: their numbers in shared memory, their states, and why.
 * Servers are numbered through all backends in the order of the configuration.
 */
import type { Config, Endpoint, Server } from '../config/model.ts';
import {
  ADMIN_ANY_MAINTENANCE,
  SERVER_ADMINISTRATIVE,
  SERVER_DOWN,
  SERVER_OPERATIONAL,
  SERVER_UP,
  SERVER_WEIGHT,
  type SharedMemory,
  serverAt,
} from '../threads/shared-memory.ts';
import type { ServersOf, ServerView } from './demotion-rules.ts';
import { writeFirstStates } from './server-first-states.ts';
import { reportServer } from './server-report.ts';
import type { BackendReport } from './status-report.ts';

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
  const { reasons, last_checks } = writeFirstStates(config, memory, earlier);
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
        servers: servers.map((server) =>
          reportServer({
            server,
            place: places.get(server)!,
            up: isUp(server),
            reason: reasons.get(server)!,
            last: lastOf(server),
            read: (word) => read(server, word),
          }),
        ),
      })),
  };
}
