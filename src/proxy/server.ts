/**
 * A server as one data thread sees it: where it is, and this thread's idle connections to it. What all threads must agree on
 * (state, weight, connections) stands in shared memory.
 */
import type * as model from '../config/model.ts';
import { encodeSocketAddress, type PinnedAddress } from '../system/socket-address.ts';
import * as shared from '../threads/shared-memory.ts';
import type { ServerConnection } from './http/server-connection.ts';

/** Idle connections a thread keeps to one server; the oldest is closed for a newer one. */
export const IDLE_LIMIT = 512;

export class Server {
  readonly config: model.Server;
  /** Its place in the backend, and its number through all backends. */
  readonly position: number;
  readonly number: number;
  readonly name_bytes: Uint8Array;
  /** Null: the name could not be resolved. */
  readonly address: PinnedAddress | null;
  readonly idle: ServerConnection[] = [];
  private readonly memory: shared.SharedMemory;
  private readonly at: number;

  constructor(config: model.Server, position: number, number: number, memory: shared.SharedMemory) {
    this.config = config;
    this.position = position;
    this.number = number;
    this.name_bytes = new TextEncoder().encode(config.name);
    this.address = config.endpoint.address === '' ? null : encodeSocketAddress(config.endpoint);
    this.memory = memory;
    this.at = shared.serverAt(memory, number);
  }

  get usable(): boolean {
    const { words } = this.memory;
    return (
      this.address !== null &&
      Atomics.load(words, this.at + shared.SERVER_OPERATIONAL) === shared.SERVER_UP &&
      Atomics.load(words, this.at + shared.SERVER_ADMINISTRATIVE) === 0
    );
  }

  get weight(): number {
    return Atomics.load(this.memory.words, this.at + shared.SERVER_WEIGHT);
  }

  /** Of all threads. */
  get connections(): number {
    return Atomics.load(this.memory.words, this.at + shared.SERVER_CONNECTIONS);
  }

  /** A request or a TCP session begins to use the server. */
  enter(): void {
    Atomics.add(this.memory.words, this.at + shared.SERVER_CONNECTIONS, 1);
    Atomics.add(this.memory.words, this.at + shared.SERVER_TOTAL, 1);
  }

  leave(): void {
    Atomics.sub(this.memory.words, this.at + shared.SERVER_CONNECTIONS, 1);
  }

  /** The connection used last: the one whose server is least likely to be about to close it. */
  takeIdle(): ServerConnection | null {
    const connection = this.idle.pop();
    if (!connection) return null;
    connection.idle_index = -1;
    return connection;
  }

  putIdle(connection: ServerConnection): void {
    if (this.idle.length >= IDLE_LIMIT) this.idle[0].close();
    connection.idle_index = this.idle.length;
    this.idle.push(connection);
  }

  forgetIdle(connection: ServerConnection): void {
    const index = connection.idle_index;
    if (index < 0) return;
    connection.idle_index = -1;
    const last = this.idle.pop() as ServerConnection;
    if (last === connection) return;
    this.idle[index] = last;
    last.idle_index = index;
  }
}
