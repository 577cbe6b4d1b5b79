/**
 * Other settings for a live engine, in an order in which no address is missing or double for longer than it must:
 *
 *   prepare all (may throw, nothing changed yet) ──► those gone bow out ──► addresses that go ──► the new settings
 *       ──► addresses that come, announcements, adverts ──► new vhids start, obstacles come and go
 */
import { sendAdvert } from './advert.ts';
import { forgetDemotions } from './demotion.ts';
import { onUndemote } from './demotions.ts';
import type { Event, VhidSettings } from './events.ts';
import { demoteForLink, linkOwner } from './links.ts';
import { giveUp, settleAll } from './obstacles.ts';
import { type Prepared, prepare } from './prepared.ts';
import { createVhid, type Engine, enlist, MASTER_DOWN, MASTER_DOWN6, type Vhid } from './state.ts';
import { sendErrorOwner } from './text.ts';
import { listenTo, measure, removeAddresses, startAnnouncing } from './vhid.ts';

type Change = {
  readonly vhid: Vhid;
  readonly prepared: Prepared;
  readonly came: readonly string[];
  readonly told_anew: boolean;
};

/** @throws RangeError on settings that should have been refused before; then nothing has changed. */
export function configure(engine: Engine, event: Extract<Event, { kind: 'configure' }>, now_ns: number): void {
  const host = event.host ?? engine.host;
  const wanted = new Map(event.vhids.map((settings) => [keyOf(settings), settings]));
  if (wanted.size < event.vhids.length) throw new RangeError('the same vhid twice on one interface');
  const known = new Set(engine.vhids.map(({ settings }) => keyOf(settings)));
  const free = freeSlots(engine);
  const changes = engine.vhids.flatMap((vhid) => compare(engine, vhid, wanted.get(keyOf(vhid.settings)), host));
  const fresh = event.vhids
    .filter((settings) => !known.has(keyOf(settings)))
    .map((settings) => createVhid(settings, free(), engine.lease_s, host));

  for (const vhid of engine.vhids.filter(({ settings }) => !wanted.has(keyOf(settings)))) retire(engine, vhid, now_ns);
  engine.host = host;
  for (const change of changes) if (change.vhid.state === 'MASTER') letGo(engine, change);
  for (const { vhid, prepared } of changes) Object.assign(vhid, prepared);
  for (const vhid of fresh) engage(engine, vhid, now_ns);
  const links = new Set(engine.interfaces.keys());
  enlist(engine, event.links_down ?? []);
  for (const name of [...engine.interfaces.keys()]) leaveInterface(engine, name, now_ns);
  for (const link of engine.interfaces.values())
    if (engine.started && !link.up && !links.has(link.name)) demoteForLink(engine, link, now_ns);
  for (const change of changes) takeUp(engine, change, now_ns);
  if (engine.started) settleAll(engine, 'the configuration changed', now_ns);
}

function keyOf({ interface: name, vhid }: VhidSettings): string {
  return `${vhid}@${name}`;
}

/** The lowest slots that are free now, one after the other. */
function freeSlots({ slots }: Engine): () => number {
  let next = 0;
  return () => {
    while (slots[next]) next++;
    return next++;
  };
}

/** Nothing when its settings are what they were. */
function compare(engine: Engine, vhid: Vhid, settings: VhidSettings | undefined, host: Engine['host']): Change[] {
  if (!settings) return [];
  const same = JSON.stringify([settings, host.tos]) === JSON.stringify([vhid.settings, engine.host.tos]);
  if (same) return [];
  const prepared = prepare(settings, vhid.index, engine.lease_s, host);
  const came = settings.addresses.filter((address) => !vhid.settings.addresses.includes(address));
  const told_anew = came.length > 0 || String(prepared.vip_mac) !== String(vhid.vip_mac);
  return [{ vhid, prepared, came, told_anew }];
}

function retire(engine: Engine, vhid: Vhid, now_ns: number): void {
  if (vhid.state !== 'INIT') giveUp(engine, vhid, 'no longer configured', now_ns);
  forgetDemotions(engine.demotions, vhid.index);
  onUndemote(engine, sendErrorOwner(vhid), undefined, now_ns);
  engine.slots[vhid.index] = undefined;
  engine.vhids.splice(engine.vhids.indexOf(vhid), 1);
}

/** A MASTER that keeps its state lets go of the addresses that it shall no longer have. */
function letGo(engine: Engine, { vhid, prepared }: Change): void {
  const gone = vhid.settings.addresses.filter((address) => !prepared.settings.addresses.includes(address));
  if (gone.length > 0) removeAddresses(engine, vhid, gone);
}

function engage(engine: Engine, vhid: Vhid, now_ns: number): void {
  engine.slots[vhid.index] = vhid;
  engine.vhids.push(vhid);
  engine.vhids.sort((a, b) => a.index - b.index);
  if (engine.started) vhid.since_ns = now_ns;
  measure(engine, vhid, now_ns);
}

/** An interface without vhids is nobody's concern any more, nor is its link. */
function leaveInterface(engine: Engine, name: string, now_ns: number): void {
  if (engine.interfaces.get(name)!.vhids.some((vhid) => vhid !== undefined)) return;
  engine.interfaces.delete(name);
  onUndemote(engine, linkOwner(name), undefined, now_ns);
}

function takeUp(engine: Engine, { vhid, came, told_anew }: Change, now_ns: number): void {
  measure(engine, vhid, now_ns);
  if (vhid.state === 'BACKUP') listenOver(vhid, now_ns);
  if (vhid.state !== 'MASTER') return;
  if (came.length > 0) engine.effects.push({ ...vhid.add, addresses: came });
  sendAdvert(engine, vhid, now_ns);
  if (told_anew) startAnnouncing(engine, vhid, now_ns);
}

/** A family that came with an address has its own patience; one that went has none. */
function listenOver(vhid: Vhid, now_ns: number): void {
  for (const family of [4, 6] as const) {
    const which = family === 4 ? MASTER_DOWN : MASTER_DOWN6;
    if (!vhid.families.includes(family)) vhid.due_ns[which] = Number.POSITIVE_INFINITY;
    else if (vhid.due_ns[which] === Number.POSITIVE_INFINITY) listenTo(vhid, family, now_ns);
  }
}
