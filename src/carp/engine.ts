/**
 * All vhids of one host as one deterministic function: no clock, no socket, no randomness of its own.
 *
 *        frames, timers, link events, demotions …              adverts, addresses, announcements, transitions …
 *   shell ─────────────────────────────────────> step(engine) ─────────────────────────────────────────────> shell
 *
 * The shell hears everything that waits before it steps `timer`, and performs the effects in their order. The engine
 * mutates the record it is given and reuses its list of effects: hearing a master and adverting allocate nothing.
 */
import { bowOutCopies, sendBowOut } from './advert.ts';
import { configure } from './configure.ts';
import { demote } from './demotion.ts';
import { onDemote, onUndemote } from './demotions.ts';
import type { Counters, Effect, Event, Family } from './events.ts';
import { demoteForLink, onLink } from './links.ts';
import { giveUp, NOT_READY, settleAll } from './obstacles.ts';
import { receive } from './receive.ts';
import { SHORT_STALL_NS } from './stall.ts';
import { DEADLINES, type Engine, FORGIVE_SEND_ERRORS, SEND_ERRORS_LIMIT, type Vhid } from './state.ts';
import { log, seconds, sendErrorOwner } from './text.ts';
import {
  addressRemoved,
  applyDemotion,
  changeState,
  leave,
  listen,
  listenOnceMore,
  runTimers,
  startAnnouncing,
  stepBackIfHeldUp,
} from './vhid.ts';

export { createEngine, type Engine } from './state.ts';
export { badSources, status } from './status.ts';

/** How long `ready` may be missing. */
const READY_LIMIT_NS = 10e9;
const STARTING = 'starting';
const FULL_DEMOTION = 240;
const NONE: readonly number[] = [];
const REQUESTED = 'user requested via ifconfig';
/** Added to the time in which a vhid that was told to yield preempts nobody; ucarp sleeps as long. */
const YIELD_CALM_NS = 3e9;

/**
 * The one entrance. Returns the engine's reused list of effects, valid until the next call: perform all of them before
 * stepping again (the `sent` events that answer them too).
 */
export function step(engine: Engine, event: Event, now_ns: number): readonly Effect[] {
  // popping keeps the list's memory, `length = 0` would give it back
  while (engine.effects.length > 0) engine.effects.pop();
  if (!engine.stopped) handle(engine, event, now_ns);
  if (!keepsDeadlines(event)) engine.next_ns = Number.NaN;
  return engine.effects;
}

function handle(engine: Engine, event: Event, now_ns: number): void {
  switch (event.kind) {
    case 'frame':
      onFrame(engine, event.interface, event.bytes, event.length, now_ns);
      break;
    case 'timer':
      onTimer(engine, now_ns);
      break;
    case 'sent':
      onSent(engine, engine.slots[event.index], event.error, event.family ?? 4, now_ns);
      break;
    case 'start':
      onStart(engine, now_ns);
      break;
    case 'ready':
      onReady(engine, now_ns);
      break;
    case 'link':
      onLink(engine, event.interface, event.up, event.reason, now_ns);
      break;
    case 'maintenance':
      onMaintenance(engine, event.index, event.reason, now_ns);
      break;
    case 'health':
      onHealth(engine, event.healthy, event.reason, now_ns);
      break;
    case 'address-removed':
      onAddressRemoved(engine, event.interface, event.address, event.duplicate === true, now_ns);
      break;
    case 'demote':
      onDemote(engine, event.owner, event.amount, event.reason, event.index, now_ns);
      break;
    case 'undemote':
      if (event.owner === STARTING) onReady(engine, now_ns);
      else onUndemote(engine, event.owner, event.index, now_ns);
      break;
    case 'stall':
      onStall(engine, event.late_ns, now_ns);
      break;
    case 'yield':
      onYield(engine, event.index, event.reason, now_ns);
      break;
    case 'configure':
      configure(engine, event, now_ns);
      break;
    case 'set-state':
      onSetState(engine, event.index, event.state, event.reason ?? REQUESTED, now_ns);
      break;
    case 'reannounce':
      for (const vhid of engine.vhids) if (vhid.state === 'MASTER') startAnnouncing(engine, vhid, now_ns);
      break;
    case 'stop':
      onStop(engine, event.reason, event.leaves ?? NONE, now_ns);
      break;
  }
}

/** When the next `timer` event is due, or a little earlier, when there is nothing to do yet; Infinity when none is. */
export function nextDeadline_ns(engine: Engine): number {
  if (Number.isNaN(engine.next_ns)) engine.next_ns = findNext_ns(engine);
  return engine.next_ns;
}

