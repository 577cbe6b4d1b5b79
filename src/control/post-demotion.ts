/** A demotion of the configuration's rules, on its way to the carp thread and into the log. */
import { now_ns } from '../system/clock.ts';
import type { Daemon } from './daemon-state.ts';
import type { DemotionChange } from './demoter.ts';

/** A vhid that people have taken away since has no rules. */
export function postDemotion(daemon: Daemon, change: DemotionChange): void {
  const { name, owner, amount, reason } = change;
  const vhid = tellCarp(daemon, change);
  if (vhid === undefined) return;
  daemon.events.record({ kind: 'demotion', at_ns: now_ns(), name, vhid, owner, amount, reason });
}

/** After the vhids changed: one that is new, or has another number, knows nothing of its rules yet. */
export function repeatDemotions(daemon: Daemon): void {
  for (const change of daemon.generation.demoter.reasons.values()) {
    if (change.amount > 0) tellCarp(daemon, change);
  }
}

/** The number of the vhid; undefined when there is none of that name. */
function tellCarp({ carp, node }: Daemon, { name, owner, amount, reason }: DemotionChange): number | undefined {
  const index = node.slotOf(name);
  if (index === undefined) return undefined;
  carp?.post(amount > 0 ? { kind: 'demote', index, owner, amount, reason } : { kind: 'undemote', index, owner });
  return node.slots[index]?.vhid;
}
