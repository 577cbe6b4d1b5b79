/**
 * From a received frame to an advert worth hearing: a ladder of verify, count, drop.
 *
 *   length -> protocol -> VRRP -> version and type -> checksum -> vhid known here -> TTL -> group -> digest
 *          -> not our own -> hear
 */
import { formatMac, formatMapped, sameBytes } from './address.ts';
import { verify } from './auth.ts';
import { isDue, noteBadSource } from './bad-sources.ts';
import { answerNeighbour } from './balance.ts';
import { isOwn } from './counter.ts';
import { DROP_REASONS } from './drop-reasons.ts';
import type { Counters, Drop } from './events.ts';
import { createFrameInfo, type FrameError, GROUP_IPV6, peerKind, readFrame, TTL } from './frame.ts';
import { hear } from './hear.ts';
import { createPdu, type DecodeError, decodePdu, isVrrp } from './packet.ts';
import type { Engine, Vhid } from './state.ts';
import { nameOf } from './text.ts';
import { isNews, tell } from './troubles.ts';

const FRAME_DROPS: Record<FrameError, Drop> = {
  length: 'dropped_length',
  'not-carp': 'dropped_not_carp',
  checksum: 'dropped_checksum',
};
const DECODE_DROPS: Record<DecodeError, Drop> = {
  length: 'dropped_length',
  version: 'dropped_version',
  type: 'dropped_version',
  checksum: 'dropped_checksum',
};
const SOURCE_MAC_AT = 6;

const info = createFrameInfo();
const pdu = createPdu();

/** The vhid that heard it, if one did: its deadlines may be others then. */
export function receive(
  engine: Engine,
  name: string,
  bytes: Uint8Array,
  length: number,
  now_ns: number,
): Vhid | undefined {
  pdu.vhid = 0;
  const why = examine(engine, name, bytes, length);
  if (why === 'dropped_not_carp') {
    engine.counters[why]++;
    answerNeighbour(engine, name, bytes, length);
    return undefined;
  }
  const vhid = vhidOf(engine, name);
  count(engine.counters, why);
  if (vhid) count(vhid.counters, why);
  if (why === null) hear(engine, vhid!, pdu, info, bytes, peerKind(bytes, pdu.vhid), now_ns);
  else drop(engine, name, vhid, bytes, why, now_ns);
  return why === null ? vhid : undefined;
}

/** Fills `info` and `pdu`; null when the advert is one to hear. */
function examine(engine: Engine, name: string, bytes: Uint8Array, length: number): Drop | null {
  const frame_error = readFrame(bytes, length, info);
  if (frame_error !== null) return FRAME_DROPS[frame_error];
  if (isVrrp(bytes, info.pdu_at, info.pdu_length, info.family)) {
    pdu.vhid = bytes[info.pdu_at + 1];
    return 'dropped_vrrp';
  }
  const error = decodePdu(bytes, info.pdu_at, info.pdu_length, pdu);
  if (error !== null) return DECODE_DROPS[error];
  const vhid = vhidOf(engine, name);
  if (!vhid?.families.includes(info.family)) return 'dropped_vhid';
  if (info.ttl !== TTL && !isPeer(vhid)) return 'dropped_ttl';
  if (!isForGroup(vhid)) return 'dropped_group';
  if (!verify(vhid.auth, pdu.counter_high, pdu.counter_low, pdu.hmac)) return 'dropped_digest';
  const own = info.family === 4 ? vhid.source4 : vhid.source6;
  if (own && sameBytes(info.source, own)) return 'dropped_own';
  return isOwn(engine.counter_secret, pdu.counter_high, pdu.counter_low) ? 'dropped_replay' : null;
}

function vhidOf(engine: Engine, name: string): Vhid | undefined {
  return engine.interfaces.get(name)?.vhids[pdu.vhid];
}

/** A unicast peer may be routers away, so its TTL says nothing (as FreeBSD 14). */
function isPeer(vhid: Vhid): boolean {
  for (const peer of vhid.peers) if (sameBytes(peer, info.source)) return true;
  return false;
}

/** Sent to one host, or to the group that this vhid uses. */
function isForGroup(vhid: Vhid): boolean {
  const { destination } = info;
  if (info.family === 6) return destination[0] !== 0xff || sameBytes(destination, GROUP_IPV6);
  return destination[12] >> 4 !== 14 || sameBytes(destination, vhid.group4);
}

function count(counters: Counters, why: Drop | null): void {
  counters.received++;
  if (info.family === 4) counters.received4++;
  else counters.received6++;
  if (why !== null) counters[why]++;
}

function drop(
  engine: Engine,
  name: string,
  vhid: Vhid | undefined,
  bytes: Uint8Array,
  why: Drop,
  now_ns: number,
): void {
  // vhids that are not ours are other people's, and our own adverts nobody's fault
  if (why === 'dropped_vhid' || why === 'dropped_own') return;
  const number = pdu.vhid === 0 ? -1 : pdu.vhid;
  const row = noteBadSource(engine.bad_sources, name, info.source, bytes, number, why, now_ns);
  if (engine.host.log_bad_adverts && isDue(row, now_ns)) {
    const what = number < 0 ? 'an advert' : `an advert for vhid ${number}`;
    const text = `${what} from ${sender(bytes)} on ${name} is dropped: ${DROP_REASONS[why]}`;
    engine.effects.push({ kind: 'log', level: 'info', text });
  }
  if (!vhid) return;
  if (why === 'dropped_digest' && isNews(vhid, 'clash', now_ns)) {
    const text = `an advert for ${nameOf(vhid)} from ${sender(bytes)} does not authenticate: its password or its addresses differ from this node's, or others use the same vhid`;
    tell(engine, vhid, 'clash', text, now_ns);
  }
  if (why === 'dropped_vrrp' && isNews(vhid, 'vrrp', now_ns)) {
    const text = `${sender(bytes)} speaks VRRP with the id of ${nameOf(vhid)}: with virtual MACs both would be the same; use another vhid`;
    tell(engine, vhid, 'vrrp', text, now_ns);
  }
}

/** `10.0.0.12 (02:00:0a:00:00:0c)` */
function sender(bytes: Uint8Array): string {
  return `${formatMapped(info.source)} (${formatMac(bytes, SOURCE_MAC_AT)})`;
}
