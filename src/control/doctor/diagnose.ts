/**
 * From facts to findings, each with its mend. Pure.
 *
 *   segment (adverts, ARP)  ─┐
 *   host (links, settings)  ─┼─> diagnose ─> findings, worst first
 *   the daemon's own report ─┘
 */
import { diagnoseDaemon } from './diagnose-daemon.ts';
import { diagnoseHost, diagnosePlace } from './diagnose-host.ts';
import { diagnoseSegment } from './diagnose-segment.ts';
import type { DoctorFacts } from './facts.ts';
import { type Finding, worstFirst } from './finding.ts';

export function diagnose(facts: DoctorFacts): readonly Finding[] {
  const { vhids, segment, host } = facts;
  // the macvlan of a BACKUP is down, and has the MAC that the MASTER answers with
  const own = new Set(host.links.flatMap(({ mac, up }) => (up ? mac : [])));
  return worstFirst([
    ...vhids.flatMap((vhid) => diagnoseSegment(vhid, vhids, segment, own)),
    ...vhids.flatMap((vhid) => diagnosePlace(vhid, vhids, host, segment.removed)),
    ...diagnoseHost(facts),
    ...diagnoseDaemon(facts),
  ]);
}
