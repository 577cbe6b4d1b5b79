/**
 * Load sharing by ARP: vhids of one interface that share an address share its clients, too. Which vhid a client gets
 * is a rule that all nodes follow alike; whoever is MASTER of that vhid answers with its virtual MAC, nobody else does.
 *
 *     who asks ──► rule ──► one of the N vhids that share the address ──► MASTER here? ──► answer
 *
 * The rule: the asker's IPv4 as a number modulo N, in the order of the vhids, so neighbours in a subnet take turns.
 * (FreeBSD 5.4 to 9 reads the number in the host's byte order, and on x86 two vhids then get a whole /8 each; NetBSD and
 * OpenBSD before 4.x hash the asker's MAC with parts of the password.) For IPv6, where no system ever did this, the
 * asker's four words are XORed first. All nodes must follow one rule, so these must be carpools.
 */
import { sameBytes } from './address.ts';
import { arpReply, ICMPV6, NEIGHBOUR_SOLICITATION, type Neighbour, neighbourAdvertisement } from './announce.ts';
import type { SharedAddress } from './interfaces.ts';
import { linkOf } from './interfaces.ts';
import type { Engine, Vhid } from './state.ts';

const ARP = 0x0806;
const IPV6 = 0x86dd;
const ARP_BYTES = 42;
const SOLICITATION_BYTES = 78;
const ICMPV6_AT = 54;

/** Answers if the frame asks for a shared address whose turn is a vhid of which this node is MASTER. */
export function answerNeighbour(engine: Engine, name: string, bytes: Uint8Array, length: number): void {
  const link = engine.interfaces.get(name);
  if (!link || link.shared.length === 0) return;
  const type = (bytes[12] << 8) | bytes[13];
  if (type === ARP && isArpRequest(bytes, length)) answerArp(engine, link.shared, bytes);
  else if (type === IPV6 && isSolicitation(bytes, length)) answerSolicitation(engine, link.shared, bytes);
}

function isArpRequest(bytes: Uint8Array, length: number): boolean {
  return (
    length >= ARP_BYTES && bytes[15] === 1 && bytes[16] === 8 && bytes[18] === 6 && bytes[19] === 4 && bytes[21] === 1
  );
}

function isSolicitation(bytes: Uint8Array, length: number): boolean {
  if (length < SOLICITATION_BYTES || bytes[20] !== ICMPV6 || bytes[21] !== 255) return false;
  return bytes[ICMPV6_AT] === NEIGHBOUR_SOLICITATION && bytes[ICMPV6_AT + 1] === 0;
}

function answerArp(engine: Engine, shared: readonly SharedAddress[], bytes: Uint8Array): void {
  const asker = { mac: bytes.slice(22, 28), address: bytes.slice(28, 32) };
  const vhid = chosen(shared, bytes.subarray(38, 42), asker.address);
  if (!vhid || sameBytes(asker.address, bytes.subarray(38, 42))) return;
  answer(engine, vhid, arpReply({ mac: vhid.vip_mac, address: bytes.slice(38, 42) }, asker));
}

function answerSolicitation(engine: Engine, shared: readonly SharedAddress[], bytes: Uint8Array): void {
  const address = bytes.slice(ICMPV6_AT + 8, ICMPV6_AT + 24);
  const source = bytes.slice(22, 38);
  const vhid = chosen(shared, address, source);
  if (!vhid) return;
  const detecting = source.every((byte) => byte === 0);
  // whoever only looks whether the address is taken has none yet: everybody is told
  const asker: Neighbour | undefined = detecting ? undefined : { mac: bytes.slice(6, 12), address: source };
  const router = vhid.settings.ipv6_router ?? false;
  answer(engine, vhid, neighbourAdvertisement({ mac: vhid.vip_mac, address, router, asker }));
}

/** The vhid whose turn it is, if this node is its MASTER. */
function chosen(shared: readonly SharedAddress[], address: Uint8Array, asker: Uint8Array): Vhid | undefined {
  const found = shared.find((one) => sameBytes(one.address, address));
  if (!found) return undefined;
  const vhid = found.vhids[turnOf(asker, found.vhids.length)];
  return vhid.state === 'MASTER' ? vhid : undefined;
}

/** 0 .. count - 1, by the asker's 4 or 16 bytes. */
function turnOf(asker: Uint8Array, count: number): number {
  let word = 0;
  for (let at = 0; at < asker.length; at += 4)
    word ^= (asker[at] << 24) | (asker[at + 1] << 16) | (asker[at + 2] << 8) | asker[at + 3];
  return (word >>> 0) % count;
}

function answer(engine: Engine, vhid: Vhid, frame: Uint8Array): void {
  engine.effects.push({ kind: 'answer', index: vhid.index, interface: linkOf(engine, vhid).name, frame });
}
