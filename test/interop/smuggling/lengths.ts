/** Content-Length (RFC 9112 section 6.3): digits, one number however often it is said, and nothing else. */
import { type Case, one, post, refused, show, TAIL, unfinished } from './case.js';

const NOT_A_LENGTH = [
  '',
  '+5',
  '-5',
  '-0',
  '+0',
  '0x5',
  '5x',
  'x5',
  '5h',
  '5.0',
  '5,',
  ',5',
  '5,,5',
  '5 5',
  '5\t5',
  '5;',
  '5; a',
  '"5"',
  "'5'",
  '1e1',
  '5_0',
  '5-5',
  '5\v',
  '\v5',
  '5\f',
  '5\0',
  '\x005',
  '5\r',
  '5\x7f',
  '5\xa0',
  '\xa05',
  '\xb2',
  'five',
  '(5)',
  '[5]',
  '5\\',
  '=5',
  'NaN',
  'Infinity',
  '5, 6',
  '5, 5, 6',
  '5, +5',
  '5, chunked',
  '18446744073709551616',
  '18446744073709551621',
  '9223372036854775808',
  '99999999999999999999999999999999',
];

/** Two Content-Length fields; the body is as long as TAIL. */
const TWO_FIELDS = [
  ['5', '6'],
  ['0', '5'],
  ['5', '0'],
  ['5', ''],
  ['', '5'],
  ['5', '+5'],
  ['5', '5x'],
  ['5', '5 5'],
  ['5', '-5'],
] as const;

const length = TAIL.length;
const SAME_LENGTH = [
  [`Content-Length: ${length}`, `Content-Length: ${length}`],
  [`Content-Length: ${length}`, `content-length: ${length}`],
  [`Content-Length: ${length}`, 'X: y', `CONTENT-LENGTH:${length}`],
  [`Content-Length: ${length}, ${length}`],
  [`Content-Length: ${length},${length}`],
  [`Content-Length: ${length}\t,\t${length}`],
  [`Content-Length: ${length}, ${length}`, `Content-Length: ${length}`],
  [`Content-Length: 0${length}`],
  [`Content-Length: 0000000${length}`],
  [`Content-Length: ${length}`, `Content-Length: 0${length}`],
  [`Content-Length: \t ${length} \t `],
  [`Content-Length:${length}`],
  [`cOnTeNt-LeNgTh: ${length}`],
];

/** Names that only resemble Content-Length: the true length is that of TAIL. */
const OTHER_NAMES = [
  'Content_Length',
  'ContentLength',
  'Content-Lengths',
  'X-Content-Length',
  'Content-Lengt',
  'Content.Length',
];

/** Names that are none. */
const BROKEN_NAMES = [
  'Content-Length ',
  'Content-Length\t',
  ' Content-Length',
  '\tContent-Length',
  'Content-Length\v',
  'Content-Length\0',
  'Content-Length\r',
  'Content-Length\xa0',
  'Content Length',
  'Content-Length:5\r',
  'Content-Length;',
  '"Content-Length"',
  'Content-Length\x7f',
  '\0Content-Length',
  '\xefContent-Length',
];

export const lengths: readonly Case[] = [
  ...NOT_A_LENGTH.map((value) =>
    refused(`Content-Length of ${show(value)}`, post([`Content-Length: ${value}`], `hello${TAIL}`)),
  ),
  ...TWO_FIELDS.map(([first, second]) =>
    refused(
      `Content-Length of ${show(first)}, then of ${show(second)}`,
      post([`Content-Length: ${first}`, `Content-Length: ${second}`], `hello${TAIL}`),
    ),
  ),
  ...SAME_LENGTH.map((fields) => one(`one length: ${show(fields.join(' | '))}`, post(fields, TAIL), TAIL)),
  ...OTHER_NAMES.map((name) =>
    one(`${name} is another field`, post([`${name}: 5`, `Content-Length: ${length}`], TAIL), TAIL),
  ),
  ...BROKEN_NAMES.map((name) => refused(`the field name ${show(name)}`, post(['X: y', `${name}: ${length}`], TAIL))),
  refused('a folded Content-Length', post(['Content-Length:', ' 5'], `hello${TAIL}`)),
  refused('a Content-Length that goes on after a fold', post(['Content-Length: 0', ' 5'], `hello${TAIL}`)),
  unfinished('a Content-Length longer than what comes', post(['Content-Length: 1000'], TAIL)),
  unfinished('a Content-Length of 10^14', post(['Content-Length: 100000000000000'], TAIL)),
];
