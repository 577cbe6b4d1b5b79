/**
 * From a received frame to an advert worth hearing: a ladder of verify, count, drop.
 *
 *   length -> protocol -> TTL -> version and type -> vhid known here -> checksum -> digest -> not our own -> hear
 */
import { formatIPv4 } from './address.ts';
import { verify } from './auth.ts';
import { isOwn } from './counter.ts';
import type { Counters } from './events.ts';
import { type FrameError, type FrameInfo, peerKind, readFrame } from './frame.ts';
import { hear } from './hear.ts';
import { createPdu, type DecodeError, decodePdu } from './packet.ts';
import type { Engine, Vhid } from './state.ts';
import { nameOf } from './text.ts';

type Drop = Exclude<keyof Counters, 'received' | 'sent' | 'send_errors'>;

const FRAME_DROPS: Record<FrameError, Drop> = {
  length: 'dropped_length',
  'not-carp': 'dropped_not_carp',
  ttl: 'dropped_ttl',
  checksum: 'dropped_checksum',
};
const DECODE_DROPS: Record<DecodeError, Drop> = {
  length: 'dropped_length',
  version: 'dropped_version',
  type: 'dropped_version',
  checksum: 'dropped_checksum',
};

/** Somebody with a wrong password adverts every second; once a minute is enough to say so. */
const REFUSED_LOG_EVERY_NS = 60e9;

const info: FrameInfo = { family: 4, source: 0, pdu_at: 0, pdu_length: 0 };
const pdu = createPdu();

export function receive(engine: Engine, name: string, bytes: Uint8Array, length: number, now_ns: number): void {
  const why = examine(engine, name, bytes, length);
  if (why !== 'dropped_not_carp') engine.counters.received++;
  if (why !== null) engine.counters[why]++;
  const vhid = vhidOf(engine, name);
  if (vhid && why === null) hear(engine, vhid, pdu, info.source, peerKind(bytes, pdu.vhid), now_ns);
  if (vhid && why === 'dropped_digest') refuse(engine, vhid, now_ns);
}

/** Fills `info` and `pdu`; null when the advert is one to hear. */
function examine(engine: Engine, name: string, bytes: Uint8Array, length: number): Drop | null {
  const frameError = readFrame(bytes, length, info);
  if (frameError !== null) return FRAME_DROPS[frameError];
  // IPv6 adverts belong to vhids with IPv6 addresses, which this engine does not hold yet
  if (info.family === 6) return 'dropped_not_carp';
  const error = decodePdu(bytes, info.pdu_at, info.pdu_length, pdu);
  if (error !== null && error !== 'checksum') return DECODE_DROPS[error];
  const vhid = vhidOf(engine, name);
  if (!vhid) return 'dropped_vhid';
  if (error !== null) return DECODE_DROPS[error];
  if (!verify(vhid.auth, pdu.counter_high, pdu.counter_low, pdu.hmac)) return 'dropped_digest';
  const own = info.source === vhid.source || isOwn(vhid.own_counters, pdu.counter_high, pdu.counter_low);
  return own ? 'dropped_own' : null;
}

function vhidOf(engine: Engine, name: string): Vhid | undefined {
  return engine.interfaces.get(name)?.vhids[pdu.vhid];
}

function refuse(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.refused++;
  if (now_ns < vhid.refused_log_ns) return;
  vhid.refused_log_ns = now_ns + REFUSED_LOG_EVERY_NS;
  const text = `an advert for ${nameOf(vhid)} from ${formatIPv4(info.source)} does not authenticate: its password or its addresses differ from this node's`;
  engine.effects.push({ kind: 'log', level: 'warning', text });
}
