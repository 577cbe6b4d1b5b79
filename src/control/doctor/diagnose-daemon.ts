/** What the running daemon tells of itself. Pure. */

import type { StatusReport } from '../status-report.ts';
import { NO_REAL_TIME, REAL_TIME_MEND } from './diagnose-host.ts';
import type { DoctorFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

export function diagnoseDaemon(facts: DoctorFacts): Finding[] {
  const { daemon, segment, vhids } = facts;
  const found: Finding[] = [];
  if (segment.listened_s === 0 && vhids.length > 0) {
    const message = 'The doctor could not listen: this user may not open packet sockets.';
    found.push(finding('warning', 'cannot-listen', undefined, message, 'Run it as root (sudo carpool doctor).'));
  }
  if (daemon === undefined) {
    const message = 'No daemon answers, so only files, host and segment were looked at.';
    found.push(
      finding(
        'hint',
        'no-daemon',
        undefined,
        message,
        'Start one with carpool -f FILE, or name its socket with --socket.',
      ),
    );
    return found;
  }
  const { carp, orders, lost_log_lines } = daemon;
  if (carp?.scheduling === 'SCHED_OTHER')
    found.push(finding('warning', 'no-real-time', undefined, NO_REAL_TIME, REAL_TIME_MEND));
  if (carp?.guardian === false) {
    const message =
      'No guardian runs: when the daemon is killed, its addresses stay until their lease ends, 2 s at most.';
    found.push(finding('warning', 'no-guardian', undefined, message, 'The log says why it could not be started.'));
  }
  if (carp !== null && carp.stalls > 0) {
    const message = `The CARP thread stood still ${carp.stalls} times since its start, ${carp.longest_stall_ms} ms at the longest.`;
    const mend = 'Then peers take over. Look at steal time, snapshots, SIGSTOP and memory pressure of the machine.';
    found.push(finding('warning', 'stalls', undefined, message, mend));
  }
  if (lost_log_lines > 0) {
    const message = `${lost_log_lines} log lines were lost, because whoever reads them was too slow.`;
    found.push(finding('hint', 'log-lines-lost', undefined, message, 'Look at the log targets of the configuration.'));
  }
  found.push(...findTaken(facts, daemon));
  for (const { kind, vhid, by } of orders) {
    const message = `${kind} of ${vhid ?? 'all vhids'} is in force, ordered by ${by}.`;
    const mend = `When the work is done: carpool ${kind === 'demote' ? 'undemote' : 'ready'}${vhid === null ? '' : ` ${vhid}`}`;
    found.push(finding('hint', 'order-in-force', vhid ?? undefined, message, mend));
  }
  return found;
}

/** Others of this host that run a vhid of the daemon, which came before it or after. */
function findTaken({ host, vhids }: DoctorFacts, { pid, carp }: StatusReport): Finding[] {
  const own = new Set(vhids.map((vhid) => `${vhid.vhid}@${vhid.interface}`));
  const others = host.rivals.filter((rival) => rival.pid !== pid && own.has(rival.name));
  const before = (carp?.taken ?? []).map((name) => ({ name, who: 'Another carpool daemon' }));
  const after = others.map(({ name, program, pid: its_pid }) => ({
    name,
    who: `${program === 'ucarp' ? 'A ucarp' : 'Another carpool daemon'} (process ${its_pid})`,
  }));
  return [...before, ...after].map(({ name, who }) => {
    const message = `${who} of this host runs vhid ${name} too: the two take its address from each other.`;
    return finding('error', 'vhid-taken', undefined, message, 'Stop one of them.');
  });
}
