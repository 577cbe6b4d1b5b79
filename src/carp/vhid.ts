/**
 * One vhid's state machine. `changeState` alone moves the state, and every move carries the reason that people read.
 *
 *               started, ready, healthy, link up
 *     ┌──────┐ ──────────────────────────────────> ┌────────┐  silence, a bow-out, a slower master  ┌────────┐
 *     │ INIT │                                     │ BACKUP │ ────────────────────────────────────> │ MASTER │
 *     └──────┘ <────────────────────────────────── └────────┘ <──────────────────────────────────── └────────┘
 *         ^      link down, unhealthy, stopped                 a faster (or equal) master, a stall       │
 *         └──────────────────────────────────────────────────────────────────────────────────────────────┘
 */
import { sendAdvert, sendBowOut } from './advert.ts';
import { ANNOUNCE_AFTER_S } from './announce.ts';
import { demotionOf } from './demotion.ts';
import { DEMOTION_LIMIT, demotedSkew, interval_us, masterDown_us } from './election.ts';
import type { Family, State } from './events.ts';
import { isNeededElsewhere } from './interfaces.ts';
import { SHORT_STALL_NS } from './stall.ts';
import {
  ADD_AGAIN,
  ADVERT,
  ANNOUNCE,
  type Engine,
  FORGIVE_SEND_ERRORS,
  MASTER_DOWN,
  MASTER_DOWN6,
  RENEW,
  SEND_ERRORS_LIMIT,
  type Vhid,
} from './state.ts';
import { nameOf, peerName, seconds } from './text.ts';
import { isNews, tell } from './troubles.ts';

/**
 * A lease is renewed this many times in its life. With 2 s the kernel may take an address 1.75 s after a renewal: three leave
 * this thread more than a second to be late in.
 */
const RENEWALS = 3;
/** A foreign hand that removes addresses, or a defeated peer that goes on, is answered this often at most. */
const ANSWER_EVERY_NS = 1e9;
/** A node that could not send adverts and is MASTER no more may try again after that time. */
const FORGIVE_AFTER_NS = 60e9;
/** The kernel looks at lifetimes in coarse ticks and may end one this much early. */
const LEASE_SLACK_NS = 1e8;

export function changeState(engine: Engine, vhid: Vhid, to: State, reason: string, now_ns: number): void {
  if (vhid.state === 'MASTER') leaveMaster(engine, vhid);
  move(engine, vhid, to, reason, now_ns);
}

/** Another process of this host goes on with the vhid: neither a bow-out, nor a script, and the addresses stay. */
export function leave(engine: Engine, vhid: Vhid, reason: string, now_ns: number): void {
  if (vhid.state !== 'INIT') move(engine, vhid, 'INIT', reason, now_ns);
}

function move(engine: Engine, vhid: Vhid, to: State, reason: string, now_ns: number): void {
  const from = vhid.state;
  vhid.state = to;
  vhid.since_ns = now_ns;
  vhid.reason = reason;
  vhid.due_ns.fill(Number.POSITIVE_INFINITY);
  if (to !== 'MASTER' && vhid.send_errors >= SEND_ERRORS_LIMIT && !engine.stopped)
    vhid.due_ns[FORGIVE_SEND_ERRORS] = now_ns + FORGIVE_AFTER_NS;
  vhid.slower_since_ns = Number.POSITIVE_INFINITY;
  if (to === 'INIT') vhid.peer.master_known = false;
  if (to === 'MASTER') enterMaster(engine, vhid, now_ns);
  if (to === 'BACKUP') enterBackup(engine, vhid, now_ns);
  const { interface: name, vhid: number } = vhid.settings;
  engine.effects.push({
    kind: 'transition',
    index: vhid.index,
    vhid: number,
    interface: name,
    from,
    to,
    reason,
    at_ns: now_ns,
  });
}

/** The advert goes first: whoever is MASTER now yields while we add the address. */
function enterMaster(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.peer.master_known = false;
  vhid.counters.transitions_to_master++;
  engine.counters.transitions_to_master++;
  vhid.defeated.count = 0;
  sendAdvert(engine, vhid, now_ns);
  addAddresses(engine, vhid, now_ns);
  runScript(engine, vhid, 'up');
}

