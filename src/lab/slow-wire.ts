/**
 * What a slow wire does to each frame: when it arrives, and whether once or twice. Each copy draws its own delay, so that
 * frames overtake each other. Pure: time comes from outside, and chance from the seed.
 */
import { Agenda } from '../simulator/agenda.ts';
import { between, chance, createRandom, type Random } from '../simulator/random.ts';

/** Frames on the way, and their bytes; what comes while there are so many is lost. */
export const MOST_FRAMES = 4096;
const MOST_BYTES = 16 * 1024 * 1024;

export class SlowWire {
  /** The longest that a frame takes. 0: it goes on at once. */
  delay_ns = 0;
  /** The share of frames that come twice. */
  repeat_percent = 0;
  /** How many frames were too many. */
  lost = 0;
  readonly #agenda = new Agenda();
  readonly #random: Random;
  #bytes = 0;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  /** When `release` has something to do next; Infinity: never. */
  get next_ns(): number {
    return this.#agenda.next_ns;
  }

  /** `arrive` is called for each copy, at once or by `release`. The bytes are the caller's, who may use them again. */
  take(frame: Uint8Array, now_ns: number, arrive: (frame: Uint8Array) => void): void {
    const copies = 100 * chance(this.#random) < this.repeat_percent ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.delay_ns === 0) arrive(frame);
      else this.#keep(frame.slice(), now_ns + between(this.#random, 0, this.delay_ns), arrive);
    }
  }

  /** What is due by then arrives. */
  release(now_ns: number): void {
    while (this.#agenda.next_ns <= now_ns) this.#agenda.take()();
  }

  #keep(frame: Uint8Array, at_ns: number, arrive: (frame: Uint8Array) => void): void {
    if (this.#agenda.size >= MOST_FRAMES || this.#bytes + frame.length > MOST_BYTES) {
      this.lost++;
      return;
    }
    this.#bytes += frame.length;
    this.#agenda.plan(at_ns, () => {
      this.#bytes -= frame.length;
      arrive(frame);
    });
  }
}
