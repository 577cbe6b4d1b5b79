/** `tcp-check expect` and `http-check expect`: what an answer must be. */
import type { CheckMatch, ExpectRule, HeaderPattern, IntegerRange } from '../../model.ts';
import { regularExpression } from '../../regular-expression.ts';
import type { Word } from '../../word.ts';
import { literal, parseExpression, parseFormat } from './format.ts';
import { isHex } from './send.ts';
import type { Words } from './words.ts';

const OK = ['L7OK', 'L7OKC', 'L6OK', 'L4OK'] as const;
const ERROR = ['L7OKC', 'L7RSP', 'L7STS', 'L6RSP', 'L4CON'] as const;
const TIMEOUT = ['L7TOUT', 'L6TOUT', 'L4TOUT'] as const;

const TCP_MATCHES = ['string', 'rstring', 'string-lf', 'binary', 'rbinary', 'binary-lf'];
const HTTP_MATCHES = ['status', 'rstatus', 'hdr', 'fhdr', 'string', 'rstring', 'string-lf'];
const OPTIONS = [
  'min-recv',
  'comment',
  'ok-status',
  'error-status',
  'tout-status',
  'on-success',
  'on-error',
  'status-code',
];

/** HAProxy's buffer: more is never looked at. */
const MOST_BYTES = 16_384;

type Draft = { -readonly [K in keyof ExpectRule]: ExpectRule[K] };
type Options = Omit<Draft, 'kind' | 'match' | 'negated'>;

export function parseExpect(protocol: 'tcp' | 'http', words: Words): ExpectRule | undefined {
  const options: Options = {
    min_recv: undefined,
    ok_status: undefined,
    error_status: undefined,
    timeout_status: undefined,
    on_success: undefined,
    on_error: undefined,
    status_code: undefined,
    comment: undefined,
  };
  let negated = false;
  const matches = protocol === 'tcp' ? TCP_MATCHES : HTTP_MATCHES;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (OPTIONS.includes(word.text) && !negated) {
      if (!setOption(options, word, words)) return undefined;
      continue;
    }
    if (word.text.startsWith('!')) {
      negated = true;
      if (word.text === '!') continue;
    }
    const name = { ...word, text: word.text.replace(/^!/, '') };
    if (!matches.includes(name.text)) return words.unexpected(name, [...matches, ...OPTIONS]);
    const match = parseMatch(name, words);
    return match && parseRest(options, words) ? { kind: 'expect', negated, match, ...options } : undefined;
  }
  return words.fail(undefined, 'missing-value', '`expect` needs what to look for.', `Write ${matches.join(' or ')}.`);
}

/** Options may follow what is looked for, too. False after a report. */
function parseRest(options: Options, words: Words): boolean {
  for (let word = words.peek(); word !== undefined && OPTIONS.includes(word.text); word = words.peek()) {
    words.next();
    if (!setOption(options, word, words)) return false;
  }
  return words.end();
}

/** False after a report. */
function setOption(options: Options, word: Word, words: Words): boolean {
  switch (word.text) {
    case 'min-recv':
      return setMinRecv(options, word, words);
    case 'comment':
      return (options.comment = words.value(word)?.text) !== undefined;
    case 'ok-status':
      return (options.ok_status = words.oneOf(word, OK)) !== undefined;
    case 'error-status':
      return (options.error_status = words.oneOf(word, ERROR)) !== undefined;
    case 'tout-status':
      return (options.timeout_status = words.oneOf(word, TIMEOUT)) !== undefined;
    case 'status-code': {
      const value = words.value(word);
      return value !== undefined && (options.status_code = parseExpression(value, words.context)) !== undefined;
    }
    default: {
      const value = words.value(word);
      const format = value && parseFormat(value, words.context);
      options[word.text === 'on-success' ? 'on_success' : 'on_error'] = format;
      return format !== undefined;
    }
  }
}