function leaveMaster(engine: Engine, vhid: Vhid): void {
  removeAddresses(engine, vhid, vhid.settings.addresses);
  if (!engine.stopped || vhid.settings.scripts?.down_at_exit) runScript(engine, vhid, 'down');
}

function enterBackup(engine: Engine, vhid: Vhid, now_ns: number): void {
  listen(vhid, now_ns);
  // ucarp's way: the first time the address may still be there from an earlier life, and -n says it is not
  if (!vhid.was_backup && !vhid.settings.scripts?.neutral) runScript(engine, vhid, 'down');
  vhid.was_backup = true;
}

/** But of shared addresses none that this host needs for another vhid. */
export function removeAddresses(engine: Engine, vhid: Vhid, addresses: readonly string[]): void {
  const shared = vhid.settings.balancing === 'arp';
  const gone = shared ? addresses.filter((address) => !isNeededElsewhere(engine, vhid, address)) : addresses;
  if (gone === vhid.settings.addresses) engine.effects.push(vhid.remove);
  else if (gone.length > 0) engine.effects.push({ ...vhid.remove, addresses: gone });
}

/** A BACKUP waits a whole master-down interval from now, for adverts of each family. */
export function listen(vhid: Vhid, now_ns: number): void {
  for (let i = 0; i < vhid.families.length; i++) listenTo(vhid, vhid.families[i], now_ns);
}

export function listenTo(vhid: Vhid, family: Family, now_ns: number, patience_ns = vhid.master_down_ns): void {
  vhid.due_ns[family === 4 ? MASTER_DOWN : MASTER_DOWN6] = now_ns + patience_ns;
}

/** For another interval of its own at least, in which a quicker master adverts more than once. */
export function listenOnceMore(vhid: Vhid, now_ns: number): void {
  for (let i = 0; i < vhid.families.length; i++) {
    const which = vhid.families[i] === 4 ? MASTER_DOWN : MASTER_DOWN6;
    vhid.due_ns[which] = Math.max(vhid.due_ns[which], now_ns + 1000 * vhid.interval_us);
  }
}

function addAddresses(engine: Engine, vhid: Vhid, now_ns: number): void {
  engine.effects.push(vhid.add);
  leased(engine, vhid, now_ns);
  vhid.due_ns[ADD_AGAIN] = Number.POSITIVE_INFINITY;
  vhid.add_again_ns = now_ns + ANSWER_EVERY_NS;
  startAnnouncing(engine, vhid, now_ns);
}

function renewAddresses(engine: Engine, vhid: Vhid, now_ns: number): void {
  engine.effects.push(vhid.renew);
  leased(engine, vhid, now_ns);
}

function leased(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.renewed_ns = now_ns;
  // on one grid for all vhids, so that they are renewed together
  const step_ns = Math.floor(leaseOf_ns(engine) / RENEWALS);
  vhid.due_ns[RENEW] = (Math.floor(now_ns / step_ns) + 1) * step_ns;
}

function leaseOf_ns(engine: Engine): number {
  return engine.lease_s * 1e9;
}

/** At once and as often as a new MASTER does. */
export function startAnnouncing(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.announce_step = 0;
  vhid.announce_from_ns = now_ns;
  announce(engine, vhid);
}

function announce(engine: Engine, vhid: Vhid): void {
  if (vhid.announce.frames.length > 0) engine.effects.push(vhid.announce);
  vhid.announce_step++;
  const after_s = ANNOUNCE_AFTER_S[vhid.announce_step];
  vhid.due_ns[ANNOUNCE] = after_s === undefined ? Number.POSITIVE_INFINITY : vhid.announce_from_ns + after_s * 1e9;
}

/** Another MASTER, slower than this one: neighbours may have learned its MAC, so tell them again. */
export function answerDefeated(engine: Engine, vhid: Vhid, now_ns: number): void {
  if (now_ns < vhid.answer_defeated_ns) return;
  vhid.answer_defeated_ns = now_ns + ANSWER_EVERY_NS;
  startAnnouncing(engine, vhid, now_ns);
}

