/**
 * What people order a node to do about mastership, until they take it back or it expires:
 *
 *   demote N   be less preferred by N
 *   drain      be the last choice (240): whoever else is there takes the address at once, without preempt too; this node
 *              goes on serving as long as nobody does
 *   maint      be out of service: bow out, stay in INIT and take nothing over, even when nobody else is there
 */
import { formatAge } from './format-age.ts';

export type OrderKind = 'demote' | 'drain' | 'maint';

/** As it is kept in the file. */
export type Order = {
  readonly kind: OrderKind;
  /** A section's name; undefined: every vhid of the node. */
  readonly target: string | undefined;
  /** 1..240; 0 for `maint`. */
  readonly amount: number;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since_ms: number;
  /** When it ends by itself; undefined: never. */
  readonly until_ms: number | undefined;
};

/** An order as status shows it. */
export type OrderReport = {
  readonly kind: OrderKind;
  /** The section's name; null for the whole node. */
  readonly vhid: string | null;
  readonly amount: number;
  readonly by: string;
  readonly reason: string;
  readonly since: string;
  /** Seconds until it ends by itself; null when it does not. */
  readonly remaining_s: number | null;
};

export const DRAIN_AMOUNT = 240;

/** Who demotes, in status and in the log. */
export function ownerOf(order: Order): string {
  return `${order.kind} by ${order.by}`;
}

export function reasonOf({ kind, reason }: Order): string {
  if (reason !== '') return reason;
  return kind === 'drain' ? 'the node is being drained' : 'no reason was given';
}

export function reportOrder(order: Order, now_ms: number): OrderReport {
  const { kind, target, amount, by, reason, since_ms, until_ms } = order;
  const remaining_s = until_ms === undefined ? null : Math.max(0, Math.round((until_ms - now_ms) / 100) / 10);
  return { kind, vhid: target ?? null, amount, by, reason, since: new Date(since_ms).toISOString(), remaining_s };
}

/** `drain of all vhids by alice, ends by itself in 10 min 0 s: moving the rack` */
export function describeOrder(order: Order, now_ms: number): string {
  const { kind, target, amount, by, reason, until_ms } = order;
  const what = kind === 'demote' ? `demote by ${amount}` : kind;
  const left = until_ms === undefined ? '' : `, ends by itself in ${formatAge((until_ms - now_ms) / 1000)}`;
  return `${what} of ${nameOf(target)}, ordered by ${by}${left}${reason === '' ? '' : `: ${reason}`}`;
}

/** For people. */
export function nameOf(target: string | undefined): string {
  return target ?? 'all vhids';
}
