/**
 * The last invalid request of each frontend and the last invalid response of each backend in one thread, with their bytes, for
 * `show errors`. Taking one costs a copy; where exactly it went wrong is found when somebody asks.
 */
import type { Socket } from '../../reactor/socket.ts';
import * as shared from '../../threads/shared-memory.ts';
import { sourceOf } from '../ends.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange.ts';
import { type Fault, findFault } from './find-fault.ts';

/** What people see of one. Plain data. */
export type BadMessage = {
  readonly kind: 'request' | 'response';
  readonly frontend: string;
  /** Of a request that found none yet: null. */
  readonly backend: string | null;
  readonly server: string | null;
  /** Counts those of all threads, from 0. */
  readonly event: number;
  /** Wall clock. */
  readonly at_ms: number;
  /** `127.0.0.1:4711` */
  readonly source: string;
  /** As many as one buffer holds. */
  readonly bytes: Uint8Array;
  /** Undefined: in a part of its body whose beginning is not among the bytes. */
  readonly fault: Fault | undefined;
};

/** `begins`: with the head. */
type Taken = Omit<BadMessage, 'fault' | 'bytes'> & {
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly begins: boolean;
};

/** HAProxy's buffers hold as much (tune.bufsize). */
const MOST_BYTES = 16_384;

export class BadMessages {
  private readonly memory: shared.SharedMemory;
  /** By kind and proxy: as many as there are proxies, and a buffer for each that ever had one. */
  private readonly taken = new Map<string, Taken>();

  constructor(memory: shared.SharedMemory) {
    this.memory = memory;
  }

  /** `bytes` are those of the head from its beginning, or (`begins` false) of the body. */
  takeRequest(client: ClientConnection, bytes: Uint8Array, begins: boolean): void {
    const { frontend, socket, exchange } = client;
    const backend = begins ? null : (exchange.backend?.config.name ?? null);
    const server = begins ? null : (exchange.assignment.server?.config.name ?? null);
    this.take({ kind: 'request', frontend: frontend.config.name, backend, server }, socket, bytes, begins);
  }

  takeResponse({ frontend, client, backend, assignment }: Exchange, bytes: Uint8Array, begins: boolean): void {
    const server = assignment.server?.config.name ?? null;
    const names = { frontend: frontend.config.name, backend: backend?.config.name ?? null, server };
    this.take({ kind: 'response', ...names }, client.socket, bytes, begins);
  }

  private take(
    of: Pick<BadMessage, 'kind' | 'frontend' | 'backend' | 'server'>,
    socket: Socket,
    bytes: Uint8Array,
    begins: boolean,
  ): void {
    const key = of.kind === 'request' ? `request ${of.frontend}` : `response ${of.backend}`;
    const buffer = this.taken.get(key)?.buffer ?? new Uint8Array(MOST_BYTES);
    const length = Math.min(bytes.length, MOST_BYTES);
    buffer.set(bytes.subarray(0, length));
    const event = Atomics.add(this.memory.words, shared.BAD_MESSAGES, 1);
    this.taken.set(key, { ...of, event, at_ms: Date.now(), source: textOf(socket), buffer, length, begins });
  }

  list(): BadMessage[] {
    return [...this.taken.values()].map(({ buffer, length, begins, ...rest }) => {
      const bytes = buffer.slice(0, length);
      return { ...rest, bytes, fault: begins ? findFault(rest.kind, bytes) : undefined };
    });
  }
}

function textOf(socket: Socket): string {
  const source = sourceOf(socket);
  return source ? `${source.address}:${source.port}` : '-';
}
