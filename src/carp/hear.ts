/** What an advert that authenticated means to each state. */
import { sendAdvert } from './advert.ts';
import { nextWord } from './counter.ts';
import { breakTie, DEMOTION_LIMIT, interval_us } from './election.ts';
import type { PeerKind } from './frame.ts';
import { isBowOut, type Pdu } from './packet.ts';
import { type Engine, MASTER_DOWN, type Vhid } from './state.ts';
import { every, nameOf, peerName } from './text.ts';
import { answerDefeated, changeState, listen } from './vhid.ts';

export function hear(engine: Engine, vhid: Vhid, pdu: Pdu, source: number, kind: PeerKind, now_ns: number): void {
  const peer = vhid.peer;
  peer.source = source;
  peer.kind = kind;
  peer.interval_us = interval_us(pdu.advbase, pdu.advskew);
  peer.heard_ns = now_ns;
  vhid.received++;
  if (isBowOut(pdu)) {
    if (vhid.state === 'BACKUP') hearBowOut(engine, vhid, pdu.demote !== 0, now_ns);
    return;
  }
  if (peer.interval_us === vhid.configured_interval_us && vhid.demotion === 0) warnOfEqual(engine, vhid, pdu);
  if (vhid.state === 'MASTER') hearAsMaster(engine, vhid, now_ns);
  else if (vhid.state === 'BACKUP') hearAsBackup(engine, vhid, now_ns);
  else peer.master = source;
}

/**
 * A BACKUP takes over at once. Unless it is as demoted as the sender, which then stays (`staying`, advert.ts): moving
 * the address between two bad nodes gains nothing. A MASTER needs no invitation and ignores it.
 */
function hearBowOut(engine: Engine, vhid: Vhid, staying: boolean, now_ns: number): void {
  vhid.peer.preferred_until_ns = 0;
  if (staying && vhid.demotion >= DEMOTION_LIMIT) listen(vhid, now_ns);
  else changeState(engine, vhid, 'MASTER', `${peerName(vhid)} bows out`, now_ns);
}

function hearAsBackup(engine: Engine, vhid: Vhid, now_ns: number): void {
  if (vhid.peer.interval_us <= vhid.interval_us) {
    heardPreferred(vhid, now_ns);
  } else if (knowsPreferred(vhid, now_ns)) {
    listen(vhid, now_ns);
    return;
  }
  vhid.peer.master = vhid.peer.source;
  if (vhid.settings.preempt && now_ns >= vhid.calm_until_ns && vhid.interval_us < vhid.peer.interval_us) {
    changeState(engine, vhid, 'MASTER', `preempting ${peerName(vhid)}: ${comparison(vhid)}`, now_ns);
  } else if (willTimeOut(vhid)) {
    const reason = `${peerName(vhid)} adverts ${every(vhid.peer.interval_us)}, longer than this node waits for`;
    changeState(engine, vhid, 'MASTER', reason, now_ns);
  } else {
    listen(vhid, now_ns);
  }
}

function heardPreferred(vhid: Vhid, now_ns: number): void {
  vhid.peer.preferred_interval_us = vhid.peer.interval_us;
  vhid.peer.preferred_until_ns = now_ns + 1000 * vhid.peer.interval_us;
}

/**
 * A slower MASTER beside one that this BACKUP gives way to: the two settle it between them, and what was heard may be the
 * slower one's last advert. Taking over from it would only make a third MASTER.
 */
function knowsPreferred(vhid: Vhid, now_ns: number): boolean {
  return vhid.peer.preferred_interval_us <= vhid.interval_us && now_ns < vhid.peer.preferred_until_ns;
}

/** Below one second there is no such rule: a sub-second node is patient with a slow one (as OpenBSD). */
function willTimeOut(vhid: Vhid): boolean {
  return vhid.settings.advbase !== 0 && vhid.master_down_ns < 1000 * vhid.peer.interval_us;
}

function hearAsMaster(engine: Engine, vhid: Vhid, now_ns: number): void {
  if (vhid.peer.interval_us < vhid.interval_us) {
    yieldTo(engine, vhid, `${peerName(vhid)} is preferred: ${comparison(vhid)}`, now_ns);
    // after our address is gone: it makes the new master announce itself once more
    sendAdvert(engine, vhid, now_ns);
  } else if (vhid.peer.interval_us > vhid.interval_us) {
    answerDefeated(engine, vhid, now_ns);
  } else if (breakTie(vhid.peer.kind, vhid.source, vhid.peer.source) === 'yield') {
    yieldTo(engine, vhid, `${peerName(vhid)} is MASTER with equal settings`, now_ns);
    if (vhid.peer.kind === 'kernel') waitUnevenly(engine, vhid);
    else sendAdvert(engine, vhid, now_ns);
  } else {
    answerDefeated(engine, vhid, now_ns);
  }
}

function yieldTo(engine: Engine, vhid: Vhid, reason: string, now_ns: number): void {
  heardPreferred(vhid, now_ns);
  vhid.peer.master = vhid.peer.source;
  changeState(engine, vhid, 'BACKUP', reason, now_ns);
}

/** An equal kernel may have yielded at the same moment: wait up to an interval longer, so that not both try again. */
function waitUnevenly(engine: Engine, vhid: Vhid): void {
  vhid.due_ns[MASTER_DOWN] += nextWord(engine.counter_source) % (1000 * vhid.interval_us);
}

/** `adverts every 1.39 s, this node every 1.00 s` */
function comparison(vhid: Vhid): string {
  return `adverts ${every(vhid.peer.interval_us)}, this node ${every(vhid.interval_us)}`;
}

/** Once: who is MASTER then depends on accidents, and a return never preempts. */
function warnOfEqual(engine: Engine, vhid: Vhid, pdu: Pdu): void {
  if (vhid.equal_logged) return;
  vhid.equal_logged = true;
  const text = `equal settings: ${peerName(vhid)} adverts advbase ${pdu.advbase} advskew ${pdu.advskew} for ${nameOf(vhid)}, as this node does; give every node its own advskew`;
  engine.effects.push({ kind: 'log', level: 'warning', text });
}
