/** A demotion of the configuration's rules, on its way to the carp thread and into the log. */
import { now_ns } from '../system/clock.ts';
import type { Daemon } from './daemon-state.ts';
import type { DemotionChange } from './demoter.ts';

export function postDemotion(daemon: Daemon, { index, owner, amount, reason }: DemotionChange): void {
  const { name, vhid } = daemon.generation.config.carps[index]!;
  tellCarp(daemon, { index, owner, amount, reason });
  daemon.events.record({ kind: 'demotion', at_ns: now_ns(), name, vhid, owner, amount, reason });
}

/** After the vhids changed: one that is new, or has another number, knows nothing of its rules yet. */
export function repeatDemotions(daemon: Daemon): void {
  for (const change of daemon.generation.demoter.reasons.values()) {
    if (change.amount > 0) tellCarp(daemon, change);
  }
}

/** `index` is a position in the configuration; people may have taken that vhid away since. */
function tellCarp(
  { carp, node, generation }: Daemon,
  { index: position, owner, amount, reason }: DemotionChange,
): void {
  const index = node.slotOf(generation.config.carps[position]!.name);
  if (index === undefined) return;
  carp?.post(amount > 0 ? { kind: 'demote', index, owner, amount, reason } : { kind: 'undemote', index, owner });
}