function runScript(engine: Engine, vhid: Vhid, which: 'up' | 'down'): void {
  const { scripts, addresses, interface: name } = vhid.settings;
  const path = scripts?.[which];
  if (path === undefined) return;
  const words = [name, addresses[0]];
  if (scripts?.xparam !== undefined) words.push(scripts.xparam);
  engine.effects.push({ kind: 'script', index: vhid.index, which, path, arguments: words });
}

/** Everything of this vhid that is due. Frames that came before `now_ns` must have been heard already. */
export function runTimers(engine: Engine, vhid: Vhid, now_ns: number): void {
  const due_ns = vhid.due_ns;
  if (due_ns[MASTER_DOWN] <= now_ns) takeOver(engine, vhid, 4, now_ns);
  else if (due_ns[MASTER_DOWN6] <= now_ns) takeOver(engine, vhid, 6, now_ns);
  if (vhid.state !== 'MASTER' || stepBackIfHeldUp(engine, vhid, now_ns)) return;
  if (due_ns[ADD_AGAIN] <= now_ns) addAddresses(engine, vhid, now_ns);
  if (due_ns[RENEW] <= now_ns) renewAddresses(engine, vhid, now_ns);
  if (due_ns[ADVERT] <= now_ns) sendAdvert(engine, vhid, now_ns);
  if (due_ns[ANNOUNCE] <= now_ns) announce(engine, vhid);
}

/** Silence over one family is enough: whoever speaks IPv6 only has no master then. */
function takeOver(engine: Engine, vhid: Vhid, family: Family, now_ns: number): void {
  const other_ns = family === 4 ? vhid.peer.heard6_ns : vhid.peer.heard4_ns;
  // a master that died was heard over both until then: one that goes on has adverted since
  const goes_on = vhid.families.length > 1 && other_ns >= vhid.since_ns && now_ns - other_ns < vhid.master_down_ns / 2;
  const other = family === 4 ? 6 : 4;
  const rest = goes_on ? ` over IPv${family}; ${peerName(vhid)} is heard over IPv${other} only` : '';
  if (goes_on && isNews(vhid, 'one-family', now_ns)) {
    const text = `${peerName(vhid)} is heard over IPv${other} only, for ${nameOf(vhid)}: IPv${family} adverts are lost or filtered`;
    tell(engine, vhid, 'one-family', text, now_ns);
  }
  changeState(engine, vhid, 'MASTER', silence(vhid, family, now_ns) + rest, now_ns);
}

function silence(vhid: Vhid, family: Family, now_ns: number): string {
  const heard_ns = family === 4 ? vhid.peer.heard4_ns : vhid.peer.heard6_ns;
  const heard = heard_ns >= vhid.since_ns;
  const quiet_ns = now_ns - (heard ? heard_ns : vhid.since_ns);
  return heard
    ? `master went silent: nothing heard for ${seconds(quiet_ns)}`
    : `no master: nothing heard for ${seconds(quiet_ns)}`;
}

/**
 * A MASTER that was held up (SIGSTOP, a paused machine) so long that a peer may have taken over, or that the kernel may
 * have taken the address, listens for one master-down interval before it says anything. True when it stepped back.
 * Its own silence tells: one that has adverted since the stall was over, because it heard a slower MASTER, is in order.
 */
export function stepBackIfHeldUp(engine: Engine, vhid: Vhid, now_ns: number): boolean {
  const silent_ns = now_ns - vhid.sent_ns;
  if (silent_ns < patienceOfPeers_ns(vhid) && now_ns - vhid.renewed_ns < leaseOf_ns(engine)) return false;
  changeState(engine, vhid, 'BACKUP', `held up for ${seconds(silent_ns)}: listening first`, now_ns);
  return true;
}

/**
 * How long a peer with advskew 0 waits for our next advert; never less than two of our own intervals. With advbase 0 as
 * long as we ourselves would wait: three. But a short stall is no reason to step back, as that alone would cost an
 * outage and every connection: what came meanwhile was heard by now, and a peer that took over yields or is yielded to.
 */
function patienceOfPeers_ns(vhid: Vhid): number {
  const { deadratio, advbase } = vhid.settings;
  if (advbase === 0) return Math.max(deadratio * 1000 * vhid.interval_us, SHORT_STALL_NS);
  return Math.max(deadratio * advbase * 1e9, 2000 * vhid.interval_us);
}

