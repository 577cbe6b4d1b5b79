/** DNS messages: what we write a server can read, what servers write we understand, and nothing else does harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Answer, decodeAnswer, encodeQuestion, type Question, recordsFor } from '#src/dns/message.js';
import { encodeName, readName } from '#src/dns/name.js';

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

test('a question is a header, the name, its type and an OPT record with the length of the longest answer', () => {
  const expected = '1234 0100 0001 0000 0000 0001 03777777 076578616d706c65 00 001c 0001 00 0029 1000 00000000 0000';
  assert.deepEqual(
    encodeQuestion(0x1234, { name: 'www.example', type: 'AAAA' }, 4096),
    new Uint8Array(bytesOf(expected)),
  );
});

const HEAD = (id: string, flags: string, counts: string) => `${id} ${flags} ${counts}`;
const WWW = '03777777 076578616d706c65 00 0001 0001';
const question: Question = { name: 'WWW.example.', type: 'A' };
const decode = (hex: string): Answer | undefined => decodeAnswer(bytesOf(hex), 0x1234, question);

test('an alias is followed to the addresses behind it', () => {
  const alias = 'c00c 0005 0001 0000003c 0006 03636462 c010'; // www.example -> cdb.example
  const address = 'c029 0001 0001 0000003c 0004 c0000207';
  const answer = decode(`${HEAD('1234', '8180', '0001 0002 0000 0000')} ${WWW} ${alias} ${address}`)!;
  assert.deepEqual(recordsFor(answer, question), [{ type: 'A', name: 'cdb.example', address: '192.0.2.7' }]);
});

test('an alias of itself ends', () => {
  const alias = 'c00c 0005 0001 0000003c 0002 c00c';
  const answer = decode(`${HEAD('1234', '8180', '0001 0001 0000 0000')} ${WWW} ${alias}`)!;
  assert.deepEqual(recordsFor(answer, question), []);
});

test('another id, another name, another type, a question and a broken record are no answers', () => {
  const record = 'c00c 0001 0001 0000003c 0004 c0000207';
  const one = '0001 0001 0000 0000';
  assert.ok(decode(`${HEAD('1234', '8180', one)} ${WWW} ${record}`));
  for (const [why, hex] of [
    ['id', `${HEAD('1235', '8180', one)} ${WWW} ${record}`],
    ['a question', `${HEAD('1234', '0180', one)} ${WWW} ${record}`],
    ['name', `${HEAD('1234', '8180', one)} 03777778 076578616d706c65 00 0001 0001 ${record}`],
    ['type', `${HEAD('1234', '8180', one)} 03777777 076578616d706c65 00 001c 0001 ${record}`],
    ['no question', `${HEAD('1234', '8180', '0000 0001 0000 0000')} ${record}`],
    ['length', `${HEAD('1234', '8180', one)} ${WWW} c00c 0001 0001 0000003c 0005 c0000207ff`],
    ['cut off', `${HEAD('1234', '8180', one)} ${WWW} c00c 0001 0001 0000003c 0004 c000`],
    ['a pointer to itself', `${HEAD('1234', '8180', one)} ${WWW} c01d 0001 0001 0000003c 0004 c0000207`],
  ]) {
    assert.equal(decode(hex!), undefined, why);
  }
});

test('an answer that says it is cut off counts as such, however little of it is there', () => {
  const answer = decode(`${HEAD('1234', '8380', '0001 0009 0000 0000')} ${WWW} c00c 0001`);
  assert.deepEqual([answer?.truncated, answer?.answers], [true, []]);
});

const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

test('a name that can be asked for is read as it was written', () => {
  fc.assert(
    fc.property(name, fc.nat(20), (text, start) => {
      const encoded = encodeName(text);
      if (encoded === undefined) return assert.ok(text.length > 253);
      const bytes = new Uint8Array(start + encoded.length + 3);
      bytes.set(encoded, start);
      assert.deepEqual(readName(bytes, start), { name: text, end: start + encoded.length });
    }),
  );
});

test('whatever a nameserver sends, reading it ends, and every name in it has at most 255 bytes', () => {
  const header = Uint8Array.from(bytesOf(`${HEAD('1234', '8180', '0001 0004 0000 0004')} ${WWW}`));
  const pieces = fc.oneof(
    fc.constant([0xc0, 0x0c]),
    fc.tuple(fc.integer({ min: 0xc0, max: 0xff }), fc.nat(255)),
    fc.constantFrom([0, 1, 0, 1], [0, 5, 0, 1], [0, 33, 0, 1], [0, 0, 0, 60], [0, 4], [0, 16]),
    fc.uint8Array({ maxLength: 70 }).map((bytes) => [...bytes]),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const answer = decodeAnswer(Uint8Array.of(...header, ...parts.flat()), 0x1234, question);
      for (const record of [...(answer?.answers ?? []), ...(answer?.additional ?? [])])
        assert.ok(record.name.replaceAll(/\\\d{3}/g, 'x').length <= 255);
    }),
    { numRuns: 2000 },
  );
});
