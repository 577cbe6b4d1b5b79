/**
 * Telling the neighbours where an address lives now: gratuitous ARP (RFC 5227, 3; RFC 826), in both forms, because some
 * gear learns only from requests and some only from replies.
 *
 *     0        6        12    14     16     18    20   22       28       32        38       42
 *     ┌────────┬────────┬─────┬──────┬──────┬─────┬────┬────────┬────────┬─────────┬────────┐
 *     │ff:…:ff │own MAC │0806 │ 0001 │ 0800 │ 6 4 │ op │own MAC │  VIP   │ target  │  VIP   │
 *     └────────┴────────┴─────┴──────┴──────┴─────┴────┴────────┴────────┴─────────┴────────┘
 *                                    op 1 request: target 00:…:00        op 2 reply: target own MAC
 */
import { parseAddress } from './address.ts';

const ARP_BYTES = 42;
const REQUEST = 1;
const REPLY = 2;

/** After becoming MASTER: at once, and again for those whose link or table was not ready yet. */
export const ANNOUNCE_AFTER_S = [0, 1, 2, 5] as const;

/** Every announcement of these addresses, ready to send. IPv6 addresses have none yet. */
export function announcements(mac: Uint8Array, addresses: readonly string[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (const text of addresses) {
    const address = parseAddress(text);
    if (address?.length === 4)
      frames.push(gratuitousArp('request', mac, address), gratuitousArp('reply', mac, address));
  }
  return frames;
}

export function gratuitousArp(form: 'request' | 'reply', mac: Uint8Array, address: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ARP_BYTES);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, form === 'request' ? REQUEST : REPLY], 12);
  frame.set(mac, 22);
  frame.set(address, 28);
  if (form === 'reply') frame.set(mac, 32);
  frame.set(address, 38);
  return frame;
}
