/** Building and sending this node's adverts, in frames that are written again each time. */
import { sign } from './auth.ts';
import { nextWord, remember } from './counter.ts';
import { PDU_AT_IPV4 } from './frame.ts';
import { createPdu, encodePdu } from './packet.ts';
import { ADVERT, type Engine, type Vhid } from './state.ts';

const BOW_OUT = 255;
/** In a bow-out's demote byte: "I am only demoted and stay, if nobody better is there". */
const STAYING = 1;

const pdu = createPdu();

/** One advert, and the next one an interval later if this node is MASTER. */
export function sendAdvert(engine: Engine, vhid: Vhid, now_ns: number): void {
  writeAdvert(engine, vhid, vhid.advert.frame, vhid.settings.advbase, vhid.advskew, 0);
  engine.effects.push(vhid.advert);
  vhid.sent_ns = now_ns;
  if (vhid.state === 'MASTER') vhid.due_ns[ADVERT] = now_ns + 1000 * vhid.interval_us;
}

/**
 * Invites whoever listens to take over at once. `staying`: this node remains MASTER until somebody does, which the
 * demote byte tells; OpenBSD reads it as we do, the others ignore it.
 */
export function sendBowOut(engine: Engine, vhid: Vhid, staying: boolean): void {
  writeAdvert(engine, vhid, vhid.bow_out.frame, BOW_OUT, BOW_OUT, staying ? STAYING : 0);
  engine.effects.push(vhid.bow_out);
}

/** A bow-out for somebody else to send when this process is dead. */
export function bowOutCopy(engine: Engine, vhid: Vhid): Uint8Array {
  const frame = Uint8Array.from(vhid.bow_out.frame);
  writeAdvert(engine, vhid, frame, BOW_OUT, BOW_OUT, 0);
  return frame;
}

function writeAdvert(
  engine: Engine,
  vhid: Vhid,
  frame: Uint8Array,
  advbase: number,
  advskew: number,
  demote: number,
): void {
  pdu.vhid = vhid.settings.vhid;
  pdu.advbase = advbase;
  pdu.advskew = advskew;
  pdu.demote = demote;
  pdu.counter_high = nextWord(engine.counter_source);
  pdu.counter_low = nextWord(engine.counter_source);
  remember(vhid.own_counters, pdu.counter_high, pdu.counter_low);
  sign(vhid.auth.sent, pdu.counter_high, pdu.counter_low, pdu.hmac, 0);
  encodePdu(pdu, frame, PDU_AT_IPV4);
}
