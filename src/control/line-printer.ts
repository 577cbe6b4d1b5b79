/**
 * Prints lines on a descriptor without ever waiting for the reader: a stuck pipe or a full disk costs lines, which are
 * counted, and no time. A descriptor may be shared with other programs, so it is not made non-blocking: poll(2) says when
 * it takes a page more, and no more than that is written at once.
 */
import * as libc from '../system/libc.ts';

/** Bytes that may wait for one descriptor. */
const WAITING_BYTES = 1024 * 1024;
/** PIPE_BUF: what a pipe that polls writable takes without blocking (pipe(7)). */
const ATOMIC_BYTES = 4096;
/** How often a stuck descriptor is looked at. */
const RETRY_MS = 50;
/** Written in one go, so that a fast reader does not hold up the event loop. */
const BURST_BYTES = 256 * 1024;
const POLLOUT = 4;
const NEWLINE = 10;

/** A page to write from, `struct pollfd` and a zero timespec behind it. */
const room = libc.allocatePinned(ATOMIC_BYTES + 32);
const POLL = ATOMIC_BYTES / 4;
const POLL_BYTES = ATOMIC_BYTES;
const TIMESPEC_BYTES = ATOMIC_BYTES + 8;

class LinePrinter {
  /** Lines lost so far. */
  dropped = 0;
  /** Why the last write failed (errno); 0: it went well. */
  error = 0;
  /** Part of a line was written, and its rest is lost or still waits. */
  private within_line = false;
  /** The line that was begun will never be complete: it is ended before the next one. */
  private torn = false;
  private readonly fd: number;
  private waiting: Uint8Array[] = [];
  private waiting_bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Whole lines, each with its newline. */
  print(lines: Uint8Array): void {
    if (lines.length === 0) return;
    if (this.waiting_bytes + lines.length > WAITING_BYTES) {
      this.dropped += countLines(lines);
      return;
    }
    this.waiting.push(lines);
    this.waiting_bytes += lines.length;
    if (this.timer === undefined) this.flush();
  }

  /** Writes what it takes now. True when nothing waits any more. */
  flush(): boolean {
    for (let budget = BURST_BYTES; this.waiting.length > 0; ) {
      if (budget <= 0 || !this.takesMore()) {
        this.retry();
        return false;
      }
      budget -= this.writeSome();
    }
    return true;
  }

  private retry(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, RETRY_MS).unref();
  }

  private takesMore(): boolean {
    room.words[POLL] = this.fd;
    room.words[POLL + 1] = POLLOUT;
    return libc.ppoll(room.address + POLL_BYTES, 1, room.address + TIMESPEC_BYTES, 0) === 1;
  }

  private writeSome(): number {
    const lines = this.waiting[0] as Uint8Array;
    const mend = this.torn ? 1 : 0;
    const piece = lines.subarray(0, ATOMIC_BYTES - mend);
    room.bytes[0] = NEWLINE;
    room.bytes.set(piece, mend);
    const written = libc.write(this.fd, room.address, piece.length + mend);
    if (written < 0) this.lose(lines);
    else this.wrote(lines, written - mend);
    return piece.length;
  }

  private wrote(lines: Uint8Array, length: number): void {
    this.error = 0;
    if (length < 0) return;
    this.torn = false;
    if (length > 0) this.within_line = lines[length - 1] !== NEWLINE;
    this.waiting_bytes -= length;
    if (length === lines.length) this.waiting.shift();
    else this.waiting[0] = lines.subarray(length);
  }

  /** No reader, or no room on the disk. */
  private lose(lines: Uint8Array): void {
    this.error = libc.errno();
    this.dropped += countLines(lines);
    this.torn ||= this.within_line;
    this.within_line = false;
    this.waiting_bytes -= lines.length;
    this.waiting.shift();
  }
}

function countLines(lines: Uint8Array): number {
  let count = 0;
  for (const byte of lines) if (byte === NEWLINE) count++;
  return count;
}

const printers = new Map<number, LinePrinter>();

/** The one printer of a descriptor. */
export function linePrinter(fd: number): LinePrinter {
  const printer = printers.get(fd) ?? new LinePrinter(fd);
  printers.set(fd, printer);
  return printer;
}

/** Lines that all of them lost so far. */
export function droppedByPrinters(): number {
  let lines = 0;
  for (const printer of printers.values()) lines += printer.dropped;
  return lines;
}

/** Why lines are being lost: the name of the error that a write ended with, if one did. */
export function printError(): string | undefined {
  for (const { error } of printers.values()) if (error !== 0) return libc.errnoName(error);
  return undefined;
}
