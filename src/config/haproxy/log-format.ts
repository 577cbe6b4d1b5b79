/** Keywords that say what a proxy's log lines hold: formats, captured headers, the unique id (manual 4.2, 8.2 and 8.8). */
import { parseLogFormat } from '../log-format.ts';
import type { Frontend, LogFormat } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { asksHttp } from './conditions/layer.ts';
import { parseSample as parseSampleWord } from './conditions/sample.ts';
import type { ProxyDraft } from './drafts.ts';
import {
  ALL_PROXIES,
  type Context,
  FRONT,
  type Keyword,
  onlyArgument,
  refuseMore,
  type SectionKind,
  type Statement,
} from './keyword.ts';
import type { Option } from './options.ts';
import { isToken } from './token.ts';

const CAPTURE_LENGTH = { what: 'len', min: 1, max: 8192 };
const ONLY_FRONT: readonly SectionKind[] = ['frontend', 'listen'];

export const LOG_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  formatKeyword('log-format', 'What a log line holds, by fields such as `%ci`.', (draft, format, span) => {
    draft.log_format = format;
    draft.spans['log_format'] = span;
  }),
  formatKeyword('error-log-format', 'The same, for connections that fail before a request.', (draft, format, span) => {
    draft.error_log_format = format;
    draft.spans['error_log_format'] = span;
  }),
  formatKeyword('unique-id-format', 'What a unique id is made of; `%ID` logs it.', (draft, format, span) => {
    draft.unique_id_format = format;
    draft.spans['unique_id_format'] = span;
  }),
  {
    name: 'unique-id-header',
    sections: FRONT,
    help: 'The header field that tells servers the unique id.',
    has_effect: true,
    parse: parseUniqueIdHeader,
  },
  {
    name: 'log-tag',
    sections: ALL_PROXIES,
    help: 'What syslog headers call the program (`carpool`).',
    has_effect: true,
    parse: (draft, statement, context) => {
      draft.log_tag = onlyArgument(statement, 'a tag', context)?.text;
    },
  },
  {
    name: 'capture',
    sections: ONLY_FRONT,
    help: 'Keep the last value of a header, or the first cookie with a name, for the log.',
    has_effect: true,
    parse: parseCapture,
  },
  formatKeyword('log-format-sd', 'The structured data of lines in `format rfc5424`.', (draft, format, span) => {
    draft.log_format_sd = format;
    draft.spans['log_format_sd'] = span;
  }),
];

/** `option httplog [clf]`. */
export const HTTPLOG_OPTION: Pick<Option, 'help' | 'has_effect' | 'set'> = {
  help: 'Log one line per request, in HTTP format, or with `clf` as web servers do.',
  has_effect: true,
  set(draft, enable, words, { report }, name) {
    const clf = words[0]?.text === 'clf';
    refuseMore(clf ? words.slice(1) : words, name, report);
    draft.log_format = { kind: enable ? (clf ? 'clf' : 'httplog') : 'none' };
  },
};

/** What a frontend's part of the model takes from its draft. */
export function finishLogging(draft: ProxyDraft, report: Reporter) {
  const { log_tag, log_null, log_normal, log_separate_errors, log_asap, captures } = draft;
  const { error_log_format, log_format_sd } = draft;
  const { unique_id_format, unique_id_header } = draft;
  reportHttpSamples(draft, report);
  return {
    log_format: usableFormat(draft, report),
    log_tag,
    log_null,
    log_normal,
    log_separate_errors,
    log_asap,
    error_log_format,
    log_format_sd,
    captures,
    unique_id_format,
    unique_id_header,
  } satisfies Partial<Frontend>;
}

/** As in HAProxy: what is no HTTP cannot be logged as HTTP. */
function usableFormat({ name, mode, log_format, span, spans }: ProxyDraft, report: Reporter): LogFormat {
  const { kind } = log_format;
  if (mode === 'http' || kind === 'none' || kind === 'tcplog' || kind === 'text') return log_format;
  const option = kind === 'clf' ? 'httplog clf' : kind;
  const message = `\`option ${option}\` of \`${name}\` needs mode http; connections are logged as with \`option tcplog\`.`;
  report.warning(spans['log_format'] ?? span, 'log-format-mismatch', message, 'Write `option tcplog` or `mode http`.');
  return { kind: 'tcplog' };
}

/** What asks about messages finds none where none are read. */
function reportHttpSamples(draft: ProxyDraft, report: Reporter): void {
  if (draft.mode === 'http') return;
  for (const field of ['log_format', 'error_log_format', 'log_format_sd', 'unique_id_format'] as const) {
    const format = draft[field];
    if (format?.kind !== 'text' || !format.parts.some((part) => part.kind === 'sample' && asksHttp(part.sample)))
      continue;
    const message = 'This format has a sample of HTTP, which is not read in `mode tcp`: its place stays empty.';
    report.warning(draft.spans[field] ?? draft.span, 'no-effect', message, 'Write `mode http`.');
  }
}

function formatKeyword(
  name: string,
  help: string,
  set: (draft: ProxyDraft, format: LogFormat, span: Word['span']) => void,
): Keyword<ProxyDraft> {
  return {
    name,
    sections: FRONT,
    help,
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'a format', context);
      if (word === undefined) return;
      const readSample = (text: string) => parseSampleWord({ text, span: word.span }, context);
      const { parts, mistakes } = parseLogFormat(word.text, readSample);
      for (const { code, message, mend } of mistakes) context.report.error(word.span, code, message, mend);
      set(draft, { kind: 'text', parts }, word.span);
    },
  };
}

function parseUniqueIdHeader(draft: ProxyDraft, statement: Statement, context: Context): undefined {
  const word = onlyArgument(statement, 'the name of a header', context);
  if (word === undefined) return;
  if (isToken(word.text)) draft.unique_id_header = word.text;
  else context.report.error(word.span, 'bad-name', `\`${word.text}\` is not the name of a header.`);
}

/** `capture request header NAME len LENGTH`, the same of responses, and `capture cookie NAME len LENGTH`. */
function parseCapture(draft: ProxyDraft, { keyword, args }: Statement, context: Context): undefined {
  const { report } = context;
  const [side, what, name, len, length] = args;
  const of = side?.text;
  if (of === 'cookie') return parseCookieCapture(draft, { keyword, args: args.slice(1) }, context);
  if ((of !== 'request' && of !== 'response') || what?.text !== 'header' || len?.text !== 'len' || !length) {
    const message = '`capture` needs a side, a header and a length.';
    return report.error(keyword.span, 'missing-value', message, 'Write `capture request header User-Agent len 64`.');
  }
  refuseMore(args.slice(5), length, report);
  const bytes = parseInteger(length, CAPTURE_LENGTH, report);
  if (bytes !== undefined) draft.captures[of].push({ header: name.text, length: bytes });
}

/** A second one takes the place of the first. */
function parseCookieCapture(
  draft: ProxyDraft,
  { keyword, args }: Omit<Statement, 'negated'>,
  { report }: Context,
): undefined {
  const [name, len, length] = args;
  if (name === undefined || len?.text !== 'len' || length === undefined) {
    const message = '`capture cookie` needs the name of a cookie and a length.';
    return report.error(keyword.span, 'missing-value', message, 'Write `capture cookie SESSION= len 32`.');
  }
  refuseMore(args.slice(3), length, report);
  const bytes = parseInteger(length, CAPTURE_LENGTH, report);
  if (bytes !== undefined) draft.captures.cookie = { name: name.text, length: bytes };
}
