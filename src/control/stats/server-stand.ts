/** How a server stands: what shared memory says of it, and HAProxy's word for that. */
import * as shared from '../../threads/shared-memory.ts';
import type { NumberedServer } from './objects.ts';
import type { View } from './view.ts';

export type ServerStand = {
  readonly operational: number;
  readonly administrative: number;
  readonly unresolved: boolean;
  readonly backup: boolean;
  readonly weight: number;
  /** Takes new clients. */
  readonly usable: boolean;
  /** The rise/fall counter (health/fold.ts). */
  readonly health: number;
  readonly agent_up: boolean;
};

export function serverStand({ memory }: View, { config, number }: NumberedServer): ServerStand {
  const read = (word: number) => Atomics.load(memory.words, shared.serverAt(memory, number) + word);
  const operational = read(shared.SERVER_OPERATIONAL);
  const administrative = read(shared.SERVER_ADMINISTRATIVE);
  const weight = read(shared.SERVER_WEIGHT);
  return {
    operational,
    administrative,
    unresolved: (administrative & shared.ADMIN_UNRESOLVED) !== 0,
    backup: config.backup,
    weight,
    usable: operational === shared.SERVER_UP && administrative === 0 && weight > 0,
    health: read(shared.SERVER_HEALTH),
    agent_up: config.agent === undefined || read(shared.SERVER_AGENT_HEALTH) === 1,
  };
}

/** `UP`, `DOWN 1/2`, `MAINT` … (management manual, 9.1, field 17). */
export function statusOf(stand: ServerStand, { config }: NumberedServer): string {
  const { operational, administrative, health } = stand;
  const { check, agent } = config;
  if (stand.unresolved) return 'MAINT (resolution)';
  if ((administrative & shared.ADMIN_MAINTENANCE) !== 0) return 'MAINT';
  if (operational === shared.SERVER_DOWN) {
    if (agent !== undefined && !stand.agent_up) return 'DOWN (agent)';
    return check !== undefined && health > 0 && health < check.rise ? `DOWN ${health}/${check.rise}` : 'DOWN';
  }
  const falling = check !== undefined && health < check.rise + check.fall - 1 && health >= check.rise;
  const counted = falling ? ` ${health - check.rise + 1}/${check.fall}` : '';
  if (operational === shared.SERVER_STOPPING) return `NOLB${counted}`;
  if ((administrative & shared.ADMIN_DRAIN) !== 0) return agent === undefined ? `DRAIN${counted}` : 'DRAIN (agent)';
  if (counted === '' && check === undefined && config.track === undefined) return 'no check';
  return `UP${counted}`;
}
