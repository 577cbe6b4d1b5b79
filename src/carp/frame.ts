/**
 * The Ethernet frame around an advert: built whole, because we send through packet sockets, and taken apart with every
 * check that the kernel's IP input would have made.
 *
 *     0        6        12    14                34                      70
 *     ┌────────┬────────┬─────┬─────────────────┬───────────────────────┐
 *     │ to MAC │from MAC│0800 │ IPv4, 20 bytes  │ CARP, 36 bytes        │ padding …
 *     └────────┴────────┴─────┴─────────────────┴───────────────────────┘
 *                        86dd    IPv6, 40 bytes   (at 54)
 *
 *     IPv4:  45 │ TOS 10 │ length 56 │ id │ DF │ TTL 255 │ protocol 112 │ checksum │ source │ 224.0.0.18
 *     IPv6:  6, class, flow 0 │ payload 36 │ next header 112 │ hop limit 255 │ source │ ff02::12
 *
 * Frames on the wire are padded to 60 bytes and more, so the IP length counts, not the frame's.
 */
import { MAPPED_BYTES, writeMapped } from './address.ts';
import { checksum, PDU_BYTES } from './packet.ts';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const PROTOCOL_CARP = 112;
export const TTL = 255;
const DONT_FRAGMENT = 0x40;
/** Any number does that others do not send always, as NetBSD does 0. */
export const MARK = 0xca52;

/** Where the advert stands in a frame that `createFrame` made. */
export const PDU_AT_IPV4 = ETHERNET_BYTES + IPV4_BYTES;
export const PDU_AT_IPV6 = ETHERNET_BYTES + IPV6_BYTES;

/** 224.0.0.18 and ff02::12, which CARP shares with VRRP, and their MACs. */
export const GROUP_IPV4 = Uint8Array.of(224, 0, 0, 18);
export const GROUP_IPV6 = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12);
export const GROUP_MAC_IPV4 = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0x12);
export const GROUP_MAC_IPV6 = Uint8Array.of(0x33, 0x33, 0x00, 0x00, 0x00, 0x12);

export type FrameHeader = {
  readonly destination_mac: Uint8Array;
  readonly source_mac: Uint8Array;
  /** 4 bytes make an IPv4 frame, 16 an IPv6 one. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** TOS or traffic class: 0x10 (low delay) by ucarp and most kernels, 0xe0 by FreeBSD 14 and later. */
  readonly tos: number;
  /** IPv4's identification, IPv6's flow label: 0..65535. MARK says that we built it. */
  readonly id: number;
};

/** A frame with its headers written and the advert's 36 bytes still zero. */
export function createFrame(header: FrameHeader): Uint8Array {
  return header.source.length === 4 ? createFrame4(header) : createFrame6(header);
}

function createFrame4(header: FrameHeader): Uint8Array {
  const frame = new Uint8Array(PDU_AT_IPV4 + PDU_BYTES);
  writeEthernet(frame, header, 0x0800);
  const total = IPV4_BYTES + PDU_BYTES;
  frame.set([0x45, header.tos, 0, total, header.id >> 8, header.id & 255, DONT_FRAGMENT, 0, TTL, PROTOCOL_CARP], 14);
  frame.set(header.source, 26);
  frame.set(header.destination, 30);
  const sum = checksum(frame, ETHERNET_BYTES, IPV4_BYTES);
  frame[24] = sum >> 8;
  frame[25] = sum;
  return frame;
}

function createFrame6(header: FrameHeader): Uint8Array {
  const frame = new Uint8Array(PDU_AT_IPV6 + PDU_BYTES);
  writeEthernet(frame, header, 0x86dd);
  const { tos, id } = header;
  frame.set([0x60 | (tos >> 4), (tos << 4) & 255, id >> 8, id & 255, 0, PDU_BYTES, PROTOCOL_CARP, TTL], 14);
  frame.set(header.source, 22);
  frame.set(header.destination, 38);
  return frame;
}

function writeEthernet(frame: Uint8Array, header: FrameHeader, type: number): void {
  frame.set(header.destination_mac, 0);
  frame.set(header.source_mac, 6);
  frame[12] = type >> 8;
  frame[13] = type;
}

/** The MAC of an IPv4 group (RFC 1112, 6.4) or an IPv6 one (RFC 2464, 7). */
export function groupMac(group: Uint8Array): Uint8Array {
  if (group.length === 16) return Uint8Array.of(0x33, 0x33, ...group.subarray(12));
  return Uint8Array.of(0x01, 0x00, 0x5e, group[1] & 0x7f, group[2], group[3]);
}

