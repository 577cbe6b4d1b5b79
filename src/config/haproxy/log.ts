/** `log TARGET [len N] [format F] FACILITY [LEVEL [MINLEVEL]]` (manual 3.1 and 4.2 "log"). */
import type { LogTarget } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { parseLiteralEndpoint } from './address.ts';
import { type Context, refuseMore, type Statement } from './keyword.ts';

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const LEVELS = 'emerg alert crit err warning notice info debug'.split(' ');
const FORMATS: Readonly<Record<string, LogTarget['format']>> = {
  raw: 'raw',
  short: 'short',
  rfc3164: 'rfc3164',
  local: 'rfc3164',
};
const UNSUPPORTED_WORDS: Readonly<Record<string, number>> = { len: 1, sample: 1, profile: 1 };

export function parseLogTarget(statement: Statement, context: Context): LogTarget | undefined {
  const { keyword, args } = statement;
  const { report } = context;
  if (args.length === 0) {
    report.error(
      keyword.span,
      'missing-value',
      '`log` needs a target and a facility.',
      'Write for example `log 127.0.0.1:514 local0` or `log stdout format raw local0`.',
    );
    return undefined;
  }
  const to = parseDestination(args[0], context);
  const { format, rest } = parseLogWords(args.slice(1), defaultFormat(to), context);
  if (rest.length === 0) {
    report.error(
      args[args.length - 1].span,
      'missing-value',
      '`log` needs a facility after the target.',
      `Write one of ${FACILITIES.slice(16).join(', ')} at the end of the line.`,
    );
    return undefined;
  }
  const facility = parseName(rest[0], FACILITIES, 'facility', context);
  const max_level = rest.length > 1 ? parseName(rest[1], LEVELS, 'log level', context) : 7;
  if (rest.length > 2) reportMinimumLevel(rest, context);
  if (to === undefined || facility === undefined || max_level === undefined) return undefined;
  return { to, format, facility, max_level, span: spanOf([keyword, ...args]) };
}

function parseDestination(word: Word, context: Context): LogTarget['to'] | undefined {
  if (word.text === 'stdout' || word.text === 'fd@1') return { kind: 'stdout' };
  if (word.text === 'stderr' || word.text === 'fd@2') return { kind: 'stderr' };
  if (word.text.startsWith('/')) return { kind: 'unix', path: word.text };
  if (word.text.startsWith('unix@/')) return { kind: 'unix', path: word.text.slice('unix@'.length) };
  if (/^(tcp|tcp4|tcp6|ring)@/.test(word.text) || word.text === 'backend') {
    context.report.error(
      word.span,
      'unsupported-address',
      `The log target \`${word.text}\` is not supported yet.`,
      'Write `stdout`, `stderr`, a socket such as `/dev/log`, or an address such as `127.0.0.1:514` (UDP).',
    );
    return undefined;
  }
  const udp = { text: word.text.replace(/^udp[46]?@/, ''), span: word.span };
  const endpoint = parseLiteralEndpoint(udp, 514, 'The log target', context);
  return endpoint && { kind: 'udp', endpoint };
}

function defaultFormat(to: LogTarget['to'] | undefined): LogTarget['format'] {
  return to?.kind === 'stdout' || to?.kind === 'stderr' ? 'raw' : 'rfc3164';
}

/** `format F` and the words we know but do not support, in any order before the facility. */
function parseLogWords(words: readonly Word[], default_format: LogTarget['format'], { report }: Context) {
  let format = default_format;
  let rest = words;
  while (rest.length > 0 && (rest[0].text === 'format' || Object.hasOwn(UNSUPPORTED_WORDS, rest[0].text))) {
    const [name, value] = rest;
    if (value === undefined) report.error(name.span, 'missing-value', `\`${name.text}\` needs a value.`);
    else if (name.text !== 'format')
      report.warning(name.span, 'no-effect', `\`${name.text}\` has no effect on a log target yet.`);
    else if (Object.hasOwn(FORMATS, value.text)) format = FORMATS[value.text];
    else
      report.error(
        value.span,
        'unsupported-value',
        `The log format \`${value.text}\` is not supported yet.`,
        `Write one of ${Object.keys(FORMATS).join(', ')}.`,
      );
    rest = rest.slice(2);
  }
  return { format, rest };
}

function parseName(word: Word, names: readonly string[], what: string, { report }: Context): number | undefined {
  const index = names.indexOf(word.text);
  if (index >= 0) return index;
  report.error(
    word.span,
    'unknown-value',
    `\`${word.text}\` is not a ${what}.`,
    didYouMean(word.text, names) ?? `Write one of ${names.join(', ')}.`,
  );
  return undefined;
}

function reportMinimumLevel(rest: readonly Word[], context: Context): void {
  if (parseName(rest[2], LEVELS, 'log level', context) === undefined) return;
  context.report.warning(rest[2].span, 'no-effect', 'The minimum level of a log target has no effect yet.');
  refuseMore(rest.slice(3), rest[2], context.report);
}
