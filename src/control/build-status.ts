/** What the carp thread, shared memory and the configuration know -> the report. */
import type { Carp, Config, Endpoint } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import type { CarpVhidStatus } from '../threads/carp-messages.ts';
import * as shared from '../threads/shared-memory.ts';
import type { CarpStatus } from './carp-status.ts';
import { age_s, wallTime } from './clock.ts';
import type { OrderReport } from './order.ts';
import type { BackendReport, CarpReport, FrontendReport, StatusReport, VhidReport } from './status-report.ts';
import { takenVhids } from './vhid-locks.ts';

export type StatusSources = {
  readonly version: string;
  readonly config: Config;
  readonly started_ns: number;
  readonly memory: shared.SharedMemory;
  readonly ready: boolean;
  readonly carp: CarpStatus | undefined;
  /** By the vhids' indexes. */
  readonly carps: readonly (Carp | undefined)[];
  readonly orders: readonly OrderReport[];
  readonly lost_log_lines: number;
  /** Undefined: never. */
  readonly last_lost_line_ns: number | undefined;
  readonly reactor: StatusReport['reactor'];
  /** Its process runs; whether the carp thread reaches it stands in `carp`. */
  readonly guardian: boolean;
  readonly backends: readonly BackendReport[];
};

export function buildStatus(sources: StatusSources): StatusReport {
  const { config, started_ns, memory, carp } = sources;
  return {
    version: sources.version,
    pid: process.pid,
    started_at: wallTime(started_ns).toISOString(),
    uptime_s: age_s(started_ns),
    ready: sources.ready,
    files: config.files,
    vhids: (carp?.vhids ?? []).flatMap((vhid) => {
      const configured = sources.carps[vhid.index];
      return configured === undefined ? [] : buildVhid(vhid, configured);
    }),
    carp: carp === undefined ? null : buildCarp(carp, sources.guardian),
    orders: sources.orders,
    lost_log_lines: sources.lost_log_lines,
    last_lost_line_s: sources.last_lost_line_ns === undefined ? null : age_s(sources.last_lost_line_ns),
    reactor: sources.reactor,
    frontends: buildFrontends(config, memory),
    backends: sources.backends,
  };
}

function buildFrontends({ frontends }: Config, memory: shared.SharedMemory): FrontendReport[] {
  const read = (at: number, word: number) => Atomics.load(memory.words, at + word);
  let first_bind = 0;
  return frontends.map(({ name, mode, binds }, number) => {
    const at = shared.frontendAt(memory, number);
    const places = binds.map(({ endpoint }) => formatEndpoint(endpoint));
    const limits = places.map((place, index) => ({ place, at: shared.bindAt(memory, first_bind + index) }));
    limits.push({ place: 'frontend', at }, { place: 'process', at: shared.PROCESS_CLIENTS });
    first_bind += binds.length;
    const full = limits.filter((limit) => read(limit.at, shared.LIMIT_WAITING) > 0).map(({ place }) => place);
    return { name, mode, binds: places, connections: read(at, shared.FRONTEND_CONNECTIONS), full };
  });
}

function buildCarp(carp: CarpStatus, has_guardian: boolean): CarpReport {
  const { scheduling, stalls, longest_stall_ms, last_stall_ns } = carp;
  const guardian = carp.guardian && has_guardian;
  const last_stall_s = stalls === 0 ? null : age_s(last_stall_ns);
  return { scheduling, guardian, stalls, longest_stall_ms, last_stall_s, taken: takenVhids() };
}

function buildVhid(vhid: CarpVhidStatus, carp: Carp): VhidReport {
  return {
    name: carp.name,
    vhid: vhid.vhid,
    interface: vhid.interface,
    state: vhid.state,
    since: wallTime(vhid.since_ns).toISOString(),
    since_s: age_s(vhid.since_ns),
    reason: vhid.reason,
    master: vhid.master ?? null,
    last_heard_s: vhid.last_heard_ns === undefined ? null : age_s(vhid.last_heard_ns),
    addresses: carp.addresses.map(({ address, prefix_length }) => `${address}/${prefix_length}`),
    advbase: vhid.advbase,
    advskew: vhid.advskew,
    advertised_advskew: vhid.advertised_advskew,
    interval_ms: Math.round(vhid.advbase * 1000 + (vhid.advertised_advskew * 1000) / 256),
    preempt: vhid.preempt,
    demotion: vhid.demotion,
    demotions: vhid.demotions,
    troubles: vhid.troubles.map(({ text }) => text),
    adverts_sent: vhid.sent,
    adverts_received: vhid.received,
  };
}

function formatEndpoint({ address, port }: Endpoint): string {
  if (isUnixAddress(address)) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
