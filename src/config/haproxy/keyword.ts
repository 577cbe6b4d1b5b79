/**
 * What a row of a keyword table is. The tables serve three readers: the parser, "did you mean", and the
 * reference documentation that is generated from them.
 */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';
import type { MutableEnvironment } from './environment.ts';

export type SectionKind =
  | 'global'
  | 'defaults'
  | 'frontend'
  | 'listen'
  | 'backend'
  | 'resolvers'
  | 'ring'
  | 'userlist'
  | 'http-errors'
  | 'carp';

/** One line inside a section: `no option httplog` is {negated, keyword: option, args: [httplog]}. */
export type Statement = { readonly keyword: Word; readonly args: readonly Word[]; readonly negated: boolean };

/** `env` is what the next lines see. */
export type Context = {
  readonly report: Reporter;
  readonly env: MutableEnvironment;
  /** The text of a file of patterns; undefined: it cannot be read. */
  readonly readPatterns: (path: string) => string | undefined;
  /** What is to be looked up when all sections are read. */
  readonly asked_userlists: AskedUserlist[];
};

/** A userlist that a condition names, and the groups that it compares with. */
export type AskedUserlist = { readonly name: string; readonly span: Span; readonly groups: Word[] };

export type Keyword<Draft> = {
  readonly name: string;
  readonly sections: readonly SectionKind[];
  /** One sentence for the reference. */
  readonly help: string;
  /** False: read and warned about, without effect yet. */
  readonly has_effect: boolean;
  /** May `no` stand before it? */
  readonly negatable?: boolean;
  readonly parse: (draft: Draft, statement: Statement, context: Context) => void;
};

export const ALL_PROXIES: readonly SectionKind[] = ['defaults', 'frontend', 'listen', 'backend'];
export const FRONT: readonly SectionKind[] = ['defaults', 'frontend', 'listen'];
export const BACK: readonly SectionKind[] = ['defaults', 'listen', 'backend'];

/** A keyword of HAProxy that is accepted so that people's files run, with a warning that says what is lost. */
export function withoutEffect(name: string, sections: readonly SectionKind[], lost: string): Keyword<unknown> {
  return {
    name,
    sections,
    help: `Accepted without effect: ${lost}.`,
    has_effect: false,
    negatable: true,
    parse: (_draft, { keyword, args }, { report }) => {
      // `stats` alone says little
      const shown = name === 'stats' && args.length > 0 ? `stats ${args[0].text}` : name;
      report.warning(keyword.span, 'no-effect', `\`${shown}\` has no effect yet: ${lost}.`);
    },
  };
}

/** The one argument that a keyword must have; more are reported and not used. */
export function onlyArgument({ keyword, args }: Statement, what: string, { report }: Context): Word | undefined {
  if (args.length === 0) {
    report.error(keyword.span, 'missing-value', `\`${keyword.text}\` needs ${what}.`);
    return undefined;
  }
  refuseMore(args.slice(1), keyword, report);
  return args[0];
}

export function noArguments({ keyword, args }: Statement, { report }: Context): void {
  refuseMore(args, keyword, report);
}

/** Reports the first word that should not be there. */
export function refuseMore(words: readonly Word[], after: Word, report: Reporter): undefined {
  if (words.length === 0) return;
  report.error(
    words[0].span,
    'unexpected-word',
    `\`${words[0].text}\` is one word too many after \`${after.text}\`.`,
    'Remove it, or quote the value if it is one value with spaces.',
  );
}

/** Characters that HAProxy allows in the names of sections and servers. */
export function checkName(name: Word, { report }: Context): void {
  const bad = /[^A-Za-z0-9_.:-]/.exec(name.text);
  if (bad === null && name.text !== '') return;
  const message = bad === null ? 'A name cannot be empty.' : `The name \`${name.text}\` contains \`${bad[0]}\`.`;
  report.error(name.span, 'bad-name', message, 'Write letters, digits, `-`, `_`, `.` and `:` only.');
}
