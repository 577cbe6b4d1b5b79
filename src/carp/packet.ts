/**
 * The CARP advert, version 2: 36 bytes right after the IP header, network order.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+---------------+---------------+
 *  0| vers 2| type 1|     vhid      |    advskew    |   authlen 7   |
 *   +-------+-------+---------------+---------------+---------------+
 *  4|    demote     |    advbase    |           checksum            |
 *   +---------------+---------------+-------------------------------+
 *  8|                        counter, high                          |
 *   +---------------------------------------------------------------+
 * 12|                        counter, low                           |
 *   +---------------------------------------------------------------+
 * 16|                  HMAC-SHA1, 5 words (auth.ts)                 |
 *   +---------------------------------------------------------------+
 *
 * The checksum is the Internet checksum (RFC 1071) of these 36 bytes alone, without a pseudo-header on IPv6 too.
 * `demote` is OpenBSD's count; everybody else sends 0 and ignores it. VRRPv2 adverts begin with 0x21 as well.
 */

export const PDU_BYTES = 36;
const VERSION_AND_TYPE = 0x21;
const AUTHLEN = 7;

/** One advert as values. Records of this type are reused: `hmac` is written in place. */
export type Pdu = {
  vhid: number;
  /** 1/256 s, 0..255 */
  advskew: number;
  /** s, 0..255 */
  advbase: number;
  demote: number;
  /** The counter's halves, unsigned 32-bit. */
  counter_high: number;
  counter_low: number;
  readonly hmac: Uint8Array;
};

/** Everything that can be wrong with the bytes themselves, in the order in which it is looked at. */
export const DECODE_ERRORS = ['length', 'version', 'type', 'checksum'] as const;
export type DecodeError = (typeof DECODE_ERRORS)[number];

export function createPdu(): Pdu {
  return { vhid: 0, advskew: 0, advbase: 0, demote: 0, counter_high: 0, counter_low: 0, hmac: new Uint8Array(20) };
}

/**
 * Reads `bytes[at .. at + length)` into `pdu`; null when all is well. On `checksum` the fields are filled in all the
 * same, so that a receiver can ask first whether the vhid concerns it.
 */
export function decodePdu(bytes: Uint8Array, at: number, length: number, pdu: Pdu): DecodeError | null {
  if (length !== PDU_BYTES || at + length > bytes.length) return 'length';
  if (bytes[at] >> 4 !== VERSION_AND_TYPE >> 4) return 'version';
  if (bytes[at] !== VERSION_AND_TYPE) return 'type';
  pdu.vhid = bytes[at + 1];
  pdu.advskew = bytes[at + 2];
  pdu.demote = bytes[at + 4];
  pdu.advbase = bytes[at + 5];
  pdu.counter_high = readWord(bytes, at + 8);
  pdu.counter_low = readWord(bytes, at + 12);
  for (let i = 0; i < 20; i++) pdu.hmac[i] = bytes[at + 16 + i];
  return checksum(bytes, at, PDU_BYTES) === 0 ? null : 'checksum';
}

/** Writes all 36 bytes, checksum included, to `out[at ..]`. */
export function encodePdu(pdu: Pdu, out: Uint8Array, at: number): void {
  out[at] = VERSION_AND_TYPE;
  out[at + 1] = pdu.vhid;
  out[at + 2] = pdu.advskew;
  out[at + 3] = AUTHLEN;
  out[at + 4] = pdu.demote;
  out[at + 5] = pdu.advbase;
  out[at + 6] = 0;
  out[at + 7] = 0;
  writeWord(out, at + 8, pdu.counter_high);
  writeWord(out, at + 12, pdu.counter_low);
  for (let i = 0; i < 20; i++) out[at + 16 + i] = pdu.hmac[i];
  const sum = checksum(out, at, PDU_BYTES);
  out[at + 6] = sum >> 8;
  out[at + 7] = sum;
}

/**
 * VRRP, by its length: version 2 (RFC 3768, 5.1) has 8 bytes before its IPv4 addresses and 8 behind them, version 3
 * (RFC 9568, 5.1) has 8 before its addresses. Byte 3 counts them; CARP has 7 there, and another length for it.
 */
export function isVrrp(bytes: Uint8Array, at: number, length: number, family: 4 | 6): boolean {
  if (length < 8) return false;
  const addresses = bytes[at + 3];
  if (bytes[at] === 0x31) return length === 8 + addresses * (family === 4 ? 4 : 16);
  return bytes[at] === VERSION_AND_TYPE && length === 16 + 4 * addresses;
}

/** 255/255: "I go; whoever hears this takes over at once". */
export function isBowOut(pdu: Pdu): boolean {
  return pdu.advbase === 255 && pdu.advskew === 255;
}

/** RFC 1071 over an even number of bytes; 0 over bytes that hold their own checksum. */
export function checksum(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i < at + length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function writeWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}
