/**
 * Networks of addresses, and whether they hold one. All are compared in sixteen bytes: 10.0.0.1 and ::ffff:10.0.0.1, as clients of a
 * `v4v6` listener are called, are one address to every rule.
 */
import { parseAddress } from '../../system/ip-address.ts';

/** Sixteen bytes, and how many bits of them count. */
export type Network = { readonly address: Uint8Array; readonly bits: number };

/** Of `10.0.0.0/8`, or of an address alone. */
export function networkOf(text: string): Network {
  const [written, bits] = text.split('/');
  const address = parseAddress(written) as Uint8Array;
  const length = bits === undefined ? address.length * 8 : Number(bits);
  return { address: inSixteenBytes(address), bits: length + (16 - address.length) * 8 };
}

export function holds({ address: network, bits }: Network, address: Uint8Array): boolean {
  const whole = inSixteenBytes(address);
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    if (((network[bit / 8] ^ whole[bit / 8]) & mask) !== 0) return false;
  }
  return true;
}

function inSixteenBytes(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const whole = new Uint8Array(16).fill(0xff, 10, 12);
  whole.set(address, 12);
  return whole;
}
