/** `hdr(host),lower,field(1,:)`: a sample expression (manual 7.3). */
import type { Sample, SampleMoment } from '../../model.ts';
import { regularExpression } from '../../regular-expression.ts';
import { didYouMean } from '../../suggest.ts';
import type { Word } from '../../word.ts';
import type { Context } from '../keyword.ts';
import { CONVERTERS, FETCHES, type SampleType, SUFFIXES, WITH_SUFFIXES } from './sample-names.ts';

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
  const [first, ...rest] = splitCalls(word.text);
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
  let type = info.type;
  const converters: Call[] = [];
  for (const text of rest) {
    const converter = parseCall(text);
    const known = converter && CONVERTERS.get(converter.name);
    if (converter === undefined || known === undefined || !countFits(converter.args, known.args)) {
      const mend = didYouMean(converter?.name ?? text, CONVERTERS.keys());
      report.error(word.span, 'unsupported-sample', `\`${text}\` is not a converter that is supported yet.`, mend);
      return undefined;
    }
    if (!isSubstitution(converter)) {
      const message = `\`${text}\` is no substitution that is understood.`;
      const mend = 'Its flags are `i` and `g`, and its expression is without lookaround and back-references.';
      report.error(word.span, 'bad-pattern', message, mend);
      return undefined;
    }
    converters.push(converter);
    type = known.type;
  }
  return { sample: { fetch: name, args: call.args, converters }, type, http: info.http, moment: info.moment, suffix };
}

function suffixOf(name: string): (typeof SUFFIXES)[number] | undefined {
  if (FETCHES.has(name)) return undefined;
  return SUFFIXES.find((suffix) => WITH_SUFFIXES.some((fetch) => name === `${fetch}_${suffix}`));
}

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
