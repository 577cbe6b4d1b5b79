/** One look at a generation: what statistics are made from. */
import type { Backend, Config, Endpoint, Server } from '../../config/model.ts';
import { DEFAULT_MAXCONN } from '../../proxy/client-limit.ts';
import { now_ns } from '../../system/clock.ts';
import type { SharedMemory } from '../../threads/shared-memory.ts';
import { SET_MAXCONN } from '../../threads/shared-memory.ts';
import type { Generation } from '../generation.ts';
import type { LastCheck } from '../server-table.ts';
import { listProxies, type StatProxy } from './objects.ts';
import type { Tally } from './tally.ts';

export type View = {
  readonly config: Config;
  readonly proxies: readonly StatProxy[];
  readonly memory: SharedMemory;
  readonly tally: Tally;
  /** Monotonic milliseconds. */
  readonly now_ms: number;
  readonly started_ms: number;
  /** Of the whole process. */
  readonly maxconn: number;
  fullconnOf(backend: Backend): number;
  /** Where a server is now. */
  endpointOf(server: Server): Endpoint;
  /** What the last check and the last agent said. */
  checks(backend: string, server: string): LastCheck;
};

export function viewOf({ config, memory, servers, tally, started_ns }: Generation): View {
  const set = Atomics.load(memory.words, SET_MAXCONN);
  const maxconn = set || (config.global.maxconn ?? DEFAULT_MAXCONN);
  return {
    config,
    proxies: listProxies(config),
    memory,
    tally,
    now_ms: now_ns() / 1e6,
    started_ms: started_ns / 1e6,
    maxconn,
    fullconnOf: (backend) => backend.fullconn ?? defaultFullconn(config, backend.name, maxconn),
    endpointOf: (server) => servers.endpointOf(server),
    checks: (backend, server) => servers.lastCheck(backend, server),
  };
}

/** A tenth of the clients that may come to it (manual 4.2 "fullconn"). */
function defaultFullconn({ frontends }: Config, backend: string, maxconn: number): number {
  const leading = frontends.filter(
    ({ default_backend, use_backends }) =>
      default_backend === backend || use_backends.some(({ name }) => name === backend),
  );
  return Math.ceil(leading.reduce((sum, frontend) => sum + (frontend.maxconn ?? maxconn), 0) / 10);
}
