/**
 * From probes to outages. A gap is a run of lost probes of one VIP; it lasts from the last answered probe before it to
 * the first answered one after it, by the times they were sent. It belongs to the action (kill, stop …) in whose
 * window it began: from that action to the next one. Pure.
 */

export type ProbeResult = { readonly sent_ms: number; readonly answered: boolean };

export type Gap = {
  /** When the last probe before the gap was sent that was answered. */
  readonly from_ms: number;
  /** When the first lost probe was sent. */
  readonly lost_ms: number;
  /** When the first answered probe after the gap was sent; undefined: there was none. */
  readonly until_ms: number | undefined;
};

/** Finds the gaps while the probes come in, in the order they were sent. */
export class GapFinder {
  readonly gaps: Gap[] = [];
  /** When the very first answered probe was sent. */
  first_answered_ms: number | undefined;
  last_answered_ms: number | undefined;
  /** When the latest probe was sent. */
  last_sent_ms: number | undefined;
  /** When the first of the latest unbroken run of answered probes was sent; undefined while they are lost. */
  answering_since_ms: number | undefined;
  #lost_ms: number | undefined;

  /** When the first of the latest unbroken run of lost probes was sent; undefined while they are answered. */
  get silent_since_ms(): number | undefined {
    return this.#lost_ms;
  }

  /** Returns the gap that this probe ends. What is lost before the first answer is no gap: nothing was there yet. */
  add(probe: ProbeResult): Gap | undefined {
    this.last_sent_ms = probe.sent_ms;
    if (!probe.answered) {
      this.#lost_ms ??= probe.sent_ms;
      this.answering_since_ms = undefined;
      return undefined;
    }
    const gap = this.#gap(probe.sent_ms);
    if (gap) this.gaps.push(gap);
    this.first_answered_ms ??= probe.sent_ms;
    this.answering_since_ms ??= probe.sent_ms;
    this.last_answered_ms = probe.sent_ms;
    this.#lost_ms = undefined;
    return gap;
  }

  /** All gaps, with the one that is still open. */
  all(): Gap[] {
    const open = this.#gap(undefined);
    return open ? [...this.gaps, open] : this.gaps;
  }

  #gap(until_ms: number | undefined): Gap | undefined {
    if (this.#lost_ms === undefined || this.last_answered_ms === undefined) return undefined;
    return { from_ms: this.last_answered_ms, lost_ms: this.#lost_ms, until_ms };
  }
}

/** The part of a run that is put down to one action. */
export type Window = { readonly from_ms: number; readonly until_ms: number };

/** The length of the longest gap that began in the window, 0 without one; an open gap lasts to `end_ms`. */
export function longestOutage(gaps: readonly Gap[], window: Window, end_ms: number): number {
  const lengths = gaps
    .filter((gap) => gap.lost_ms >= window.from_ms && gap.lost_ms < window.until_ms)
    .map((gap) => (gap.until_ms ?? end_ms) - gap.from_ms);
  return Math.max(0, ...lengths);
}
