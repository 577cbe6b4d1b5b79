/**
 * Sample expressions and log-format strings of check rules (manual 7.3, 8.2.4), as far as checks have something to tell.
 *
 *   var(check.port),add(1)          an expression: a fetch, then converters
 *   PING %[srv_name]\r\n            a format: text with expressions and aliases (`%b`) in it
 */
import type { CheckExpression, CheckFormat } from '../../model.ts';
import { didYouMean } from '../../suggest.ts';
import type { Word } from '../../word.ts';
import type { Context } from '../keyword.ts';

/** Name -> fewest and most arguments. Evaluated by health/expression.ts, which a test holds against these tables. */
export const FETCHES: Readonly<Record<string, readonly [number, number]>> = {
  always_false: [0, 0],
  always_true: [0, 0],
  be_name: [0, 0],
  bool: [1, 1],
  date: [0, 1],
  env: [1, 1],
  hostname: [0, 0],
  int: [1, 1],
  'req.len': [0, 0],
  'res.body': [0, 0],
  'res.hdr': [1, 1],
  'res.len': [0, 0],
  'res.payload': [2, 2],
  srv_addr: [0, 0],
  srv_name: [0, 0],
  srv_port: [0, 0],
  status: [0, 0],
  str: [1, 1],
  var: [1, 2],
};

export const CONVERTERS: Readonly<Record<string, readonly [number, number]>> = {
  add: [1, 1],
  bytes: [1, 2],
  cut_crlf: [0, 0],
  div: [1, 1],
  hex: [0, 0],
  htonl: [0, 0],
  length: [0, 0],
  lower: [0, 0],
  ltrim: [1, 1],
  mod: [1, 1],
  mul: [1, 1],
  rtrim: [1, 1],
  sub: [1, 1],
  upper: [0, 0],
};

/** Aliases of log formats that mean something without a client. */
const ALIASES: Readonly<Record<string, string>> = {
  H: 'hostname',
  b: 'be_name',
  s: 'srv_name',
  si: 'srv_addr',
  sp: 'srv_port',
};

export function literal(text: string): CheckFormat {
  return text === '' ? [] : [text];
}

export function parseFormat(word: Word, context: Context): CheckFormat | undefined {
  const parts: (string | CheckExpression)[] = [];
  const { text } = word;
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf('%', at);
    const end = percent < 0 ? text.length : percent;
    if (end > at) parts.push(text.slice(at, end));
    if (percent < 0) break;
    const variable = readVariable(word, percent, context);
    if (variable === undefined) return undefined;
    parts.push(variable.part);
    at = variable.end;
  }
  return joinTexts(parts);
}

type Read<T> = { readonly part: T; readonly end: number };

/** What begins with the `%` at `at`. */
function readVariable(word: Word, at: number, context: Context): Read<string | CheckExpression> | undefined {
  const rest = word.text.slice(at + 1);
  if (rest.startsWith('%')) return { part: '%', end: at + 2 };
  const flags = /^\{[^}]*\}/.exec(rest)?.[0] ?? '';
  const body = rest.slice(flags.length);
  if (body.startsWith('[')) {
    const close = closingBracket(body);
    if (close < 0) return fail(word, 'A `%[` is never closed by its `]`.', context);
    const part = parseExpression({ ...word, text: body.slice(1, close) }, context);
    return part && { part, end: at + 1 + flags.length + close + 1 };
  }
  const name = /^[A-Za-z]+/.exec(body)?.[0] ?? '';
  const fetch = ALIASES[name];
  if (fetch === undefined) return fail(word, `\`%${name}\` means nothing in a check.`, context);
  return { part: { fetch, args: [], converters: [] }, end: at + 1 + flags.length + name.length };
}

/** The bracket that closes the one at 0; those in quotes and parentheses do not count. */
function closingBracket(text: string): number {
  let quote = '';
  for (let at = 1; at < text.length; at++) {
    const char = text[at];
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === ']') return at;
  }
  return -1;
}

export function parseExpression(word: Word, context: Context): CheckExpression | undefined {
  const calls = splitOutside(word.text, ',').map(readCall);
  const [fetch, ...converters] = calls;
  if (calls.includes(undefined) || fetch === undefined) {
    return fail(word, `\`${word.text}\` is not a sample expression.`, context);
  }
  if (!isKnown('fetch', fetch, FETCHES, word, context)) return undefined;
  const known = converters.every((each) => isKnown('converter', each!, CONVERTERS, word, context));
  if (!known) return undefined;
  return { fetch: fetch.name, args: fetch.args, converters: converters as Call[] };
}

type Call = { readonly name: string; readonly args: readonly string[] };

/** `name` or `name(a,b)`. */
function readCall(text: string): Call | undefined {
  const match = /^\s*([\w.]+)(?:\((.*)\))?\s*$/s.exec(text);
  if (match === null) return undefined;
  return { name: match[1], args: match[2] === undefined ? [] : splitOutside(match[2], ',').map(unquote) };
}

function isKnown(
  what: 'fetch' | 'converter',
  { name, args }: Call,
  table: Readonly<Record<string, readonly [number, number]>>,
  word: Word,
  context: Context,
): boolean {
  const bounds = Object.hasOwn(table, name) ? table[name] : undefined;
  if (bounds === undefined) {
    const mend = didYouMean(name, Object.keys(table)) ?? `Checks know ${Object.keys(table).join(', ')}.`;
    context.report.error(word.span, 'unsupported-expression', `Checks do not know the ${what} \`${name}\`.`, mend);
    return false;
  }
  if (args.length >= bounds[0] && args.length <= bounds[1]) return true;
  const [fewest, most] = bounds;
  const count = fewest === most ? String(most) : `${fewest} to ${most}`;
  fail(word, `\`${name}\` takes ${count} argument${most === 1 ? '' : 's'}.`, context);
  return false;
}

/** Splits at separators that stand in no parentheses and no quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === separator && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(text: string): string {
  return /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

function joinTexts(parts: readonly (string | CheckExpression)[]): CheckFormat {
  const joined: (string | CheckExpression)[] = [];
  for (const part of parts) {
    const last = joined[joined.length - 1];
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined;
}

function fail(word: Word, message: string, { report }: Context): undefined {
  report.error(
    word.span,
    'bad-expression',
    message,
    'Write for example `int(80)`, `var(check.port)` or `%[srv_name]`.',
  );
}
