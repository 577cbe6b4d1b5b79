/** Converters of text. */
import { substitution } from '../../../config/regular-expression.ts';
import { parameterOf } from '../parameter.ts';
import type { MakeConverter } from './converters.ts';

const ofText =
  (convert: (text: string) => string | number | undefined): MakeConverter =>
  () =>
  (value) =>
    convert(String(value));

export const TEXT_CONVERTERS: Readonly<Record<string, MakeConverter>> = {
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  length: ofText((text) => text.length),
  host_only: ofText((text) => HOST.exec(text)?.[1]?.toLowerCase() ?? text.toLowerCase()),
  port_only: ofText((text) => Number(HOST.exec(text)?.[2] ?? 0)),
  url_enc: ofText((text) => text.replace(/[^A-Za-z0-9._~-]/g, escaped)),
  url_dec:
    ([in_form = '0']) =>
    (value) =>
      decodeUrl(String(value), in_form !== '0'),
  ltrim: ([characters]) => trimmer(characters, 'start'),
  rtrim: ([characters]) => trimmer(characters, 'end'),
  param:
    ([name, delimiter = '&']) =>
    (value) =>
      parameterOf(String(value), name, delimiter),
  field:
    ([index, delimiters, count = '1']) =>
    (value) =>
      partOf(String(value), fieldsOf(String(value), delimiters), Number(index), Number(count)),
  word:
    ([index, delimiters, count = '1']) =>
    (value) => {
      const words = fieldsOf(String(value), delimiters).filter(({ start, end }) => start < end);
      return partOf(String(value), words, Number(index), Number(count));
    },
  regsub([pattern, replacement, flags = '']) {
    const how = { ignore_case: flags.includes('i'), all: flags.includes('g') };
    const replace = substitution(pattern, replacement, how);
    return (value) => replace?.(String(value));
  },
};

/** A name, or an address of IPv6 in brackets, and the port behind it. */
const HOST = /^(\[[^\]]*\]|[^:]*)(?::(\d{0,5}))?$/;

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A `+` is a space in a form, and behind the `?` of a URL. Undefined: two digits are missing after a `%`. */
function decodeUrl(text: string, in_form: boolean): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const mark = in_form ? 0 : text.indexOf('?');
  const spaced = mark < 0 ? text : text.slice(0, mark) + text.slice(mark).replaceAll('+', ' ');
  return spaced.replace(/%(..)/g, (_whole, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function trimmer(characters: string, side: 'start' | 'end'): ReturnType<MakeConverter> {
  return (value) => {
    const text = String(value);
    let [start, end] = [0, text.length];
    if (side === 'start') while (start < end && characters.includes(text[start])) start++;
    else while (end > start && characters.includes(text[end - 1])) end--;
    return text.slice(start, end);
  };
}

type Part = { readonly start: number; readonly end: number };

/** What lies between the delimiters, each of which is one character. */
function fieldsOf(text: string, delimiters: string): Part[] {
  const parts: Part[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!delimiters.includes(text[at])) continue;
    parts.push({ start, end: at });
    start = at + 1;
  }
  return [...parts, { start, end: text.length }];
}

/** `count` parts from the one at `index`, which counts from 1, or with a sign from the end and towards the beginning; 0: all of them. */
function partOf(text: string, parts: readonly Part[], index: number, count: number): string | undefined {
  const at = index > 0 ? index - 1 : parts.length + index;
  const one = parts[at];
  if (one === undefined) return undefined;
  const more = count === 0 ? parts.length : count - 1;
  if (index > 0) return text.slice(one.start, parts[Math.min(parts.length - 1, at + more)].end);
  return text.slice(parts[Math.max(0, at - more)].start, one.end);
}
