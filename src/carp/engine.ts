/**
 * All vhids of one host as one deterministic function: no clock, no socket, no randomness of its own.
 *
 *        frames, timers, link events, demotions …              adverts, addresses, announcements, transitions …
 *   shell ─────────────────────────────────────> step(engine) ─────────────────────────────────────────────> shell
 *
 * The shell hears everything that waits before it steps `timer`, and performs the effects in their order. The engine
 * mutates the record it is given and reuses its list of effects: hearing a master and adverting allocate nothing.
 */
import { bowOutCopy, sendBowOut } from './advert.ts';
import { demote, undemote } from './demotion.ts';
import type { Effect, Event } from './events.ts';
import { receive } from './receive.ts';
import { type Engine, FORGIVE_SEND_ERRORS, type Interface, SEND_ERRORS_LIMIT, type Vhid } from './state.ts';
import { nameOf, seconds } from './text.ts';
import {
  addressRemoved,
  applyDemotion,
  changeState,
  listen,
  runTimers,
  startAnnouncing,
  stepBackIfHeldUp,
} from './vhid.ts';

export { createEngine, type Engine } from './state.ts';
export { status } from './status.ts';

/** How long `ready` may be missing. */
const READY_LIMIT_NS = 10e9;
const STARTING = 'starting';
const NOT_READY = 'waiting for the listeners and the first checks';
const FULL_DEMOTION = 240;
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
  return engine.effects;
}

function handle(engine: Engine, event: Event, now_ns: number): void {
  switch (event.kind) {
    case 'frame':
      receive(engine, event.interface, event.bytes, event.length, now_ns);
      break;
    case 'timer':
      onTimer(engine, now_ns);
      break;
    case 'sent':
      onSent(engine, engine.vhids[event.index], event.error, now_ns);
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
      onMaintenance(engine, engine.vhids[event.index], event.reason, now_ns);
      break;
    case 'health':
      onHealth(engine, event.healthy, event.reason, now_ns);
      break;
    case 'address-removed':
      onAddressRemoved(engine, event.interface, event.address, now_ns);
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
    case 'stop':
      onStop(engine, event.reason, now_ns);
      break;
  }
}

/** When the next `timer` event is due; Infinity when none is. */
export function nextDeadline_ns(engine: Engine): number {
  let next_ns = engine.ready_due_ns;
  for (const vhid of engine.vhids)
    for (let i = 0; i < vhid.due_ns.length; i++) if (vhid.due_ns[i] < next_ns) next_ns = vhid.due_ns[i];
  return next_ns;
}

/**
 * The bow-out frames that a guardian sends if the daemon dies while vhid `index` is MASTER, one for each family and
 * peer: copies with counters of their own. Ask for new ones at every transition to MASTER and after every `configure`,
 * and forget them at every transition from it.
 */
export function will(engine: Engine, index: number): readonly Uint8Array[] {
  return [bowOutCopy(engine, engine.vhids[index])];
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
  for (const vhid of engine.vhids) {
    if (vhid.due_ns[FORGIVE_SEND_ERRORS] <= now_ns) forgiveSendErrors(engine, vhid, now_ns);
    runTimers(engine, vhid, now_ns);
  }
}

/** Why a vhid must be in INIT; undefined when nothing holds it there. */
function obstacle(engine: Engine, vhid: Vhid): string | undefined {
  if (!engine.started) return 'not started';
  if (!engine.ready) return NOT_READY;
  if (!engine.healthy) return engine.ill_reason;
  if (vhid.maintenance !== undefined) return vhid.maintenance;
  const link = linkOf(engine, vhid);
  return link.up ? undefined : link.why;
}

function linkOf(engine: Engine, vhid: Vhid): Interface {
  return engine.interfaces.get(vhid.settings.interface)!;
}

/** Moves every vhid into INIT or out of it, as obstacles came or went. */
function settleAll(engine: Engine, reason: string, now_ns: number): void {
  for (const vhid of engine.vhids) {
    const why = obstacle(engine, vhid);
    if (why === undefined && vhid.state === 'INIT') changeState(engine, vhid, 'BACKUP', reason, now_ns);
    if (why !== undefined && vhid.state === 'INIT') vhid.reason = why;
    if (why !== undefined && vhid.state !== 'INIT') giveUp(engine, vhid, why, now_ns);
  }
}

/** To INIT; a MASTER says so first, where anybody can hear it. */
function giveUp(engine: Engine, vhid: Vhid, reason: string, now_ns: number): void {
  if (vhid.state === 'MASTER' && linkOf(engine, vhid).up) sendBowOut(engine, vhid, false);
  changeState(engine, vhid, 'INIT', reason, now_ns);
}

