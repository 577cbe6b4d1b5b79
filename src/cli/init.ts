/** `carpool init`: the files of both nodes, from five questions, from a description, or from arguments. */

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { compareNodes } from '../config/compare-nodes.ts';
import { formatDiagnostic, NOWHERE } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import {
  describePair,
  PAIR_DEFAULTS,
  type PairDescription,
  type PairDraft,
  readDescription,
  writePair,
} from '../config/new-pair.ts';
import { complain } from './complain.ts';

type InitWords = {
  readonly draft: PairDraft;
  readonly described: boolean;
  readonly directory: string;
  readonly force: boolean;
};

/** 14 bytes are 19 characters, the most that CARP carries: 112 bits. */
const PASSWORD_BYTES = 14;

/** `words` are those behind `init`. Resolves to the exit status. */
export async function init(words: readonly string[]): Promise<number> {
  const parsed = parseInitWords(words);
  if (typeof parsed === 'string') return complain(parsed);
  const { draft, described, directory, force } = parsed;
  if (!described) {
    const mistake = await askAll(draft);
    if (mistake !== undefined) return complain(mistake);
  }
  if (draft.addresses === undefined) return complain('The shared address is missing: --address 10.10.0.1/16.');
  if (draft.interface === undefined) return complain('The interface is missing: --interface eth0.');
  const pair = { ...PAIR_DEFAULTS, ...draft } as PairDescription;
  return writeFiles(writePair(pair, randomBytes(PASSWORD_BYTES).toString('base64url')), directory, force);
}

function parseInitWords(words: readonly string[]): InitWords | string {
  const draft: PairDraft = {};
  let directory = '.';
  let described = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--force') continue;
    const mistake = word.startsWith('--') ? takeOption(word.slice(2), words[++i]) : takeFile(word);
    if (mistake !== undefined) return mistake;
  }
  return { draft, described, directory, force: words.includes('--force') };

  function takeOption(key: string, value: string | undefined): string | undefined {
    if (value === undefined || value === '') return `--${key} wants a value after it.`;
    if (key === 'out') {
      directory = value;
      return undefined;
    }
    described = true;
    return describePair(draft, key, value);
  }

  function takeFile(path: string): string | undefined {
    described = true;
    try {
      const mistake = readDescription(draft, readFileSync(path, 'utf8'));
      return mistake === undefined ? undefined : `${path}, ${mistake}`;
    } catch (error) {
      return `The description ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`;
    }
  }
}

const QUESTIONS: readonly (readonly [key: string, question: string, otherwise: string])[] = [
  ['address', 'Which address shall the two machines share, with its prefix length (10.10.0.1/16)?', ''],
  ['interface', 'Which network interface is it on (eth0)?', 'eth0'],
  ['vhid', 'Which number from 1 to 255, that no other group in that network uses (1)?', '1'],
  ['nodes', 'What are the two machines called, the preferred one first (node-a node-b)?', 'node-a node-b'],
  ['preempt', 'Shall the preferred one take the address back when it returns (yes)?', 'yes'],
];
/** Somebody who answers wrong so often is not there. */
const TRIES = 5;

/** A sentence when the input ends too early. */
async function askAll(draft: PairDraft): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  const answers = lines[Symbol.asyncIterator]();
  try {
    for (const [key, question, otherwise] of QUESTIONS) {
      const mistake = await askOne(draft, key, question, otherwise, answers);
      if (mistake !== undefined) return mistake;
    }
    return undefined;
  } finally {
    lines.close();
  }
}

async function askOne(
  draft: PairDraft,
  key: string,
  question: string,
  otherwise: string,
  answers: AsyncIterator<string>,
): Promise<string | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    process.stderr.write(`${question} `);
    const { value, done } = await answers.next();
    if (done) return 'The questions were not all answered, so nothing was written.';
    const mistake = describePair(draft, key, value.trim() || otherwise);
    if (mistake === undefined && (key !== 'address' || draft.addresses?.length)) return undefined;
    process.stderr.write(`${mistake ?? 'An address is needed.'}\n`);
  }
  return 'No answer was understood, so nothing was written.';
}

/** Checks what shall be written as the daemon would, then writes all of it or nothing. */
function writeFiles(files: readonly { file: string; text: string }[], directory: string, force: boolean): number {
  const loaded = files.map((file) => loadConfig([file]));
  const diagnostics = loaded[0]!.diagnostics.filter(({ severity }) => severity === 'error');
  // without the place in a file that nobody sees
  for (const one of diagnostics) process.stderr.write(`${formatDiagnostic({ ...one, span: NOWHERE })}\n`);
  const [a, b] = loaded.map(({ config }) => config);
  if (a === undefined || b === undefined) return complain('Nothing was written.');
  const misfit = compareNodes(a, b).find(({ kind }) => kind !== 'different');
  if (misfit !== undefined) throw new Error(`the two files do not fit: ${misfit.what}: ${misfit.sentence}`);
  const paths = files.map(({ file }) => join(directory, file));
  const there = paths.find((path) => existsSync(path));
  if (there !== undefined && !force) return complain(`${there} is there already; --force overwrites it.`);
  try {
    if (!existsSync(directory)) mkdirSync(directory);
    // they hold the password
    for (const [i, path] of paths.entries()) {
      writeFileSync(path, files[i]!.text, { mode: 0o600, flag: force ? 'w' : 'wx' });
      chmodSync(path, 0o600);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return complain(`${directory} cannot be written${code === 'EACCES' ? ' by this user' : ''} (${code}).`);
  }
  const [first, second] = paths;
  process.stdout.write(
    `Wrote ${first} and ${second}. They hold the password: copy each to its machine by a safe way.\n` +
      `Check there: carpool -c -f ${files[0]!.file}    Then run: carpool -f ${files[0]!.file}\n`,
  );
  return 0;
}
