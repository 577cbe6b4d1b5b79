/**
 * Prints log lines of requests without ever waiting for the reader: a stuck pipe costs lines, which are counted, and nothing else.
 */
import { write } from 'node:fs';

/** Bytes that may wait for one descriptor. */
const WAITING_BYTES = 4 * 1024 * 1024;

export class LinePrinter {
  dropped_bytes = 0;
  private readonly fd: number;
  private waiting: Uint8Array[] = [];
  private waiting_bytes = 0;
  private writing = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  print(lines: Uint8Array): void {
    if (lines.length === 0) return;
    if (this.waiting_bytes + lines.length > WAITING_BYTES) {
      this.dropped_bytes += lines.length;
      return;
    }
    this.waiting.push(lines);
    this.waiting_bytes += lines.length;
    if (!this.writing) this.writeNext();
  }

  private writeNext(): void {
    const lines = this.waiting[0];
    if (lines === undefined) return;
    this.writing = true;
    write(this.fd, lines, (error, written) => {
      this.writing = false;
      if (error || written === lines.length) this.waiting.shift();
      else this.waiting[0] = lines.subarray(written);
      this.waiting_bytes -= error ? lines.length : written;
      this.writeNext();
    });
  }
}
