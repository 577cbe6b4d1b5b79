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
    writer.padded(Math.floor(time_ms - Math.floor(time_ms / 1000) * 1000), 3); // `%` of such a number is slow
  }
}

/** `22/Nov/2026:02:35:27`, of HAProxy's HTTP and TCP formats (manual, section 8.2). */
export function accessDate(date: Date): string {
  return `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${clock(date)}`;
}

/** `22/Nov/2026:02:35:27 +0000`, of the common log format. */
export function gmtDate(date: Date): string {
  const [day, month, year] = [two(date.getUTCDate()), MONTHS[date.getUTCMonth()], date.getUTCFullYear()];
  return `${day}/${month}/${year}:${date.toISOString().slice(11, 19)} +0000`;
}

/** The same in local time. */
export function zonedDate(date: Date): string {
  return `${accessDate(date)} ${zone(date, '')}`;
}

/** `2026-11-22T02:35:27`, of RFC 5424 and the formats `timed` and `iso`; fraction and zone follow. */
export function isoDate(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${clock(date)}`;
}

/** `+01:00`: east of Greenwich is positive. */
export function zone(date: Date, separator: string): string {
  const east_min = -date.getTimezoneOffset();
  const distance = Math.abs(east_min);
  return `${east_min < 0 ? '-' : '+'}${two(Math.floor(distance / 60))}${separator}${two(distance % 60)}`;
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
