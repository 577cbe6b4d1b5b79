/**
 * `struct sockaddr_in`, `sockaddr_in6` and `sockaddr_un`: an endpoint as the kernel wants it, and back.
 *
 *   in    | family:16 (host order) | port:16 | address:32 | 8 zero bytes              |  16 bytes
 *   in6   | family:16 (host order) | port:16 | flow:32 | address:128 | scope:32        |  28 bytes
 *   un    | family:16 (host order) | path, a zero byte                                |  at most 110 bytes
 */
import { AF_INET, AF_INET6, AF_UNIX } from './abi/linux.ts';
import { parseIpv4 } from './ip-address.ts';
import { formatIpv6, parseIpv6 } from './ipv6-address.ts';
import { allocatePinned, type Pinned } from './libc.ts';

/** `address` may be the path of a socket file, or `@` and an abstract name; then `port` says nothing. */
type Endpoint = { readonly address: string; readonly port: number };

/** Stays where it is as long as the thread lives: a connect in flight may point to it. */
export type PinnedAddress = { readonly address: number; readonly length: number; readonly family: number };

const CHUNK_BYTES = 4096;
/** The longest, sockaddr_un, rounded up. */
const PLACE_BYTES = 112;

/** By `address port`: as many as there are different endpoints in the configurations of this thread's life. */
const pinned = new Map<string, PinnedAddress>();
let chunk: Pinned | undefined;
let chunk_used = 0;

/** The endpoint in pinned memory, once per thread and endpoint. Throws when `address` is no IP literal: resolve names first. */
export function encodeSocketAddress(endpoint: Endpoint): PinnedAddress {
  const key = `${endpoint.address} ${endpoint.port}`;
  const known = pinned.get(key);
  if (known) return known;
  const encoded = pin(socketAddressBytes(endpoint));
  pinned.set(key, encoded);
  return encoded;
}

/** Memory for one address after the other, for a connection whose address its client chooses. */
export class AddressPlace {
  private place: Pinned | null = null;

  /** The one before is gone. Throws as `encodeSocketAddress`. */
  put(endpoint: Endpoint): PinnedAddress {
    const bytes = socketAddressBytes(endpoint);
    this.place ??= allocatePinned(PLACE_BYTES);
    this.place.bytes.set(bytes);
    return { address: this.place.address, length: bytes.length, family: familyOf(bytes) };
  }
}

function pin(bytes: Uint8Array): PinnedAddress {
  if (!chunk || chunk_used + PLACE_BYTES > CHUNK_BYTES) {
    chunk = allocatePinned(CHUNK_BYTES);
    chunk_used = 0;
  }
  chunk.bytes.set(bytes, chunk_used);
  const address = chunk.address + chunk_used;
  chunk_used += PLACE_BYTES;
  return { address, length: bytes.length, family: familyOf(bytes) };
}

/** The first field of what `socketAddressBytes` made. */
function familyOf(bytes: Uint8Array): number {
  return bytes[0] | (bytes[1] << 8);
}

function isUnixAddress(address: string): boolean {
  return address.startsWith('/') || address.startsWith('@');
}

/** The same as ordinary bytes, for calls that copy (bind, sendto). Throws as `encodeSocketAddress`. */
export function socketAddressBytes(endpoint: Endpoint): Uint8Array {
  if (isUnixAddress(endpoint.address)) {
    const unix = encodeUnixAddress(endpoint.address);
    if (!unix) throw new Error(`${endpoint.address} is too long for a socket's path`);
    return unix;
  }
  const v4 = parseIpv4(endpoint.address);
  const address = v4 ?? parseIpv6(endpoint.address);
  if (!address) throw new Error(`${endpoint.address} is no IP address`);
  const bytes = new Uint8Array(v4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, v4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, endpoint.port);
  bytes.set(address, v4 ? 4 : 8);
  return bytes;
}

/** What accept, getsockname or getpeername wrote at `offset`; undefined for another family than IPv4 and IPv6. */
export function decodeSocketAddress(bytes: Uint8Array, offset: number): Endpoint | undefined {
  const family = bytes[offset] | (bytes[offset + 1] << 8);
  const port = (bytes[offset + 2] << 8) | bytes[offset + 3];
  if (family === AF_INET) return { address: bytes.subarray(offset + 4, offset + 8).join('.'), port };
  if (family === AF_INET6) return { address: formatIpv6(bytes, offset + 8), port };
  return undefined;
}

/** A path that begins with `@` is Linux's abstract namespace. Undefined when the path is too long (107 bytes). */
export function encodeUnixAddress(path: string): Uint8Array | undefined {
  const name = new TextEncoder().encode(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > 108) return undefined;
  const bytes = new Uint8Array(2 + name.length);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}
