// What the scripts make of their arguments.
import { parseArgs } from 'node:util';

/**
 * As parseArgs, but a word that it does not take is told in a sentence.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {T} config
 */
export function readOptions(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    return failAtOptions(error);
  }
}

/** @param {unknown} error what parseArgs threw; anything else is thrown on @returns {never} */
export function failAtOptions(error) {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) fail(error.message);
  throw error;
}

/**
 * The number behind `--NAME`, or undefined where the option is not there.
 * @param {Record<string, string | boolean | undefined>} values @param {string} name @param {number} least @param {number} most
 */
export function number(values, name, least, most) {
  const given = values[name];
  if (typeof given !== 'string') return undefined;
  const value = Number(given);
  if (given.trim() !== '' && value >= least && value <= most) return value;
  return fail(`--${name} is a number from ${least} to ${most}`);
}

/** @param {string} text @returns {never} */
export function fail(text) {
  process.stderr.write(`carpool: ${text}\n`);
  process.exit(1);
}

/** A seed of the clock, for who gives none. */
export function anySeed() {
  return Math.floor(Date.now() / 1000) % 2 ** 30;
}

/** Whoever read this has seen enough (`npm run fuzz | head`). */
export function endWithReader() {
  process.stdout.on('error', () => process.exit(0));
}

export const DEFAULT_MINUTES = 1 / 3;
export const MAX = { minutes: 24 * 60, count: 1e9, seed: 2 ** 31 - 1 };
export const WORD = { type: /** @type {const} */ ('string') };