/** The virtual MAC of a vhid: 00:00:5e:00:01:XX by kernels (as VRRP), 00:00:5e:00:00:XX by ucarp. */
export function virtualMac(kind: 'kernel' | 'ucarp', vhid: number): Uint8Array {
  return Uint8Array.of(0x00, 0x00, 0x5e, 0x00, kind === 'kernel' ? 1 : 0, vhid);
}

/** What a frame's headers say. Reused: `readFrame` writes into it. */
export type FrameInfo = {
  family: 4 | 6;
  /** Mapped (address.ts), both; all 0 while the headers could not be read. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** TTL or hop limit. Who may send with less than 255 is the vhid's business. */
  ttl: number;
  pdu_at: number;
  pdu_length: number;
};

export function createFrameInfo(): FrameInfo {
  const source = new Uint8Array(MAPPED_BYTES);
  return { family: 4, source, destination: new Uint8Array(MAPPED_BYTES), ttl: 0, pdu_at: 0, pdu_length: 0 };
}

/** In the order in which they are looked at. `not-carp` is no mistake: other people's traffic. */
export const FRAME_ERRORS = ['length', 'not-carp', 'checksum'] as const;
export type FrameError = (typeof FRAME_ERRORS)[number];

/** Takes `bytes[0 .. length)` apart; null when an advert may follow at `info.pdu_at`. */
export function readFrame(bytes: Uint8Array, length: number, info: FrameInfo): FrameError | null {
  info.source.fill(0);
  if (length < ETHERNET_BYTES || length > bytes.length) return 'length';
  const type = (bytes[12] << 8) | bytes[13];
  if (type === 0x0800) return readIPv4(bytes, length, info);
  if (type === 0x86dd) return readIPv6(bytes, length, info);
  return 'not-carp';
}

function readIPv4(bytes: Uint8Array, length: number, info: FrameInfo): FrameError | null {
  if (length < PDU_AT_IPV4) return 'length';
  const header = (bytes[14] & 15) * 4;
  const total = (bytes[16] << 8) | bytes[17];
  if (header < IPV4_BYTES || total < header || ETHERNET_BYTES + total > length) return 'length';
  const fragment = (bytes[20] & 0x3f) | bytes[21];
  if (bytes[14] >> 4 !== 4 || bytes[23] !== PROTOCOL_CARP || fragment !== 0) return 'not-carp';
  info.family = 4;
  writeMapped(info.source, bytes, 26, 4);
  writeMapped(info.destination, bytes, 30, 4);
  if (checksum(bytes, ETHERNET_BYTES, header) !== 0) return 'checksum';
  info.ttl = bytes[22];
  info.pdu_at = ETHERNET_BYTES + header;
  info.pdu_length = total - header;
  return null;
}

function readIPv6(bytes: Uint8Array, length: number, info: FrameInfo): FrameError | null {
  if (length < PDU_AT_IPV6) return 'length';
  const payload = (bytes[18] << 8) | bytes[19];
  if (PDU_AT_IPV6 + payload > length) return 'length';
  if (bytes[14] >> 4 !== 6 || bytes[20] !== PROTOCOL_CARP) return 'not-carp';
  info.family = 6;
  writeMapped(info.source, bytes, 22, 6);
  writeMapped(info.destination, bytes, 38, 6);
  info.ttl = bytes[21];
  info.pdu_at = PDU_AT_IPV6;
  info.pdu_length = payload;
  return null;
}

/**
 * Who built an advert. Kernels and ucarp use different virtual MACs. A carpool may use either, so it marks its headers
 * where they mean nothing to anybody: the IPv4 identification (of datagrams that are never fragmented, RFC 6864) and
 * the IPv6 flow label. Two carpools with virtual MACs would else take each other for kernels, and both yield to an equal.
 */
export type PeerKind = 'kernel' | 'ucarp' | 'carpool';

export function peerKind(bytes: Uint8Array, vhid: number): PeerKind {
  if (isMarked(bytes)) return 'carpool';
  const virtual = bytes[6] === 0 && bytes[7] === 0 && bytes[8] === 0x5e && bytes[9] === 0 && bytes[11] === vhid;
  if (!virtual || bytes[10] > 1) return 'carpool';
  return bytes[10] === 1 ? 'kernel' : 'ucarp';
}

function isMarked(bytes: Uint8Array): boolean {
  const at = bytes[12] === 0x86 ? 16 : 18;
  return bytes[at] === MARK >> 8 && bytes[at + 1] === (MARK & 255);
}
