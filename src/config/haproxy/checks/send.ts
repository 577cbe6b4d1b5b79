/** `tcp-check send…` and `http-check send`. */
import type { CheckFormat, HttpSendRule, SendRule } from '../../model.ts';
import type { Word } from '../../word.ts';
import { isToken } from '../token.ts';
import { literal, parseFormat } from './format.ts';
import type { Words } from './words.ts';

/** `send`, `send-lf`, `send-binary` and `send-binary-lf`, all in one shape. */
export function parseSend(name: Word, words: Words): SendRule | undefined {
  const binary = name.text.startsWith('send-binary');
  const value = words.value(name);
  if (value === undefined) return undefined;
  const data = name.text.endsWith('-lf') ? parseFormat(value, words.context) : literal(value.text);
  if (data === undefined) return undefined;
  if (name.text === 'send-binary' && !isHex(value, words)) return undefined;
  const comment = parseComment(words);
  return words.end() ? { kind: 'send', binary, data, comment } : undefined;
}

export function isHex(value: Word, words: Words): boolean {
  if (/^(?:[0-9a-fA-F]{2})+$/.test(value.text)) return true;
  const mend = 'Write two digits for each byte, such as `50494e47`.';
  words.fail(value, 'bad-hex', `\`${value.text}\` is not made of pairs of hexadecimal digits.`, mend);
  return false;
}

function parseComment(words: Words): string | undefined {
  const word = words.peek();
  if (word?.text !== 'comment') return undefined;
  words.next();
  return words.value(word)?.text;
}

const KNOWN = ['meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body', 'body-lf', 'comment'];

type Draft = { -readonly [K in keyof HttpSendRule]: HttpSendRule[K] };

export function parseHttpSend(words: Words): HttpSendRule | undefined {
  const headers: { name: string; value: CheckFormat }[] = [];
  const rule: Draft = {
    kind: 'http-send',
    method: undefined,
    uri: undefined,
    version: undefined,
    headers,
    body: undefined,
    comment: undefined,
  };
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (!KNOWN.includes(word.text)) return words.unexpected(word, KNOWN);
    const value = words.value(word);
    if (value === undefined || !setPart(rule, headers, word, value, words)) return undefined;
  }
  return rule;
}

/** False after a report. */
function setPart(
  rule: Draft,
  headers: { name: string; value: CheckFormat }[],
  word: Word,
  value: Word,
  words: Words,
): boolean {
  switch (word.text) {
    case 'meth':
      rule.method = value.text;
      return isMethod(value, words);
    case 'uri':
      rule.uri = literal(value.text);
      return isUri(value, words);
    case 'uri-lf':
      return (rule.uri = parseFormat(value, words.context)) !== undefined;
    case 'ver':
      rule.version = value.text;
      return isVersion(value, words);
    case 'body':
      rule.body = literal(value.text);
      return true;
    case 'body-lf':
      return (rule.body = parseFormat(value, words.context)) !== undefined;
    case 'hdr': {
      const content = words.value(value);
      return content !== undefined && addHeader(headers, value, content, words);
    }
    default:
      rule.comment = value.text;
      return true;
  }
}

/** Headers that frame the message are ours to write. */
const FRAMING = ['content-length', 'transfer-encoding'];

/** `value` is a format. False after a report. */
export function addHeader(
  headers: { name: string; value: CheckFormat }[],
  name: Word,
  value: Word,
  words: Words,
): boolean {
  const format = parseFormat(value, words.context);
  if (format === undefined) return false;
  if (!isToken(name.text)) {
    words.fail(name, 'bad-header-name', `\`${name.text}\` cannot be the name of a header.`);
    return false;
  }
  if (/[\r\n\0]/.test(value.text)) {
    words.fail(value, 'bad-value', 'The value of a header cannot have a line break in it.');
    return false;
  }
  if (FRAMING.includes(name.text.toLowerCase())) {
    const message = `\`${name.text}\` of a check is written by carpool, so this one is ignored.`;
    words.context.report.warning(name.span, 'no-effect', message);
  } else headers.push({ name: name.text, value: format });
  return true;
}

const EXAMPLE = 'Write for example `option httpchk GET /health HTTP/1.0`.';

export function isMethod(value: Word, words: Words): boolean {
  if (isToken(value.text)) return true;
  words.fail(value, 'unsupported-value', `\`${value.text}\` is not an HTTP method.`, EXAMPLE);
  return false;
}

/** Nothing in it may end the request line early. */
export function isUri(value: Word, words: Words): boolean {
  if (/^[\x21-\x7e]+$/.test(value.text)) return true;
  const message = 'The URI of a check is made of printable characters without spaces.';
  words.fail(value, 'unsupported-value', message, EXAMPLE);
  return false;
}

export function isVersion(value: Word, words: Words): boolean {
  if (/^HTTP\/1\.[01]$/.test(value.text)) return true;
  const message = `\`${value.text}\` is not a version of HTTP that checks can use.`;
  words.fail(value, 'unsupported-value', message, 'Write `HTTP/1.0` or `HTTP/1.1`.');
  return false;
}
