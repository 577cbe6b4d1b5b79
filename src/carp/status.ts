/** The engine as `carpool status` shows it. */
import { formatIPv4 } from './address.ts';
import { demotionsOf } from './demotion.ts';
import type { VhidStatus } from './events.ts';
import type { Engine, Vhid } from './state.ts';

export function status(engine: Engine): readonly VhidStatus[] {
  return engine.vhids.map((vhid) => statusOf(engine, vhid));
}

function statusOf(engine: Engine, vhid: Vhid): VhidStatus {
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
    heard: undefined,
    outlook: [],
    troubles: [],
    sent: vhid.sent,
    received: vhid.received,
    refused: vhid.refused,
    counters: { ...engine.counters },
  };
}

function masterOf(vhid: Vhid): string | undefined {
  if (vhid.state === 'MASTER') return vhid.settings.source_address;
  return vhid.peer.master === 0 ? undefined : formatIPv4(vhid.peer.master);
}
