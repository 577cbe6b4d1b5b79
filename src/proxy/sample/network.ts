/** Networks of addresses, and whether they hold one. */
import { parseAddress } from '../../system/ip-address.ts';

export type Network = { readonly address: Uint8Array; readonly bits: number };

/** Of `10.0.0.0/8`, or of an address alone. */
export function networkOf(text: string): Network {
  const [written, bits] = text.split('/');
  const address = parseAddress(written) as Uint8Array;
  return { address, bits: bits === undefined ? address.length * 8 : Number(bits) };
}

export function holds({ address: network, bits }: Network, address: Uint8Array): boolean {
  if (network.length !== address.length) return false;
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    if (((network[bit / 8] ^ address[bit / 8]) & mask) !== 0) return false;
  }
  return true;
}
