/**
 * Sample expressions and formats of check rules, evaluated: `var(check.port),add(1)`, `PING %[srv_name]`.
 */
import type { CheckExpression, CheckFormat } from '../config/model.ts';
import { byteString } from './bytes.ts';
import type { CheckFacts, Value } from './facts.ts';

export function evaluate({ fetch, args, converters }: CheckExpression, facts: CheckFacts): Value {
  let value = FETCH[fetch]?.(args, facts);
  for (const { name, args } of converters) {
    if (value === undefined) return undefined;
    value = CONVERT[name]?.(value, args, facts);
  }
  return value;
}

/** As one string; what is not there is empty. */
export function evaluateFormat(format: CheckFormat, facts: CheckFacts): string {
  let text = '';
  for (const part of format) text += typeof part === 'string' ? byteString(part) : asText(evaluate(part, facts));
  return text;
}

/** The text of a format that says the same every time; undefined when it has an expression in it. */
export function constantText(format: CheckFormat): string | undefined {
  if (format.length === 0) return '';
  return format.length === 1 && typeof format[0] === 'string' ? byteString(format[0]) : undefined;
}

export function readVariable(name: string, facts: CheckFacts): Value {
  return placeOf(name, facts).get(name);
}

/** Names come from the configuration, so that there are only so many. */
export function setVariable(name: string, value: Value, facts: CheckFacts): void {
  if (value === undefined) placeOf(name, facts).delete(name);
  else placeOf(name, facts).set(name, value);
}

function placeOf(name: string, { variables, about }: CheckFacts): Map<string, Value> {
  return name.startsWith('proc.') ? about.process_variables : variables;
}

function asText(value: Value): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value === undefined ? '' : String(value);
}

/** Whole; undefined when the value is no number. */
export function asInteger(value: Value): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? Math.trunc(number) : undefined;
}

type Fetch = (args: readonly string[], facts: CheckFacts) => Value;

/** The names are those of config/haproxy/checks/format.ts. */
export const FETCH: Readonly<Record<string, Fetch>> = {
  always_false: () => false,
  always_true: () => true,
  be_name: (_, { about }) => byteString(about.backend),
  bool: ([text]) => text === 'true' || asInteger(text) === 1,
  date: ([offset], facts) => facts.about.now_s() + (asInteger(offset) ?? 0),
  env: ([name], facts) => mapText(facts.about.environment(name), byteString),
  hostname: (_, { about }) => byteString(about.host_name),
  int: ([text]) => asInteger(text),
  'req.len': (_, facts) => facts.payload().length,
  'res.body': (_, facts) => facts.payload(),
  'res.hdr': ([name], facts) => facts.header(name.toLowerCase()),
  'res.len': (_, facts) => facts.payload().length,
  'res.payload': ([offset, length], facts) =>
    cut(facts.payload(), asInteger(offset) ?? 0, asInteger(length) || undefined),
  srv_addr: (_, { about }) => about.address,
  srv_name: (_, { about }) => byteString(about.server),
  srv_port: (_, { about }) => about.port,
  status: (_, facts) => facts.status() || undefined,
  str: ([text]) => byteString(text),
  var: ([name, fallback], facts) => readVariable(name, facts) ?? mapText(fallback, byteString),
};

type Convert = (value: Value, args: readonly string[], facts: CheckFacts) => Value;

export const CONVERT: Readonly<Record<string, Convert>> = {
  add: arithmetic((a, b) => a + b),
  bytes: (value, [offset, length]) => cut(asText(value), asInteger(offset) ?? 0, asInteger(length)),
  cut_crlf: (value) => asText(value).replace(/[\r\n].*$/s, ''),
  div: arithmetic((a, b) => (b === 0 ? undefined : Math.trunc(a / b))),
  hex: (value) => Buffer.from(asText(value), 'latin1').toString('hex').toUpperCase(),
  htonl: (value) => mapNumber(asInteger(value), networkOrder),
  length: (value) => asText(value).length,
  lower: (value) => asText(value).toLowerCase(),
  ltrim: (value, [characters]) => trimStart(asText(value), characters),
  mod: arithmetic((a, b) => (b === 0 ? undefined : a % b)),
  mul: arithmetic((a, b) => a * b),
  rtrim: (value, [characters]) => reversed(trimStart(reversed(asText(value)), characters)),
  sub: arithmetic((a, b) => a - b),
  upper: (value) => asText(value).toUpperCase(),
};

/** The operand is a number or the name of a variable. */
function arithmetic(compute: (a: number, b: number) => number | undefined): Convert {
  return (value, [operand], facts) => {
    const a = asInteger(value);
    const b = asInteger(operand) ?? asInteger(readVariable(operand, facts));
    return a === undefined || b === undefined ? undefined : compute(a, b);
  };
}

function cut(text: string, offset: number, length: number | undefined): string | undefined {
  if (offset < 0 || offset > text.length) return undefined;
  return length === undefined ? text.slice(offset) : text.slice(offset, offset + length);
}

function networkOrder(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

function trimStart(text: string, characters: string): string {
  let at = 0;
  while (at < text.length && characters.includes(text[at])) at++;
  return text.slice(at);
}

function reversed(text: string): string {
  return Array.from(text).reverse().join('');
}

function mapText(text: string | undefined, change: (text: string) => string): string | undefined {
  return text === undefined ? undefined : change(text);
}

function mapNumber(number: number | undefined, change: (number: number) => string): string | undefined {
  return number === undefined ? undefined : change(number);
}
