/** Reads the header that a proxy before us must send first. Strict: what is not one, to the letter, ends the connection. */
import { parseIpv4 } from '../../system/ip-address.ts';
import { parseIpv6 } from '../../system/ipv6-address.ts';
import { crc32c } from '../balance/hash-functions.ts';
import {
  COMMAND_LOCAL,
  COMMAND_PROXY,
  type Ends,
  FIXED_BYTES,
  readAddresses,
  SIGNATURE,
  TCP4,
  TCP6,
  TYPE_AUTHORITY,
  TYPE_CRC32C,
  VERSION,
} from './header.ts';

/** The longest line of version 1, with CR LF. */
const LONGEST_LINE = 107;
/** More than any sender's addresses and fields need. */
export const LONGEST_HEADER = 4096;

/** `ends` null: the connection's own. */
export type ReadHeader = {
  readonly length: number;
  /** `authority`: the name that the client asked for, where the header tells it. */
  readonly ends: (Ends & { readonly authority?: Uint8Array | undefined }) | null;
};
export type Reading = ReadHeader | 'incomplete' | 'malformed';

/** `bytes` are all that have come so far. */
export function readHeader(bytes: Uint8Array): Reading {
  if (bytes.length === 0) return 'incomplete';
  if (bytes[0] === SIGNATURE[0]) return readBinary(bytes);
  return beginsLike(bytes, LINE_START) ? readLine(bytes) : 'malformed';
}

/** It begins like one, so that what is wrong with it is further on. */
export function looksLikeHeader(bytes: Uint8Array): boolean {
  return bytes[0] === SIGNATURE[0] ? beginsLike(bytes, SIGNATURE) : beginsLike(bytes, LINE_START);
}

function beginsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== start[at]) return false;
  return true;
}

// ── version 1 ───────────────────────────────────────────────────────────────────────────────────

function readLine(bytes: Uint8Array): Reading {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(LF);
  if (end < 0) return bytes.length < LONGEST_LINE ? 'incomplete' : 'malformed';
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, end + 1));
  if (!text.endsWith('\r\n')) return 'malformed';
  const [, family, source, destination, source_port, destination_port, ...more] = text.slice(0, -2).split(' ');
  if (family === 'UNKNOWN') return { length: end + 1, ends: null };
  const parse = family === 'TCP4' ? parseIpv4 : family === 'TCP6' ? parseIpv6 : undefined;
  if (!parse || more.length > 0 || destination_port === undefined) return 'malformed';
  if (!parse(source) || !parse(destination)) return 'malformed';
  if (!isPort(source_port) || !isPort(destination_port)) return 'malformed';
  const ends = {
    source: { address: source, port: Number(source_port) },
    destination: { address: destination, port: Number(destination_port) },
  };
  return { length: end + 1, ends };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

// ── version 2 ───────────────────────────────────────────────────────────────────────────────────

function readBinary(bytes: Uint8Array): Reading {
  if (!beginsLike(bytes, SIGNATURE)) return 'malformed';
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const length = FIXED_BYTES + ((bytes[14] << 8) | bytes[15]);
  const command = bytes[12] & 15;
  if ((bytes[12] & 0xf0) !== VERSION || command > COMMAND_PROXY || length > LONGEST_HEADER) return 'malformed';
  if (bytes.length < length) return 'incomplete';
  const header = bytes.subarray(0, length);
  const family = header[13];
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  const fields = FIXED_BYTES + (size === 0 ? 0 : 2 * size + 4);
  if (command === COMMAND_LOCAL) return { length, ends: null };
  if (fields > length || (size > 0 && !fieldsAreRight(header, fields))) return 'malformed';
  if (size === 0) return { length, ends: null };
  const ends = readAddresses(header, FIXED_BYTES, size);
  const authority = fieldOf(header, fields, TYPE_AUTHORITY);
  return { length, ends: authority ? { ...ends, authority } : ends };
}

/** Of a header whose fields are right. */
function fieldOf(header: Uint8Array, start: number, type: number): Uint8Array | undefined {
  for (let at = start; at < header.length; ) {
    const end = at + 3 + ((header[at + 1] << 8) | header[at + 2]);
    if (header[at] === type) return header.slice(at + 3, end);
    at = end;
  }
  return undefined;
}

/** Every field ends where the next one begins, and a checksum is right where there is one. */
function fieldsAreRight(header: Uint8Array, start: number): boolean {
  let at = start;
  while (at < header.length) {
    if (at + 3 > header.length) return false;
    const value = at + 3;
    const end = value + ((header[at + 1] << 8) | header[at + 2]);
    if (end > header.length) return false;
    if (header[at] === TYPE_CRC32C && !checksumIsRight(header, value, end)) return false;
    at = end;
  }
  return true;
}

function checksumIsRight(header: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  const said = new DataView(header.buffer, header.byteOffset).getUint32(start);
  const counted = header.slice();
  counted.fill(0, start, end);
  return crc32c(counted) === said;
}

const LF = 10;
const LINE_START = new TextEncoder().encode('PROXY ');
