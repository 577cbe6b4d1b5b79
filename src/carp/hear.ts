/** What an advert that authenticated means to each state. */
import { copyMapped, sameBytes } from './address.ts';
import { sendAdvert } from './advert.ts';
import { nextWord } from './counter.ts';
import { breakTie, DEMOTION_LIMIT, interval_us, type Verdict } from './election.ts';
import type { FrameInfo, PeerKind } from './frame.ts';
import { isBowOut, type Pdu } from './packet.ts';
import { type Engine, MASTER_DOWN, MASTER_DOWN6, type Peer, type Vhid } from './state.ts';
import { every, nameOf, peerName } from './text.ts';
import { isNews, tell } from './troubles.ts';
import { answerDefeated, changeState, listenTo } from './vhid.ts';

/** A slower MASTER that sent so many adverts in a row, after hearing as many of ours as it needs, does not hear us. */
const DEAF_ADVERTS = 3;
const SOURCE_MAC_AT = 6;

export function hear(
  engine: Engine,
  vhid: Vhid,
  pdu: Pdu,
  info: FrameInfo,
  frame: Uint8Array,
  kind: PeerKind,
  now_ns: number,
): void {
  vhid.heard++;
  note(vhid.peer, pdu, info, frame, kind, now_ns);
  if (isBowOut(pdu)) {
    if (vhid.state === 'BACKUP') hearBowOut(engine, vhid, now_ns);
    return;
  }
  if (vhid.peer.interval_us === vhid.configured_interval_us && vhid.demotion === 0) warnOfEqual(engine, vhid, now_ns);
  if (vhid.state === 'MASTER') hearAsMaster(engine, vhid, now_ns);
  else if (vhid.state === 'BACKUP') hearAsBackup(engine, vhid, now_ns);
  else believe(vhid.peer);
}

function note(peer: Peer, pdu: Pdu, info: FrameInfo, frame: Uint8Array, kind: PeerKind, now_ns: number): void {
  copyMapped(peer.source, info.source);
  for (let i = 0; i < 6; i++) peer.mac[i] = frame[SOURCE_MAC_AT + i];
  peer.family = info.family;
  peer.kind = kind;
  peer.advbase = pdu.advbase;
  peer.advskew = pdu.advskew;
  peer.demote = pdu.demote;
  peer.interval_us = interval_us(pdu.advbase, pdu.advskew);
  peer.heard_ns = now_ns;
  if (info.family === 6) peer.heard6_ns = now_ns;
  else {
    peer.heard4_ns = now_ns;
    peer.interval4_us = peer.interval_us;
  }
  if (!isKnownByIPv4(peer, now_ns)) copyMapped(peer.name, info.source);
}

/** An IPv6 advert beside equal ones over IPv4: of the same node, as far as can be known. */
function isKnownByIPv4({ family, heard4_ns, interval4_us, interval_us: interval }: Peer, now_ns: number): boolean {
  return family === 6 && heard4_ns >= 0 && interval4_us === interval && now_ns - heard4_ns < 3000 * interval;
}

function believe(peer: Peer): void {
  copyMapped(peer.master, peer.name);
  peer.master_known = true;
}

/**
 * Above 0: the peer is preferred; below: this node; 0: equals. The shorter interval is, but where OpenBSD's byte counts
 * the smaller demotion comes first.
 */
function compare(vhid: Vhid): number {
  const { peer } = vhid;
  if (vhid.settings.openbsd_demote_byte && peer.demote !== vhid.demotion) return vhid.demotion - peer.demote;
  return vhid.interval_us - peer.interval_us;
}

/**
 * A BACKUP takes over at once. Unless it is as demoted as the sender, which then stays (`staying`, advert.ts): moving
 * the address between two bad nodes gains nothing. A MASTER needs no invitation and ignores it.
 */
function hearBowOut(engine: Engine, vhid: Vhid, now_ns: number): void {
  const { peer, settings } = vhid;
  const staying = peer.demote !== 0 && !settings.openbsd_demote_byte;
  peer.preferred_until_ns = 0;
  if (staying && vhid.demotion >= DEMOTION_LIMIT) listenTo(vhid, peer.family, now_ns);
  else changeState(engine, vhid, 'MASTER', `${peerName(vhid)} bows out`, now_ns);
}

