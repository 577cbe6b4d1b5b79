/**
 * The orders that hold: one of each kind stands for a vhid (or for all of them) at a time, and the next one replaces it.
 * They are kept in a file beside the control socket, so that they outlive the daemon, but not a reboot.
 */
import type { ToCarp } from '../threads/carp-messages.ts';
import { formatAge } from './format-age.ts';
import { describeOrder, nameOf, type Order, type OrderKind, type OrderReport, ownerOf, reportOrder } from './order.ts';
import { beginOrder, endOrder, maintenanceOf, settleMaintenance } from './order-messages.ts';

export type Orders = {
  readonly list: readonly Order[];
  give(order: Order): void;
  /** Ends those of these kinds on that target (undefined: on every one); returns what ended. */
  lift(kinds: readonly OrderKind[], target: string | undefined, by: string): readonly Order[];
  report(): readonly OrderReport[];
  /** `; ends by itself in 4 min 10 s` for a demotion's owner, or nothing. */
  remainingOf(owner: string): string;
  now_ms(): number;
  /** Makes the orders hold for vhids that came just now. */
  settle(): void;
  /** What holds a vhid in maintenance, in words. */
  maintenanceOf(name: string): string | undefined;
  close(): void;
};

export type OrdersOptions = {
  /** The sections' names, in the order of the vhids' indexes. */
  readonly names: () => readonly string[];
  readonly post: (message: ToCarp) => void;
  readonly log: (text: string) => void;
  /** Keeps the orders; called after each change. */
  readonly store: (orders: readonly Order[]) => void;
  readonly now_ms: () => number;
};

/** `kept` are the orders of an earlier run; those that expired meanwhile or name no vhid are left out. */
export function createOrders(options: OrdersOptions, kept: readonly Order[]): Orders {
  const { names, post, log, store, now_ms } = options;
  let list: Order[] = [];
  let timer: NodeJS.Timeout | undefined;

  for (const order of kept) if (isLive(order)) add(order, now_ms(), ' (still in force)');
  if (kept.length > 0) changed();

  function isLive({ target, until_ms }: Order): boolean {
    return (target === undefined || names().includes(target)) && (until_ms === undefined || until_ms > now_ms());
  }

  function add(order: Order, at_ms: number, what: string): void {
    const earlier = list.find((one) => one.kind === order.kind && one.target === order.target);
    list = [...list.filter((one) => one !== earlier), order];
    log(describeOrder(order, at_ms) + what);
    // the new one first: between the two the node must not look fit
    tell(order, beginOrder);
    if (earlier !== undefined && ownerOf(earlier) !== ownerOf(order)) tell(earlier, endOrder);
  }

  function tell(order: Order, toMessages: typeof beginOrder): void {
    const messages = order.kind === 'maint' ? settleMaintenance(list, names()) : toMessages(order, names());
    for (const message of messages) post(message);
  }

  function end(ended: readonly Order[], how: string): void {
    if (ended.length === 0) return;
    list = list.filter((order) => !ended.includes(order));
    for (const order of ended) {
      log(`${order.kind} of ${nameOf(order.target)} is over: ${how}`);
      tell(order, endOrder);
    }
    changed();
  }

  function changed(): void {
    store(list);
    clearTimeout(timer);
    const next_ms = Math.min(...list.map(({ until_ms }) => until_ms ?? Number.POSITIVE_INFINITY));
    if (next_ms === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(expire, Math.max(0, next_ms - now_ms()));
    timer.unref();
  }

  function expire(): void {
    const expired = list.filter(({ until_ms }) => until_ms !== undefined && until_ms <= now_ms());
    if (expired.length > 0) end(expired, 'its time has passed');
    else changed();
  }

  return {
    get list() {
      return list;
    },
    give(order) {
      add(order, order.since_ms, '');
      changed();
    },
    lift(kinds, target, by) {
      const ended = list.filter((order) => kinds.includes(order.kind) && (target ?? order.target) === order.target);
      end(ended, `${by} ended it`);
      return ended;
    },
    report: () => list.map((order) => reportOrder(order, now_ms())),
    remainingOf(owner) {
      const until_ms = list.find((order) => ownerOf(order) === owner)?.until_ms;
      return until_ms === undefined ? '' : `; ends by itself in ${formatAge((until_ms - now_ms()) / 1000)}`;
    },
    now_ms,
    settle() {
      for (const order of list) tell(order, beginOrder);
    },
    maintenanceOf: (name) => maintenanceOf(name, list),
    close: () => clearTimeout(timer),
  };
}
