/** Lines and fields of a head (RFC 9112 sections 2.2, 3 and 5): CRLF and nothing else ends a line, no control characters. */
import { type Case, one, PATH, post, refused, request, show, TAIL } from './case.js';

const LINE = `GET ${PATH} HTTP/1.1`;
const length = `Content-Length: ${TAIL.length}`;

/** What is no token beside ":" (RFC 9110 section 5.6.2). */
const DELIMITERS = [...'"(),/;<=>?@[\\]{}'];
const CONTROLS = [1, 2, 7, 8, 0x0b, 0x0c, 0x0e, 0x10, 0x1b, 0x1f, 0x7f].map((code) => String.fromCharCode(code));

/** Whole requests before TAIL. */
const BROKEN = {
  'only LF': `${LINE}\nHost: a\n\n`,
  'LF after the request line': `${LINE}\nHost: a\r\n\r\n`,
  'LF after a field': `${LINE}\r\nHost: a\nX: y\r\n\r\n`,
  'LF after the last field': `${LINE}\r\nHost: a\n\r\n`,
  'LF as the empty line': `${LINE}\r\nHost: a\r\n\n`,
  'CR after the request line': `${LINE}\rHost: a\r\n\r\n`,
  'CR after a field': `${LINE}\r\nHost: a\rX: y\r\n\r\n`,
  'CR as the empty line': `${LINE}\r\nHost: a\r\n\r`,
  'only CR': `${LINE}\rHost: a\r\r`,
  'LF CR': `${LINE}\n\rHost: a\n\r\n\r`,
  'CR CR LF': `${LINE}\r\r\nHost: a\r\n\r\n`,
  'CR CR LF at the end': `${LINE}\r\nHost: a\r\n\r\r\n`,
  'CR in a value': `${LINE}\r\nHost: a\r\nX: y\rz\r\n\r\n`,
  'CR before the colon': `${LINE}\r\nHost: a\r\nX\r: y\r\n\r\n`,
  'CR in a name': `${LINE}\r\nHost: a\r\nX\rY: z\r\n\r\n`,
  'LF in a name': `${LINE}\r\nHost: a\r\nX\nY: z\r\n\r\n`,
  'NUL in a name': `${LINE}\r\nHost: a\r\nX\0: y\r\n\r\n`,
  'NUL in a value': `${LINE}\r\nHost: a\r\nX: y\0z\r\n\r\n`,
  'NUL at the end of a value': `${LINE}\r\nHost: a\r\nX: y\0\r\n\r\n`,
  'NUL in the target': `GET ${PATH}\0x HTTP/1.1\r\nHost: a\r\n\r\n`,
  'NUL in the method': `GE\0T ${PATH} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'NUL in the version': `GET ${PATH} HTTP/1.1\0\r\nHost: a\r\n\r\n`,
  'NUL before everything': `\0${LINE}\r\nHost: a\r\n\r\n`,
  'NUL as a line': `${LINE}\r\nHost: a\r\n\0\r\n\r\n`,
  'a folded value': `${LINE}\r\nHost: a\r\nX: y\r\n z\r\n\r\n`,
  'a value folded with a tab': `${LINE}\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n`,
  'a value that begins in the next line': `${LINE}\r\nHost: a\r\nX:\r\n y\r\n\r\n`,
  'a field folded onto the request line': `${LINE}\r\n Host: a\r\nHost: a\r\n\r\n`,
  'a blank line that is not empty': `${LINE}\r\nHost: a\r\n \r\n\r\n`,
  'a tab as the blank line': `${LINE}\r\nHost: a\r\n\t\r\n\r\n`,
  'a space before a name': `${LINE}\r\n X: y\r\nHost: a\r\n\r\n`,
  'a space before the colon': `${LINE}\r\nHost: a\r\nX : y\r\n\r\n`,
  'a tab before the colon': `${LINE}\r\nHost: a\r\nX\t: y\r\n\r\n`,
  'a space before the colon of Host': `${LINE}\r\nHost : a\r\n\r\n`,
  'a space in a name': `${LINE}\r\nHost: a\r\nX Y: z\r\n\r\n`,
  'no name': `${LINE}\r\nHost: a\r\n: y\r\n\r\n`,
  'no colon': `${LINE}\r\nHost: a\r\nX\r\n\r\n`,
  'a request line among the fields': `${LINE}\r\nHost: a\r\nGET /smuggled/#### HTTP/1.1\r\n\r\n`,
  'a response line among the fields': `${LINE}\r\nHost: a\r\nHTTP/1.1 200 OK\r\n\r\n`,
  'a name beyond ASCII': `${LINE}\r\nHost: a\r\nX\xe9: y\r\n\r\n`,
  'an empty line of spaces first': ` \r\n${LINE}\r\nHost: a\r\n\r\n`,
  'a space first': ` ${LINE}\r\nHost: a\r\n\r\n`,
  'a tab first': `\t${LINE}\r\nHost: a\r\n\r\n`,
  'LF first': `\n${LINE}\r\nHost: a\r\n\r\n`,
  'CR first': `\r${LINE}\r\nHost: a\r\n\r\n`,
  'CR CR LF first': `\r\r\n${LINE}\r\nHost: a\r\n\r\n`,
  'LF CR first': `\n\r${LINE}\r\nHost: a\r\n\r\n`,
  'a byte order mark first': `\xef\xbb\xbf${LINE}\r\nHost: a\r\n\r\n`,
  'a TLS hello first': `\x16\x03\x01\x02\x00\x01\x00\r\n${LINE}\r\nHost: a\r\n\r\n`,
};

