/**
 * What the daemon itself says to `log` targets: its notices to those of the global section, and what checks say of servers
 * to those of their proxies, as HAProxy does.
 */
import type { Backend, Config, LogTarget } from '../config/model.ts';
import { LineWriter } from '../proxy/log/line-writer.ts';
import { SyslogHeader } from '../proxy/log/syslog-header.ts';
import { byReference } from '../system/arguments.ts';
import * as libc from '../system/libc.ts';
import { connectUdp, connectUnixDatagram } from '../system/log-socket.ts';
import type { Level } from './event-log.ts';
import { linePrinter } from './line-printer.ts';
import { logRings } from './log-rings.ts';

export const EMERGENCY = 0;
export const ALERT = 1;
export const NOTICE = 5;
const SEVERITIES: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: NOTICE, info: 6 };
const MSG_DONTWAIT_NOSIGNAL = 0x4040;
/** What one call takes by reference. */
const LONGEST_BYTES = 1024;
const EAGAIN = 11;
const NEWLINE = 10;
/** The header has one. */
const OWN_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;
const DEFAULT_TAG = 'carpool';

type Way = { readonly target: LogTarget; readonly header: SyslogHeader; readonly send: Send };
/** False: the line is lost. */
type Send = (line: Uint8Array) => boolean;

const bytes = new Uint8Array(LONGEST_BYTES);
const writer = new LineWriter(bytes);

/** The log of this process: `configure` before its first line, and at a reload. */
class GlobalLog {
  private sends = new Map<string, Send>();
  private global: readonly Way[] = [];
  /** Under the backend's tag: those of the whole process, and the backend's own. */
  private backends = new Map<string, { readonly global: readonly Way[]; readonly own: readonly Way[] }>();

  /** Opens what is new now, while paths are to be seen. A target that is full or gone costs lines. */
  configure({ global, backends, rings }: Config): void {
    logRings.configure(rings);
    const used = new Map<string, Send>();
    const waysTo = (targets: readonly LogTarget[], tag: string) =>
      targets.map((target): Way => {
        const key = JSON.stringify(target.to);
        const send = used.get(key) ?? this.sends.get(key) ?? sendTo(target.to);
        used.set(key, send);
        return { target, send, header: new SyslogHeader({ target, tag, hostname: global.log_send_hostname }) };
      });
    const global_tag = global.log_tag ?? DEFAULT_TAG;
    const silent = global.log_targets.filter((target) => !prints(target));
    this.global = waysTo(silent, global_tag);
    this.backends = new Map(
      backends.map((backend) => {
        const tag = backend.log_tag ?? global_tag;
        const own = waysTo(ownTargets(backend, global.log_targets), tag);
        return [backend.name, { global: waysTo(silent, tag), own }];
      }),
    );
    this.sends = used;
  }

  /** What prints is left out: standard error has it already. So is mere information, which is for who watches the process. */
  say(line: string, level: Level): void {
    if (level === 'info') return;
    write(this.global, line.replace(OWN_DATE, ''), SEVERITIES[level]);
  }

  /** Of a server, for those who read its proxy's lines, and for those of the whole process. */
  sayOfServer(backend: string, text: string, severity: number): void {
    const ways = this.backends.get(backend);
    write(ways?.global ?? this.global, text, severity);
    write(ways?.own ?? [], text, severity);
  }

  /** For those who read the proxy's lines; the others are told by `say`. */
  sayOf(backend: string, text: string, severity: number): void {
    write(this.backends.get(backend)?.own ?? [], text, severity);
  }
}

export const globalLog = new GlobalLog();

function prints({ to }: LogTarget): boolean {
  return to.kind === 'stdout' || to.kind === 'stderr' || to.kind === 'fd';
}

/** Those that do not have everything anyway. */
function ownTargets({ log_targets }: Backend, global: readonly LogTarget[]): LogTarget[] {
  return log_targets.filter((target) => target.to.kind !== 'stderr' && !global.includes(target));
}

function sendTo(to: LogTarget['to']): Send {
  switch (to.kind) {
    case 'udp':
      return sendDatagrams(() => connectUdp(to.endpoint));
    case 'unix':
      return sendDatagrams(() => connectUnixDatagram(to.path));
    case 'ring':
      return (line) => {
        logRings.put(to.name, line);
        return true;
      };
    default: {
      const printer = linePrinter(to.kind === 'fd' ? to.fd : to.kind === 'stdout' ? 1 : 2);
      return (line) => {
        printer.print(Uint8Array.of(...line, NEWLINE));
        return true;
      };
    }
  }
}

/** Opened now. A syslog daemon that was started again is found by the next line. */
function sendDatagrams(open: () => number): Send {
  let fd = open();
  const attempt = (line: Uint8Array) =>
    fd >= 0 && (libc.send(fd, byReference(line), line.length, MSG_DONTWAIT_NOSIGNAL) >= 0 || libc.errno() === EAGAIN);
  return (line) => {
    if (attempt(line)) return true;
    if (fd >= 0) libc.close(fd);
    fd = open();
    return attempt(line);
  };
}

function write(ways: readonly Way[], text: string, severity: number): void {
  if (ways.length === 0) return;
  const encoded = new TextEncoder().encode(text.replaceAll('\n', ' '));
  for (const { target, header, send } of ways) {
    if (severity > target.max_level) continue;
    writer.begin(0, Math.min(target.max_bytes, LONGEST_BYTES));
    header.write(writer, Math.max(severity, target.min_level), Date.now());
    writer.text(encoded);
    send(bytes.slice(0, writer.end));
  }
}
