/**
 * HAProxy's conditions (manual 7.1 and 7.4), for what `demote` needs: anonymous ACLs over the state of servers.
 *
 *   condition  = term { term } { ("or" | "||") term { term } }      side by side is AND
 *   term       = ["!"] ( "{" fetch [operator] values "}" | "TRUE" | "FALSE" )
 */
import type { Condition, IntegerRange, Term, Test } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';

const EXAMPLE = 'Write for example `{ nbsrv(servers) ge 1 }`, with spaces around the braces.';
const FETCHES = ['nbsrv', 'srv_is_up', 'always_true', 'always_false'];

/** Undefined after a report. `after` is the word before the condition. */
export function parseCondition(words: readonly Word[], after: Word, report: Reporter): Condition | undefined {
  const reader = new ConditionReader(words, after, report);
  return reader.condition();
}

class ConditionReader {
  readonly #words: readonly Word[];
  readonly #after: Word;
  readonly #report: Reporter;
  #at = 0;

  constructor(words: readonly Word[], after: Word, report: Reporter) {
    this.#words = words;
    this.#after = after;
    this.#report = report;
  }

  condition(): Condition | undefined {
    const alternatives: Term[][] = [[]];
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

  #term(): Term | undefined {
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

  /** HAProxy's predefined ACLs. */
  #named(word: Word, text: string): Test | undefined {
    if (text === 'TRUE' || text === 'FALSE') return { kind: 'constant', value: text === 'TRUE' };
    if (text.startsWith('{')) return this.#fail(word, 'A space is missing after `{`.');
    return this.#fail(word, `There is no ACL \`${text}\` here; a carp section takes conditions in braces only.`);
  }

  #braces(open: Word): Test | undefined {
    const close = this.#words.findIndex((word, index) => index >= this.#at && word.text === '}');
    if (close < 0) return this.#fail(open, 'This `{` is never closed by a `}` of its own.');
    const [fetch, ...pattern] = this.#words.slice(this.#at, close);
    this.#at = close + 1;
    if (fetch === undefined) return this.#fail(open, 'There is nothing in these braces.');
    return this.#test(fetch, pattern);
  }

  #test(fetch: Word, pattern: readonly Word[]): Test | undefined {
    const [, name, argument] = /^([\w.]+)(?:\((.*)\))?$/.exec(fetch.text) ?? [];
    if (name === 'nbsrv') return this.#nbsrv(fetch, argument ?? '', pattern);
    if (pattern.length > 0 && FETCHES.includes(name))
      return this.#fail(pattern[0], `\`${name}\` is true or false and is compared with nothing.`);
    if (name === 'srv_is_up') return this.#srvIsUp(fetch, argument ?? '');
    if (name === 'always_true' || name === 'always_false') return { kind: 'constant', value: name === 'always_true' };
    this.#report.error(
      fetch.span,
      'unsupported-condition',
      `\`${fetch.text}\` cannot be asked in a carp section.`,
      didYouMean(name ?? fetch.text, FETCHES) ?? 'Write `nbsrv(BACKEND)` or `srv_is_up(BACKEND/SERVER)`.',
    );
    return undefined;
  }

  #nbsrv(fetch: Word, backend: string, pattern: readonly Word[]): Test | undefined {
    if (backend === '') return this.#fail(fetch, '`nbsrv` needs the name of a backend in parentheses.');
    const ranges = parseRanges(pattern);
    if (ranges !== undefined) return { kind: 'nbsrv', backend, ranges };
    return this.#fail(
      pattern[0] ?? fetch,
      pattern.length === 0 ? '`nbsrv` must be compared with a number.' : 'This is no comparison with whole numbers.',
    );
  }

  #srvIsUp(fetch: Word, argument: string): Test | undefined {
    const [backend, server, ...rest] = argument.split('/');
    if (backend && server && rest.length === 0) return { kind: 'srv_is_up', backend, server };
    this.#report.error(
      fetch.span,
      'bad-condition',
      '`srv_is_up` needs a backend and a server.',
      'Write `srv_is_up(BACKEND/SERVER)`.',
    );
    return undefined;
  }

  #fail(word: Word, message: string): undefined {
    this.#report.error(word.span, 'bad-condition', message, EXAMPLE);
  }
}

/** `[eq|ge|gt|le|lt] N | N:M | N: | :M …`, several values being alternatives (manual 7.1.1). */
function parseRanges(pattern: readonly Word[]): IntegerRange[] | undefined {
  const operator = /^(eq|ge|gt|le|lt)$/.test(pattern[0]?.text ?? '') ? pattern[0].text : undefined;
  const values = operator === undefined ? pattern : pattern.slice(1);
  if (values.length === 0) return undefined;
  const ranges = values.map((value) => parseRange(operator ?? 'eq', value.text));
  return ranges.includes(undefined) ? undefined : (ranges as IntegerRange[]);
}

function parseRange(operator: string, text: string): IntegerRange | undefined {
  const match = /^(\d{1,9})?(:)?(\d{1,9})?$/.exec(text);
  if (match === null || text === '' || text === ':') return undefined;
  const [, first, colon, second] = match;
  if (colon !== undefined) {
    if (operator !== 'eq') return undefined;
    return { min: first === undefined ? null : Number(first), max: second === undefined ? null : Number(second) };
  }
  const value = Number(text);
  if (operator === 'ge') return { min: value, max: null };
  if (operator === 'gt') return { min: value + 1, max: null };
  if (operator === 'le') return { min: null, max: value };
  if (operator === 'lt') return { min: null, max: value - 1 };
  return { min: value, max: value };
}
