/** Converters of bytes: parts of them, their digests and hashes, and how they are written as text. */
import { createHash } from 'node:crypto';
import { formatAddress, parseAddress } from '../../../system/ip-address.ts';
import { avalanche, crc32, crc32c, djb2, type Hash, sdbm, wt6 } from '../../balance/hash-functions.ts';
import { xxh32 } from '../../xxh32.ts';
import { xxh64 } from '../../xxh64.ts';
import type { Value } from '../subject.ts';
import { latin1 } from './casts.ts';
import type { MakeConverter } from './converters.ts';

const bytesOf = (value: Value): Buffer => Buffer.from(String(value), 'latin1');

/** A function of the bytes. */
const ofBytes =
  (convert: (bytes: Buffer) => Value | undefined): MakeConverter =>
  () =>
  (value) =>
    convert(bytesOf(value));

/** With the argument 1 the hash is mixed once more. */
const hash32 =
  (hash: Hash): MakeConverter =>
  ([mixes]) =>
  (value) => {
    const bytes = bytesOf(value);
    const word = hash(bytes, 0, bytes.length);
    return mixes === '1' ? avalanche(word) : word;
  };

const digest = (algorithm: string) => ofBytes((bytes) => latin1(createHash(algorithm).update(bytes).digest()));

export const BYTE_CONVERTERS: Readonly<Record<string, MakeConverter>> = {
  bytes: ([offset, length]) => {
    const [start, end] = [Number(offset), length === undefined ? undefined : Number(offset) + Number(length)];
    return (value) => String(value).slice(start, end);
  },
  hex: ofBytes((bytes) => bytes.toString('hex').toUpperCase()),
  hex2i: () => (value) => (/^[0-9a-f]{1,16}$/i.test(String(value)) ? signed(BigInt(`0x${value}`)) : undefined),
  base64: ofBytes((bytes) => bytes.toString('base64')),
  b64dec: () => (value) => decodeBase64(String(value), /^[A-Za-z0-9+/]*={0,2}$/),
  ub64enc: ofBytes((bytes) => bytes.toString('base64url')),
  ub64dec: () => (value) => decodeBase64(String(value), /^[A-Za-z0-9_-]*$/),
  sha1: digest('sha1'),
  sha2: ([bits = '256']) => digest(`sha${bits}`)([]),
  crc32: hash32(crc32),
  crc32c: hash32(crc32c),
  djb2: hash32(djb2),
  sdbm: hash32(sdbm),
  wt6: hash32(wt6),
  xxh32: ([seed = '0']) => ofBytes((bytes) => xxh32(bytes, Number(seed)))([]),
  xxh64: ([seed = '0']) => ofBytes((bytes) => signed(xxh64(bytes, BigInt(seed))))([]),
  ipmask: ([mask4, mask6]) => {
    const masks = new Map([
      [4, maskOf(mask4, 4)],
      [16, maskOf(mask6, 16)],
    ]);
    return (value) => {
      const address = parseAddress(String(value));
      const mask = address && masks.get(address.length);
      return mask && formatAddress(address.map((byte, index) => byte & mask[index]));
    };
  },
};

function decodeBase64(text: string, alphabet: RegExp): string | undefined {
  return alphabet.test(text) ? Buffer.from(text, 'base64').toString('latin1') : undefined;
}

function signed(hash: bigint): Value {
  const wrapped = BigInt.asIntN(64, hash);
  return Number.isSafeInteger(Number(wrapped)) ? Number(wrapped) : wrapped;
}

/** `24`, or `255.255.255.0`. Undefined: none is given, and such addresses have no value any more. */
function maskOf(text: string | undefined, length: number): Uint8Array | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return text === undefined ? undefined : parseAddress(text);
  return Uint8Array.from({ length }, (_, index) => {
    const bits = Math.min(8, Math.max(0, Number(text) - 8 * index));
    return (0xff << (8 - bits)) & 0xff;
  });
}
