/**
 * The addresses that adverts leave from, which may change under a running node: an interface that was deleted and made
 * again has another link-local address, and perhaps another IPv4. An address that was written in the configuration and
 * never was this host's own is left alone.
 */
import type { VhidSettings } from '../carp/events.ts';
import { formatAddress, parseAddress } from './ip-address.ts';
import type { InterfaceAddress } from './netlink.ts';

/** Of an IPv6 address: made for privacy, and gone tomorrow (RFC 8981). */
const IFA_F_TEMPORARY = 0x01;

export type Place = { readonly index: number; readonly mac: Uint8Array };

/** The vhid with sources that the interface has now; the same object when nothing changed. `ours`: sources that were found. */
export function withSources(
  vhid: VhidSettings,
  place: Place,
  present: readonly InterfaceAddress[],
  ours: ReadonlySet<string>,
): VhidSettings {
  const own = present.filter((one) => one.index === place.index && !vhid.addresses.includes(one.address));
  const isThere = (source: string): boolean => own.some((one) => one.address === source);
  const { source_address, source_address6 } = vhid;
  let changed = vhid;
  if (source_address !== undefined && ours.has(source_address) && !isThere(source_address)) {
    const found = findSource4(own);
    if (found !== undefined) changed = { ...changed, source_address: found };
  }
  if (source_address6 !== undefined && ours.has(source_address6) && !isThere(source_address6)) {
    changed = { ...changed, source_address6: findSource6(own, vhid.peers) ?? linkLocalOf(place.mac) };
  }
  return changed;
}

/** The primary one. `own`: the addresses of the interface, VIPs left out. */
export function findSource4(own: readonly InterfaceAddress[]): string | undefined {
  return own.find((one) => one.bytes.length === 4)?.address;
}

/**
 * A link-local address, else any. For unicast peers that have addresses of a wider scope one of those: routers, and some
 * clouds, do not carry the others.
 */
export function findSource6(own: readonly InterfaceAddress[], peers: readonly string[] = []): string | undefined {
  const v6 = own.filter((one) => one.bytes.length === 16);
  const local = v6.find((one) => isLinkLocal(one.bytes));
  const others = v6.filter((one) => !isLinkLocal(one.bytes));
  const wide = others.find((one) => (one.flags & IFA_F_TEMPORARY) === 0) ?? others[0];
  const bytes = peers.map(parseAddress);
  const isWide = bytes.some((peer) => peer?.length === 16 && !isLinkLocal(peer));
  return (isWide ? (wide ?? local) : (local ?? wide))?.address;
}

function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
}

/** What the kernel makes of a MAC by default (RFC 4291, appendix A): right, or at least nobody else's. */
export function linkLocalOf(mac: Uint8Array): string {
  const [a, b, c, d, e, f] = mac;
  return formatAddress(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f));
}
