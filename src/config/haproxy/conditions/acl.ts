/**
 * ACLs (manual 7): `acl NAME sample [flags] [operator] pattern …` lines, the same in braces, and those that HAProxy predefines.
 * Everything that is written is compiled to plain data here; proxy/sample makes functions of it.
 */
import type { AclTest, Match, RuleCondition } from '../../model.ts';
import { regularExpression } from '../../regular-expression.ts';
import { didYouMean } from '../../suggest.ts';
import { isNetwork } from '../../values.ts';
import { asBytes, type Word } from '../../word.ts';
import type { ProxyDraft } from '../drafts.ts';
import type { Context, Statement } from '../keyword.ts';
import { readCondition } from './grammar.ts';
import { predefinedAcl } from './predefined.ts';
import { parseRanges } from './ranges.ts';
import { type ParsedSample, parseSample } from './sample.ts';

const EXAMPLE = 'Write for example `if { path_beg /api }`, with spaces around the braces.';
const METHODS = ['bool', 'found', 'int', 'len', 'ip', 'str', 'beg', 'end', 'sub', 'dir', 'dom', 'reg', 'bin'] as const;
type Method = (typeof METHODS)[number];

/** By name. */
export type Acls = ReadonlyMap<string, AclTest>;

/** `acl NAME …`: a second line of the same name is an alternative. */
export function parseAcl(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const [name, sample, ...pattern] = args;
  if (sample === undefined) {
    const mend = 'Write for example `acl is_api path_beg /api`.';
    context.report.error(keyword.span, 'missing-value', '`acl` needs a name and a sample.', mend);
    return;
  }
  const test = parseTest(sample, pattern, context);
  const before = draft.acls.get(name.text);
  // after a mistake the name is known all the same, so that only the mistake is reported
  const alternative: AclTest = test ?? { kind: 'constant', value: false };
  draft.acls.set(name.text, before ? { kind: 'any', tests: [before, alternative] } : alternative);
}

/**
 * What follows a rule: nothing, or `if …`, `unless …`. `after` is the word before it. Null: there is no condition; undefined: it
 * is wrong, and reported.
 */
export function parseRuleCondition(
  words: readonly Word[],
  after: Word,
  acls: Acls,
  context: Context,
): RuleCondition | null | undefined {
  const [polarity, ...terms] = words;
  if (polarity === undefined) return null;
  if (polarity.text !== 'if' && polarity.text !== 'unless') {
    const message = `\`${polarity.text}\` is one word too many after \`${after.text}\`.`;
    context.report.error(polarity.span, 'unexpected-word', message, 'A condition begins with `if` or `unless`.');
    return undefined;
  }
  const condition = readCondition<AclTest>(terms, polarity, context.report, {
    example: EXAMPLE,
    named: (word, name) =>
      acls.get(name) ?? predefinedAcl(name, context) ?? reportUnknownAcl(word, name, acls, context),
    test: (fetch, pattern) => parseTest(fetch, pattern, context),
  });
  return condition && { polarity: polarity.text, condition };
}

function reportUnknownAcl(word: Word, name: string, acls: Acls, { report }: Context): undefined {
  const mend = didYouMean(name, acls.keys()) ?? 'An `acl` line must stand above the rule that names it.';
  report.error(word.span, 'unknown-acl', `There is no ACL \`${name}\`.`, mend);
}

/** Also for predefined ones. Undefined after a report. */
export function parseTest(sampleWord: Word, words: readonly Word[], context: Context): AclTest | undefined {
  const parsed = parseSample(sampleWord, context);
  if (parsed && (parsed.moment === 'response' || parsed.moment === 'end')) {
    const message = `\`${sampleWord.text}\` tells about what comes after the request, which is not there when this is asked.`;
    return context.report.error(sampleWord.span, 'bad-condition', message, 'Log formats may name it: `%[…]`.');
  }
  const flags = parsed && parseFlags(words, context);
  if (parsed === undefined || flags === undefined) return undefined;
  const method = flags.method ?? parsed.suffix ?? defaultMethod(parsed);
  if (parsed.sample.fetch === 'http_auth_group') context.asked_userlists.at(-1)?.groups.push(...flags.patterns);
  const match = parseMatch(method, flags, sampleWord, context);
  return match && { kind: 'match', sample: parsed.sample, match };
}

