/** What `option httpchk` sends and what it makes of answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { httpCheck } from '#src/config/model-defaults.js';
import { MOST_BYTES } from '#src/health/received.js';
import type { Verdict } from '#src/health/verdict.js';
import { type Method, Talk } from '../helpers/talk.js';

const method = httpCheck('OPTIONS', '/', 'HTTP/1.0') as Method;

test('the request is what HAProxy sends', () => {
  const sent = (version: string, uri: string): string[] => new Talk(httpCheck('OPTIONS', uri, version) as Method).sent;
  assert.deepEqual(sent('HTTP/1.0', '/'), ['OPTIONS / HTTP/1.0\r\n\r\n']);
  assert.deepEqual(sent('HTTP/1.1', '/health'), ['OPTIONS /health HTTP/1.1\r\nconnection: close\r\n\r\n']);
});

/** Feeds the pieces; the end of the connection follows when they decide nothing. */
function judge(...pieces: readonly string[]): Verdict {
  const talk = new Talk(method);
  assert.equal(talk.verdict, undefined);
  for (const piece of pieces) talk.says(piece);
  return (talk.verdict ? talk : talk.closes()).verdict!;
}

test('2xx and 3xx pass, everything else is a wrong status', () => {
  for (const status of [200, 204, 299, 301, 399]) {
    const { code, passed, reason } = judge(`HTTP/1.1 ${status} x\r\n\r\n`);
    assert.deepEqual({ code, passed, reason }, { code: 'L7OK', passed: true, reason: `HTTP status ${status}` });
  }
  for (const status of [100, 199, 400, 404, 503, 999]) {
    const { code, passed, reason } = judge(`HTTP/1.1 ${status} x\r\n\r\n`);
    assert.deepEqual({ code, passed, reason }, { code: 'L7STS', passed: false, reason: `HTTP status ${status}` });
  }
});

test('the phrase may be missing, lines may end in LF, headers may follow', () => {
  for (const head of [
    'HTTP/1.0 200\r\n\r\n',
    'HTTP/1.0 200 \r\n\r\n',
    'HTTP/1.0 200 OK\n\n',
    'HTTP/1.1 200 OK\r\na: b\r\nc: d\r\n\r\nbody',
    'HTTP/1.1 200 OK\r\na: b\n\r\n',
  ]) {
    assert.equal(judge(head).code, 'L7OK', JSON.stringify(head));
  }
});

test('an answer that is not HTTP is no valid answer', () => {
  for (const bytes of [
    'SSH-2.0-x\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/x.1 200\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    '\r\n',
  ]) {
    assert.equal(judge(bytes).reason, 'the answer is not HTTP', JSON.stringify(bytes));
  }
});

test('a server that closes before the end of its head gave no valid answer', () => {
  assert.equal(judge().code, 'L7RSP');
  assert.equal(judge().reason, 'the server closed without an answer');
  assert.equal(judge('HTTP/1.1 200 OK\r\nFoo').reason, 'the server closed in the middle of its answer');
  assert.equal(judge('HTTP/1.1 200 OK\r\n').code, 'L7RSP');
});

test('a head that does not end is given up at a bound', () => {
  const header = `a: ${'b'.repeat(1000)}\r\n`;
  const pieces = Array.from({ length: 100 }, () => header);
  assert.equal(judge('HTTP/1.1 200 OK\r\n', ...pieces).reason, `the answer's head is longer than ${MOST_BYTES} bytes`);
});

test('the verdict does not depend on how the answer was cut into segments', () => {
  const cut = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 });
  const text = fc.oneof(
    fc.constantFrom('HTTP/1.1 200 OK\r\nserver: x\r\n\r\n', 'HTTP/1.0 503\n\n', 'HTTP/1.1 200 OK\r\nend', 'nonsense'),
    fc.string({ maxLength: 40 }).map((tail) => `HTTP/1.1 ${tail}`),
  );
  fc.assert(
    fc.property(text, cut, (answer, lengths) => {
      const pieces: string[] = [];
      let rest = answer;
      for (const length of lengths) {
        pieces.push(rest.slice(0, length));
        rest = rest.slice(length);
      }
      assert.deepEqual(judge(...[...pieces, rest].filter((piece) => piece !== '')), judge(answer));
    }),
  );
});

test('one answer after the other is judged anew', () => {
  const talk = new Talk(method);
  for (const status of [200, 503, 200]) {
    talk.begin();
    assert.equal(talk.says(`HTTP/1.1 ${status} x\r\n\r\n`).verdict?.reason, `HTTP status ${status}`);
  }
});
