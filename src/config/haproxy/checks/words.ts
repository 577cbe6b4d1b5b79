/** The words of one rule, taken from left to right. */
import { parseInteger } from '../../values.ts';
import type { Word } from '../../word.ts';
import type { Context } from '../keyword.ts';

export class Words {
  readonly context: Context;
  #at = 0;
  readonly #words: readonly Word[];
  /** The rule's own word, for mistakes that are at its end. */
  readonly #rule: Word;

  constructor(rule: Word, words: readonly Word[], context: Context) {
    this.#rule = rule;
    this.#words = words;
    this.context = context;
  }

  /** The next word is taken; undefined at the end. */
  next(): Word | undefined {
    return this.#words[this.#at++];
  }

  peek(): Word | undefined {
    return this.#words[this.#at];
  }

  get ended(): boolean {
    return this.#at >= this.#words.length;
  }

  /** The value that must follow `of`; undefined after a report. */
  value(of: Word): Word | undefined {
    const value = this.next();
    if (value !== undefined) return value;
    return this.fail(of, 'missing-value', `\`${of.text}\` needs a value.`);
  }

  integer(of: Word, min: number, max: number): number | undefined {
    const value = this.value(of);
    return value && parseInteger(value, { what: of.text, min, max }, this.context.report);
  }

  oneOf<T extends string>(of: Word, allowed: readonly T[]): T | undefined {
    const value = this.value(of);
    if (value === undefined) return undefined;
    const found = allowed.find((each) => each === value.text);
    if (found !== undefined) return found;
    return this.fail(
      value,
      'unknown-value',
      `\`${of.text}\` cannot be \`${value.text}\`.`,
      `Write one of ${allowed.join(', ')}.`,
    );
  }

  /** A word that nobody expected here. */
  unexpected(word: Word, expected: readonly string[]): undefined {
    const message = `\`${this.#rule.text}\` does not know \`${word.text}\`.`;
    return this.fail(word, 'unknown-keyword', message, `It takes ${expected.join(', ')}.`);
  }

  /** Nothing else may follow. */
  end(): boolean {
    const word = this.peek();
    if (word === undefined) return true;
    this.fail(word, 'unexpected-word', `\`${word.text}\` is one word too many.`, 'Escape spaces with `\\`, or quote.');
    return false;
  }

  fail(word: Word | undefined, code: string, message: string, mend?: string): undefined {
    this.context.report.error((word ?? this.#rule).span, code, message, mend);
  }
}
