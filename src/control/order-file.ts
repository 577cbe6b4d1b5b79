/** The orders of people beside the control socket, one JSON object a line: `/run/carpool/carpool.orders`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Order } from './order.ts';

/** There is at most one of each kind for each vhid. */
const LARGEST_BYTES = 1 << 20;

export function orderFileOf(socket_path: string): string {
  return `${socket_path.replace(/\.sock$/, '')}.orders`;
}

/** Without what cannot be understood: a file that somebody edited must not keep the daemon from starting. */
export function readOrders(path: string): Order[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').slice(0, LARGEST_BYTES);
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => parseOrder(line) ?? []);
}

function parseOrder(line: string): Order | undefined {
  try {
    const order = JSON.parse(line) as Order;
    const { kind, target, amount, by, reason, since_ms, until_ms } = order;
    const known = kind === 'demote' || kind === 'drain' || kind === 'maint';
    const texts = [target ?? '', by, reason].every((text) => typeof text === 'string');
    const numbers = [amount, since_ms, until_ms ?? 0].every(Number.isFinite);
    return known && texts && numbers && amount >= 0 && amount <= 240 ? order : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all. Returns why it failed. */
export function writeOrders(path: string, orders: readonly Order[]): string | undefined {
  try {
    if (orders.length === 0) {
      rmSync(path, { force: true });
      return undefined;
    }
    const text = orders.map((order) => `${JSON.stringify(order)}\n`).join('');
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
