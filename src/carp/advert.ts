/** Building and sending this node's adverts, in frames that are written again each time. */
import { sign } from './auth.ts';
import { nextWord, tagOf } from './counter.ts';
import type { Family, SendEffect } from './events.ts';
import { PDU_AT_IPV4, PDU_AT_IPV6 } from './frame.ts';
import { createPdu, encodePdu } from './packet.ts';
import { ADVERT, type Engine, type Vhid } from './state.ts';

const BOW_OUT = 255;
/** In a bow-out's demote byte: "I am only demoted and stay, if nobody better is there". */
const STAYING = 1;

const pdu = createPdu();

/** One advert to everybody concerned, and the next one an interval later if this node is MASTER. */
export function sendAdvert(engine: Engine, vhid: Vhid, now_ns: number): void {
  const { advbase, openbsd_demote_byte } = vhid.settings;
  write(engine, vhid, vhid.adverts, advbase, vhid.advskew, openbsd_demote_byte ? vhid.demotion : 0);
  for (let i = 0; i < vhid.adverts.length; i++) engine.effects.push(vhid.adverts[i]);
  vhid.sent_ns = now_ns;
  if (vhid.state === 'MASTER') vhid.due_ns[ADVERT] = now_ns + 1000 * vhid.interval_us;
}

/**
 * Invites whoever listens to take over at once. `staying`: this node remains MASTER until somebody does, which the
 * demote byte tells; OpenBSD reads it as we do, the others ignore it.
 */
export function sendBowOut(engine: Engine, vhid: Vhid, staying: boolean): void {
  const demote = vhid.settings.openbsd_demote_byte ? vhid.demotion : 0;
  write(engine, vhid, vhid.bow_outs, BOW_OUT, BOW_OUT, staying ? STAYING : demote);
  for (let i = 0; i < vhid.bow_outs.length; i++) engine.effects.push(vhid.bow_outs[i]);
}

/** Bow-outs for somebody else to send when this process is dead; unicast ones as broadcast frames, as no MAC is known. */
export function bowOutCopies(engine: Engine, vhid: Vhid): readonly Uint8Array[] {
  const copies = vhid.bow_outs.map((effect) => ({ ...effect, frame: effect.frame.slice() }));
  write(engine, vhid, copies, BOW_OUT, BOW_OUT, 0);
  for (const { to, frame } of copies) if (to !== undefined) frame.fill(0xff, 0, 6);
  return copies.map(({ frame }) => frame);
}

/** Signs once for all frames of a family: they say the same. */
function write(
  engine: Engine,
  vhid: Vhid,
  effects: readonly SendEffect[],
  advbase: number,
  advskew: number,
  demote: number,
): void {
  pdu.vhid = vhid.settings.vhid;
  pdu.advbase = advbase;
  pdu.advskew = advskew;
  pdu.demote = demote;
  let signed: Family | undefined;
  for (let i = 0; i < effects.length; i++) {
    const { family, frame } = effects[i];
    if (family !== signed) signAnew(engine, vhid);
    signed = family;
    encodePdu(pdu, frame, family === 4 ? PDU_AT_IPV4 : PDU_AT_IPV6);
  }
}

function signAnew(engine: Engine, vhid: Vhid): void {
  pdu.counter_high = nextWord(engine.counter_source);
  pdu.counter_low = tagOf(engine.counter_secret, pdu.counter_high);
  sign(vhid.auth.sent, pdu.counter_high, pdu.counter_low, pdu.hmac, 0);
}
