/** Dates of log lines in local time, computed once a second. */
import type { LineWriter } from './line-writer.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DOT = 46;
const encoder = new TextEncoder();

export class LogDate {
  private readonly format: (date: Date) => string;
  private second = Number.NaN;
  private text = new Uint8Array(0);

  constructor(format: (date: Date) => string) {
    this.format = format;
  }

  /** `time_ms` since 1970. */
  write(writer: LineWriter, time_ms: number): void {
    const second = Math.floor(time_ms / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = encoder.encode(this.format(new Date(second * 1000)));
    }
    writer.text(this.text);
  }

  writeMilliseconds(writer: LineWriter, time_ms: number): void {
    writer.byte(DOT);
    writer.padded(Math.floor(time_ms) % 1000, 3);
  }
}

/** `22/Nov/2026:02:35:27`, of HAProxy's HTTP and TCP formats (manual, section 8.2). */
export function accessDate(date: Date): string {
  return `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${clock(date)}`;
}

/** `Nov 22 02:35:27`, RFC 3164 section 4.1.2. */
export function syslogDate(date: Date): string {
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2, ' ')} ${clock(date)}`;
}

function clock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
