/** The carp thread and its guardian from the control thread. */
import type { HostSettings, VhidSettings } from '../carp/events.ts';
import { hostSettings } from '../system/vhid-settings.ts';
import { startCarpThread } from '../threads/carp-handle.ts';
import { STALL_MS } from '../threads/carp-health.ts';
import type { FromCarp, RunAs } from '../threads/carp-messages.ts';
import { MOST_DATA_THREADS, THREAD_CHECKS, THREAD_CONTROL, THREAD_DATA } from '../threads/shared-memory.ts';
import { type Daemon, type Fail, logLine } from './daemon-state.ts';
import { keepGuardian } from './keep-guardian.ts';
import { repeatDemotions } from './post-demotion.ts';
import { SYSCTL_OWNER } from './sysctl-owner.ts';
import { holdVhids } from './vhid-locks.ts';

const THE_CARP_THREAD = 'the carp thread';
/** It beats once a second, and may be busy for seconds with a large configuration; clients do not notice that. */
const CONTROL_PATIENCE_MS = 6_000;

/** Wherever one may be, or come to be. */
const DATA_THREADS = Array.from({ length: 2 * MOST_DATA_THREADS }, (_, number) => ({
  thread: THREAD_DATA + number,
  name: `data ${number}`,
  patience_ms: STALL_MS,
}));

/** `waits`: for another process that runs these vhids still; `take-over` ends that. */
export function startCarp(daemon: Daemon, vhids: readonly VhidSettings[], fail: Fail, waits = false): void {
  const guardian_fd = keepGuardian(daemon);
  daemon.waits_for.add(THE_CARP_THREAD);
  daemon.carp = startCarpThread({
    vhids,
    host: hostSettings(daemon.node.host),
    memory: daemon.memory,
    // a thread counts from its first beat on: checks and data threads may be started by a reload
    watched: [
      { thread: THREAD_CONTROL, name: 'control', patience_ms: CONTROL_PATIENCE_MS },
      { thread: THREAD_CHECKS, name: 'checks', patience_ms: STALL_MS },
      ...DATA_THREADS,
    ],
    guardian_fd,
    wait_for_ready: true,
    waits_for_other: waits,
    run_as: runAs(daemon),
    onMessage: (message) => onCarpMessage(daemon, message, fail),
  });
}

/** The carp thread changes itself, and keeps what it needs of root's rights. */
function runAs({ confinement: { uid, gid } }: Daemon): RunAs | undefined {
  if (uid === undefined && gid === undefined) return undefined;
  return { uid: uid ?? process.getuid!(), gid: gid ?? process.getgid!(), groups: [] };
}

/** What ifconfig and sysctl changed. A daemon that was started without vhids has no carp thread until the first one. */
export function configureCarp(
  daemon: Daemon,
  vhids: readonly VhidSettings[],
  host: HostSettings,
  slots: readonly number[],
  fail: Fail,
): void {
  if (daemon.carp !== undefined) daemon.carp.post({ kind: 'configure', id: 0, vhids, host, slots });
  else if (vhids.length > 0) {
    startCarp(daemon, vhids, fail);
    if (daemon.ready) daemon.carp!.post({ kind: 'undemote', owner: 'starting' });
  }
  demoteHost(daemon);
  repeatDemotions(daemon);
  daemon.orders?.settle();
  for (const { message } of holdVhids(vhids)) logLine(daemon.events, 'warning', message);
}

/** The whole host, by net.inet.carp.demotion. */
export function demoteHost({ carp, node }: Daemon): void {
  const amount = node.host.demotion;
  const reason = `net.inet.carp.demotion is ${amount}`;
  carp?.post(
    amount === 0 ? { kind: 'undemote', owner: SYSCTL_OWNER } : { kind: 'demote', owner: SYSCTL_OWNER, amount, reason },
  );
}

function onCarpMessage(daemon: Daemon, message: FromCarp, fail: Fail): void {
  switch (message.kind) {
    case 'started':
      daemon.waits_for.delete(THE_CARP_THREAD);
      return;
    case 'transition': {
      const { at_ns, index, vhid, from, to, reason } = message;
      const name = daemon.node.slots[index]?.name ?? `vhid ${vhid} on ${message.interface}`;
      const moved = { kind: 'transition', at_ns, name, vhid, interface: message.interface, from, to, reason } as const;
      daemon.events.record(moved, daemon.node.host.log > 0);
      return;
    }
    case 'log': {
      const { at_ns, level, text } = message;
      const is_wrong = level === 'warning' || level === 'error';
      daemon.events.record({ kind: 'log', at_ns, level, text }, is_wrong || daemon.node.host.log > 0);
      return;
    }
    case 'configured':
      return;
    case 'run-script':
      daemon.scripts.run(message);
      return;
    case 'fatal':
      fail(`the carp thread failed: ${message.text}`);
      return;
    case 'stopped':
      if (!daemon.stopping) fail('the carp thread ended');
      return;
  }
}
