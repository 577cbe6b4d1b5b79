/** `carpool lab [SCENARIO | FILE | --seed N|FILE] [--json] [--list]` */

import { suggest } from '../config/suggest.ts';
import { listScenarios, runLab } from '../lab/lab.ts';
import { complain } from './complain.ts';
import { labSeed } from './lab-seed.ts';

const DEFAULT_SCENARIO = 'two-addresses';
const OPTIONS = ['--json', '--list', '--seed'];
const USAGE = 'carpool lab [SCENARIO | FILE | --seed N|FILE] [--json] [--list]';

/** `words` are those behind `lab`. Returns the exit status. */
export async function lab(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word.startsWith('-') && !OPTIONS.includes(word));
  const names = words.filter((word) => !word.startsWith('-'));
  if (unknown !== undefined) return complain(`There is no option ${unknown}${didYouMean(unknown)}: ${USAGE}`);
  if (names.length > 1) return complain(`"${names[1]}" is one scenario too many: ${USAGE}`);
  if (words.includes('--list')) {
    if (words.length > 1) return complain(`--list goes alone: ${USAGE}`);
    return list();
  }
  if (words.includes('--seed')) return playSeed(words);
  return runLab({ scenario: names[0] ?? DEFAULT_SCENARIO, json: words.includes('--json') });
}

function list(): number {
  const scenarios = listScenarios();
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  for (const { name, title } of scenarios) process.stdout.write(`${name.padEnd(width)}  ${title}\n`);
  return 0;
}

async function playSeed(words: readonly string[]): Promise<number> {
  const [seed, ...rest] = words.filter((word) => word !== '--json' && word !== '--seed');
  if (seed === undefined) return complain(`--seed wants a number or a file: ${USAGE}`);
  if (rest.length > 0) return complain(`"${rest[0]}" is one scenario too many: ${USAGE}`);
  return labSeed(seed, words.includes('--json'));
}

function didYouMean(word: string): string {
  const nearest = suggest(word, OPTIONS);
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
}
