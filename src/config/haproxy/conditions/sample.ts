/** `hdr(host),lower,field(1,:)`: a sample expression (manual 7.3). */
import type { Sample, SampleMoment } from '../../model.ts';
import { regularExpression } from '../../regular-expression.ts';
import type { Reporter } from '../../reporter.ts';
import { didYouMean } from '../../suggest.ts';
import { isIPv4, isIPv6 } from '../../values.ts';
import { asBytes, type Word } from '../../word.ts';
import type { Context } from '../keyword.ts';
import { CONVERTERS, castBetween } from './converter-names.ts';
import { FETCHES, type SampleType, SUFFIXES, WITH_SUFFIXES } from './sample-names.ts';

export type ParsedSample = {
  readonly sample: Sample;
  readonly type: SampleType;
  readonly http: boolean;
  readonly moment: SampleMoment;
  /** `path_beg` says how it is compared. */
  readonly suffix: (typeof SUFFIXES)[number] | undefined;
};

const ASKS_USERLIST = ['http_auth', 'http_auth_group'];

/** Undefined after a report. */
export function parseSample(word: Word, { report, asked_userlists }: Context): ParsedSample | undefined {
  const [first, ...rest] = splitCalls(asBytes(word));
  const call = parseCall(first ?? '');
  const suffix = call && suffixOf(call.name);
  const name = call && suffix ? call.name.slice(0, -suffix.length - 1) : call?.name;
  const info = name === undefined ? undefined : FETCHES.get(name);
  if (call === undefined || name === undefined || info === undefined) {
    const mend = didYouMean(call?.name ?? word.text, FETCHES.keys());
    report.error(word.span, 'unsupported-sample', `\`${word.text}\` is not a sample that is supported yet.`, mend);
    return undefined;
  }
  if (!countFits(call.args, info.args)) {
    report.error(word.span, 'bad-sample', `\`${call.name}\` has the wrong number of arguments.`);
    return undefined;
  }
  if (ASKS_USERLIST.includes(name)) asked_userlists.push({ name: call.args[0], span: word.span, groups: [] });
  const fits = FETCH_ARGUMENTS[name];
  if (fits !== undefined && !fits(call.args[0])) {
    return report.error(
      word.span,
      'bad-sample',
      `\`${call.args[0]}\` is no argument that \`${call.name}\` understands.`,
    );
  }
  let type = info.type;
  const converters: Call[] = [];
  for (const text of rest) {
    const read = readConverter(text, type, word, report);
    if (read === undefined) return undefined;
    converters.push(...read.calls);
    type = read.type;
  }
  return { sample: { fetch: name, args: call.args, converters }, type, http: info.http, moment: info.moment, suffix };
}

/** Behind a cast, where the types differ. */
function readConverter(text: string, from: SampleType, word: Word, report: Reporter) {
  const call = parseCall(text);
  const known = call && CONVERTERS.get(call.name);
  if (call === undefined || known === undefined || !countFits(call.args, known.args)) {
    const mend = didYouMean(call?.name ?? text, CONVERTERS.keys());
    return report.error(word.span, 'unsupported-sample', `\`${text}\` is not a converter that is supported yet.`, mend);
  }
  const wrong = known.fits && call.args.find((argument, index) => !known.fits?.(argument, index));
  if (wrong !== undefined) {
    return report.error(word.span, 'bad-sample', `\`${wrong}\` is no argument that \`${call.name}\` understands.`);
  }
  if (!isSubstitution(call)) {
    const message = `\`${text}\` is no substitution that is understood.`;
    const mend = 'Its flags are `i` and `g`, and its expression is without lookaround and back-references.';
    return report.error(word.span, 'bad-pattern', message, mend);
  }
  const cast = castBetween(from, known.takes);
  if (cast === undefined) {
    return report.error(word.span, 'bad-sample', `\`${call.name}\` cannot be made of what stands before it.`);
  }
  return { calls: cast === '' ? [call] : [{ name: cast, args: [] }, call], type: known.gives };
}

function suffixOf(name: string): (typeof SUFFIXES)[number] | undefined {
  if (FETCHES.has(name)) return undefined;
  return SUFFIXES.find((suffix) => WITH_SUFFIXES.some((fetch) => name === `${fetch}_${suffix}`));
}

/** Of constants. */
const FETCH_ARGUMENTS: Readonly<Record<string, (text: string) => boolean>> = {
  bin: (text) => /^([0-9a-f]{2})+$/i.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
};

type Call = Sample['converters'][number];

/** True of every other converter. */
function isSubstitution({ name, args: [pattern, , flags = ''] }: Call): boolean {
  return name !== 'regsub' || (/^[ig]*$/.test(flags) && regularExpression(pattern, false) !== undefined);
}

function parseCall(text: string): Call | undefined {
  const match = /^([\w.-]+)(?:\((.*)\))?$/.exec(text);
  if (match === null) return undefined;
  const args = match[2] === undefined || match[2] === '' ? [] : splitArguments(match[2]);
  return { name: match[1], args };
}

/** `field(2,,)`: a last argument of nothing but a comma is a comma. */
function splitArguments(text: string): string[] {
  const [first, ...rest] = text.split(',');
  if (rest.length === 2 && rest[0] === '' && rest[1] === '') return [first, ','];
  return [first, ...rest].map((argument) => argument.trim());
}

/** At the commas outside of parentheses. */
function splitCalls(text: string): string[] {
  const calls: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ',' && depth === 0) {
      calls.push(text.slice(start, at));
      start = at + 1;
    }
  }
  calls.push(text.slice(start));
  return calls;
}

function countFits(args: readonly string[], [least, most]: readonly [number, number]): boolean {
  return args.length >= least && args.length <= most;
}
