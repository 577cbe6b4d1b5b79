/** The two ends of a client's connection: as a proxy before us told them (`accept-proxy`), else as the kernel does. */
import type { Endpoint } from '../config/model.ts';
import type { Socket } from '../reactor/socket.ts';
import { destinationAddress, peerAddress } from '../system/peer-address.ts';
import type { Row } from '../threads/counters.ts';
import type { Entrance } from './entrance.ts';

/** The address as text in bytes. Undefined: the client is gone. */
export function sourceText({ ends, fd }: Socket): { address: Uint8Array; port: number } | undefined {
  if (ends) return { address: new TextEncoder().encode(ends.source.address), port: ends.source.port };
  return fd >= 0 ? peerAddress(fd) : undefined;
}

/** Undefined: the client is gone, or came by a socket's file. */
export function sourceOf(socket: Socket): Endpoint | undefined {
  if (socket.ends) return socket.ends.source;
  const peer = sourceText(socket);
  return peer && isAddress(peer.address)
    ? { address: new TextDecoder().decode(peer.address), port: peer.port }
    : undefined;
}

/** Those of the bind that the client came in by, where it has some of its own. */
export function bindCountersOf({ admitted_by }: Socket): Row | null {
  return (admitted_by as Entrance | null)?.counters ?? null;
}

/** The address that the client connected to. */
export function destinationOf(socket: Socket): Endpoint | undefined {
  return socket.ends?.destination ?? (socket.fd >= 0 ? destinationAddress(socket.fd) : undefined);
}

/** `-` and `unix` are no addresses, and neither begins like one. */
export function isAddress(text: Uint8Array): boolean {
  return text[0] !== DASH && text[0] !== LETTER_U;
}

const DASH = 0x2d;
const LETTER_U = 0x75;