/** The vhids of the link go to INIT, and the host's other ones are demoted: who lost one side should lose the other. */
function onLink(engine: Engine, name: string, up: boolean, why: string | undefined, now_ns: number): void {
  const link = engine.interfaces.get(name);
  if (!link || link.ignored || (up && link.up)) return;
  link.up = up; // one that was down may be removed as well: that is news, too
  link.why = why ?? `link of ${name} is ${up ? 'up' : 'down'}`;
  if (!engine.started) return;
  if (up) onUndemote(engine, linkOwner(link), undefined, now_ns);
  settleAll(engine, link.why, now_ns);
  if (!up) demoteForLink(engine, link, now_ns);
}

/** Once per interface, however many vhids it carries. */
function demoteForLink(engine: Engine, link: Interface, now_ns: number): void {
  onDemote(engine, linkOwner(link), FULL_DEMOTION, link.why, undefined, now_ns);
}

function linkOwner(link: Interface): string {
  return `link down ${link.name}`;
}

function onHealth(engine: Engine, healthy: boolean, reason: string, now_ns: number): void {
  if (engine.healthy === healthy) return;
  engine.healthy = healthy;
  engine.ill_reason = reason;
  settleAll(engine, reason, now_ns);
}

/** Taken out of service by people, whatever the others do, until they bring it back. */
function onMaintenance(engine: Engine, vhid: Vhid, reason: string | undefined, now_ns: number): void {
  vhid.maintenance = reason;
  settleAll(engine, 'maintenance is over', now_ns);
}

function onAddressRemoved(engine: Engine, name: string, address: string, now_ns: number): void {
  for (const vhid of engine.vhids) {
    const { interface: own, addresses } = vhid.settings;
    if (vhid.state === 'MASTER' && own === name && addresses.includes(address))
      addressRemoved(engine, vhid, address, now_ns);
  }
}

function onDemote(
  engine: Engine,
  owner: string,
  amount: number,
  reason: string,
  index: number | undefined,
  now_ns: number,
): void {
  if (!demote(engine.demotions, owner, amount, reason, index)) return;
  log(engine, 'notice', `demoted by ${amount}${scope(engine, index)}: ${reason} (${owner})`);
  for (const vhid of engine.vhids) applyDemotion(engine, vhid, now_ns);
}

function onUndemote(engine: Engine, owner: string, index: number | undefined, now_ns: number): void {
  if (!undemote(engine.demotions, owner, index)) return;
  log(engine, 'notice', `no longer demoted${scope(engine, index)} (${owner})`);
  for (const vhid of engine.vhids) applyDemotion(engine, vhid, now_ns);
}

function scope(engine: Engine, index: number | undefined): string {
  return index === undefined ? '' : ` on ${nameOf(engine.vhids[index])}`;
}

/** A BACKUP waits anew when adverts may have been lost meanwhile; a short stall leaves them in the socket's queue. */
function onStall(engine: Engine, late_ns: number, now_ns: number): void {
  for (const vhid of engine.vhids) {
    if (vhid.state === 'BACKUP' && late_ns >= 1000 * vhid.interval_us) listen(vhid, now_ns);
    if (vhid.state === 'MASTER') stepBackIfHeldUp(engine, vhid, late_ns, now_ns);
  }
}

/** Three failures in a row demote the whole host, as in the kernels; three successes take it back, or time as BACKUP. */
function onSent(engine: Engine, vhid: Vhid, error: string | null, now_ns: number): void {
  if (error !== null) {
    engine.counters.send_errors++;
    vhid.send_successes = 0;
    vhid.send_errors++;
    if (vhid.send_errors === SEND_ERRORS_LIMIT)
      onDemote(engine, sendErrorsOwner(vhid), FULL_DEMOTION, `adverts cannot be sent: ${error}`, undefined, now_ns);
    return;
  }
  engine.counters.sent++;
  vhid.sent++;
  // announcements were lost with the adverts
  if (vhid.send_errors > 0 && vhid.send_successes === 0 && vhid.state === 'MASTER')
    startAnnouncing(engine, vhid, now_ns);
  if (vhid.send_errors < SEND_ERRORS_LIMIT) {
    vhid.send_errors = 0;
  } else if (++vhid.send_successes === SEND_ERRORS_LIMIT) {
    forgiveSendErrors(engine, vhid, now_ns);
  }
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

function forgiveSendErrors(engine: Engine, vhid: Vhid, now_ns: number): void {
  vhid.due_ns[FORGIVE_SEND_ERRORS] = Number.POSITIVE_INFINITY;
  vhid.send_errors = 0;
  vhid.send_successes = 0;
  onUndemote(engine, sendErrorsOwner(vhid), undefined, now_ns);
}

function sendErrorsOwner(vhid: Vhid): string {
  return `send errors of ${nameOf(vhid)}`;
}

function onStop(engine: Engine, reason: string, now_ns: number): void {
  engine.stopped = true;
  engine.ready_due_ns = Number.POSITIVE_INFINITY;
  for (const vhid of engine.vhids) if (vhid.state !== 'INIT') giveUp(engine, vhid, reason, now_ns);
}

function log(engine: Engine, level: 'notice' | 'warning', text: string): void {
  engine.effects.push({ kind: 'log', level, text });
}
