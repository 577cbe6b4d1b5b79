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
import type { State } from './events.ts';
import {
  ADD_AGAIN,
  ADVERT,
  ANNOUNCE,
  type Engine,
  FORGIVE_SEND_ERRORS,
  MASTER_DOWN,
  RENEW,
  SEND_ERRORS_LIMIT,
  type Vhid,
} from './state.ts';
import { nameOf, seconds } from './text.ts';

/** A lease is renewed this many times in its life. */
const RENEWALS = 4;
/** A foreign hand that removes addresses, or a defeated peer that goes on, is answered this often at most. */
const ANSWER_EVERY_NS = 1e9;
/** A node that could not send adverts and is MASTER no more may try again after that time. */
const FORGIVE_AFTER_NS = 60e9;
/** The kernel looks at lifetimes in coarse ticks and may end one this much early. */
const LEASE_SLACK_NS = 1e8;

export function changeState(engine: Engine, vhid: Vhid, to: State, reason: string, now_ns: number): void {
  const from = vhid.state;
  vhid.state = to;
  vhid.since_ns = now_ns;
  vhid.reason = reason;
  vhid.due_ns.fill(Number.POSITIVE_INFINITY);
  if (to !== 'MASTER' && vhid.send_errors >= SEND_ERRORS_LIMIT)
    vhid.due_ns[FORGIVE_SEND_ERRORS] = now_ns + FORGIVE_AFTER_NS;
  if (from === 'MASTER') leaveMaster(engine, vhid);
  if (to === 'INIT') vhid.peer.master = 0;
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
  vhid.peer.master = 0;
  sendAdvert(engine, vhid, now_ns);
  addAddresses(engine, vhid, now_ns);
  runScript(engine, vhid, 'up');
}

function leaveMaster(engine: Engine, vhid: Vhid): void {
  engine.effects.push(vhid.remove);
  if (!engine.stopped || vhid.settings.scripts?.down_at_exit) runScript(engine, vhid, 'down');
}

function enterBackup(engine: Engine, vhid: Vhid, now_ns: number): void {
  listen(vhid, now_ns);
  // ucarp's way: the first time the address may still be there from an earlier life, and -n says it is not
  if (!vhid.was_backup && !vhid.settings.scripts?.neutral) runScript(engine, vhid, 'down');
  vhid.was_backup = true;
}

/** A BACKUP waits a whole master-down interval from now. */
export function listen(vhid: Vhid, now_ns: number): void {
  vhid.due_ns[MASTER_DOWN] = now_ns + vhid.master_down_ns;
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
  vhid.due_ns[RENEW] = now_ns + leaseOf_ns(engine) / RENEWALS;
}

function leaseOf_ns(engine: Engine): number {
  return engine.settings.lease_s * 1e9;
}

/** At once and as often as a new MASTER does. */
export function startAnnouncing(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.announce_step = 0;
  vhid.announce_from_ns = now_ns;
  announce(engine, vhid);
}

