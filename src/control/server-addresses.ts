/**
 * Servers that move while they run: by their `resolvers`, or because somebody orders it.
 *
 *   who knows ──▶ moveServers ──▶ server table (status, next configuration)
 *                            ├──▶ shared memory: ADMIN_UNRESOLVED while there is no address
 *                            └──▶ messages: data threads (new connections go there), checks thread (asks there)
 *
 * Connections that are in use stay where they are.
 */
import type { Endpoint } from '../config/model.ts';
import type { AddressChange } from '../threads/address-change.ts';
import {
  ADMIN_UNRESOLVED,
  BACKEND_VERSION,
  backendAt,
  SERVER_ADMINISTRATIVE,
  SERVER_WEIGHT,
  serverAt,
} from '../threads/shared-memory.ts';
import type { Daemon } from './daemon-state.ts';
import { allDataThreads } from './run-data.ts';

export type ServerMove = {
  readonly backend: string;
  readonly server: string;
  /** Its address is '' when there is none any more: the server is in maintenance until there is one again. */
  readonly endpoint: Endpoint;
  /** Who says so: `mydns/dns1`, `runtime`. */
  readonly origin: string;
  /** For the status; undefined: what stood there stays. */
  readonly reason: string | undefined;
};

/** Of the configuration that holds; servers that it does not have are passed over. */
export function moveServers(daemon: Daemon, moves: readonly ServerMove[]): void {
  const { generation } = daemon;
  const changes: AddressChange[] = [];
  for (const { backend, server, endpoint, origin, reason } of moves) {
    const found = generation.servers.find(backend, server);
    if (found === undefined) continue;
    generation.servers.notePlace(found.config, { endpoint, origin });
    if (found.endpoint.address === endpoint.address && found.endpoint.port === endpoint.port && endpoint.address !== '')
      continue;
    if (reason !== undefined) generation.servers.noteReason(backend, server, reason);
    markResolved(daemon, found.number, found.backend, endpoint.address !== '');
    changes.push({ server: found.number, backend: found.backend, endpoint });
  }
  if (changes.length === 0) return;
  for (const handle of allDataThreads(daemon)) handle.moveServers(generation.number, changes);
  daemon.checks?.moveServers(changes);
  generation.demoter.evaluate();
}

/** 0 to 256, from the next choice on. */
export function weighServer({ generation }: Daemon, backend: string, server: string, weight: number): void {
  const found = generation.servers.find(backend, server);
  if (found === undefined) return;
  const { memory } = generation;
  Atomics.store(memory.words, serverAt(memory, found.number) + SERVER_WEIGHT, weight);
  Atomics.add(memory.words, backendAt(memory, found.backend) + BACKEND_VERSION, 1);
}

function markResolved({ generation: { memory } }: Daemon, server: number, backend: number, is_resolved: boolean): void {
  const word = serverAt(memory, server) + SERVER_ADMINISTRATIVE;
  if (is_resolved) Atomics.and(memory.words, word, ~ADMIN_UNRESOLVED);
  else Atomics.or(memory.words, word, ADMIN_UNRESOLVED);
  Atomics.add(memory.words, backendAt(memory, backend) + BACKEND_VERSION, 1);
}
