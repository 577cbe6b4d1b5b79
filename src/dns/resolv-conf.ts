/** The nameservers of a resolv.conf(5); everything else in it is the system's business. */
import { parseAddress } from '../carp/address.ts';

/** Addresses without a zone, in order. */
export function parseResolvConf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [word, address] = line.trim().split(/\s+/);
    return word === 'nameserver' && address !== undefined && parseAddress(address) ? [address] : [];
  });
}
