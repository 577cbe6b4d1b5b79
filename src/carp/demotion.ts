/**
 * Why a node should rather not be MASTER: amounts added to advskew, each with the owner who alone takes it back.
 * What is summed beyond 240 does not count, but it is kept: taking one of two 240s back still leaves 240.
 */
import { DEMOTION_LIMIT } from './election.ts';
import type { DemotionEntry } from './events.ts';

/** Owners are servers, conditions, interfaces: more than this many means that somebody forgets to undemote. */
const OWNERS_MAX = 4096;

type Entry = { readonly owner: string; readonly index: number | undefined; amount: number; reason: string };

export type Demotions = Entry[];

/**
 * Sets what `owner` demotes; on `index` alone or (undefined) on every vhid of the host. False when nothing changed.
 * @throws RangeError beyond 4096 owners
 */
export function demote(demotions: Demotions, owner: string, amount: number, reason: string, index?: number): boolean {
  const entry = find(demotions, owner, index);
  if (!entry) {
    if (demotions.length >= OWNERS_MAX) throw new RangeError(`more than ${OWNERS_MAX} owners of demotions`);
    demotions.push({ owner, index, amount, reason });
    return true;
  }
  entry.reason = reason;
  if (entry.amount === amount) return false;
  entry.amount = amount;
  return true;
}

/** Takes back exactly what `owner` demoted on `index`. False when there was nothing. */
export function undemote(demotions: Demotions, owner: string, index?: number): boolean {
  const entry = find(demotions, owner, index);
  if (!entry) return false;
  demotions.splice(demotions.indexOf(entry), 1);
  return true;
}

/** The vhid of that index is no more. */
export function forgetDemotions(demotions: Demotions, index: number): void {
  for (let at = demotions.length - 1; at >= 0; at--) if (demotions[at].index === index) demotions.splice(at, 1);
}

function find(demotions: Demotions, owner: string, index: number | undefined): Entry | undefined {
  return demotions.find((entry) => entry.owner === owner && entry.index === index);
}

/** The demotion of one vhid, 0..240. */
export function demotionOf(demotions: Demotions, index: number): number {
  let sum = 0;
  for (const entry of demotions) if (entry.index === undefined || entry.index === index) sum += entry.amount;
  return Math.min(Math.max(sum, 0), DEMOTION_LIMIT);
}

/** Who demotes this vhid, in order of time. */
export function demotionsOf(demotions: Demotions, index: number): readonly DemotionEntry[] {
  return demotions
    .filter((entry) => entry.index === undefined || entry.index === index)
    .map(({ owner, amount, reason }) => ({ owner, amount, reason }));
}