/** More than a head may have. */
const TOO_LARGE = {
  'a target of 16 KiB': request(`GET ${PATH}?${'a'.repeat(16_384)} HTTP/1.1`, ['Host: a'], ''),
  'a value of 16 KiB': request(LINE, ['Host: a', `X: ${'a'.repeat(16_384)}`], ''),
  'a name of 16 KiB': request(LINE, ['Host: a', `${'a'.repeat(16_384)}: x`], ''),
  'a method of 16 KiB': request(`${'A'.repeat(16_384)} ${PATH} HTTP/1.1`, ['Host: a'], ''),
  'a value of 70 KiB': request(LINE, ['Host: a', `X: ${'a'.repeat(70_000)}`], ''),
  '102 fields': request(LINE, ['Host: a', ...new Array(101).fill('X: y')], ''),
  '1000 fields': request(LINE, ['Host: a', ...new Array(999).fill('X: y')], ''),
  '3000 empty fields': request(LINE, ['Host: a', ...new Array(3000).fill('X:')], ''),
};

export const heads: readonly Case[] = [
  ...Object.entries(BROKEN).map(([name, bytes]) => refused(`a head with ${name}`, bytes + TAIL)),
  ...Object.entries(TOO_LARGE).map(([name, bytes]) => refused(`a head with ${name}`, bytes + TAIL)),
  ...DELIMITERS.map((character) =>
    refused(`the name ${show(`X${character}Y`)}`, request(LINE, ['Host: a', `X${character}Y: z`], TAIL)),
  ),
  ...CONTROLS.map((character) =>
    refused(`the value ${show(`y${character}z`)}`, request(LINE, ['Host: a', `X: y${character}z`], TAIL)),
  ),
  one('an empty line first', `\r\n${post([length], TAIL)}`, TAIL),
  one('two empty lines first', `\r\n\r\n${post([length], TAIL)}`, TAIL),
  one('100 fields', post([length, ...new Array(98).fill('X: y')], TAIL), TAIL),
  one('a value of 7 KiB', post([length, `X: ${'a'.repeat(7000)}`], TAIL), TAIL),
  one('empty values', post([length, 'X:', 'Y: ', 'Z:\t'], TAIL), TAIL),
  one('a value beyond ASCII', post([length, 'X: caf\xe9'], TAIL), TAIL),
  one('tabs in a value', post([length, 'X: a\tb'], TAIL), TAIL),
  one('colons in a value', post([length, 'X: Content-Length: 5'], TAIL), TAIL),
];
