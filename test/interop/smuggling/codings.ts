/** Transfer-Encoding (RFC 9112 section 6.1): `chunked`, once, or nothing that we would pass on. */
import { type Case, CHUNKED_TAIL, one, PATH, post, refused, request, show, TAIL } from './case.js';

const NOT_CHUNKED = [
  '',
  'xchunked',
  'chunkedx',
  'chunke',
  'hunked',
  'chunked, identity',
  'identity, chunked',
  'identity',
  'chunked, chunked',
  'chunked,chunked',
  'chunked chunked',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'x, chunked',
  'chunked, x',
  ', chunked',
  ',chunked',
  'chunked,',
  'chunked, ,',
  '"chunked"',
  "'chunked'",
  'chunked;q=1',
  'chunked;',
  ';chunked',
  'chunked; x="y"',
  'chunked\v',
  '\vchunked',
  '\x0cchunked',
  'chunked\x0c',
  '\0chunked',
  'chunked\0',
  'chunked\x00, x',
  'chunked\xa0',
  '\xa0chunked',
  '\x85chunked',
  'chunked\x7f',
  'chunked\x08',
  'ch unked',
  'ch\tunked',
  'x chunked',
  'chunked x',
  'chunked\r',
  '\rchunked',
  'chun\xe2\x84\xaaed',
  '=chunked',
  'chunked=',
  '%63hunked',
  'chunked\\',
  '(chunked)',
  'trailers',
  'cow',
  'null',
  'chunked\r\n ',
  'x\r\n chunked',
  '\r\n chunked',
  '\r\n\tchunked',
  'x\nTransfer-Encoding: chunked',
  'x\rTransfer-Encoding: chunked',
  'chunked\n',
  '\nchunked',
];

const CHUNKED = ['chunked', 'Chunked', 'CHUNKED', 'cHuNkEd', '\tchunked', 'chunked\t', '  chunked  '];

/** Two Transfer-Encoding fields. */
const TWO_FIELDS = [
  ['chunked', 'chunked'],
  ['chunked', 'identity'],
  ['identity', 'chunked'],
  ['chunked', 'x'],
  ['x', 'chunked'],
  ['', 'chunked'],
  ['chunked', ''],
  ['gzip', 'chunked'],
] as const;

/** Names that are no token: some parsers cut or skip what they do not like in them. */
const BROKEN_NAMES = [
  'Transfer-Encoding ',
  'Transfer-Encoding\t',
  ' Transfer-Encoding',
  '\tTransfer-Encoding',
  'Transfer-Encoding\v',
  'Transfer-Encoding\0',
  'Transfer\0-Encoding',
  'Transfer Encoding',
  'Transfer-Encoding\r',
  'Transfer-Encoding;',
  '"Transfer-Encoding"',
  'Transfer-Encod\xc4\xb1ng',
  '\xa0Transfer-Encoding',
  '\x0bTransfer-Encoding',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  'X\nTransfer-Encoding',
  ':Transfer-Encoding',
];

/** Names that mean nothing to us: the length counts. */
const OTHER_NAMES = [
  'Transfer_Encoding',
  'TransferEncoding',
  'Transfer-Encodings',
  'X-Transfer-Encoding',
  'Transfer.Encoding',
  'TE',
];

const length = `Content-Length: ${TAIL.length}`;

export const codings: readonly Case[] = [
  ...NOT_CHUNKED.flatMap((value) => {
    const field = `Transfer-Encoding: ${value}`;
    const name = `Transfer-Encoding of ${show(value)}`;
    return [
      refused(name, post([field], `0\r\n\r\n${TAIL}`)),
      refused(`${name} after Content-Length`, post(['Content-Length: 5', field], `0\r\n\r\n${TAIL}`)),
      refused(`${name} before Content-Length`, post([field, length], TAIL)),
    ];
  }),
  ...CHUNKED.flatMap((value) => {
    const field = `Transfer-Encoding: ${value}`;
    const name = `Transfer-Encoding of ${show(value)}`;
    return [
      one(`${name} is chunked`, post([field], CHUNKED_TAIL), TAIL),
      one(`${name} counts, not the Content-Length before`, post([length, field], `0\r\n\r\n${TAIL}`), ''),
      one(
        `${name} counts, not the Content-Length after`,
        post([field, 'Content-Length: 3'], CHUNKED_TAIL + TAIL),
        TAIL,
      ),
    ];
  }),
  ...['0', '5', '1000000'].map((value) =>
    one(
      `chunked counts, not Content-Length: ${value}`,
      post([`Content-Length: ${value}`, 'Transfer-Encoding: chunked'], CHUNKED_TAIL + TAIL),
      TAIL,
    ),
  ),
  one(
    'chunked counts, not two equal lengths',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: 5'], CHUNKED_TAIL + TAIL),
    TAIL,
  ),
  refused(
    'two lengths beside chunked',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: 6'], CHUNKED_TAIL),
  ),
  refused(
    'a length that is none beside chunked',
    post(['Transfer-Encoding: chunked', 'Content-Length: 5x'], CHUNKED_TAIL),
  ),
  ...TWO_FIELDS.flatMap(([first, second]) => {
    const fields = [`Transfer-Encoding: ${first}`, `Transfer-Encoding: ${second}`];
    const name = `Transfer-Encoding of ${show(first)}, then of ${show(second)}`;
    return [
      refused(name, post(fields, `0\r\n\r\n${TAIL}`)),
      refused(`${name}, with Content-Length`, post([...fields, 'Content-Length: 5'], `0\r\n\r\n${TAIL}`)),
    ];
  }),
  ...BROKEN_NAMES.map((name) =>
    refused(`the field name ${show(name)}`, post(['X: y', length, `${name}: chunked`], TAIL)),
  ),
  ...OTHER_NAMES.map((name) => one(`${name} is another field`, post([`${name}: chunked`, length], TAIL), TAIL)),
  refused(
    'chunked in HTTP/1.0',
    request(`POST ${PATH} HTTP/1.0`, ['Host: a', 'Transfer-Encoding: chunked'], CHUNKED_TAIL),
  ),
  refused(
    'chunked in HTTP/1.0 that keeps the connection',
    request(`POST ${PATH} HTTP/1.0`, ['Host: a', 'Connection: keep-alive', 'Transfer-Encoding: chunked'], CHUNKED_TAIL),
  ),
  refused(
    'chunked and a length in HTTP/1.0',
    request(`POST ${PATH} HTTP/1.0`, ['Host: a', length, 'Transfer-Encoding: chunked'], TAIL),
  ),
];
