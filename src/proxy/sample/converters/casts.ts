/**
 * Between the types of samples, as HAProxy does it without being asked: the parser puts these where a converter takes another type
 * than the one before gives. Their names have a `>`, which nobody can write. Bytes are text of one character each.
 */
import { parseAddress } from '../../../system/ip-address.ts';
import type { Value } from '../subject.ts';
import type { MakeConverter } from './converters.ts';

export const CASTS: Readonly<Record<string, MakeConverter>> = {
  'ip>bin': () => (value) => {
    const address = parseAddress(String(value));
    return address && latin1(address);
  },
  'int>bin': () => (value) => latin1(bytesOfInteger(value)),
  'ip>int': () => (value) => {
    const address = parseAddress(String(value));
    return address?.length === 4 ? Buffer.from(address).readUInt32BE() : undefined;
  },
  'str>int': () => (value) => Number(/^[+-]?\d{1,15}/.exec(String(value))?.[0] ?? 0),
  'str>ip': () => (value) => (parseAddress(String(value)) ? value : undefined),
  'bool>str': () => (value) => String(Number(value)),
};

/** 64 bits in network order. */
export function bytesOfInteger(value: Value): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, integerOf(value)));
  return bytes;
}

export function integerOf(value: Value): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
