/** The daemon's state as a report, and what the carp thread answers for it. */
import { buildStatus } from './build-status.ts';
import type { CarpStatus } from './carp-status.ts';
import type { Daemon } from './daemon-state.ts';
import type { StatusReport } from './status-report.ts';

/** How long the carp thread may take to answer. */
const STATUS_MS = 1_000;

/** Undefined: nobody runs CARP here. */
export async function carpStatus(daemon: Daemon): Promise<CarpStatus | undefined> {
  const answer = await daemon.carp?.status(STATUS_MS);
  if (daemon.carp !== undefined && answer === undefined) throw new Error('the carp thread gave no answer');
  return answer;
}

/** What `status` tells. */
export async function statusOf(daemon: Daemon): Promise<StatusReport> {
  const answer = await carpStatus(daemon);
  return buildStatus({
    version: daemon.version,
    config: daemon.generation.config,
    started_ns: daemon.started_ns,
    memory: daemon.generation.memory,
    ready: daemon.ready,
    carp: answer,
    carps: daemon.node.slots,
    orders: daemon.orders?.report() ?? [],
    lost_log_lines: daemon.lost_lines.total,
    last_lost_line_ns: daemon.lost_lines.last_ms && daemon.lost_lines.last_ms * 1e6,
    reactor: daemon.data[0]?.reactor() ?? null,
    guardian: daemon.guardian !== undefined,
    backends: daemon.generation.servers.report(),
  });
}
