/** What the carp thread is told of orders: demotions with an owner, and of each vhid whether it is in maintenance. */
import type { ToCarp } from '../threads/carp-messages.ts';
import { type Order, ownerOf, reasonOf } from './order.ts';

/** `names` are the sections' names, by the vhids' indexes; '' where no vhid has the number now. */
export function beginOrder(order: Order, names: readonly string[]): ToCarp[] {
  const { amount } = order;
  const owner = ownerOf(order);
  const reason = reasonOf(order);
  return placesOf(order, names).map((place) => ({ kind: 'demote', owner, amount, reason, ...place }));
}

export function endOrder(order: Order, names: readonly string[]): ToCarp[] {
  const owner = ownerOf(order);
  return placesOf(order, names).map((place) => ({ kind: 'undemote', owner, ...place }));
}

/** Of all vhids at once, as several orders may hold one of them in maintenance. */
export function settleMaintenance(orders: readonly Order[], names: readonly string[]): ToCarp[] {
  return [...names.entries()]
    .filter(([, name]) => name !== '')
    .map(([index, name]) => {
      const why = maintenanceOf(name, orders);
      return { kind: 'maintenance', index, reason: why === undefined ? undefined : `in maintenance: ${why}` };
    });
}

/** What holds a vhid in maintenance, in words. */
export function maintenanceOf(name: string, orders: readonly Order[]): string | undefined {
  const order = orders.find(({ kind, target }) => kind === 'maint' && (target === undefined || target === name));
  if (order === undefined) return undefined;
  return `ordered by ${order.by}${order.reason === '' ? '' : ` (${order.reason})`}`;
}

/** Without an index a demotion is the whole host's. */
function placesOf({ target }: Order, names: readonly string[]): { readonly index?: number }[] {
  if (target === undefined) return [{}];
  return names.flatMap((name, index) => (name === target ? [{ index }] : []));
}
