// `npm run fuzz [-- --minutes N | --count N] [--only NAME] [--seed S]`: generated frames, files and commands until one does not hold.
// Without options all targets share 20 s, from a seed of the clock; every core takes its share of the seeds. --only with --seed alone runs that one input and prints
// it. Exit status 1 when something does not hold.
import { availableParallelism } from 'node:os';
import { build } from './build.mjs';
import { anySeed, DEFAULT_MINUTES, endWithReader, fail, MAX, number, readOptions, WORD } from './options.mjs';

endWithReader();
const { values } = readOptions({ options: { seed: WORD, minutes: WORD, count: WORD, only: WORD } });
const given_seed = number(values, 'seed', 0, MAX.seed);
const minutes = number(values, 'minutes', 0, MAX.minutes);
const count = number(values, 'count', 1, MAX.count);

build({ tests: true });
const { TARGETS, printInput } = await import(new URL('../build/test/fuzz/fuzz.js', import.meta.url).href);
const { fuzzWatched } = await import(new URL('../build/test/fuzz/watched.js', import.meta.url).href);

const targets = chosenTargets();
const only_one = given_seed !== undefined && values.only !== undefined && minutes === undefined && count === undefined;
const seed = given_seed ?? anySeed();
const time_ms =
  count !== undefined && minutes === undefined ? Infinity : ((minutes ?? DEFAULT_MINUTES) * 60_000) / targets.length;

if (only_one) process.stdout.write(`${printInput(targets[0], seed)}\n\n`);
for (const { name } of targets) {
  const outcome = await fuzzWatched(
    { name, seed, count: only_one ? 1 : (count ?? MAX.count), time_ms },
    only_one ? 1 : availableParallelism(),
  );
  process.stdout.write(`${describe(outcome)}\n`);
  if (outcome.broken) process.exitCode = 1;
}

/** @param {import('../test/fuzz/fuzz.ts').Outcome} outcome */
function describe({ name, inputs, time_ms: spent_ms, slowest_ms, heap_most_mb, tally, broken }) {
  const kinds = Object.entries(tally).sort(([, a], [, b]) => b - a);
  const told = kinds.map(([kind, times]) => `${kind} ${times}`).join(', ');
  const line = `${name}: ${inputs} inputs from seed ${seed} in ${(spent_ms / 1000).toFixed(1)} s, slowest ${slowest_ms.toFixed(1)} ms, heap at most ${heap_most_mb.toFixed(0)} MB: ${told}`;
  if (!broken) return line;
  return `${line}\n\nseed ${broken.seed} of ${name} does not hold: ${broken.why}\n\n${broken.input}\n\nThe same input again: npm run fuzz -- --only ${name} --seed ${broken.seed}\n`;
}

function chosenTargets() {
  if (values.only === undefined) return TARGETS;
  const names = TARGETS.map(({ name }) => name);
  return names.includes(values.only)
    ? TARGETS.filter(({ name }) => name === values.only)
    : fail(`--only takes one of ${names.join(', ')}`);
}
