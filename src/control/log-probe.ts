/** Whether the log targets can be reached now. Each data thread connects to them once, at its start: what it cannot reach then gets no line. */
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config, LogTarget } from '../config/model.ts';
import * as libc from '../system/libc.ts';
import { connectUdp, connectUnixDatagram } from '../system/log-socket.ts';

export function probeLogs(config: Config): Diagnostic[] {
  const targets = new Map<string, LogTarget>();
  for (const target of config.frontends.flatMap((frontend) => frontend.log_targets)) {
    const key = JSON.stringify(target.to);
    if (!targets.has(key)) targets.set(key, target);
  }
  return [...targets.values()].filter((target) => !isReachable(target)).map(describe);
}

function isReachable({ to }: LogTarget): boolean {
  if (to.kind === 'stdout' || to.kind === 'stderr') return true;
  const fd = to.kind === 'udp' ? connectUdp(to.endpoint) : connectUnixDatagram(to.path);
  if (fd >= 0) libc.close(fd);
  return fd >= 0;
}

function describe({ to, span }: LogTarget): Diagnostic {
  const base = { severity: 'warning', code: 'log-unreachable', span } as const;
  if (to.kind !== 'unix') {
    const message = 'This host has no way to the syslog server, so nothing is logged there.';
    return { ...base, message, mend: 'Give the host a route to it, then restart carpool.' };
  }
  const message = `No syslog server listens on ${to.path}, so nothing is logged there.`;
  const mend = 'Start it first, or write `log stdout format raw local0`, which systemd keeps in its journal.';
  return { ...base, message, mend };
}
