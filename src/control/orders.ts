/**
 * What people order a node to do about mastership, until they take it back or it expires:
 *
 *   demote N   be less preferred by N
 *   drain      be the last choice (240): whoever else is there takes the address at once, without preempt too; this node
 *              goes on serving as long as nobody does
 *   maint      be out of service: bow out, stay in INIT and take nothing over, even when nobody else is there
 *
 * One order of each kind stands for a vhid (or for all of them) at a time; the next one replaces it. Orders are kept in a
 * file beside the control socket, so that they outlive the daemon, but not a reboot.
 */
import type { ToCarp } from '../threads/carp-messages.ts';
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
    apply(order);
    if (earlier !== undefined && ownerOf(earlier) !== ownerOf(order)) withdraw(earlier);
  }

  function apply(order: Order): void {
    if (order.kind === 'maint') return settleMaintenance();
    const { amount } = order;
    for (const index of indexesOf(order)) {
      post({
        kind: 'demote',
        owner: ownerOf(order),
        amount,
        reason: reasonOf(order),
        ...(index >= 0 ? { index } : {}),
      });
    }
  }

  function withdraw(order: Order): void {
    if (order.kind === 'maint') return settleMaintenance();
    for (const index of indexesOf(order)) {
      post({ kind: 'undemote', owner: ownerOf(order), ...(index >= 0 ? { index } : {}) });
    }
  }

  /** -1 stands for the whole host. */
  function indexesOf({ target }: Order): number[] {
    return target === undefined ? [-1] : names().flatMap((name, index) => (name === target ? [index] : []));
  }

  function settleMaintenance(): void {
    for (const [index, name] of names().entries()) {
      if (name === '') continue; // a number that no vhid has now
      const why = maintenanceOf(name);
      post({ kind: 'maintenance', index, reason: why === undefined ? undefined : `in maintenance: ${why}` });
    }
  }

  function maintenanceOf(name: string): string | undefined {
    const order = list.find(({ kind, target }) => kind === 'maint' && (target === undefined || target === name));
    if (order === undefined) return undefined;
    return `ordered by ${order.by}${order.reason === '' ? '' : ` (${order.reason})`}`;
  }

  function end(ended: readonly Order[], how: string): void {
    if (ended.length === 0) return;
    list = list.filter((order) => !ended.includes(order));
    for (const order of ended) {
      log(`${order.kind} of ${nameOf(order.target)} is over: ${how}`);
      withdraw(order);
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
      for (const order of list) apply(order);
    },
    maintenanceOf,
    close: () => clearTimeout(timer),
  };
}

/** Who demotes, in status and in the log. */
export function ownerOf(order: Order): string {
  return `${order.kind} by ${order.by}`;
}

function reasonOf({ kind, reason }: Order): string {
  if (reason !== '') return reason;
  return kind === 'drain' ? 'the node is being drained' : 'no reason was given';
}

function reportOrder(order: Order, now_ms: number): OrderReport {
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

function nameOf(target: string | undefined): string {
  return target ?? 'all vhids';
}
