/**
 * A check in the words of HAProxy's log (`option log-health-checks`), and the state that servers are told.
 *
 *   Health check for server web/a failed, reason: Layer7 wrong status, code: 503, info: "…", check duration: 2ms, status: 2/3 UP.
 *   Server web/a is DOWN, reason: Layer4 timeout, check duration: 2001ms. 1 active and 0 backup servers left. 3 sessions active, …
 */
import { isUp, type Thresholds } from './fold.ts';
import { DESCRIPTIONS, type Verdict } from './verdict.ts';

export type CheckedOnce = {
  readonly backend: string;
  readonly server: string;
  readonly backup: boolean;
  readonly agent: boolean;
  readonly verdict: Verdict;
  readonly duration_ms: number;
  /** The counter after the check. */
  readonly health: number;
  readonly thresholds: Thresholds;
  readonly weight: number;
};

export function describeCheck(checked: CheckedOnce): string {
  const { backend, server, backup, agent, verdict, duration_ms, health, thresholds, weight } = checked;
  const who = `${agent ? 'Agent' : 'Health'} check for ${backup ? 'backup ' : ''}server ${backend}/${server}`;
  const how = verdict.passed ? (verdict.code === 'L7OKC' ? 'conditionally succeeded' : 'succeeded') : 'failed';
  const up = isUp(health, thresholds) ? (weight > 0 ? 'UP' : 'DRAIN') : 'DOWN';
  return `${who} ${how}, ${describeReason(verdict, duration_ms)}, status: ${countOf(health, thresholds)} ${up}.`;
}

/** `duration_ms` undefined: it was no check that took time. */
export function describeReason(verdict: Verdict, duration_ms: number | undefined): string {
  const code = hasStatus(verdict) ? `, code: ${verdict.status}` : '';
  const info = verdict.info === '' ? '' : `, info: "${verdict.info}"`;
  const duration = duration_ms === undefined ? '' : `, check duration: ${duration_ms}ms`;
  return `reason: ${DESCRIPTIONS[verdict.code]}${code}${info}${duration}`;
}

export type ServerChange = {
  readonly backend: string;
  readonly server: string;
  readonly backup: boolean;
  readonly state: 'DOWN' | 'UP' | 'STOPPING';
  /** `, reason: …`, ` via web/b` of one that tracks, or ''. */
  readonly why: string;
  /** What the backend has now. */
  readonly active: number;
  readonly backups: number;
  readonly connections: number;
  readonly queued: number;
};

export function describeServerChange(change: ServerChange): string {
  const { backend, server, backup, state, why } = change;
  const word = state === 'STOPPING' ? 'stopping' : state;
  const who = `${backup ? 'Backup Server' : 'Server'} ${backend}/${server} is ${word}${why}`;
  return `${who}. ${countsOf(change, state !== 'DOWN')}`;
}

/** What people, agents and names say of a server, and what it has from the one that it tracks. */
export type Administration = {
  readonly maintenance: boolean;
  readonly drain: boolean;
  readonly unresolved: boolean;
  readonly inherited_maintenance: boolean;
  readonly inherited_drain: boolean;
};

export type AdministrationChange = {
  readonly backend: string;
  readonly server: string;
  readonly backup: boolean;
  /** `web/a` of one that tracks. */
  readonly tracks: string | undefined;
  readonly was_down: boolean;
  readonly is_down: boolean;
  readonly had: Administration;
  readonly has: Administration;
  /** What the backend has now. */
  readonly active: number;
  readonly backups: number;
  readonly connections: number;
  readonly queued: number;
};

