/**
 * Configuration texts that are nearly right: some lines of a real file, with a few changes that people, editors or bad
 * luck would make. One in eight is words of the grammar at random.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { detectDialect } from '#src/config/dialect.js';
import { between, type Random } from '#src/simulator/random.js';
import { EDGES, ODDITIES, once, pick } from './dice.js';

/** The lines of texts that are right, or were wrong once, and the words that mean something. */
export type Corpus = { readonly texts: readonly (readonly string[])[]; readonly words: readonly string[] };

const LINES_MOST = 30;
const CHANGES_MOST = 6;
const WORDS_MOST = 60;
/** What is repeated becomes so long, and no text longer than about a hundred kilobytes. */
const REPEATS_MOST = 300;

const golden = new URL('../../../test/config/golden/', import.meta.url);

/** The golden files of a dialect. */
export function goldenTexts(dialect: string): string[][] {
  const texts: string[][] = [];
  for (const folder of readdirSync(golden))
    for (const file of readdirSync(new URL(`${folder}/`, golden))) {
      const text = readFileSync(new URL(`${folder}/${file}`, golden), 'utf8');
      if (file !== 'expected.txt' && detectDialect(file, text) === dialect) texts.push(text.split('\n'));
    }
  return texts;
}

export function drawText(random: Random, { texts, words }: Corpus): string {
  if (once(random, 8)) return wordsAtRandom(random, words);
  const lines = someLines(random, pick(random, texts));
  const changes = between(random, 1, pick(random, [1, 2, CHANGES_MOST]));
  for (let i = 0; i < changes; i++) change(random, lines, texts, words);
  const text = lines.join('\n');
  return once(random, 10) ? text.slice(0, between(random, 0, text.length)) : text;
}

function wordsAtRandom(random: Random, words: readonly string[]): string {
  const parts = Array.from({ length: between(random, 0, WORDS_MOST) }, () => word(random, words));
  return parts.map((part) => part + pick(random, [' ', ' ', '\n', '\t', ''])).join('');
}

function someLines(random: Random, text: readonly string[]): string[] {
  if (once(random, 2)) return text.slice();
  const first = between(random, 0, text.length - 1);
  return text.slice(first, first + between(random, 1, LINES_MOST));
}

function change(random: Random, lines: string[], texts: Corpus['texts'], words: readonly string[]): void {
  const at = between(random, 0, Math.max(0, lines.length - 1));
  const line = lines[at] ?? '';
  switch (between(random, 0, 9)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(between(random, 0, lines.length), 0, line);
      break;
    case 2:
      lines.splice(at, 0, pick(random, pick(random, texts)));
      break;
    case 3:
      lines[at] = repeat(random, line, words);
      break;
    case 4:
      lines[at] = withOddity(random, line);
      break;
    case 5:
      lines[at] = withoutPart(random, line);
      break;
    case 6:
      lines[at] = line.replace(/\d+/, () => pick(random, EDGES));
      break;
    default:
      lines[at] = withWord(random, line, words);
  }
}

function repeat(random: Random, line: string, words: readonly string[]): string {
  if (!once(random, 10)) return `${line} ${line.trim()}`;
  return line + ` ${word(random, words)}`.repeat(between(random, 2, REPEATS_MOST));
}

function withOddity(random: Random, line: string): string {
  const at = between(random, 0, line.length);
  return line.slice(0, at) + pick(random, ODDITIES) + line.slice(at + between(random, 0, 2));
}

function withoutPart(random: Random, line: string): string {
  const at = between(random, 0, line.length);
  return line.slice(0, at) + line.slice(at + between(random, 1, 12));
}

/** A word is replaced, added or taken away. */
function withWord(random: Random, line: string, words: readonly string[]): string {
  const parts = line.split(/(?<=\s)(?=\S)/);
  const at = between(random, 0, parts.length - 1);
  const fresh = once(random, 6) ? [] : [`${word(random, words)} `];
  parts.splice(at, between(random, 0, 1), ...fresh);
  return parts.join('');
}

export function word(random: Random, words: readonly string[]): string {
  if (once(random, 12)) return pick(random, ODDITIES);
  return once(random, 8) ? pick(random, EDGES) : pick(random, words);
}
