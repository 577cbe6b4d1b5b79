/**
 * How long the kernel keeps an address that nobody renews: as short as whole seconds go. But with every renewal of an IPv6
 * address Linux starts the multicast reports of all groups of its link anew (ipv6_mc_up), and each address has a group of
 * its own: with many on one link the cost grows with their square, and a longer lease means fewer renewals.
 */
import type { VhidSettings } from '../carp/events.ts';
import { isVirtual } from './carp-virtual-links.ts';

/** Seconds, by the number of IPv6 addresses on the link that has most of them. */
const LEASES: readonly (readonly [up_to: number, lease_s: number])[] = [
  [32, 2],
  [128, 4],
  [Number.POSITIVE_INFINITY, 6],
];

/** For all addresses of the host, in seconds. A virtual MAC has a link of its own, so these do not count. */
export function leaseFor(vhids: readonly VhidSettings[]): number {
  const by_interface = new Map<string, Set<string>>();
  for (const vhid of vhids) {
    if (isVirtual(vhid)) continue;
    const known = by_interface.get(vhid.interface) ?? new Set();
    by_interface.set(vhid.interface, known);
    for (const address of vhid.addresses) if (address.includes(':')) known.add(address);
  }
  const most = Math.max(0, ...[...by_interface.values()].map((addresses) => addresses.size));
  return LEASES.find(([up_to]) => most <= up_to)![1];
}
