/** Frames as another machine would send them, and vhid settings with everyday values filled in. */

import { parseAddress } from '#src/carp/address.js';
import { createAuth, passwordKey, sign } from '#src/carp/auth.js';
import type { VhidSettings } from '#src/carp/events.js';
import {
  createFrame,
  GROUP_IPV4,
  GROUP_IPV6,
  GROUP_MAC_IPV4,
  GROUP_MAC_IPV6,
  PDU_AT_IPV4,
  PDU_AT_IPV6,
  type PeerKind,
  virtualMac,
} from '#src/carp/frame.js';
import { checksum, createPdu, decodePdu, encodePdu, type Pdu } from '#src/carp/packet.js';

export type PeerAdvert = {
  source: string;
  vhid: number;
  advbase: number;
  advskew: number;
  demote?: number;
  pass?: string;
  addresses?: readonly string[] | undefined;
  kind?: PeerKind;
  ttl?: number;
};

const OWN_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x77);
let counter = 0;

export function peerFrame(advert: PeerAdvert): Uint8Array {
  const { vhid, advbase, advskew, kind = 'carpool' } = advert;
  const six = advert.source.includes(':');
  const frame = createFrame({
    destination_mac: six ? GROUP_MAC_IPV6 : GROUP_MAC_IPV4,
    source_mac: kind === 'carpool' ? OWN_MAC : virtualMac(kind, vhid),
    source: bytesOf(advert.source),
    destination: six ? GROUP_IPV6 : GROUP_IPV4,
    tos: 0x10,
    id: 7,
  });
  const pdu: Pdu = { ...createPdu(), vhid, advbase, advskew, demote: advert.demote ?? 0 };
  pdu.counter_high = 0xc0ffee;
  pdu.counter_low = ++counter;
  const addresses = advert.addresses ?? ['10.0.0.1'];
  const key = passwordKey(advert.pass ?? 'secret');
  const auth = createAuth({ key, vhid, addresses, order: 'sorted', link_locals: true });
  sign(auth.sent, pdu.counter_high, pdu.counter_low, pdu.hmac, 0);
  encodePdu(pdu, frame, six ? PDU_AT_IPV6 : PDU_AT_IPV4);
  setTtl(frame, six, advert.ttl ?? 255);
  return frame;
}

function setTtl(frame: Uint8Array, six: boolean, ttl: number): void {
  frame[six ? 21 : 22] = ttl;
  if (!six) mendHeader(frame);
}

function mendHeader(frame: Uint8Array): void {
  frame.fill(0, 24, 26);
  const sum = checksum(frame, 14, 20);
  frame.set([sum >> 8, sum & 255], 24);
}

/** An IPv4 frame as somebody else sends it again, from 10.0.0.66. */
export function fromElsewhere(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy.set([10, 0, 0, 66], 26);
  mendHeader(copy);
  return copy;
}

/** The advert in a frame that the engine built. */
export function advertIn(frame: Uint8Array): Pdu {
  const pdu = createPdu();
  const pdu_at = frame[12] === 0x86 ? PDU_AT_IPV6 : PDU_AT_IPV4;
  const error = decodePdu(frame, pdu_at, frame.length - pdu_at, pdu);
  if (error !== null) throw new Error(`the engine sent an advert with a bad ${error}`);
  return pdu;
}

/** vhid 1 on eth0 with 10.0.0.1 and password "secret", sent from 10.0.0.11. */
export function vhidSettings(changes: Partial<VhidSettings> = {}): VhidSettings {
  const source_address = changes.source_address ?? '10.0.0.11';
  return {
    interface: 'eth0',
    vhid: 1,
    key: passwordKey('secret'),
    addresses: ['10.0.0.1'],
    advbase: 1,
    advskew: 0,
    preempt: false,
    deadratio: 3,
    source_address,
    interface_mac: Uint8Array.of(2, 0, ...bytesOf(source_address).subarray(0, 4)),
    ...changes,
  };
}

function bytesOf(address: string): Uint8Array {
  return parseAddress(address)!;
}
