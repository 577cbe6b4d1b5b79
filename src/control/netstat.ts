/**
 * CARP's counters: `carpool netstat -s -p carp`. The first part is what netstat of FreeBSD prints, word for word; under
 * it, in the same form, each vhid with what it counted, and last who sent what was dropped.
 */
import { createCounters, netstatLines } from '../carp/counters.ts';
import { DROP_REASONS } from '../carp/drop-reasons.ts';
import type { BadSource, Counters, Drop } from '../carp/events.ts';
import type { CarpStatus } from './carp-status.ts';
import { formatAge } from './format-age.ts';

export type NetstatReport = {
  /** FreeBSD's names (libxo) for the numbers of the whole host. */
  readonly carp: Readonly<Record<string, number>>;
  readonly vhids: readonly NetstatVhid[];
  readonly bad_sources: readonly NetstatSource[];
};

export type NetstatVhid = {
  readonly name: string;
  readonly vhid: number;
  readonly interface: string;
  /** FreeBSD's names again, and carpool's own finer ones. */
  readonly carp: Readonly<Record<string, number>>;
  readonly counters: Counters;
};

export type NetstatSource = Omit<BadSource, 'first_ns' | 'last_ns' | 'why'> & {
  readonly why: string;
  readonly last_s: number;
};

export function netstatReport(carp: CarpStatus, names: readonly string[]): NetstatReport {
  return {
    carp: named(carp.counters),
    vhids: carp.vhids.map(({ index, vhid, interface: link, counters }) => ({
      name: names[index]!,
      vhid,
      interface: link,
      carp: named(counters),
      counters,
    })),
    bad_sources: carp.bad_sources.map(({ first_ns: _, last_ns, why, ...source }) => ({
      ...source,
      why: why.replace('dropped_', ''),
      last_s: Math.round((carp.at_ns - last_ns) / 1e6) / 1000,
    })),
  };
}

function named(counters: Counters): Record<string, number> {
  return Object.fromEntries(netstatLines(counters).map(({ name, count }) => [name, count]));
}

export function renderNetstat(report: NetstatReport): string {
  const all = `carp:\n${renderCounters(report.carp)}`;
  const vhids = report.vhids.map(
    ({ name, vhid, interface: link, carp }) => `carp: vhid ${vhid} on ${link} (${name}):\n${renderCounters(carp)}`,
  );
  return [all, ...vhids, renderSources(report.bad_sources)].join('');
}

/** netstat's own layout: what was discarded stands one step further in, under what was received or sent. */
function renderCounters(carp: Readonly<Record<string, number>>): string {
  return netstatLines(createCounters())
    .map(({ name, text }) => `${/^(dropped|send-failed)/.test(name) ? '\t\t' : '\t'}${carp[name]} ${text}\n`)
    .join('');
}

function renderSources(sources: readonly NetstatSource[]): string {
  if (sources.length === 0) return '';
  const lines = sources.map(
    ({ source, mac, interface: link, vhid, why, count, last_s }) =>
      `\t${count} from ${source} (${mac}) on ${link}${vhid === undefined ? '' : `, vhid ${vhid}`}: ${DROP_REASONS[`dropped_${why}` as Drop]}; last ${formatAge(last_s)} ago\n`,
  );
  return `dropped, by source:\n${lines.join('')}`;
}
