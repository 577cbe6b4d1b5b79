/** A number as C's strtoul reads it: decimal, or hexadecimal behind 0x, or octal behind 0. What is none stays as it is. */
import type { Word } from './word.ts';

export function readAsStrtoul({ text, span }: Word): Word {
  const [, hexadecimal, octal] = /^(?:0[xX]([0-9a-fA-F]{1,8})|0([0-7]{1,8}))$/.exec(text) ?? [];
  const digits = hexadecimal ?? octal;
  return digits === undefined ? { text, span } : { text: String(Number.parseInt(digits, hexadecimal ? 16 : 8)), span };
}
