/**
 * Values that several dialects write alike: integers, durations, addresses, placeholders.
 * Each returns the value, or undefined after it has reported what is wrong with the word.
 */
import type { Reporter } from './reporter.ts';
import type { Word } from './word.ts';

export type Bounds = { readonly what: string; readonly min: number; readonly max: number };

export function parseInteger(word: Word, { what, min, max }: Bounds, report: Reporter): number | undefined {
  const value = /^\d{1,15}$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const isNumber = !Number.isNaN(value) || /^-\d+$/.test(word.text);
  const problem = isNumber ? `is out of range` : `is not a whole number`;
  report.error(
    word.span,
    isNumber ? 'out-of-range' : 'not-a-number',
    `${what} \`${word.text}\` ${problem}.`,
    `Write a number from ${min} to ${max}.`,
  );
  return undefined;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** HAProxy's limit: what fits a signed 32-bit count of milliseconds (24.8 days). */
const LONGEST_MS = 2 ** 31 - 1;

/** `5000`, `5s`, `1500ms` …: milliseconds when no unit is written; shorter than one is rounded up. */
export function parseDuration(word: Word, what: string, report: Reporter): number | undefined {
  const match = /^(\d{1,15})(us|ms|s|m|h|d)?$/.exec(word.text);
  if (match === null) {
    report.error(
      word.span,
      'bad-time',
      `${what} \`${word.text}\` is not a time.`,
      'Write a whole number and a unit (us, ms, s, m, h, d), such as `5s` or `500ms`.',
    );
    return undefined;
  }
  const time_ms = Math.ceil(Number(match[1]) * UNITS_MS[match[2] ?? 'ms']);
  if (time_ms <= LONGEST_MS) return time_ms;
  report.error(
    word.span,
    'out-of-range',
    `${what} \`${word.text}\` is longer than HAProxy's limit of 24 days.`,
    'Write at most `24d`.',
  );
  return undefined;
}

export function isIPv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Full or `::`-shortened IPv6, with an IPv4 tail allowed; no zone. */
export function isIPv6(text: string): boolean {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const tail = groups[groups.length - 1] ?? '';
  const hasIPv4Tail = tail.includes('.') && isIPv4(tail) && !text.endsWith('::');
  const plain = hasIPv4Tail ? groups.slice(0, -1) : groups;
  const count = plain.length + (hasIPv4Tail ? 2 : 0);
  return plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? count < 8 : count === 8);
}

/** `10.0.0.0/8`, or an address alone. */
export function isNetwork(text: string): boolean {
  const [address, bits, ...more] = text.split('/');
  if (more.length > 0 || (!isIPv4(address) && !isIPv6(address))) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128));
}

/** As RFC 5952 writes it, so that equal addresses are equal texts. For what isIPv6 takes. */
export function canonicalIPv6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/** What a document writes where the reader should put something of their own: `<password>`, `n.n.n.10`, `YOUR_KEY`. */
export function isPlaceholder(text: string): boolean {
  return isPlaceholderWord(text) || isPlaceholderAddress(text.replace(/\/.*$/, ''));
}

export function isPlaceholderWord(text: string): boolean {
  return /^<[^<>]*>$/.test(text) || /^\{\{.*\}\}$/.test(text) || /^(YOUR|MY)_[A-Z_]+$/.test(text);
}

/** Letters where numbers belong: `n.n.n.10`, `xxx.xxx.xxx.xxx`, `192.168.X.1`, `a.b.c.d`; not `www.bbc.co.uk`. */
function isPlaceholderAddress(text: string): boolean {
  if (text.toLowerCase() === 'a.b.c.d') return true;
  const parts = text.split('.');
  const letters = parts.filter((part) => /^([a-zA-Z])\1{0,2}$/.test(part));
  const numbers = parts.filter((part) => /^\d{1,3}$/.test(part));
  if (parts.length !== 4 || letters.length === 0 || letters.length + numbers.length < 4) return false;
  return numbers.length > 0 || new Set(letters).size === 1;
}

/** True, and reported, when the word is a placeholder. */
export function reportPlaceholder(word: Word, what: string, report: Reporter): boolean {
  if (!isPlaceholder(word.text)) return false;
  report.error(
    word.span,
    'placeholder',
    `The ${what} is still the placeholder \`${word.text}\`.`,
    `Put your own ${what} there.`,
  );
  return true;
}

/** What the kernel could call an interface: its IFNAMSIZ is 16 with the closing NUL. */
export function isInterfaceName(text: string): boolean {
  return /^[^\s/\0]{1,15}$/.test(text);
}

/** The path of a socket file, or `@` and a name of Linux's abstract namespace: what stands for an IP address in an `Endpoint`. */
export function isUnixAddress(address: string): boolean {
  return address.startsWith('/') || address.startsWith('@');
}