/** Undefined: HAProxy says nothing of that, or it is about names, which are told elsewhere. */
export function describeAdministration(change: AdministrationChange): string | undefined {
  const { backend, server, backup, tracks, was_down, is_down, had, has } = change;
  const who = `${backup ? 'Backup Server' : 'Server'} ${backend}/${server}`;
  const [was_away, is_away] = [isAway(had), isAway(has)];
  const via = !has.maintenance && has.inherited_maintenance ? ` via ${tracks}` : '';
  if (!was_away && is_away) {
    if (has.unresolved && !had.unresolved) return undefined;
    if (was_down) return `${who} was DOWN and now enters maintenance${via}.`;
    return `${who} is going DOWN for maintenance${via}. ${countsOf(change, false)}`;
  }
  const forced = had.maintenance && !has.maintenance ? 'forced ' : '';
  if (was_away && !is_away) {
    if (had.unresolved) return undefined;
    const ready = has.drain || has.inherited_drain ? 'DRAIN' : 'READY';
    return `${who} is ${is_down ? 'DOWN' : 'UP'}/${ready} (leaving ${forced}maintenance).`;
  }
  if (is_away) return forced ? `${who} is leaving forced maintenance but remains in maintenance.` : undefined;
  const [was_drained, is_drained] = [had.drain || had.inherited_drain, has.drain || has.inherited_drain];
  if (was_drained === is_drained) return undefined;
  const from = has.drain ? '' : ` via ${tracks}`;
  if (is_drained) return `${who} enters drain state${from}. ${countsOf(change, true)}`;
  return `${who} is ${is_down ? 'DOWN' : 'UP'} (leaving ${had.drain ? 'forced ' : ''}drain).`;
}

function isAway({ maintenance, unresolved, inherited_maintenance }: Administration): boolean {
  return maintenance || unresolved || inherited_maintenance;
}

/** `1 active and 0 backup servers left. 3 sessions active, 0 requeued, 0 remaining in queue.` */
function countsOf({ active, backups, connections, queued }: WithCounts, online: boolean): string {
  const left = `${active} active and ${backups} backup servers ${online ? 'online' : 'left'}.`;
  const on_backup = active === 0 && backups > 0 ? ' Running on backup.' : '';
  const work = online
    ? `0 sessions requeued, ${queued} total in queue.`
    : `${connections} sessions active, 0 requeued, ${queued} remaining in queue.`;
  return `${left}${on_backup} ${work}`;
}

type WithCounts = Pick<ServerChange, 'active' | 'backups' | 'connections' | 'queued'>;

function hasStatus({ code }: Verdict): boolean {
  return code === 'L7OK' || code === 'L7OKC' || code === 'L7STS' || code.startsWith('PROC');
}

/** `2/3`: checks of those that it takes to leave the state. */
function countOf(health: number, thresholds: Thresholds): string {
  const { rise, fall } = thresholds;
  return isUp(health, thresholds) ? `${health - rise + 1}/${fall}` : `${health}/${rise}`;
}

export type ServerState = {
  readonly operational: 'DOWN' | 'UP' | 'STOPPING';
  readonly health: number;
  readonly thresholds: Thresholds;
  readonly backend: string;
  readonly server: string;
  readonly address: string;
  readonly port: number;
  readonly node: string;
  readonly weight: number;
  /** Of all usable servers of the backend. */
  readonly total_weight: number;
  readonly connections: number;
  readonly total_connections: number;
  readonly queued: number;
};

/** The value of `X-Haproxy-Server-State` (manual, "http-check send-state"). */
export function describeState(state: ServerState): string {
  const { health, thresholds, operational } = state;
  const word = operational === 'STOPPING' ? 'NOLB' : operational;
  const steady = health === 0 || health === thresholds.rise + thresholds.fall - 1;
  const fields = [
    steady ? word : `${word} ${countOf(health, thresholds)}`,
    `address=${state.address}`,
    `port=${state.port}`,
    `name=${state.backend}/${state.server}`,
    `node=${state.node}`,
    `weight=${state.weight}/${state.total_weight}`,
    `scur=${state.connections}/${state.total_connections}`,
    `qcur=${state.queued}`,
  ];
  return fields.join('; ');
}
