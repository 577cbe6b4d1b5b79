/** A server as `carpool status` shows it. */
import type { Endpoint, Server } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import { CODES } from '../health/verdict.ts';
import {
  ADMIN_DRAIN,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINTENANCE,
  ADMIN_MAINTENANCE,
  SERVER_ADMINISTRATIVE,
  SERVER_AGENT_CODE,
  SERVER_CHECK_CODE,
  SERVER_CONNECTIONS,
  SERVER_TOTAL,
  SERVER_WEIGHT,
} from '../threads/shared-memory.ts';
import type { LastCheck, ServerPlace } from './server-table.ts';
import type { CheckReport, ServerReport } from './status-report.ts';

export type ServerFacts = {
  readonly server: Server;
  readonly place: ServerPlace;
  readonly up: boolean;
  /** Why checks or the configuration have it in its state. */
  readonly reason: string;
  readonly last: LastCheck;
  /** One of its words in shared memory. */
  readonly read: (word: number) => number;
};

export function reportServer({ server, place, up, reason, last, read }: ServerFacts): ServerReport {
  return {
    name: server.name,
    address: formatServerAddress(server.host, place.endpoint),
    address_from: place.origin,
    up,
    checked: isJudged(server),
    backup: server.backup,
    weight: read(SERVER_WEIGHT),
    current: read(SERVER_CONNECTIONS),
    total: read(SERVER_TOTAL) >>> 0,
    reason: describeAdministrative(read(SERVER_ADMINISTRATIVE), server) ?? reason,
    last_check: reportCheck(read, SERVER_CHECK_CODE, last.check),
    last_agent: reportCheck(read, SERVER_AGENT_CODE, last.agent),
  };
}

/** What people or the agent set, of this server or of the one that it tracks: that holds whatever checks say. */
function describeAdministrative(mask: number, { disabled, track }: Server): string | undefined {
  const tracked = `it tracks ${track?.backend}/${track?.server}, which is`;
  if ((mask & ADMIN_MAINTENANCE) !== 0) return disabled ? 'disabled in the configuration' : 'set to maint';
  if ((mask & ADMIN_INHERITED_MAINTENANCE) !== 0) return `${tracked} in maintenance`;
  if ((mask & ADMIN_DRAIN) !== 0) return 'set to drain';
  return (mask & ADMIN_INHERITED_DRAIN) === 0 ? undefined : `${tracked} drained`;
}

/** Status and duration stand behind the code. */
function reportCheck(read: ServerFacts['read'], word: number, info: string): CheckReport | null {
  const code = CODES[read(word)];
  if (code === undefined || code === 'INI') return null;
  return { code, status: read(word + 1), duration_ms: read(word + 2), info };
}

/** Something decides whether it is up. */
export function isJudged({ check, agent, track }: Server): boolean {
  return check !== undefined || agent !== undefined || track !== undefined;
}

function formatServerAddress(name: string, { address, port }: Endpoint): string {
  const host = address || name;
  if (isUnixAddress(host)) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