/** -1 is the same as not set. */
function setMinRecv(options: Options, word: Word, words: Words): boolean {
  if (words.peek()?.text === '-1') {
    words.next();
    options.min_recv = undefined;
    return true;
  }
  return (options.min_recv = words.integer(word, 0, MOST_BYTES)) !== undefined;
}

function parseMatch(name: Word, words: Words): CheckMatch | undefined {
  if (name.text === 'hdr' || name.text === 'fhdr') return parseHeader(name, words);
  const value = words.value(name);
  if (value === undefined) return undefined;
  switch (name.text) {
    case 'string':
      return { kind: 'string', pattern: literal(value.text) };
    case 'string-lf':
    case 'binary-lf': {
      const pattern = parseFormat(value, words.context);
      return pattern && { kind: name.text === 'string-lf' ? 'string' : 'binary', pattern };
    }
    case 'binary':
      return isHex(value, words) ? { kind: 'binary', pattern: literal(value.text) } : undefined;
    case 'status': {
      const ranges = parseStatuses(value, words);
      return ranges && { kind: 'status', ranges };
    }
    default: {
      const kind = REGEX_KINDS[name.text];
      return isRegex(value, words) ? { kind, pattern: value.text } : undefined;
    }
  }
}

const REGEX_KINDS: Readonly<Record<string, 'regex' | 'binary-regex' | 'status-regex'>> = {
  rstring: 'regex',
  rbinary: 'binary-regex',
  rstatus: 'status-regex',
};

/** `200,201,300-310` */
function parseStatuses(value: Word, words: Words): readonly IntegerRange[] | undefined {
  const ranges = value.text.split(',').map((part) => {
    const [, first, last] = /^(\d{3})(?:-(\d{3}))?$/.exec(part) ?? [];
    return { min: Number(first), max: Number(last ?? first) };
  });
  if (ranges.every(({ min, max }) => min <= max)) return ranges;
  const mend = 'Write statuses and ranges, such as `200,201,300-310`.';
  return words.fail(value, 'bad-status', `\`${value.text}\` is not a list of HTTP statuses.`, mend);
}

/** False after a report. */
function isRegex(value: Word, words: Words): boolean {
  if (regularExpression(value.text, false) !== undefined) return true;
  const mend = 'Lookaround and back-references are not: no answer may cost more time than its length.';
  words.fail(value, 'bad-pattern', `\`${value.text}\` is not a regular expression that is understood.`, mend);
  return false;
}

/** `hdr { name | name-lf } [-m METHOD] NAME [{ value | value-lf } [-m METHOD] VALUE]` */
function parseHeader(word: Word, words: Words): CheckMatch | undefined {
  const first = words.next();
  if (first === undefined || !/^name(-lf)?$/.test(first.text)) {
    return words.fail(first ?? word, 'missing-value', `\`${word.text}\` needs \`name\` and the name of a header.`);
  }
  const name = parsePattern(first, words);
  if (name === undefined) return undefined;
  const second = words.peek();
  const full = word.text === 'fhdr';
  if (second === undefined || !/^value(-lf)?$/.test(second.text))
    return { kind: 'header', full, name, value: undefined };
  words.next();
  const value = parsePattern(second, words);
  return value && { kind: 'header', full, name, value };
}

const METHODS = ['str', 'beg', 'end', 'sub', 'reg'] as const;

function parsePattern(of: Word, words: Words): HeaderPattern | undefined {
  let method: HeaderPattern['method'] | undefined = 'str';
  const flag = words.peek();
  if (flag?.text === '-m') {
    words.next();
    method = words.oneOf(flag, METHODS);
  }
  const value = words.value(of);
  if (value === undefined || method === undefined) return undefined;
  if (method === 'reg' && !isRegex(value, words)) return undefined;
  const pattern = of.text.endsWith('-lf') && method !== 'reg' ? parseFormat(value, words.context) : literal(value.text);
  return pattern && { method, pattern };
}
