/** How a server stands: what shared memory says of it, and HAProxy's word for that. */
import { startingShare, WHOLE_SHARE } from '../../proxy/balance/limit.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { NumberedServer } from './objects.ts';
import type { View } from './view.ts';

export type ServerStand = {
  readonly operational: number;
  readonly administrative: number;
  readonly unresolved: boolean;
  readonly in_maintenance: boolean;
  readonly backup: boolean;
  readonly weight: number;
  /** Less than `weight` while it starts slowly. */
  readonly present_weight: number;
  /** Takes new clients. */
  readonly usable: boolean;
  /** The rise/fall counter (health/fold.ts), of the one that it tracks if it does. */
  readonly health: number;
  readonly agent_up: boolean;
};

export function serverStand({ memory, now_ms }: View, { config, number, judged }: NumberedServer): ServerStand {
  const read = (word: number) => Atomics.load(memory.words, shared.serverAt(memory, number) + word);
  const operational = read(shared.SERVER_OPERATIONAL);
  const administrative = read(shared.SERVER_ADMINISTRATIVE);
  const weight = read(shared.SERVER_WEIGHT);
  return {
    operational,
    administrative,
    unresolved: (administrative & shared.ADMIN_UNRESOLVED) !== 0,
    in_maintenance: (administrative & shared.ADMIN_ANY_MAINTENANCE) !== 0,
    backup: config.backup,
    weight,
    present_weight: startingWeight(weight, config.slowstart_ms, read(shared.SERVER_UP_SINCE_MS), now_ms),
    usable: operational === shared.SERVER_UP && administrative === 0 && weight > 0,
    health: Atomics.load(memory.words, shared.serverAt(memory, judged.number) + shared.SERVER_HEALTH),
    agent_up: config.agent === undefined || read(shared.SERVER_AGENT_HEALTH) === 1,
  };
}

/** Rounded up, as HAProxy's. `up_since_ms` in low 31 bits, 0: always. */
export function startingWeight(
  weight: number,
  slowstart_ms: number | undefined,
  up_since_ms: number,
  now_ms: number,
): number {
  if (slowstart_ms === undefined || up_since_ms === 0) return weight;
  return Math.ceil((weight * startingShare((now_ms - up_since_ms) & 0x7fffffff, slowstart_ms)) / WHOLE_SHARE);
}

/** Up, and not in maintenance: what counts as no outage. */
export function isServing({ operational, in_maintenance }: ServerStand): boolean {
  return operational !== shared.SERVER_DOWN && !in_maintenance;
}

/** `UP`, `DOWN 1/2`, `MAINT` … (management manual, 9.1, field 17). */
export function statusOf(stand: ServerStand, { config, judged }: NumberedServer): string {
  const { operational, administrative, health } = stand;
  const { agent, track } = config;
  const { check } = judged.config;
  if (stand.unresolved) return 'MAINT (resolution)';
  if (track && (administrative & shared.ADMIN_INHERITED_MAINTENANCE) !== 0)
    return `MAINT (via ${track.backend}/${track.server})`;
  if (stand.in_maintenance) return 'MAINT';
  if (operational === shared.SERVER_DOWN) {
    if (agent !== undefined && !stand.agent_up) return 'DOWN (agent)';
    return check !== undefined && health > 0 && health < check.rise ? `DOWN ${health}/${check.rise}` : 'DOWN';
  }
  const falling = check !== undefined && health < check.rise + check.fall - 1 && health >= check.rise;
  const counted = falling ? ` ${health - check.rise + 1}/${check.fall}` : '';
  if (operational === shared.SERVER_STOPPING) return `NOLB${counted}`;
  if ((administrative & shared.ADMIN_ANY_DRAIN) !== 0) return agent === undefined ? `DRAIN${counted}` : 'DRAIN (agent)';
  if (check === undefined && track === undefined) return 'no check';
  return `UP${counted}`;
}
