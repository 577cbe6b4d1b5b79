/**
 * Servers that move while they run: by their `resolvers`, or because somebody orders it.
 *
 *   who knows ──▶ moveServers ──▶ server table (status, next configuration)
 *                            ├──▶ shared memory: ADMIN_UNRESOLVED while there is no address
 *                            └──▶ messages: data threads (new connections go there), checks thread (asks there)
 *
 * Connections that are in use stay where they are. A configuration whose clients are still served is told as well: those of them
 * who wait, or try again, go to the new address.
 */
import type { Endpoint } from '../config/model.ts';
import type { AddressChange } from '../threads/address-change.ts';
import { BACKEND_VERSION, backendAt, SERVER_WEIGHT, serverAt } from '../threads/shared-memory.ts';
import { markResolved } from './administer.ts';
import type { Daemon } from './daemon-state.ts';
import type { Generation } from './generation.ts';
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

/** Servers that a configuration does not have are passed over there. */
export function moveServers(daemon: Daemon, moves: readonly ServerMove[]): void {
  const { generation, draining } = daemon;
  for (const earlier of draining) moveIn(earlier, daemon, moves);
  const changes = moveIn(generation, daemon, moves);
  if (changes.length === 0) return;
  daemon.checks?.moveServers(changes);
  generation.demoter.evaluate();
}

function moveIn(generation: Generation, daemon: Daemon, moves: readonly ServerMove[]): AddressChange[] {
  const changes: AddressChange[] = [];
  for (const { backend, server, endpoint, origin, reason } of moves) {
    const found = generation.servers.find(backend, server);
    if (found === undefined) continue;
    generation.servers.notePlace(found.config, { endpoint, origin });
    if (found.endpoint.address === endpoint.address && found.endpoint.port === endpoint.port && endpoint.address !== '')
      continue;
    if (reason !== undefined) generation.servers.noteReason(backend, server, reason);
    const place = { backend, server, backend_index: found.backend, server_index: found.number };
    markResolved(generation, place, endpoint.address !== '');
    changes.push({ server: found.number, backend: found.backend, endpoint });
  }
  if (changes.length > 0) for (const handle of allDataThreads(daemon)) handle.moveServers(generation.number, changes);
  return changes;
}

/** 0 to 256, from the next choice on. */
export function weighServer({ generation }: Daemon, backend: string, server: string, weight: number): void {
  const found = generation.servers.find(backend, server);
  if (found === undefined) return;
  const { memory } = generation;
  Atomics.store(memory.words, serverAt(memory, found.number) + SERVER_WEIGHT, weight);
  Atomics.add(memory.words, backendAt(memory, found.backend) + BACKEND_VERSION, 1);
}