function announce(engine: Engine, vhid: Vhid): void {
  engine.effects.push(vhid.announce);
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

/** Everything of this vhid that is due. Frames that came before now must have been heard already. */
export function runTimers(engine: Engine, vhid: Vhid, now_ns: number): void {
  const due_ns = vhid.due_ns;
  if (due_ns[MASTER_DOWN] <= now_ns) changeState(engine, vhid, 'MASTER', silence(vhid, now_ns), now_ns);
  if (vhid.state !== 'MASTER' || stepBackIfHeldUp(engine, vhid, 0, now_ns)) return;
  if (due_ns[ADD_AGAIN] <= now_ns) addAddresses(engine, vhid, now_ns);
  if (due_ns[RENEW] <= now_ns) renewAddresses(engine, vhid, now_ns);
  if (due_ns[ADVERT] <= now_ns) sendAdvert(engine, vhid, now_ns);
  if (due_ns[ANNOUNCE] <= now_ns) announce(engine, vhid);
}

function silence(vhid: Vhid, now_ns: number): string {
  const heard = vhid.peer.heard_ns >= vhid.since_ns;
  const quiet_ns = now_ns - (heard ? vhid.peer.heard_ns : vhid.since_ns);
  return heard
    ? `master went silent: nothing heard for ${seconds(quiet_ns)}`
    : `no master: nothing heard for ${seconds(quiet_ns)}`;
}

/**
 * A MASTER that was held up (SIGSTOP, a paused machine) so long that a peer may have taken over, or that the kernel may
 * have taken the address, listens for one master-down interval before it says anything. True when it stepped back.
 */
export function stepBackIfHeldUp(engine: Engine, vhid: Vhid, late_ns: number, now_ns: number): boolean {
  const silent_ns = now_ns - vhid.sent_ns;
  const missed = Math.max(silent_ns, late_ns) >= patienceOfPeers_ns(vhid);
  if (!missed && now_ns - vhid.renewed_ns < leaseOf_ns(engine)) return false;
  changeState(engine, vhid, 'BACKUP', `held up for ${seconds(Math.max(silent_ns, late_ns))}: listening first`, now_ns);
  return true;
}

/** How long a peer with advskew 0 waits for our next advert; never less than two of our own intervals. */
function patienceOfPeers_ns(vhid: Vhid): number {
  const { deadratio, advbase } = vhid.settings;
  return Math.max(deadratio * advbase * 1e9, 2000 * vhid.interval_us);
}

/** The kernel reports that `address` is gone, while this vhid is MASTER. */
export function addressRemoved(engine: Engine, vhid: Vhid, address: string, now_ns: number): void {
  if (now_ns - vhid.renewed_ns >= leaseOf_ns(engine) - LEASE_SLACK_NS) {
    changeState(engine, vhid, 'BACKUP', `the lease of ${address} ran out: listening first`, now_ns);
    return;
  }
  const text = `somebody removed ${address} (${nameOf(vhid)}): adding it again`;
  engine.effects.push({ kind: 'log', level: 'warning', text });
  if (now_ns >= vhid.add_again_ns) addAddresses(engine, vhid, now_ns);
  else vhid.due_ns[ADD_AGAIN] = vhid.add_again_ns;
}

/** Takes the present sum of demotions into what this vhid adverts. */
export function applyDemotion(engine: Engine, vhid: Vhid, now_ns: number): void {
  const before = vhid.demotion;
  const skew_before = vhid.advskew;
  vhid.demotion = demotionOf(engine.demotions, vhid.index);
  vhid.advskew = demotedSkew(vhid.settings.advskew, vhid.demotion);
  vhid.interval_us = interval_us(vhid.settings.advbase, vhid.advskew);
  if (vhid.settings.advbase === 0) changePatience(vhid, now_ns);
  if (vhid.state !== 'MASTER') return;
  // once, on the edge: a bow-out moves the address also to peers without preempt, and two demoted nodes do not flap
  if (before < DEMOTION_LIMIT && vhid.demotion >= DEMOTION_LIMIT) {
    sendBowOut(engine, vhid, true);
    vhid.sent_ns = now_ns;
    vhid.due_ns[ADVERT] = now_ns + 1000 * vhid.interval_us;
  } else if (vhid.advskew !== skew_before) {
    sendAdvert(engine, vhid, now_ns);
  }
}

/** A demoted sub-second node is slow itself: with the patience of a quick one it would contest every equal. */
function changePatience(vhid: Vhid, now_ns: number): void {
  const before_ns = vhid.master_down_ns;
  vhid.master_down_ns = 1000 * masterDown_us(vhid.settings.deadratio, 0, vhid.advskew);
  if (vhid.state !== 'BACKUP') return;
  const later_ns = vhid.due_ns[MASTER_DOWN] + vhid.master_down_ns - before_ns;
  vhid.due_ns[MASTER_DOWN] = Math.max(later_ns, Math.min(vhid.due_ns[MASTER_DOWN], now_ns + vhid.master_down_ns));
}
