/** How a value is compared with patterns (manual 7.1): each rule's patterns become one function. */
import type { IntegerRange, Match } from '../../config/model.ts';
import { regularExpression } from '../../config/regular-expression.ts';
import { parseAddress } from '../../system/ip-address.ts';
import { holds, networkOf } from './network.ts';
import type { Accept } from './subject.ts';

export function matcherOf(match: Match): Accept {
  switch (match.method) {
    case 'found':
      return () => true;
    case 'bool':
      return (value) =>
        value === true || ((typeof value === 'number' || typeof value === 'bigint') && Number(value) !== 0);
    case 'int':
      return (value) => isWithin(Number(value), match.ranges);
    case 'len':
      return (value) => isWithin(String(value).length, match.ranges);
    case 'ip': {
      const networks = match.networks.map(networkOf);
      return (value) => {
        const address = parseAddress(String(value));
        return address !== undefined && networks.some((network) => holds(network, address));
      };
    }
    case 'bin': {
      const patterns = match.patterns.map((digits) => Buffer.from(digits, 'hex').toString('latin1'));
      return (value) => patterns.includes(String(value));
    }
    case 'reg': {
      const patterns = match.patterns.map((pattern) => regularExpression(pattern, match.ignore_case));
      return (value) => patterns.some((pattern) => pattern?.test(String(value)));
    }
    default: {
      const fold = match.ignore_case ? (text: string) => text.toLowerCase() : (text: string) => text;
      const patterns = match.patterns.map(fold);
      if (match.method === 'str') {
        const all = new Set(patterns); // of a file, there may be many
        return (value) => all.has(fold(String(value)));
      }
      const compare = COMPARISONS[match.method];
      return (value) => {
        const text = fold(String(value));
        return patterns.some((pattern) => compare(text, pattern));
      };
    }
  }
}

const COMPARISONS = {
  beg: (text: string, pattern: string) => text.startsWith(pattern),
  end: (text: string, pattern: string) => text.endsWith(pattern),
  sub: (text: string, pattern: string) => text.includes(pattern),
  dir: (text: string, pattern: string) => standsAlone(text, pattern, /[/?]/),
  dom: (text: string, pattern: string) => standsAlone(text, pattern, /[/?.:]/),
} as const;

/** The pattern, without delimiters at its own ends, stands between two delimiters or the ends of the text. */
function standsAlone(text: string, written: string, delimiter: RegExp): boolean {
  let pattern = written;
  while (pattern !== '' && delimiter.test(pattern[0])) pattern = pattern.slice(1);
  while (pattern !== '' && delimiter.test(pattern[pattern.length - 1])) pattern = pattern.slice(0, -1);
  for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) {
    const end = at + pattern.length;
    if ((at === 0 || delimiter.test(text[at - 1])) && (end === text.length || delimiter.test(text[end]))) return true;
    if (pattern === '') return false;
  }
  return false;
}

function isWithin(value: number, ranges: readonly IntegerRange[]): boolean {
  return ranges.some(({ min, max }) => value >= (min ?? Number.NEGATIVE_INFINITY) && (max === null || value <= max));
}