/**
 * What happens most leaves the search for the next deadline out: an advert changes one vhid's, mostly to a later time, and
 * a frame that left none.
 */
function keepsDeadlines(event: Event): boolean {
  return event.kind === 'frame' || (event.kind === 'sent' && event.error === null);
}

function onFrame(engine: Engine, name: string, bytes: Uint8Array, length: number, now_ns: number): void {
  if (engine.host.allow === false) return;
  const vhid = receive(engine, name, bytes, length, now_ns);
  if (vhid) noteDeadlines(engine, vhid);
}

function noteDeadlines(engine: Engine, { due_ns }: Vhid): void {
  for (let i = 0; i < DEADLINES; i++) if (due_ns[i] < engine.next_ns) engine.next_ns = due_ns[i];
}

function findNext_ns({ due_ns, ready_due_ns }: Engine): number {
  let next_ns = ready_due_ns;
  for (let i = 0; i < due_ns.length; i++) if (due_ns[i] < next_ns) next_ns = due_ns[i];
  return next_ns;
}

/**
 * The bow-out frames that a guardian sends if the daemon dies while vhid `index` is MASTER, one for each family and
 * peer: copies with counters of their own. Ask for new ones at every transition to MASTER and after every `configure`,
 * and forget them at every transition from it.
 */
export function will(engine: Engine, index: number): readonly Uint8Array[] {
  const vhid = engine.slots[index];
  return vhid ? bowOutCopies(engine, vhid) : [];
}

function onStart(engine: Engine, now_ns: number): void {
  if (engine.started) return;
  engine.started = true;
  for (const vhid of engine.vhids) vhid.since_ns = now_ns;
  if (!engine.ready) {
    engine.ready_due_ns = now_ns + READY_LIMIT_NS;
    demote(engine.demotions, STARTING, FULL_DEMOTION, NOT_READY);
    for (const vhid of engine.vhids) applyDemotion(engine, vhid, now_ns);
  }
  for (const link of engine.interfaces.values()) if (!link.up) demoteForLink(engine, link, now_ns);
  settleAll(engine, 'initialization complete', now_ns);
}

function onReady(engine: Engine, now_ns: number): void {
  engine.ready = true;
  engine.ready_due_ns = Number.POSITIVE_INFINITY;
  onUndemote(engine, STARTING, undefined, now_ns);
  settleAll(engine, 'initialization complete', now_ns);
}

function onTimer(engine: Engine, now_ns: number): void {
  if (engine.ready_due_ns <= now_ns) {
    log(engine, 'warning', `still not ready after ${seconds(READY_LIMIT_NS)}: taking part in CARP all the same`);
    onReady(engine, now_ns);
  }
  for (let position = 0; position < engine.vhids.length; position++) {
    if (!isDue(engine.due_ns, position, now_ns)) continue;
    const vhid = engine.vhids[position];
    if (vhid.due_ns[FORGIVE_SEND_ERRORS] <= now_ns) forgiveSendErrors(engine, vhid, now_ns);
    runTimers(engine, vhid, now_ns);
  }
}

/** Whether the vhid at that position has anything to do; most have not. */
function isDue(due_ns: Float64Array, position: number, now_ns: number): boolean {
  const end = DEADLINES * (position + 1);
  for (let i = end - DEADLINES; i < end; i++) if (due_ns[i] <= now_ns) return true;
  return false;
}

function onHealth(engine: Engine, healthy: boolean, reason: string, now_ns: number): void {
  if (engine.healthy === healthy) return;
  engine.healthy = healthy;
  engine.ill_reason = reason;
  settleAll(engine, reason, now_ns);
}

/** Taken out of service by people, whatever the others do, until they bring it back. */
function onMaintenance(engine: Engine, index: number, reason: string | undefined, now_ns: number): void {
  const vhid = engine.slots[index];
  if (!vhid) return;
  vhid.maintenance = reason;
  settleAll(engine, 'maintenance is over', now_ns);
}

function onAddressRemoved(engine: Engine, name: string, address: string, is_duplicate: boolean, now_ns: number): void {
  for (const vhid of engine.vhids) {
    const { interface: own, addresses } = vhid.settings;
    if (vhid.state === 'MASTER' && own === name && addresses.includes(address))
      addressRemoved(engine, vhid, address, is_duplicate, now_ns);
  }
}

/**
 * A BACKUP waits anew when adverts may have been lost meanwhile; a short stall leaves them in the socket's queue. Where
 * intervals are shorter than a stall that every busy machine has, what stalled this node may have stalled the way to it
 * as well: it waits for one more advert only, so that a master that died is still replaced in milliseconds.
 */
