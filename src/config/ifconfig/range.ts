/**
 * rc.conf's ranges of addresses: `10.10.0.5-9/24` is 10.10.0.5/24 and four more as /32; `2001:db8:1-f::1/64` counts in
 * hexadecimal in the one group that has the `-`.
 */
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';

const MOST_ADDRESSES = 256;

/** The words of the single addresses; a word that is no range is given back as it is. Empty after a report. */
export function expandRange(word: Word, report: Reporter): Word[] {
  const isIPv6 = word.text.includes(':');
  const pattern = isIPv6
    ? /^(.*?)([0-9a-fA-F]{1,4})-([0-9a-fA-F]{1,4})(.*)$/
    : /^(\d+\.\d+\.\d+\.)(\d{1,3})-(\d{1,3})(.*)$/;
  const match = pattern.exec(word.text);
  if (match === null) return [word];
  const [, before, firstText, lastText, after] = match;
  const radix = isIPv6 ? 16 : 10;
  const first = Number.parseInt(firstText, radix);
  const count = Number.parseInt(lastText, radix) - first + 1;
  if (count < 1 || count > MOST_ADDRESSES) {
    const message = `The range \`${word.text}\` holds no addresses, or more than ${MOST_ADDRESSES}.`;
    report.error(word.span, 'bad-address', message, 'Write the lower number first, such as `10.10.0.5-9/24`.');
    return [];
  }
  return Array.from({ length: count }, (_, i) => {
    const rest = i === 0 || isIPv6 ? after : after.replace(/\/.*$/, '');
    return { text: `${before}${(first + i).toString(radix)}${rest}`, span: word.span };
  });
}
