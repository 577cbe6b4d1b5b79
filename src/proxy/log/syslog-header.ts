/**
 * What stands before the text of a line (manual 4.2 "log", `format`); with structured data, that stands for the last `-`:
 *
 *   raw       nothing                       local     <134>Nov 22 02:35:27 carpool[71]:
 *   short     <6>                           rfc3164   <134>Nov 22 02:35:27 host carpool[71]:
 *   priority  <134>                         rfc5424   <134>1 2026-11-22T02:35:27.123456+00:00 host carpool 71 - -
 *   timed     <6>2026-11-22T02:35:27…       iso       2026-11-22T02:35:27.123456+00:00
 */
import { hostname } from 'node:os';
import type { LogTarget } from '../../config/model.ts';
import type { LineWriter } from './line-writer.ts';
import { isoDate, LogDate, syslogDate, zone } from './log-date.ts';

const DOT = 46;
const NO_DATA = '- ';
const LEVELS = 8;
/** As HAProxy calls a host whose name nobody wants to be sent. */
const UNNAMED: Readonly<Partial<Record<LogTarget['format'], string>>> = { rfc3164: 'localhost', rfc5424: '-' };
const encode = (text: string) => new TextEncoder().encode(text);

export type HeaderOptions = {
  readonly target: Pick<LogTarget, 'format' | 'has_own_format' | 'facility'>;
  readonly tag: string;
  /** From `log-send-hostname`: '' is this host's own name. */
  readonly hostname: string | undefined;
  /** In `rfc5424` structured data and a blank follow the header. */
  readonly structured?: boolean;
};

export class SyslogHeader {
  /** Structured data and a blank must follow. */
  readonly structured: boolean;
  private readonly format: LogTarget['format'];
  /** For each level what stands before the date. */
  private readonly priorities: readonly Uint8Array[];
  private readonly after_date: Uint8Array;
  private readonly date: LogDate;
  private readonly zone: LogDate;

  constructor({ target, tag, hostname: sent, structured = false }: HeaderOptions) {
    const { facility, has_own_format } = target;
    // the host's name is asked for by the format that has room for it
    const switches = target.format === 'local' && sent !== undefined && !has_own_format;
    this.format = switches ? 'rfc3164' : target.format;
    const levels = Array.from({ length: LEVELS }, (_, level) => level);
    this.priorities = levels.map((level) => encode(priority(this.format, facility, level)));
    this.structured = structured && this.format === 'rfc5424';
    const after = afterDate(this.format, tag, sent === undefined ? UNNAMED[this.format] : sent || hostname());
    this.after_date = encode(this.structured ? after.slice(0, -NO_DATA.length) : after);
    this.date = new LogDate(this.format === 'local' || this.format === 'rfc3164' ? syslogDate : isoDate);
    this.zone = new LogDate((date) => zone(date, ':'));
  }

  write(writer: LineWriter, level: number, time_ms: number): void {
    const { format } = this;
    writer.text(this.priorities[level]);
    if (format === 'raw' || format === 'short' || format === 'priority') return;
    this.date.write(writer, time_ms);
    if (format !== 'local' && format !== 'rfc3164') {
      writer.byte(DOT);
      writer.padded(Math.floor((time_ms % 1000) * 1000), 6);
      this.zone.write(writer, time_ms);
    }
    writer.text(this.after_date);
  }
}

function priority(format: LogTarget['format'], facility: number, level: number): string {
  if (format === 'raw' || format === 'iso') return '';
  if (format === 'short' || format === 'timed') return `<${level}>`;
  return `<${facility * LEVELS + level}>${format === 'rfc5424' ? '1 ' : ''}`;
}

function afterDate(format: LogTarget['format'], tag: string, host = ''): string {
  if (format === 'rfc5424') return ` ${host} ${tag} ${process.pid} - ${NO_DATA}`;
  if (format === 'rfc3164') return ` ${host} ${tag}[${process.pid}]: `;
  return format === 'local' ? ` ${tag}[${process.pid}]: ` : ' ';
}
