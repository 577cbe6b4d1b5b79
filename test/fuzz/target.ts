/** What can be fuzzed: how an input is drawn, what must hold of it, and how people see it. */
import type { Random } from '#src/simulator/random.js';

export type Target = {
  readonly name: string;
  /** The input of a seed is always the same. Returns what must hold of it, and the input as text. */
  readonly draw: (random: Random) => Trial;
};

export type Trial = {
  /** Throws when something does not hold; else tells the kind of what came out (of each part), for the tally. */
  readonly run: () => string | readonly string[];
  /** The input, to be read and pasted. */
  readonly print: () => string;
};
