/** How many files this process may have open, and whether the clients that `maxconn` allows fit into that. */
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';

/** A client and its server. */
const DESCRIPTORS_OF_CLIENT = 2;

let limit: number | undefined;

/** 0: unknown. What was once read stays, as a chroot has no /proc. */
export function descriptorLimit(): number {
  if (limit === undefined) {
    try {
      limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
    } catch {
      limit = 0;
    }
  }
  return limit;
}

/** Where global `maxconn` is written. `limit` is 0 when unknown; `strict-limits` makes an error of what else is a warning. */
export function checkDescriptorLimit({ global }: Config, limit = descriptorLimit()): Diagnostic[] {
  const { maxconn, strict_limits, spans } = global;
  const span = spans['maxconn'];
  if (maxconn === undefined || span === undefined || limit === 0) return [];
  const needed = DESCRIPTORS_OF_CLIENT * maxconn;
  if (needed <= limit) return [];
  const message = `${maxconn} clients and their servers need ${needed} descriptors, and this process may have ${limit}.`;
  const mend = `Raise the limit ("ulimit -n ${needed}", LimitNOFILE of a systemd unit), or write \`maxconn ${Math.floor(limit / DESCRIPTORS_OF_CLIENT)}\`.`;
  return [{ severity: strict_limits ? 'error' : 'warning', code: 'too-few-descriptors', message, mend, span }];
}
