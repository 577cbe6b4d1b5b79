/** What the running daemon tells of itself. Pure. */

import { formatAge } from '../format-age.ts';
import type { BackendReport, StatusReport } from '../status-report.ts';
import { NO_REAL_TIME, REAL_TIME_MEND, RING_MEND } from './diagnose-host.ts';
import type { DoctorFacts, DoctorVhid } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** What happened longer ago is history. */
const RECENT_S = 3600;
/** How the engine calls that demotion (carp/text.ts). */
const SEND_ERRORS = 'send errors of ';
const FORCED = 'CARPOOL_REACTOR';
const FORCED_MEND = `Take ${FORCED} out of the daemon's environment and restart it.`;

export function diagnoseDaemon(facts: DoctorFacts): Finding[] {
  const { daemon, segment, vhids } = facts;
  const found: Finding[] = [];
  if (!segment.allowed && vhids.length > 0) {
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
  const { carp, orders } = daemon;
  if (carp?.scheduling === 'SCHED_OTHER')
    found.push(finding('warning', 'no-real-time', undefined, NO_REAL_TIME, REAL_TIME_MEND));
  if (carp?.guardian === false) {
    const message =
      'No guardian runs: when the daemon is killed, its addresses stay until their lease ends, 2 s at most.';
    const mend =
      'The daemon starts another a second after one ended, ten times; then "carpool reload" does (where it runs under "user" or "chroot": a restart). The log says more.';
    found.push(finding('warning', 'no-guardian', undefined, message, mend));
  }
  found.push(
    ...findUnsent(vhids),
    ...findStalls(carp),
    ...findLostLines(daemon),
    ...findEpoll(daemon),
    ...findTaken(facts, daemon),
  );
  found.push(...daemon.backends.flatMap(findNoServer));
  for (const { kind, vhid, by } of orders) {
    const message = `${kind} of ${vhid ?? 'all vhids'} is in force, ordered by ${by}.`;
    const mend = `When the work is done: carpool ${kind === 'demote' ? 'undemote' : 'ready'}${vhid === null ? '' : ` ${vhid}`}`;
    found.push(finding('hint', 'order-in-force', vhid ?? undefined, message, mend));
  }
  return found;
}

/** The owner is of the whole host, and says which vhid it was. */
function findUnsent(vhids: readonly DoctorVhid[]): Finding[] {
  const all = vhids.flatMap(({ live }) => live?.demotions ?? []);
  const unsent = new Map(all.flatMap(({ owner, reason }) => (owner.startsWith(SEND_ERRORS) ? [[owner, reason]] : [])));
  return [...unsent].map(([owner, reason]) => {
    const message = `${upperFirst(reason)} (${owner}), so this node is the last choice.`;
    const mend =
      'Look at the interface, its addresses and, for peers, its routes. ENETUNREACH is a missing route or address, EPERM a firewall, ENOBUFS a full queue.';
    return finding('error', 'adverts-not-sent', undefined, message, mend);
  });
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function findStalls(carp: StatusReport['carp']): Finding[] {
  if (carp === null || carp.last_stall_s === null) return [];
  const times = carp.stalls === 1 ? 'once' : `${carp.stalls} times`;
  const last = `${carp.longest_stall_ms} ms at the longest, the last time ${formatAge(carp.last_stall_s)} ago`;
  const message = `The CARP thread stood still ${times} since its start, ${last}.`;
  const mend = 'Then peers take over. Look at steal time, snapshots, SIGSTOP and memory pressure of the machine.';
  return [finding(carp.last_stall_s < RECENT_S ? 'warning' : 'hint', 'stalls', undefined, message, mend)];
}

function findLostLines({ lost_log_lines, last_lost_line_s }: StatusReport): Finding[] {
  if (last_lost_line_s === null || last_lost_line_s >= RECENT_S) return [];
  const message = `${lost_log_lines} log lines were lost, the last ${formatAge(last_lost_line_s)} ago, because whoever reads them was too slow.`;
  const mend =
    'Look at what the "log" lines name: a pipe that nobody reads, a full disk, a busy syslog server. Or log less ("log … notice").';
  return [finding('hint', 'log-lines-lost', undefined, message, mend)];
}

function findEpoll({ reactor }: StatusReport): Finding[] {
  if (reactor?.kind !== 'epoll') return [];
  const message = `The balancer runs on epoll, which costs more CPU than io_uring: ${reactor.reason}.`;
  return [
    finding('hint', 'no-io-uring', undefined, message, reactor.reason.startsWith(FORCED) ? FORCED_MEND : RING_MEND),
  ];
}

function findNoServer({ name, mode, servers }: BackendReport): Finding[] {
  const [first] = servers;
  if (first === undefined || servers.some(({ up }) => up)) return [];
  const fate = mode === 'http' ? 'its requests get 503' : 'its connections are closed';
  const message = `No server of backend ${name} is up, so ${fate}; ${first.name}: ${first.reason}.`;
  const mend =
    '"carpool status" says the same of each. "demote" in a carp section gives the address to a node that has a server.';
  return [finding('warning', 'no-server', undefined, message, mend)];
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
