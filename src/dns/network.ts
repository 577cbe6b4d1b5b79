/** Is an address in a network? */
import { parseAddress } from '../carp/address.ts';
import type { Network } from '../config/model.ts';

export function isInNetwork(text: string, network: Network): boolean {
  const [address, base] = [parseAddress(text), parseAddress(network.address)];
  if (address === undefined || base === undefined || address.length !== base.length) return false;
  return address.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, network.prefix_length - 8 * index));
    return (byte ^ base[index]) >> (8 - bits) === 0;
  });
}