function defaultMethod({ type }: ParsedSample): Method {
  return type === 'method' ? 'str' : type;
}

type Flags = {
  readonly ignore_case: boolean;
  readonly method: Method | undefined;
  readonly patterns: readonly Word[];
};

function parseFlags(words: readonly Word[], context: Context): Flags | undefined {
  const { report } = context;
  const from_files: Word[] = [];
  let ignore_case = false;
  let method: Method | undefined;
  let at = 0;
  for (; at < words.length && words[at].text.startsWith('-'); at++) {
    const { text, span } = words[at];
    if (text === '--') {
      at++;
      break;
    }
    if (text === '-i') ignore_case = true;
    else if (text === '-m') {
      const name = words[++at]?.text ?? '';
      method = METHODS.find((known) => known === name);
      if (method === undefined) {
        const mend = didYouMean(name, METHODS) ?? `Write one of ${METHODS.join(', ')}.`;
        report.error(words[at]?.span ?? span, 'unsupported-value', `\`-m ${name}\` is not supported.`, mend);
        return undefined;
      }
    } else if (text === '-f') {
      const file = words[++at];
      const patterns = file && patternsOf(file, context);
      if (patterns === undefined) {
        const message = file ? `\`${file.text}\` cannot be read.` : '`-f` needs a file.';
        report.error((file ?? words[at - 1]).span, 'unreadable-file', message);
        return undefined;
      }
      for (const pattern of patterns) from_files.push(pattern);
    } else if (text === '-n') {
      // addresses are never looked up
    } else if (/^-\d/.test(text)) break;
    else {
      const mend = 'Write `--` before patterns that begin with `-`.';
      report.error(span, 'unsupported-value', `The flag \`${text}\` of ACLs is not supported yet.`, mend);
      return undefined;
    }
  }
  return { ignore_case, method, patterns: [...from_files, ...words.slice(at)] };
}

/** One in a line, without the blanks before it; empty lines and those that begin with `#` are none. */
function patternsOf({ text: path, span }: Word, { readPatterns }: Context): Word[] | undefined {
  const lines = readPatterns(path)?.split(/\r?\n/);
  const written = lines?.filter((line) => !line.startsWith('#')).map((line) => line.replace(/^[ \t]+/, ''));
  return written?.filter((line) => line !== '').map((text) => ({ text, span }));
}

function parseMatch(
  method: Method,
  { ignore_case, patterns }: Flags,
  sample: Word,
  context: Context,
): Match | undefined {
  const { report } = context;
  if (method === 'found' || method === 'bool') {
    if (patterns.length === 0) return { method };
    const message = `\`${sample.text}\` is true or false and is compared with nothing.`;
    return report.error(patterns[0].span, 'bad-condition', message, EXAMPLE);
  }
  if (patterns.length === 0) {
    const message = `\`${sample.text}\` must be compared with something.`;
    return report.error(sample.span, 'bad-condition', message, EXAMPLE);
  }
  if (method === 'int' || method === 'len') {
    const ranges = parseRanges(patterns);
    if (ranges !== undefined) return { method, ranges };
    return report.error(patterns[0].span, 'bad-condition', 'This is no comparison with whole numbers.', EXAMPLE);
  }
  const texts = patterns.map(asBytes);
  const form = FORMS[method];
  const wrong = form && patterns.find(({ text }) => !form.fits(text));
  if (wrong) return report.error(wrong.span, 'bad-pattern', `\`${wrong.text}\` is not ${form.what}.`, form.mend);
  return method === 'ip' ? { method, networks: texts } : { method, patterns: texts, ignore_case };
}

type Form = { readonly what: string; readonly fits: (text: string) => boolean; readonly mend?: string };

/** Of patterns that may not be any text. */
const FORMS: { readonly [name in Method]?: Form } = {
  ip: { what: 'an IP address or network', fits: isNetwork },
  bin: { what: 'a sequence of bytes, two hexadecimal digits each', fits: (text) => /^([0-9a-f]{2})+$/i.test(text) },
  reg: {
    what: 'a regular expression that is understood',
    fits: (text) => regularExpression(text, false) !== undefined,
    mend: 'Lookaround and back-references are not: no request may cost more time than its length.',
  },
};
