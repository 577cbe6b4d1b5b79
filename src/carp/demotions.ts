/** Demotions that come and go while the engine runs: told, and taken into every advert. */
import { demote, undemote } from './demotion.ts';
import type { Engine } from './state.ts';
import { log, nameOf } from './text.ts';
import { applyDemotion } from './vhid.ts';

export function onDemote(
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

export function onUndemote(engine: Engine, owner: string, index: number | undefined, now_ns: number): void {
  if (!undemote(engine.demotions, owner, index)) return;
  log(engine, 'notice', `no longer demoted${scope(engine, index)} (${owner})`);
  for (const vhid of engine.vhids) applyDemotion(engine, vhid, now_ns);
}

function scope(engine: Engine, index: number | undefined): string {
  const vhid = index === undefined ? undefined : engine.slots[index];
  return vhid ? ` on ${nameOf(vhid)}` : '';
}