function onStall(engine: Engine, late_ns: number, now_ns: number): void {
  for (const vhid of engine.vhids) {
    const short = vhid.settings.advbase === 0 && late_ns < SHORT_STALL_NS;
    if (vhid.state === 'BACKUP' && short) listenOnceMore(vhid, now_ns);
    else if (vhid.state === 'BACKUP' && late_ns >= 1000 * vhid.interval_us) listen(vhid, now_ns);
    if (vhid.state === 'MASTER') stepBackIfHeldUp(engine, vhid, now_ns);
  }
}

/**
 * Three failures in a row demote the whole host, as in the kernels; three successes take it back, or time as BACKUP. Of
 * two families each has a row of its own, for a peer that hears only one takes this node for dead.
 */
function onSent(engine: Engine, vhid: Vhid | undefined, error: string | null, family: Family, now_ns: number): void {
  if (!vhid) return;
  if (error === null) onSendSuccess(engine, vhid, family, now_ns);
  else onSendError(engine, vhid, error, family, now_ns);
}

function onSendError(engine: Engine, vhid: Vhid, error: string, family: Family, now_ns: number): void {
  const amount = engine.host.senderr_demotion_factor ?? FULL_DEMOTION;
  engine.counters.send_errors++;
  vhid.counters.send_errors++;
  if (vhid.send_errors === 0) vhid.failing_family = family;
  vhid.send_successes = 0;
  vhid.send_errors++;
  if (vhid.send_errors !== SEND_ERRORS_LIMIT || amount === 0) return;
  const which = vhid.families.length > 1 ? ` over IPv${vhid.failing_family}` : '';
  onDemote(engine, sendErrorOwner(vhid), amount, `adverts cannot be sent${which}: ${error}`, undefined, now_ns);
}

function onSendSuccess(engine: Engine, vhid: Vhid, family: Family, now_ns: number): void {
  countSent(engine.counters, family);
  countSent(vhid.counters, family);
  const { families, failing_family } = vhid;
  // a family that another configuration took away fails no more
  const counts = family === failing_family || !families.includes(failing_family);
  if (vhid.send_errors > 0 && counts) onSendRecovery(engine, vhid, now_ns);
  noteDeadlines(engine, vhid);
}

function onSendRecovery(engine: Engine, vhid: Vhid, now_ns: number): void {
  // announcements were lost with the adverts
  if (vhid.send_successes === 0 && vhid.state === 'MASTER') startAnnouncing(engine, vhid, now_ns);
  if (vhid.send_errors < SEND_ERRORS_LIMIT) vhid.send_errors = 0;
  else if (++vhid.send_successes === SEND_ERRORS_LIMIT) forgiveSendErrors(engine, vhid, now_ns);
}

function forgiveSendErrors(engine: Engine, vhid: Vhid, now_ns: number): void {
  engine.next_ns = Number.NaN;
  vhid.due_ns[FORGIVE_SEND_ERRORS] = Number.POSITIVE_INFINITY;
  vhid.send_errors = 0;
  vhid.send_successes = 0;
  onUndemote(engine, sendErrorOwner(vhid), undefined, now_ns);
}

function countSent(counters: Counters, family: Family): void {
  counters.sent++;
  if (family === 4) counters.sent4++;
  else counters.sent6++;
}

/** FreeBSD's rule: a request, not an order. Who is preferred still decides. */
function onSetState(engine: Engine, index: number, state: 'BACKUP' | 'MASTER', reason: string, now_ns: number): void {
  const vhid = engine.slots[index];
  if (!vhid) return;
  if (state === 'BACKUP') onYield(engine, index, reason, now_ns);
  else if (vhid.state === 'BACKUP') changeState(engine, vhid, 'MASTER', reason, now_ns);
}

function onYield(engine: Engine, index: number | undefined, reason: string, now_ns: number): void {
  for (const vhid of engine.vhids) {
    if (vhid.state !== 'MASTER' || (index !== undefined && index !== vhid.index)) continue;
    sendBowOut(engine, vhid, false);
    changeState(engine, vhid, 'BACKUP', reason, now_ns);
    // what bowed out with preempt would take the address back with the next advert that it hears
    vhid.calm_until_ns = now_ns + YIELD_CALM_NS + vhid.master_down_ns;
  }
}

function onStop(engine: Engine, reason: string, leaves: readonly number[], now_ns: number): void {
  engine.stopped = true;
  engine.ready_due_ns = Number.POSITIVE_INFINITY;
  for (const vhid of engine.vhids) {
    if (leaves.includes(vhid.index)) leave(engine, vhid, reason, now_ns);
    else if (vhid.state !== 'INIT') giveUp(engine, vhid, reason, now_ns);
  }
}
