/**
 * How often something happens in a second, the way HAProxy counts it: what came since the last full second, and of the second
 * before it the part that is still less than a second ago.
 *
 *        ├── the second before ──┼── this one ──▶ now
 *   rate =       the part after now - 1 s      +  all of it
 */

export class Rate {
  private began_ms: number;
  private at_start: number;
  private before = 0;
  /** The most that came in one full second. */
  max = 0;

  constructor(total: number, now_ms: number) {
    this.at_start = total;
    this.began_ms = now_ms;
  }

  /** Called about once a second with the count so far. */
  tick(total: number, now_ms: number): void {
    const elapsed_ms = now_ms - this.began_ms;
    if (elapsed_ms < 1000) return;
    const count = total - this.at_start;
    // after a stall nobody knows in which second it was
    this.before = elapsed_ms < 2000 ? count : Math.round((count * 1000) / elapsed_ms);
    this.max = Math.max(this.max, this.before);
    this.at_start = total;
    this.began_ms = now_ms;
  }

  read(total: number, now_ms: number): number {
    const elapsed_ms = now_ms - this.began_ms;
    const count = total - this.at_start;
    this.max = Math.max(this.max, elapsed_ms <= 1100 ? count : 0);
    return Math.round(count + this.before * Math.max(0, 1 - elapsed_ms / 1000));
  }
}
