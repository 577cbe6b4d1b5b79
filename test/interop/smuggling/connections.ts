/** Connection, Upgrade and Expect (RFC 9112 section 9, RFC 9110 sections 7.6.1, 7.8 and 10.1.1), and requests that rightly follow. */
import { answered, type Case, CHUNKED_TAIL, one, PATH, post, request, show, TAIL, two } from './case.js';

const length = `Content-Length: ${TAIL.length}`;
const chunked = 'Transfer-Encoding: chunked';

/** After these nothing is read any more. */
const CLOSING = [
  ['Connection: close'],
  ['Connection: Close'],
  ['connection:CLOSE'],
  ['Connection: \tclose\t'],
  ['Connection: keep-alive, close'],
  ['Connection: close, keep-alive'],
  ['Connection: close,'],
  ['Connection: ,close'],
  ['Connection: x,close ,y'],
  ['Connection: keep-alive', 'Connection: close'],
  ['Connection: close', 'Connection: keep-alive'],
];

/** Options that name fields which frame or route the message: they stay. */
const NOMINATING = [
  'Content-Length',
  'content-length, close',
  'Transfer-Encoding',
  'close, transfer-encoding',
  'Host',
  'Content-Length, Transfer-Encoding, Host, Connection',
  'keep-alive, Content-Length',
  'X, Y, Z',
  'TE, Trailer',
  'Expect',
];

const UPGRADES = [
  ['Connection: Upgrade', 'Upgrade: h2c'],
  ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
  ['Connection: HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
  ['Upgrade: h2c'],
  ['Connection: Upgrade', 'Upgrade: websocket'],
  [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 777',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ],
  ['Connection: upgrade', 'Upgrade: HTTP/2.0'],
  ['Connection: upgrade', 'Upgrade: TLS/1.0, HTTP/1.1'],
  ['Connection: upgrade', 'Upgrade: websocket, h2c'],
  ['Connection: upgrade'],
  ['Connection: upgrade', 'Upgrade:'],
  ['Connection: close, upgrade', 'Upgrade: h2c'],
];

const EXPECTATIONS = ['100-continue', '100-Continue', ' 100-continue\t'];
const OTHER_EXPECTATIONS = [
  '100-continue, x',
  'y 100-continue',
  '200-ok',
  '',
  'chunked',
  '100-continue=',
  '100 continue',
];

export const connections: readonly Case[] = [
  ...CLOSING.flatMap((fields) => [
    one(
      `nothing follows after ${show(fields.join(' | '))}`,
      request(`GET ${PATH} HTTP/1.1`, ['Host: a', ...fields], TAIL),
      '',
    ),
    one(`nothing follows a body with ${show(fields.join(' | '))}`, post([...fields, length], TAIL + TAIL), TAIL),
  ]),
  ...NOMINATING.flatMap((options) => [
    one(`the length stays: ${show(`Connection: ${options}`)}`, post([`Connection: ${options}`, length], TAIL), TAIL),
    one(
      `the chunks stay: ${show(`Connection: ${options}`)}`,
      post([`Connection: ${options}`, chunked], CHUNKED_TAIL),
      TAIL,
    ),
  ]),
  ...UPGRADES.map((fields) => one(`not upgraded: ${show(fields.join(' | '))}`, post([...fields, length], TAIL), TAIL)),
  ...EXPECTATIONS.flatMap((value) => [
    one(`Expect: ${show(value)} and a length`, post([`Expect: ${value}`, length], TAIL), TAIL),
    one(`Expect: ${show(value)} and chunks`, post([`Expect: ${value}`, chunked], CHUNKED_TAIL), TAIL),
  ]),
  one('Expect: 100-continue twice', post(['Expect: 100-continue', 'Expect: 100-continue', length], TAIL), TAIL),
  one('GET that expects 100', request(`GET ${PATH} HTTP/1.1`, ['Host: a', 'Expect: 100-continue', length], TAIL), TAIL),
  one(
    'HTTP/1.0 that expects 100',
    request(`POST ${PATH} HTTP/1.0`, ['Host: a', 'Expect: 100-continue', length], TAIL),
    TAIL,
  ),
  ...OTHER_EXPECTATIONS.map((value) => answered(`Expect: ${show(value)}`, post([`Expect: ${value}`, length], TAIL))),
  one('HTTP/1.0 keeps nothing', request(`GET ${PATH} HTTP/1.0`, ['Host: a'], TAIL), ''),
  one('HTTP/1.0 that closes', request(`GET ${PATH} HTTP/1.0`, ['Host: a', 'Connection: close, keep-alive'], TAIL), ''),
  one(
    'Proxy-Connection keeps nothing in HTTP/1.0',
    request(`GET ${PATH} HTTP/1.0`, ['Host: a', 'Proxy-Connection: keep-alive'], TAIL),
    '',
  ),
];

/** Two requests that a client may send at once: both must arrive. */
export const pipelined: readonly Case[] = [
  two('GET, then GET', request(`GET ${PATH} HTTP/1.1`, ['Host: a'], TAIL)),
  two('HEAD, then GET', request(`HEAD ${PATH} HTTP/1.1`, ['Host: a'], TAIL)),
  two('POST of a length, then GET', post([length], TAIL + TAIL)),
  two('POST of length 0, then GET', post(['Content-Length: 0'], TAIL)),
  two('POST without a body, then GET', post([], TAIL)),
  two('POST of the same length twice, then GET', post([length, length], TAIL + TAIL)),
  two('POST in chunks, then GET', post([chunked], CHUNKED_TAIL + TAIL)),
  two('POST in no chunks, then GET', post([chunked], `0\r\n\r\n${TAIL}`)),
  two('POST with trailers, then GET', post([chunked], `5\r\nhello\r\n0\r\nX: y\r\n\r\n${TAIL}`)),
  two('GET with a body, then GET', request(`GET ${PATH} HTTP/1.1`, ['Host: a', length], TAIL + TAIL)),
  two('an empty line between the requests', post([length], `${TAIL}\r\n${TAIL}`)),
  two(
    'HTTP/1.0 that keeps the connection',
    request(`GET ${PATH} HTTP/1.0`, ['Host: a', 'Connection: keep-alive'], TAIL),
  ),
  two('Expect: 100-continue, then GET', post(['Expect: 100-continue', length], TAIL + TAIL)),
  two('fields of the connection, then GET', post(['Connection: keep-alive, x', 'Keep-Alive: 5', length], TAIL + TAIL)),
];
