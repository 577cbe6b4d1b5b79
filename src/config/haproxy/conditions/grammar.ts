/**
 * The grammar of HAProxy's conditions (manual 7.2 and 7.4), whatever their terms ask about.
 *
 *   condition  = term { term } { ("or" | "||") term { term } }      side by side is AND
 *   term       = ["!"] ( "{" fetch pattern … "}" | NAME )
 */
import type { Disjunction } from '../../model.ts';
import type { Reporter } from '../../reporter.ts';
import type { Word } from '../../word.ts';

type Term<Test> = Disjunction<Test>[number][number];

/** What terms mean. Each function reports what is wrong and then returns undefined. */
export type TermGrammar<Test> = {
  /** How a condition may look, for the mend of a mistake. */
  readonly example: string;
  readonly named: (word: Word, name: string) => Test | undefined;
  /** What stands in braces; `fetch` is their first word. */
  readonly test: (fetch: Word, pattern: readonly Word[]) => Test | undefined;
};

/** Undefined after a report. `after` is the word before the condition. */
export function readCondition<Test>(
  words: readonly Word[],
  after: Word,
  report: Reporter,
  grammar: TermGrammar<Test>,
): Disjunction<Test> | undefined {
  return new ConditionReader(words, after, report, grammar).condition();
}

class ConditionReader<Test> {
  readonly #words: readonly Word[];
  readonly #after: Word;
  readonly #report: Reporter;
  readonly #grammar: TermGrammar<Test>;
  #at = 0;

  constructor(words: readonly Word[], after: Word, report: Reporter, grammar: TermGrammar<Test>) {
    this.#grammar = grammar;
    this.#words = words;
    this.#after = after;
    this.#report = report;
  }

  condition(): Disjunction<Test> | undefined {
    const alternatives: Term<Test>[][] = [[]];
    while (this.#at < this.#words.length) {
      const group = alternatives[alternatives.length - 1];
      if (this.#isOr()) {
        if (group.length === 0) return this.#fail(this.#words[this.#at], 'Nothing stands before this `or`.');
        this.#at++;
        alternatives.push([]);
      } else {
        const term = this.#term();
        if (term === undefined) return undefined;
        group.push(term);
      }
    }
    const last = this.#words[this.#words.length - 1] ?? this.#after;
    if (alternatives[alternatives.length - 1].length === 0)
      return this.#fail(last, `A condition must follow \`${last.text}\`.`);
    return alternatives;
  }

  #isOr(): boolean {
    return ['or', '||'].includes(this.#words[this.#at].text);
  }

  #term(): Term<Test> | undefined {
    let negated = false;
    let word = this.#words[this.#at];
    let text = word.text;
    while (text.startsWith('!')) {
      negated = !negated;
      text = text.slice(1);
      if (text !== '') continue;
      const next = this.#words[++this.#at];
      if (next === undefined) return this.#fail(word, 'A term must follow `!`.');
      word = next;
      text = next.text;
    }
    this.#at++;
    const test = text === '{' ? this.#braces(word) : this.#named(word, text);
    return test && { negated, test };
  }

  #named(word: Word, text: string): Test | undefined {
    if (text.startsWith('{')) return this.#fail(word, 'A space is missing after `{`.');
    return this.#grammar.named(word, text);
  }

  #braces(open: Word): Test | undefined {
    const close = this.#words.findIndex((word, index) => index >= this.#at && word.text === '}');
    if (close < 0) return this.#fail(open, 'This `{` is never closed by a `}` of its own.');
    const [fetch, ...pattern] = this.#words.slice(this.#at, close);
    this.#at = close + 1;
    if (fetch === undefined) return this.#fail(open, 'There is nothing in these braces.');
    return this.#grammar.test(fetch, pattern);
  }

  #fail(word: Word, message: string): undefined {
    this.#report.error(word.span, 'bad-condition', message, this.#grammar.example);
  }
}
