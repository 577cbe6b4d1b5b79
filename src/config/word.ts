/** A word of a configuration, and where it stands: what every dialect's tokenizer gives. */
import type { Span } from './diagnostic.ts';

export type Word = {
  readonly text: string;
  readonly span: Span;
  /** Characters of it were written as bytes (`\xE9`). */
  readonly has_bytes?: boolean;
};

/** What it is in a message, one character for each byte: UTF-8, but for what was written as bytes. */
export function asBytes({ text, has_bytes }: Word): string {
  return has_bytes ? text : Buffer.from(text).toString('latin1');
}

/** The span of a whole line or statement, from its first word to its last. */
export function spanOf(words: readonly Word[]): Span {
  const first = words[0].span;
  const last = words[words.length - 1].span;
  return last.line === first.line ? { ...first, end_column: last.end_column } : first;
}
