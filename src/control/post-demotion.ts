/** A demotion of the configuration's rules, on its way to the carp thread and into the log. */
import { now_ns } from '../system/clock.ts';
import type { Daemon } from './daemon-state.ts';
import type { DemotionChange } from './demoter.ts';

export function postDemotion(daemon: Daemon, { index, owner, amount, reason }: DemotionChange): void {
  const { name, vhid } = daemon.generation.config.carps[index]!;
  daemon.carp?.post(amount > 0 ? { kind: 'demote', index, owner, amount, reason } : { kind: 'undemote', index, owner });
  daemon.events.record({ kind: 'demotion', at_ns: now_ns(), name, vhid, owner, amount, reason });
}
