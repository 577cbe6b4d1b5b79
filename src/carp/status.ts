/** The engine as `carpool status` and `carpool explain` show it. */
import { formatMac, formatMapped } from './address.ts';
import { listBadSources } from './bad-sources.ts';
import { demotionsOf } from './demotion.ts';
import type { BadSource, HeardAdvert, VhidStatus } from './events.ts';
import { outlookOf } from './outlook.ts';
import type { Engine, Vhid } from './state.ts';
import { troublesOf } from './troubles.ts';

/** `now_ns` tells which troubles are still present; without it all that there were are shown. */
export function status(engine: Engine, now_ns = 0): readonly VhidStatus[] {
  return engine.vhids.map((vhid) => statusOf(engine, vhid, now_ns));
}

/** Who sent what was dropped, the latest first. */
export function badSources(engine: Engine): readonly BadSource[] {
  return listBadSources(engine.bad_sources);
}

function statusOf(engine: Engine, vhid: Vhid, now_ns: number): VhidStatus {
  const { interface: name, vhid: number, addresses, advbase, advskew, preempt } = vhid.settings;
  return {
    index: vhid.index,
    interface: name,
    vhid: number,
    addresses,
    state: vhid.state,
    since_ns: vhid.since_ns,
    reason: vhid.reason,
    master: masterOf(vhid),
    advbase,
    advskew,
    advertised_advskew: vhid.advskew,
    preempt,
    demotion: vhid.demotion,
    demotions: demotionsOf(engine.demotions, vhid.index),
    last_heard_ns: vhid.peer.heard_ns < 0 ? undefined : vhid.peer.heard_ns,
    interval_ns: 1000 * vhid.interval_us,
    master_down_ns: vhid.master_down_ns,
    heard: heardOf(vhid),
    outlook: outlookOf(engine, vhid),
    troubles: troublesOf(vhid, now_ns),
    sent: vhid.counters.sent,
    received: vhid.heard,
    refused: vhid.counters.dropped_digest,
    counters: { ...vhid.counters },
  };
}

function masterOf({ state, source4, source6, peer }: Vhid): string | undefined {
  if (state === 'MASTER') return formatMapped((source4 ?? source6)!);
  return peer.master_known ? formatMapped(peer.master) : undefined;
}

function heardOf({ peer }: Vhid): HeardAdvert | undefined {
  if (peer.heard_ns < 0) return undefined;
  const { kind, family, advbase, advskew, demote } = peer;
  return {
    source: formatMapped(peer.source),
    node: formatMapped(peer.name),
    mac: formatMac(peer.mac),
    kind,
    family,
    advbase,
    advskew,
    demote,
    interval_ns: 1000 * peer.interval_us,
    at_ns: peer.heard_ns,
  };
}
