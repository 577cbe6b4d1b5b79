/**
 * The hash functions of `hash-type`, bit for bit as HAProxy computes them, so that clients stay with their servers when a
 * node changes from one to the other. All are unsigned 32-bit.
 */
import type { HashFunction, HashType } from '../../config/model.ts';

export type Hash = (bytes: Uint8Array, start: number, end: number) => number;

/** HAProxy's default: what holds without `hash-type`. */
export const DEFAULT_HASH: HashType = { method: 'map-based', function: 'sdbm', avalanche: false };

/** The function with its modifier. */
export function hashOf({ function: name, avalanche: mixes }: HashType): Hash {
  const hash = FUNCTIONS[name];
  return mixes ? (bytes, start, end) => avalanche(hash(bytes, start, end)) : hash;
}

const FUNCTIONS: Record<HashFunction, Hash> = { sdbm, djb2, wt6, crc32, none };

export function sdbm(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = (bytes[at] + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

export function djb2(bytes: Uint8Array, start: number, end: number): number {
  let hash = 5381;
  for (let at = start; at < end; at++) hash = ((hash << 5) + hash + bytes[at]) | 0;
  return hash >>> 0;
}

/** Two words that are rotated into each other by amounts which depend on themselves. */
export function wt6(bytes: Uint8Array, start: number, end: number): number {
  let left = 0xa53c965a | 0;
  let right = 0x5ca6953a | 0;
  let left_turn = 6;
  let right_turn = 18;
  for (let at = start; at < end; at++) {
    const mixed_left = ~(left ^ bytes[at]);
    const mixed_right = ~(right + bytes[at]) | 0;
    left = rotate(mixed_right, left_turn);
    right = rotate(mixed_left, right_turn);
    const turns = ((left >>> 16) ^ right) & 0xffff;
    left_turn = turns & 31;
    right_turn = turns >>> 11;
  }
  return (left ^ right) >>> 0;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** The CRC of Ethernet and gzip. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  return crc(crc32_table, bytes, start, end);
}

/** The CRC of iSCSI (Castagnoli's polynomial). */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return crc(crc32c_table, bytes, start, end);
}

function crc(table: Int32Array, bytes: Uint8Array, start: number, end: number): number {
  let rest = -1;
  for (let at = start; at < end; at++) rest = (rest >>> 8) ^ table[(rest ^ bytes[at]) & 255];
  return ~rest >>> 0;
}

const crc32_table = crcTable(0xedb88320);
const crc32c_table = crcTable(0x82f63b78);

function crcTable(polynomial: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
}

/** The key is a number already. */
function none(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end && bytes[at] >= 48 && bytes[at] <= 57; at++) {
    value = (Math.imul(value, 10) + bytes[at] - 48) | 0;
  }
  return value >>> 0;
}

/** Bob Jenkins' full avalanche of a 32-bit word: each bit of it moves every bit of the result. Spread by a prime in the end. */
export function avalanche(word: number): number {
  let mixed = word | 0;
  mixed = (mixed + 0x7ed55d16 + (mixed << 12)) | 0;
  mixed = mixed ^ 0xc761c23c ^ (mixed >>> 19);
  mixed = (mixed + 0x165667b1 + (mixed << 5)) | 0;
  mixed = (mixed + 0xd3a2646c) ^ (mixed << 9);
  mixed = (mixed + 0xfd7046c5 + (mixed << 3)) | 0;
  mixed = mixed ^ 0xb55a4f09 ^ (mixed >>> 16);
  return Math.imul(mixed, 3_221_225_473) >>> 0;
}
