/** What a socket's file is to be like: words of `bind` and `stats socket` (manual 5.1). */
import type { Word } from '../word.ts';
import type { Context } from './keyword.ts';

/** The largest number of a user or group. */
export const LAST_ID = 2 ** 32 - 2;

/** Undefined after a report. */
export function parseMode(word: Word, { report }: Context): number | undefined {
  if (/^0?[0-7]{1,4}$/.test(word.text)) return Number.parseInt(word.text, 8);
  report.error(word.span, 'unknown-value', `\`${word.text}\` is not a mode.`, 'Write octal digits, such as `660`.');
  return undefined;
}
