/**
 * The administrative word of a server: what people or its agent order, what resolving says, and what the server has that it
 * tracks. Each has bits of its own (ADMIN_* of shared-memory.ts), so that none undoes another.
 */
import {
  ADMIN_ANY_DRAIN,
  ADMIN_ANY_MAINTENANCE,
  ADMIN_DRAIN,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINTENANCE,
  ADMIN_MAINTENANCE,
} from './shared-memory.ts';

export type Order = 'ready' | 'drain' | 'maint';

/** The word after somebody's order. */
export function ordered(word: number, order: Order): number {
  const bit = { ready: 0, drain: ADMIN_DRAIN, maint: ADMIN_MAINTENANCE }[order];
  return (word & ~(ADMIN_DRAIN | ADMIN_MAINTENANCE)) | bit;
}

/** The word of a server that tracks one whose word is `tracked`. */
export function inherited(word: number, tracked: number): number {
  const own = word & ~(ADMIN_INHERITED_DRAIN | ADMIN_INHERITED_MAINTENANCE);
  const maintenance = (tracked & ADMIN_ANY_MAINTENANCE) === 0 ? 0 : ADMIN_INHERITED_MAINTENANCE;
  return own | maintenance | ((tracked & ADMIN_ANY_DRAIN) === 0 ? 0 : ADMIN_INHERITED_DRAIN);
}
