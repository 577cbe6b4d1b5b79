/**
 * The log of the process to the local syslog daemon, as syslog(3) writes it:
 *
 *     <30>Nov 22 04:44:43 ucarp[123]: text           30 = facility 3 (daemon) × 8 + severity 6 (info)
 *
 * A socket that is full or that nobody listens on costs lines and never time.
 */
import { byReference } from '../system/arguments.ts';
import * as libc from '../system/libc.ts';
import { connectUnixDatagram } from '../system/log-socket.ts';
import type { Level } from './event-log.ts';

const PATH = '/dev/log';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SEVERITIES: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6 };
/** What syslog daemons take in one datagram at least (RFC 3164). */
const LONGEST_LINE_BYTES = 1024;

export type Syslog = (line: string, level: Level) => void;

/** `tag` is the program's name. The socket is opened with the first line, and again when the syslog daemon came back. */
export function openSyslog(facility: number, tag: string, path = PATH): Syslog {
  let fd = -1;
  const send = (bytes: Uint8Array): boolean => {
    if (fd < 0) fd = connectUnixDatagram(path);
    if (fd < 0) return false;
    if (libc.send(fd, byReference(bytes), bytes.length, MSG_NOSIGNAL) >= 0) return true;
    if (libc.errno() === EAGAIN) return true; // it is full: this line is lost, the socket is well
    libc.close(fd);
    fd = -1;
    return false;
  };
  return (line, level) => {
    const text = `<${facility * 8 + SEVERITIES[level]}>${timestamp(new Date())} ${tag}[${process.pid}]: ${line}`;
    const bytes = Buffer.from(text.replaceAll('\n', ' ')).subarray(0, LONGEST_LINE_BYTES);
    if (!send(bytes)) send(bytes); // once more: the daemon may have been restarted
  };
}

const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;

function timestamp(now: Date): string {
  const two = (value: number, filler = '0') => String(value).padStart(2, filler);
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => two(part)).join(':');
  return `${MONTHS[now.getMonth()]} ${two(now.getDate(), ' ')} ${clock}`;
}