function hearAsBackup(engine: Engine, vhid: Vhid, now_ns: number): void {
  const { peer } = vhid;
  if (compare(vhid) >= 0) {
    heardPreferred(vhid, now_ns);
  } else if (knowsPreferred(vhid, now_ns)) {
    listenTo(vhid, peer.family, now_ns);
    return;
  }
  believe(peer);
  if (preempts(vhid, now_ns)) {
    changeState(engine, vhid, 'MASTER', `preempting ${peerName(vhid)}: ${comparison(vhid)}`, now_ns);
  } else if (willTimeOut(vhid)) {
    const reason = `${peerName(vhid)} adverts ${every(peer.interval_us)}, longer than this node waits for`;
    changeState(engine, vhid, 'MASTER', reason, now_ns);
  } else {
    listenTo(vhid, peer.family, now_ns, patienceWith(vhid));
  }
}

/**
 * A quick node that is more demoted than a slow master, by OpenBSD's byte, would be MASTER between any two of its adverts:
 * it waits for that one as long as a node of its kind does.
 */
function patienceWith({ settings, peer, demotion, master_down_ns }: Vhid): number {
  if (!settings.openbsd_demote_byte || peer.demote >= demotion) return master_down_ns;
  return Math.max(master_down_ns, settings.deadratio * 1000 * peer.interval_us);
}

function heardPreferred(vhid: Vhid, now_ns: number): void {
  vhid.slower_since_ns = Number.POSITIVE_INFINITY;
  copyMapped(vhid.peer.preferred, vhid.peer.name);
  vhid.peer.preferred_interval_us = vhid.peer.interval_us;
  vhid.peer.preferred_until_ns = now_ns + 1000 * vhid.peer.interval_us;
}

/**
 * A slower MASTER beside one that this BACKUP gives way to: the two settle it between them, and what was heard may be the
 * slower one's last advert. Taking over from it would only make a third MASTER. It costs one interval of the preferred
 * one at most, if that died meanwhile. If it is that one itself which is slower now, or more demoted, there is no other.
 */
function knowsPreferred({ peer, interval_us: own_us }: Vhid, now_ns: number): boolean {
  if (peer.preferred_interval_us > own_us || now_ns >= peer.preferred_until_ns) return false;
  return !sameBytes(peer.preferred, peer.name);
}

/** Where OpenBSD's byte counts, a more demoted master is replaced without `preempt`, too. */
function preempts(vhid: Vhid, now_ns: number): boolean {
  if (compare(vhid) >= 0) return false;
  const { preempt, preempt_delay_ns = 0, openbsd_demote_byte } = vhid.settings;
  if (openbsd_demote_byte && vhid.peer.demote > vhid.demotion) return true;
  if (!preempt || now_ns < vhid.calm_until_ns) return false;
  if (vhid.slower_since_ns === Number.POSITIVE_INFINITY) vhid.slower_since_ns = now_ns;
  return now_ns - vhid.slower_since_ns >= preempt_delay_ns;
}

/** Below one second there is no such rule: a sub-second node is patient with a slow one (as OpenBSD). */
function willTimeOut(vhid: Vhid): boolean {
  return vhid.settings.advbase !== 0 && patienceWith(vhid) < 1000 * vhid.peer.interval_us;
}

function hearAsMaster(engine: Engine, vhid: Vhid, now_ns: number): void {
  const order = compare(vhid);
  if (order > 0) {
    yieldTo(engine, vhid, `${peerName(vhid)} is preferred: ${comparison(vhid)}`, now_ns);
    // after our address is gone: it makes the new master announce itself once more
    sendAdvert(engine, vhid, now_ns);
  } else if (order < 0 || tie(vhid, now_ns) === 'stay') {
    answerDefeated(engine, vhid, now_ns);
    noteDefeated(engine, vhid, now_ns);
  } else {
    const order = vhid.peer.kind === 'kernel' ? '' : ` and the lower address${octetOrder(vhid)}`;
    yieldTo(engine, vhid, `${peerName(vhid)} is MASTER with equal settings${order}`, now_ns);
    if (vhid.peer.kind === 'kernel') waitUnevenly(engine, vhid);
    else sendAdvert(engine, vhid, now_ns);
  }
}

