/**
 * One wire: who hears whom, how late, how often. Reordering needs no knob: each copy of a frame draws its own delay.
 */
import type { Family } from '../carp/events.ts';
import { between, chance, type Random } from './random.ts';

const FAMILIES: readonly Family[] = [4, 6];
/** On a wire that is well. */
export const CALM_DELAY_NS = 1e6;
const LEAST_DELAY_NS = 5e4;

export class Segment {
  readonly number: number;
  /** Changes with everything that a condition between hosts may not outlive. */
  epoch = 0;
  /** It sends frames back to where they came from. */
  echo = false;
  loss_percent = 0;
  duplicate_percent = 0;
  /** The longest a frame takes. */
  delay_ns = CALM_DELAY_NS;
  /** When something was sent last, and the longest delay there ever was: together they say what may still be on the way. */
  sent_ns = Number.NEGATIVE_INFINITY;
  worst_delay_ns = CALM_DELAY_NS;
  readonly #cuts = new Set<string>();

  constructor(number: number) {
    this.number = number;
  }

  setQuality(loss_percent: number, duplicate_percent: number, delay_ns: number): void {
    this.loss_percent = loss_percent;
    this.duplicate_percent = duplicate_percent;
    this.delay_ns = Math.max(delay_ns, LEAST_DELAY_NS);
    this.worst_delay_ns = Math.max(this.worst_delay_ns, this.delay_ns);
    this.epoch++;
  }

  /** `family`: only frames of IPv4 or IPv6. */
  cut(from: string, to: string, family?: Family): void {
    for (const one of family === undefined ? FAMILIES : [family]) this.#cuts.add(`${from}>${to} ${one}`);
    this.epoch++;
  }

  heal(): void {
    this.#cuts.clear();
    this.epoch++;
  }

  isCut(from: string, to: string, family: Family): boolean {
    if (this.#cuts.size === 0) return false;
    return [`${from}>${to}`, `${from}>*`, `*>${to}`].some((way) => this.#cuts.has(`${way} ${family}`));
  }

  /** The delay of each copy of one frame that arrives; often one, perhaps none, perhaps two. */
  copies_ns(from: string, to: string, family: Family, random: Random): number[] {
    if (this.isCut(from, to, family)) return [];
    const count = 100 * chance(random) < this.duplicate_percent ? 2 : 1;
    const copies: number[] = [];
    for (let i = 0; i < count; i++)
      if (100 * chance(random) >= this.loss_percent) copies.push(between(random, LEAST_DELAY_NS, this.delay_ns));
    return copies;
  }
}
