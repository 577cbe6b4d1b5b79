/**
 * The PROXY protocol's header (proxy-protocol.txt of HAProxy): who is at the ends of the connection that a proxy passes on.
 *
 *   version 1   PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 CR LF            or  PROXY UNKNOWN … CR LF
 *
 *   version 2   | 12 bytes of signature | 2: version, command | family, protocol | length:16 |
 *               | source, destination address | source, destination port | type, length:16, value | … |
 */
import type { Endpoint } from '../../config/model.ts';
import { formatAddress, parseAddress } from '../../system/ip-address.ts';
import { crc32c } from '../balance/hash-functions.ts';

/** The client and the address that it connected to. */
export type Ends = { readonly source: Endpoint; readonly destination: Endpoint };

export const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
export const FIXED_BYTES = 16;
const TLV_BYTES = 3;

export const VERSION = 0x20;
export const COMMAND_LOCAL = 0;
export const COMMAND_PROXY = 1;
export const TCP4 = 0x11;
export const TCP6 = 0x21;
export const TYPE_AUTHORITY = 0x02;
export const TYPE_CRC32C = 0x03;
export const TYPE_UNIQUE_ID = 0x05;
export const TYPE_SSL = 0x20;
/** One byte of flags: no TLS; four bytes about a certificate: nothing was found wrong. */
const NO_TLS = new Uint8Array(5);

/** Undefined: nobody knows the ends, or they are of two families. */
export function encodeText(ends: Ends | undefined): Uint8Array {
  const family = ends && familyOf(ends);
  if (!ends || family === undefined) return encoder.encode('PROXY UNKNOWN\r\n');
  const { source, destination } = ends;
  const name = family === TCP4 ? 'TCP4' : 'TCP6';
  return encoder.encode(
    `PROXY ${name} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`,
  );
}

export type BinaryOptions = {
  readonly crc32c: boolean;
  readonly unique_id: Uint8Array | undefined;
  readonly authority?: Uint8Array | undefined;
  /** Say that the client does not use TLS. */
  readonly ssl?: boolean;
};

export function encodeBinary(ends: Ends | undefined, options: BinaryOptions): Uint8Array {
  const family = ends && familyOf(ends);
  const addresses = ends && family !== undefined ? addressBytes(ends) : new Uint8Array(0);
  const fields: [number, Uint8Array][] = [];
  if (options.authority) fields.push([TYPE_AUTHORITY, options.authority]);
  if (options.unique_id) fields.push([TYPE_UNIQUE_ID, options.unique_id]);
  if (options.ssl) fields.push([TYPE_SSL, NO_TLS]);
  if (options.crc32c) fields.push([TYPE_CRC32C, new Uint8Array(4)]);
  const fields_length = fields.reduce((sum, [, value]) => sum + TLV_BYTES + value.length, 0);
  const bytes = new Uint8Array(FIXED_BYTES + addresses.length + fields_length);
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE);
  bytes[12] = VERSION | (family === undefined ? COMMAND_LOCAL : COMMAND_PROXY);
  bytes[13] = family ?? 0;
  view.setUint16(14, bytes.length - FIXED_BYTES);
  bytes.set(addresses, FIXED_BYTES);
  let at = FIXED_BYTES + addresses.length;
  for (const [type, value] of fields) {
    bytes[at] = type;
    view.setUint16(at + 1, value.length);
    bytes.set(value, at + TLV_BYTES);
    at += TLV_BYTES + value.length;
  }
  if (options.crc32c) view.setUint32(bytes.length - 4, crc32c(bytes)); // it stands last, and is counted as zero
  return bytes;
}

function familyOf({ source, destination }: Ends): number | undefined {
  const [first, second] = [source.address.includes(':'), destination.address.includes(':')];
  if (first !== second) return undefined;
  return first ? TCP6 : TCP4;
}

function addressBytes({ source, destination }: Ends): Uint8Array {
  const first = parseAddress(source.address) as Uint8Array;
  const second = parseAddress(destination.address) as Uint8Array;
  const bytes = new Uint8Array(2 * first.length + 4);
  bytes.set(first);
  bytes.set(second, first.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(2 * first.length, source.port);
  view.setUint16(2 * first.length + 2, destination.port);
  return bytes;
}

/** The ends that stand at `at`, of a family of which each address has `size` bytes. */
export function readAddresses(bytes: Uint8Array, at: number, size: number): Ends {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ports = at + 2 * size;
  return {
    source: { address: formatAddress(bytes.subarray(at, at + size)), port: view.getUint16(ports) },
    destination: { address: formatAddress(bytes.subarray(at + size, ports)), port: view.getUint16(ports + 2) },
  };
}

const encoder = new TextEncoder();