/**
 * Two nodes may order their IPv4 and their IPv6 addresses differently: of equals with both, IPv4 decides. IPv6 does
 * where no IPv4 advert comes through.
 */
function tie(vhid: Vhid, now_ns: number): Verdict {
  const { peer, source4, source6 } = vhid;
  const patience_ns = 3000 * peer.interval_us;
  if (
    peer.kind !== 'kernel' &&
    peer.family === 6 &&
    source4 &&
    now_ns - peer.heard4_ns < patience_ns &&
    peer.heard4_ns >= 0
  )
    return 'stay';
  return breakTie(peer.kind, (peer.family === 4 ? source4 : source6)!, peer.source);
}

function yieldTo(engine: Engine, vhid: Vhid, reason: string, now_ns: number): void {
  believe(vhid.peer);
  changeState(engine, vhid, 'BACKUP', reason, now_ns);
  heardPreferred(vhid, now_ns);
  const patience_ns = patienceWith(vhid);
  for (let i = 0; i < vhid.families.length; i++) listenTo(vhid, vhid.families[i], now_ns, patience_ns);
}

/** An equal kernel may have yielded at the same moment: wait up to an interval longer, so that not both try again. */
function waitUnevenly(engine: Engine, vhid: Vhid): void {
  const longer_ns = nextWord(engine.counter_source) % (1000 * vhid.interval_us);
  vhid.due_ns[MASTER_DOWN] += longer_ns;
  vhid.due_ns[MASTER_DOWN6] += longer_ns;
}

/** A slower MASTER yields to the first advert of ours that it hears. One that goes on does not hear them. */
function noteDefeated(engine: Engine, vhid: Vhid, now_ns: number): void {
  const { peer, defeated, counters } = vhid;
  const goes_on = sameBytes(defeated.source, peer.source) && now_ns - defeated.heard_ns < 3000 * peer.interval_us;
  if (!goes_on) {
    copyMapped(defeated.source, peer.source);
    defeated.count = 0;
    defeated.sent_before = counters.sent;
  }
  defeated.heard_ns = now_ns;
  defeated.count++;
  if (defeated.count < DEAF_ADVERTS || counters.sent - defeated.sent_before < DEAF_ADVERTS) return;
  if (!isNews(vhid, 'deaf', now_ns)) return;
  const text = `${peerName(vhid)} stays MASTER of ${nameOf(vhid)} (it ${comparison(vhid)}): it does not hear this node's adverts, or refuses them`;
  tell(engine, vhid, 'deaf', text, now_ns);
}

/** `adverts every 1.39 s, this node every 1.00 s` */
function comparison(vhid: Vhid): string {
  const { peer, demotion, settings } = vhid;
  if (settings.openbsd_demote_byte && peer.demote !== demotion)
    return `is demoted by ${peer.demote}, this node by ${demotion}`;
  return `adverts ${every(peer.interval_us)}, this node ${every(vhid.interval_us)}`;
}

/** Once: who is MASTER then depends on accidents, and a return never preempts. */
function warnOfEqual(engine: Engine, vhid: Vhid, now_ns: number): void {
  if (!isNews(vhid, 'equal', now_ns)) return;
  const { advbase, advskew } = vhid.peer;
  const equal = `${peerName(vhid)} adverts advbase ${advbase} advskew ${advskew} for ${nameOf(vhid)}, as this node does`;
  const text = `equal settings: ${equal}${whoStays(vhid, now_ns)}; give every node its own advskew`;
  tell(engine, vhid, 'equal', text, now_ns);
}

/** Who keeps the address, and why. */
function whoStays(vhid: Vhid, now_ns: number): string {
  if (vhid.state === 'BACKUP') return '. Who is MASTER stays it, because nobody takes over from an equal';
  if (vhid.state === 'INIT') return '';
  if (vhid.peer.kind === 'kernel') return '. Of two MASTERs a kernel yields to its equal, and so does this node';
  const stays = tie(vhid, now_ns) === 'stay' ? 'this node' : 'the other';
  return `. Of two MASTERs ${stays} stays, which has the lower address${octetOrder(vhid)}`;
}

/** ucarp compares IPv4 addresses as numbers of its machine. */
function octetOrder({ peer }: Vhid): string {
  return peer.family === 4 ? ' (the last octet counts most)' : '';
}
