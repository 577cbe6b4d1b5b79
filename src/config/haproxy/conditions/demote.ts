/** What `demote` may ask: anonymous ACLs over the state of servers. */
import type { Condition, Test } from '../../model.ts';
import type { Reporter } from '../../reporter.ts';
import { didYouMean } from '../../suggest.ts';
import type { Word } from '../../word.ts';
import { readCondition } from './grammar.ts';
import { parseRanges } from './ranges.ts';

const EXAMPLE = 'Write for example `{ nbsrv(servers) ge 1 }`, with spaces around the braces.';
const FETCHES = ['nbsrv', 'srv_is_up', 'always_true', 'always_false'];

/** Undefined after a report. `after` is the word before the condition. */
export function parseCondition(words: readonly Word[], after: Word, report: Reporter): Condition | undefined {
  const terms = new ServerTerms(report);
  return readCondition<Test>(words, after, report, {
    example: EXAMPLE,
    named: (word, name) => terms.named(word, name),
    test: (fetch, pattern) => terms.test(fetch, pattern),
  });
}

class ServerTerms {
  readonly #report: Reporter;

  constructor(report: Reporter) {
    this.#report = report;
  }

  /** HAProxy's predefined ACLs. */
  named(word: Word, text: string): Test | undefined {
    if (text === 'TRUE' || text === 'FALSE') return { kind: 'constant', value: text === 'TRUE' };
    return this.#fail(word, `There is no ACL \`${text}\` here; a carp section takes conditions in braces only.`);
  }

  test(fetch: Word, pattern: readonly Word[]): Test | undefined {
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
