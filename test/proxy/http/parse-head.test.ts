/** Heads that are read, and heads that are refused, wherever the bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as m from '#src/proxy/http/message.js';
import {
  INCOMPLETE,
  MALFORMED,
  parseRequest,
  parseResponse,
  TOO_MANY_FIELDS,
  VERSION_NOT_SUPPORTED,
} from '#src/proxy/http/parse-head.js';

type Parser = typeof parseRequest;

function parse(parser: Parser, text: string): { result: number; message: m.Message } {
  const bytes = Buffer.from(text, 'latin1');
  const message = new m.Message();
  return { result: parser(bytes, 0, bytes.length, message), message };
}

const REQUESTS: readonly (readonly [request: string, flags: number, length: number])[] = [
  ['GET / HTTP/1.1\r\n\r\n', 0, m.NO_LENGTH],
  ['GET / HTTP/1.0\r\nA:\r\n\r\n', 0, m.NO_LENGTH],
  ['M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n', m.HAS_HOST, m.NO_LENGTH],
  ['POST /a?b=c HTTP/1.1\r\nContent-Length: \t 42 \t\r\n\r\n', m.PADDED, 42],
  ['POST / HTTP/1.1\r\nCONTENT-LENGTH: 7, 7\r\n\r\n', m.REPEATED_LENGTH, 7],
  ['POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n', m.HAS_TRANSFER_ENCODING | m.CHUNKED, m.NO_LENGTH],
  ['GET / HTTP/1.1\r\nConnection: x, Close ,y\r\n\r\n', m.HAS_CONNECTION | m.CONNECTION_CLOSE, m.NO_LENGTH],
  ['GET / HTTP/1.1\r\nConnection: closer\r\n\r\n', m.HAS_CONNECTION, m.NO_LENGTH],
  ['GET / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n', m.EXPECT_CONTINUE, m.NO_LENGTH],
  ['GET / HTTP/1.1\r\nA: caf\xe9\tx\r\n\r\n', 0, m.NO_LENGTH],
];

const BAD_REQUESTS: readonly (readonly [request: string, result: number])[] = [
  [' GET / HTTP/1.1\r\n\r\n', MALFORMED],
  ['GET  / HTTP/1.1\r\n\r\n', MALFORMED],
  ['GET / \r\n\r\n', MALFORMED],
  ['GET /\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\n\n', MALFORMED],
  ['GET / HTTP/1.1 \r\n\r\n', MALFORMED],
  ['GET / http/1.1\r\n\r\n', MALFORMED],
  ['GET / HTTP/1,1\r\n\r\n', MALFORMED],
  ['GET / HTTP/2.0\r\n\r\n', VERSION_NOT_SUPPORTED],
  ['G(T / HTTP/1.1\r\n\r\n', MALFORMED],
  ['GET /a\0b HTTP/1.1\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA : b\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\n: b\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nA: b\0\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length:\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 1,\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n', MALFORMED],
  ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', MALFORMED],
  [`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(m.MAX_FIELDS + 1)}\r\n`, TOO_MANY_FIELDS],
];

for (const [request, flags, length] of REQUESTS) {
  test(`reads ${JSON.stringify(request)}, and waits at every cut of it`, () => {
    const { result, message } = parse(parseRequest, `${request}surplus`);
    assert.equal(result, request.length);
    assert.equal(message.flags, flags);
    assert.equal(message.content_length, length);
    for (let cut = 0; cut < request.length; cut++) {
      assert.equal(parse(parseRequest, request.slice(0, cut)).result, INCOMPLETE, `after ${cut} bytes`);
    }
  });
}

for (const [request, result] of BAD_REQUESTS) {
  test(`refuses ${JSON.stringify(request.slice(0, 70))}, and never reads a part of it`, () => {
    assert.equal(parse(parseRequest, request).result, result);
    for (let cut = 0; cut < request.length; cut++) {
      const early = parse(parseRequest, request.slice(0, cut)).result;
      assert.ok(early === INCOMPLETE || early === result, `after ${cut} bytes: ${early}`);
    }
  });
}

test('reads responses with and without a reason, and waits at every cut', () => {
  for (const [response, status] of [
    ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n', 200],
    ['HTTP/1.1 404 \r\n\r\n', 404],
    ['HTTP/1.0 999\r\n\r\n', 999],
    ['HTTP/1.1 200 r\xe9ussi \t\r\n\r\n', 200],
  ] as const) {
    const { result, message } = parse(parseResponse, response);
    assert.equal(result, response.length);
    assert.equal(message.status, status);
    for (let cut = 0; cut < response.length; cut++) {
      assert.equal(parse(parseResponse, response.slice(0, cut)).result, INCOMPLETE, `after ${cut} bytes`);
    }
  }
});

test('refuses what is no response', () => {
  for (const response of [
    'HTTP/1.1 099 X\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
  ]) {
    assert.ok(parse(parseResponse, response).result < 0, response);
  }
});

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const head = fc
  .tuple(token, fc.stringMatching(/^\/[a-z0-9/?=&]{0,30}$/), fc.array(fc.tuple(token, value), { maxLength: 20 }))
  .map(([method, target, fields]) => ({
    method,
    target,
    fields: fields.filter(([name]) => !/^(content-length|transfer-encoding|host)$/i.test(name)),
  }));

test('finds method, target and every field where they are, and reads no part of a head as a whole one', () => {
  fc.assert(
    fc.property(head, ({ method, target, fields }) => {
      const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const text = `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
      const { result, message } = parse(parseRequest, text);
      assert.equal(result, text.length);
      assert.equal(text.slice(message.start, message.method_end), method);
      assert.equal(text.slice(message.target_start, message.target_end), target);
      assert.equal(message.field_count, fields.length);
      for (const [index, [name, its]] of fields.entries()) {
        assert.equal(text.slice(message.name_start[index], message.name_end[index]), name);
        assert.equal(text.slice(message.value_start[index], message.value_end[index]), its);
      }
      for (let cut = 0; cut < text.length; cut++) {
        assert.equal(parse(parseRequest, text.slice(0, cut)).result, INCOMPLETE);
      }
    }),
    { numRuns: 200 },
  );
});

test('any bytes are a head, no head, or the beginning of one, and what is refused stays refused', () => {
  const bytes = fc.array(fc.constantFrom(...'GET / HTTP/1.1\r\nA: b,0\n\0\xff'), { maxLength: 60 });
  fc.assert(
    fc.property(bytes, (characters) => {
      const text = `GET / HTTP/1.1\r\n${characters.join('')}`;
      const { result } = parse(parseRequest, text);
      assert.ok(result <= text.length);
      if (result < 0) assert.equal(parse(parseRequest, `${text}\r\n\r\n`).result, result);
    }),
  );
});
