/**
 * The daemon's own lines to the `log` targets of the global section, as HAProxy sends its notices there. What prints is
 * left out: standard error has them already, and what is mere information stays there.
 */
import type { Config, LogTarget } from '../config/model.ts';
import { LineWriter } from '../proxy/log/line-writer.ts';
import { SyslogHeader } from '../proxy/log/syslog-header.ts';
import { byReference } from '../system/arguments.ts';
import * as libc from '../system/libc.ts';
import { connectUdp, connectUnixDatagram } from '../system/log-socket.ts';
import type { Level } from './event-log.ts';

const SEVERITIES: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6 };
const MSG_DONTWAIT_NOSIGNAL = 0x4040;
/** What one call takes by reference. */
const LONGEST_BYTES = 1024;
const EAGAIN = 11;
/** The header has one. */
const OWN_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;

/** Opened now, while paths are to be seen. A target that is full or gone costs lines. */
export function openGlobalLog({ global }: Config): (line: string, level: Level) => void {
  const tag = global.log_tag ?? 'carpool';
  const ways = global.log_targets.flatMap((target) => {
    const open = opener(target);
    const header = new SyslogHeader({ target, tag, hostname: global.log_send_hostname });
    return open === undefined ? [] : [{ target, header, open, fd: open() }];
  });
  const bytes = new Uint8Array(LONGEST_BYTES);
  const writer = new LineWriter(bytes);
  return (line, level) => {
    if (level === 'info') return;
    const text = new TextEncoder().encode(line.replace(OWN_DATE, '').replaceAll('\n', ' '));
    for (const way of ways) {
      const severity = SEVERITIES[level];
      if (severity > way.target.max_level) continue;
      writer.begin(0, Math.min(way.target.max_bytes, LONGEST_BYTES));
      way.header.write(writer, Math.max(severity, way.target.min_level), Date.now());
      writer.text(text);
      const sends = () => send(way.fd, bytes.subarray(0, writer.end));
      if (sends()) continue;
      if (way.fd >= 0) libc.close(way.fd);
      way.fd = way.open(); // the syslog daemon may have been started again
      sends();
    }
  };
}

function opener({ to }: LogTarget): (() => number) | undefined {
  if (to.kind === 'udp') return () => connectUdp(to.endpoint);
  return to.kind === 'unix' ? () => connectUnixDatagram(to.path) : undefined;
}

/** False: it is worth another try with another socket. */
function send(fd: number, bytes: Uint8Array): boolean {
  if (fd < 0) return false;
  return libc.send(fd, byReference(bytes), bytes.length, MSG_DONTWAIT_NOSIGNAL) >= 0 || libc.errno() === EAGAIN;
}
