/** Whether the log targets can be reached now. A data thread looks for one that is not there once a second. */
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
  if (to.kind !== 'udp' && to.kind !== 'unix') return true;
  const fd = to.kind === 'udp' ? connectUdp(to.endpoint) : connectUnixDatagram(to.path);
  if (fd >= 0) libc.close(fd);
  return fd >= 0;
}

function describe({ to, span }: LogTarget): Diagnostic {
  const base = { severity: 'warning', code: 'log-unreachable', span } as const;
  if (to.kind !== 'unix') {
    const message = 'This host has no way to the syslog server now, so lines for it are lost.';
    return { ...base, message, mend: 'Give the host a route to it.' };
  }
  const message = `No syslog server listens on ${to.path} now, so lines for it are lost.`;
  const mend = 'Start it first, or write `log stdout format raw local0`, which systemd keeps in its journal.';
  return { ...base, message, mend };
}
