/** Log lines that were lost because whoever reads them was too slow, or their disk full: counted, and said once a minute at most. */
import { droppedByPrinters, printError } from './line-printer.ts';
import { logRings } from './log-rings.ts';

const SAY_EVERY_MS = 60_000;

export class LostLines {
  /** When `say` last saw that more were lost, by its clock; undefined: never. */
  last_ms: number | undefined;
  private in_threads = 0;
  private seen = 0;
  private said = 0;
  private said_ms = Number.NEGATIVE_INFINITY;

  /** Told by a data thread. */
  add(lines: number): void {
    this.in_threads += lines;
  }

  get total(): number {
    return this.in_threads + droppedByPrinters() + logRings.dropped;
  }

  /** Called about once a second; `now_ms` of any clock that only goes forward. */
  say(now_ms: number, log: (text: string) => void): void {
    if (this.total > this.seen) this.last_ms = now_ms;
    this.seen = this.total;
    const lines = this.total - this.said;
    if (lines === 0 || now_ms < this.said_ms + SAY_EVERY_MS) return;
    this.said += lines;
    this.said_ms = now_ms;
    const error = printError();
    const reason = error ? `writing them failed (${error})` : 'whoever reads them was too slow';
    log(`${lines} log lines were lost: ${reason}`);
  }
}
