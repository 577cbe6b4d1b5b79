/**
 * Telling the neighbours where an address lives now. IPv4: gratuitous ARP (RFC 5227, 3; RFC 826), in both forms, because
 * some gear learns only from requests and some only from replies.
 *
 *     0        6        12    14     16     18    20   22       28       32        38       42
 *     ┌────────┬────────┬─────┬──────┬──────┬─────┬────┬────────┬────────┬─────────┬────────┐
 *     │ to MAC │  MAC   │0806 │ 0001 │ 0800 │ 6 4 │ op │  MAC   │  VIP   │ target  │target's│
 *     └────────┴────────┴─────┴──────┴──────┴─────┴────┴────────┴────────┴─────────┴────────┘
 *                                    op 1 request: target 00:…:00        op 2 reply
 *
 * IPv6: an unsolicited neighbour advertisement to all nodes (RFC 4861, 4.4 and 7.2.6).
 *
 *     0        6        12    14                   54     56      58         62           78      80   86
 *     ┌────────┬────────┬─────┬────────────────────┬──────┬───────┬──────────┬────────────┬───────┬─────┐
 *     │ to MAC │  MAC   │86dd │ IPv6, 40 bytes     │ 88 00│ sum   │ R S O    │ VIP        │ 02 01 │ MAC │
 *     └────────┴────────┴─────┴────────────────────┴──────┴───────┴──────────┴────────────┴───────┴─────┘
 */
import { parseAddress } from './address.ts';
import { groupMac } from './frame.ts';

const ARP_BYTES = 42;
const REQUEST = 1;
const REPLY = 2;
const NO_MAC = new Uint8Array(6);
const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

const NEIGHBOUR_BYTES = 86;
const ICMPV6_AT = 54;
const ICMPV6_BYTES = 32;
export const ICMPV6 = 58;
export const NEIGHBOUR_SOLICITATION = 135;
export const NEIGHBOUR_ADVERTISEMENT = 136;
const SOURCE_MAC_OPTION = 1;
const TARGET_MAC_OPTION = 2;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

/** After becoming MASTER: at once, and again for those whose link or table was not ready yet. */
export const ANNOUNCE_AFTER_S = [0, 1, 2, 5] as const;

/** Every announcement of these addresses, ready to send. */
export function announcements(mac: Uint8Array, addresses: readonly string[], router: boolean): readonly Uint8Array[] {
  return addresses.flatMap((text) => {
    const address = parseAddress(text)!;
    if (address.length === 16) return [neighbourAdvertisement({ mac, address, router })];
    return [gratuitousArp('request', mac, address), gratuitousArp('reply', mac, address)];
  });
}

export function gratuitousArp(form: 'request' | 'reply', mac: Uint8Array, address: Uint8Array): Uint8Array {
  const target = { mac: form === 'request' ? NO_MAC : mac, address };
  return arp(form === 'request' ? REQUEST : REPLY, BROADCAST_MAC, { mac, address }, target);
}

/** Who asked is told that `own` has the address. */
export function arpReply(own: Neighbour, asker: Neighbour): Uint8Array {
  return arp(REPLY, asker.mac, own, asker);
}

export type Neighbour = { readonly mac: Uint8Array; readonly address: Uint8Array };

function arp(operation: number, to: Uint8Array, sender: Neighbour, target: Neighbour): Uint8Array {
  const frame = new Uint8Array(ARP_BYTES);
  frame.set(to, 0);
  frame.set(sender.mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, operation], 12);
  frame.set(sender.mac, 22);
  frame.set(sender.address, 28);
  frame.set(target.mac, 32);
  frame.set(target.address, 38);
  return frame;
}

export type Advertisement = Neighbour & {
  readonly router: boolean;
  /** Who solicited it; undefined: everybody is told. */
  readonly asker?: Neighbour | undefined;
};

/** Sent from the address that it is about, and always overriding what the neighbour knew. */
export function neighbourAdvertisement({ mac, address, router, asker }: Advertisement): Uint8Array {
  const to = asker ?? { mac: ALL_NODES_MAC, address: ALL_NODES };
  const flags = OVERRIDE | (router ? ROUTER : 0) | (asker ? SOLICITED : 0);
  return neighbourMessage(NEIGHBOUR_ADVERTISEMENT, flags, { mac, address }, to, address, TARGET_MAC_OPTION);
}

/** "Who has `target`?", asked by `asker` (RFC 4861, 4.3). */
export function neighbourSolicitation(asker: Neighbour, target: Uint8Array): Uint8Array {
  const group = solicitedNodeGroup(target);
  const to = { mac: groupMac(group), address: group };
  return neighbourMessage(NEIGHBOUR_SOLICITATION, 0, asker, to, target, SOURCE_MAC_OPTION);
}

/** The group of whoever may have the address (RFC 4291, 2.7.1). */
export function solicitedNodeGroup(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...address.subarray(13));
}

function neighbourMessage(
  type: number,
  flags: number,
  from: Neighbour,
  to: Neighbour,
  target: Uint8Array,
  option: number,
): Uint8Array {
  const frame = new Uint8Array(NEIGHBOUR_BYTES);
  frame.set(to.mac, 0);
  frame.set(from.mac, 6);
  frame.set([0x86, 0xdd, 0x60, 0, 0, 0, 0, ICMPV6_BYTES, ICMPV6, 255], 12);
  frame.set(from.address, 22);
  frame.set(to.address, 38);
  frame[ICMPV6_AT] = type;
  frame[ICMPV6_AT + 4] = flags;
  frame.set(target, ICMPV6_AT + 8);
  frame.set([option, 1], ICMPV6_AT + 24);
  frame.set(from.mac, ICMPV6_AT + 26);
  const sum = icmpv6Checksum(frame);
  frame[ICMPV6_AT + 2] = sum >> 8;
  frame[ICMPV6_AT + 3] = sum;
  return frame;
}

/** RFC 4443, 2.3: with a pseudo-header of both addresses, the length and the protocol. */
function icmpv6Checksum(frame: Uint8Array): number {
  let sum = ICMPV6_BYTES + ICMPV6;
  for (let at = 22; at < NEIGHBOUR_BYTES; at += 2) sum += (frame[at] << 8) | frame[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