/** The kernel reports that `address` is gone, while this vhid is MASTER. */
export function addressRemoved(
  engine: Engine,
  vhid: Vhid,
  address: string,
  is_duplicate: boolean,
  now_ns: number,
): void {
  if (now_ns - vhid.renewed_ns >= leaseOf_ns(engine) - LEASE_SLACK_NS) {
    changeState(engine, vhid, 'BACKUP', `the lease of ${address} ran out: listening first`, now_ns);
    return;
  }
  const kind = is_duplicate ? 'duplicate' : 'removed';
  const text = is_duplicate
    ? `another node has ${address} (${nameOf(vhid)}), which duplicate detection found: trying again`
    : `somebody removed ${address} (${nameOf(vhid)}): adding it again`;
  // of another address of the same vhid it is news, too
  if (isNews(vhid, kind, now_ns) || vhid.troubles.get(kind)?.text !== text) tell(engine, vhid, kind, text, now_ns);
  if (now_ns >= vhid.add_again_ns) addAddresses(engine, vhid, now_ns);
  else vhid.due_ns[ADD_AGAIN] = vhid.add_again_ns;
}

/** Takes the present sum of demotions into what this vhid adverts. */
export function applyDemotion(engine: Engine, vhid: Vhid, now_ns: number): void {
  const before = vhid.demotion;
  const skew_before = vhid.advskew;
  const { openbsd_demote_byte } = vhid.settings;
  measure(engine, vhid, now_ns);
  if (openbsd_demote_byte && vhid.demotion !== before) forgetPreferred(vhid, now_ns);
  if (vhid.state !== 'MASTER') return;
  // once, on the edge: a bow-out moves the address also to peers without preempt, and two demoted nodes do not flap
  if (!openbsd_demote_byte && before < DEMOTION_LIMIT && vhid.demotion >= DEMOTION_LIMIT) {
    sendBowOut(engine, vhid, true);
    vhid.sent_ns = now_ns;
    vhid.due_ns[ADVERT] = now_ns + 1000 * vhid.interval_us;
  } else if (vhid.advskew !== skew_before || (openbsd_demote_byte && vhid.demotion !== before)) {
    sendAdvert(engine, vhid, now_ns);
  }
}

/** Whom it gave way to with another demotion it may not give way to any more. */
function forgetPreferred(vhid: Vhid, now_ns: number): void {
  vhid.peer.preferred_until_ns = 0;
  if (vhid.state !== 'BACKUP') return;
  for (const which of [MASTER_DOWN, MASTER_DOWN6])
    if (Number.isFinite(vhid.due_ns[which]))
      vhid.due_ns[which] = Math.min(vhid.due_ns[which], now_ns + vhid.master_down_ns);
}

/** Everything that follows from settings and demotion together. */
export function measure(engine: Engine, vhid: Vhid, now_ns: number): void {
  const { advbase, advskew, deadratio, openbsd_demote_byte } = vhid.settings;
  vhid.demotion = demotionOf(engine.demotions, vhid.index);
  vhid.advskew = openbsd_demote_byte ? advskew : demotedSkew(advskew, vhid.demotion);
  vhid.interval_us = interval_us(advbase, vhid.advskew);
  // a demoted sub-second node is slow itself: with the patience of a quick one it would contest every equal
  const patience_us = masterDown_us(deadratio, advbase, advbase === 0 ? vhid.advskew : advskew);
  changePatience(vhid, 1000 * patience_us, now_ns);
}

/** A BACKUP that waits already waits that much longer or shorter. */
function changePatience(vhid: Vhid, patience_ns: number, now_ns: number): void {
  const change_ns = patience_ns - vhid.master_down_ns;
  vhid.master_down_ns = patience_ns;
  if (vhid.state !== 'BACKUP' || change_ns === 0) return;
  for (const which of [MASTER_DOWN, MASTER_DOWN6]) {
    const due_ns = vhid.due_ns[which];
    const moved_ns = Math.max(due_ns + change_ns, Math.min(due_ns, now_ns + patience_ns));
    // who waits for a slow master waits no longer than before
    vhid.due_ns[which] = Math.min(moved_ns, Math.max(due_ns, now_ns + patience_ns));
  }
}
