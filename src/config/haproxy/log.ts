/** `log TARGET [len N] [format F] FACILITY [LEVEL [MINLEVEL]]` (manual 3.1 and 4.2 "log"). */
import type { LogSample, LogTarget } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { parseInteger } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { parseLiteralEndpoint } from './address.ts';
import { type Context, refuseMore, type Statement } from './keyword.ts';
import { serverOfTcpRing, tcpRingName } from './ring-name.ts';

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const LEVELS = 'emerg alert crit err warning notice info debug'.split(' ');
const FORMATS: readonly LogTarget['format'][] = [
  'raw',
  'short',
  'priority',
  'timed',
  'iso',
  'local',
  'rfc3164',
  'rfc5424',
];
export const DEFAULT_BYTES = 1024;
export const LOG_PORT = 514;

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
  const { settings, rest } = parseLogWords(args.slice(1), defaultFormat(to), context);
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
  const min_level = rest.length > 2 ? parseName(rest[2], LEVELS, 'log level', context) : 0;
  refuseMore(rest.slice(3), rest[2] ?? keyword, report);
  if (to === undefined || facility === undefined || max_level === undefined || min_level === undefined)
    return undefined;
  return { to, ...settings, facility, max_level, min_level, span: spanOf([keyword, ...args]) };
}

function parseDestination(word: Word, context: Context): LogTarget['to'] | undefined {
  if (word.text === 'stdout' || word.text === 'fd@1') return { kind: 'stdout' };
  if (word.text === 'stderr' || word.text === 'fd@2') return { kind: 'stderr' };
  if (word.text.startsWith('/')) return { kind: 'unix', path: word.text };
  if (word.text.startsWith('unix@/')) return { kind: 'unix', path: word.text.slice('unix@'.length) };
  const fd = /^fd@(\d{1,4})$/.exec(word.text);
  if (fd !== null) return { kind: 'fd', fd: Number(fd[1]) };
  if (word.text.startsWith('ring@')) return { kind: 'ring', name: word.text.slice('ring@'.length) };
  const stream = /^tcp[46]?@(.*)$/.exec(word.text);
  if (stream !== null) {
    const literal = { text: stream[1], span: word.span };
    const server = parseLiteralEndpoint(literal, LOG_PORT, 'The log target', context);
    return server && { kind: 'ring', name: tcpRingName(server) };
  }
  if (/^(uxst|backend)@/.test(word.text)) {
    context.report.error(
      word.span,
      'unsupported-address',
      `The log target \`${word.text}\` is not supported yet.`,
      'Write `stdout`, `stderr`, a socket such as `/dev/log`, or an address such as `127.0.0.1:514` (UDP).',
    );
    return undefined;
  }
  const udp = { text: word.text.replace(/^udp[46]?@/, ''), span: word.span };
  const endpoint = parseLiteralEndpoint(udp, LOG_PORT, 'The log target', context);
  return endpoint && { kind: 'udp', endpoint };
}

function defaultFormat(to: LogTarget['to'] | undefined): LogTarget['format'] {
  if (to?.kind === 'ring' && serverOfTcpRing(to.name)) return 'local';
  return to?.kind === 'udp' || to?.kind === 'unix' ? 'local' : 'raw';
}

type Settings = Pick<LogTarget, 'format' | 'has_own_format' | 'max_bytes' | 'sample'>;

/** `format F`, `len N` and `sample R:S`, in any order before the facility. */
function parseLogWords(words: readonly Word[], format: LogTarget['format'], context: Context) {
  const { report } = context;
  let settings: Settings = { format, has_own_format: false, max_bytes: DEFAULT_BYTES, sample: undefined };
  let rest = words;
  while (rest.length > 0 && ['format', 'len', 'sample', 'profile'].includes(rest[0].text)) {
    const [name, value] = rest;
    if (value === undefined) report.error(name.span, 'missing-value', `\`${name.text}\` needs a value.`);
    else if (name.text === 'format')
      settings = { ...settings, format: parseFormat(value, context) ?? format, has_own_format: true };
    else if (name.text === 'len') {
      const bytes = parseInteger(value, { what: 'len', min: 80, max: 65535 }, report);
      settings = { ...settings, max_bytes: bytes ?? DEFAULT_BYTES };
    } else if (name.text === 'sample') settings = { ...settings, sample: parseSample(value, context) };
    else report.warning(name.span, 'no-effect', '`profile` has no effect on a log target yet.');
    rest = rest.slice(2);
  }
  return { settings, rest };
}

export function parseFormat(word: Word, { report }: Context): LogTarget['format'] | undefined {
  const format = FORMATS.find((name) => name === word.text);
  if (format === undefined) {
    const mend = didYouMean(word.text, FORMATS) ?? `Write one of ${FORMATS.join(', ')}.`;
    report.error(word.span, 'unknown-value', `\`${word.text}\` is not a format of log lines.`, mend);
  }
  return format;
}

/** `1,3-5:8`: of eight lines the first, and the third to the fifth. */
function parseSample(word: Word, { report }: Context): LogSample | undefined {
  const match = /^(\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*):(\d{1,9})$/.exec(word.text);
  const size = Number(match?.[2] ?? 0);
  const ranges = (match?.[1] ?? '').split(',').map((range): [number, number] => {
    const [first, last] = range.split('-').map(Number);
    return [first, last ?? first];
  });
  if (match !== null && ranges.every(([first, last]) => first >= 1 && first <= last && last <= size)) {
    return { ranges, size };
  }
  const mend = 'Write ranges from 1 on and the size after a colon, such as `1-3,7:10`.';
  report.error(word.span, 'unknown-value', `\`${word.text}\` does not say which lines of how many.`, mend);
  return undefined;
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
