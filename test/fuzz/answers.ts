/** Answers of a nameserver that are nearly right: records of every type, names with pointers, then bits, bytes and lengths changed. */
import assert from 'node:assert/strict';
import { decodeAnswer, encodeQuestion, type Question, TYPES } from '#src/dns/message.js';
import { between, type Random } from '#src/simulator/random.js';
import { once, pick } from './dice.js';
import type { Target } from './target.js';

const ID = 0x1234;
const QUESTIONS: readonly Question[] = [
  { name: 'web.example', type: 'A' },
  { name: 'web.example', type: 'AAAA' },
  { name: '_http._tcp.web.example', type: 'SRV' },
];
const RECORDS_MOST = 6;
const CHANGES_MOST = 4;

export const DNS: Target = {
  name: 'dns',
  draw(random) {
    const question = pick(random, QUESTIONS);
    const bytes = drawAnswer(random, question);
    const run = () => {
      const before = bytes.slice();
      const answer = decodeAnswer(bytes, ID, question);
      assert.deepEqual(bytes, before, 'the decoder wrote into the message');
      if (answer === undefined) return 'refused';
      const records = answer.answers.length + answer.additional.length;
      assert.ok(records * 11 <= bytes.length, `${records} records in ${bytes.length} bytes`);
      return records > 0 ? 'records' : 'empty';
    };
    return { run, print: () => `${question.type} ${question.name}\n${Buffer.from(bytes).toString('hex')}` };
  },
};

function drawAnswer(random: Random, question: Question): Uint8Array {
  const asked = encodeQuestion(ID, question, 1232)!;
  const count = between(random, 0, RECORDS_MOST);
  const records = Array.from({ length: count }, () => drawRecord(random, question));
  // without its OPT record, which is the last 11 bytes
  let bytes = Uint8Array.of(...asked.subarray(0, asked.length - 11), ...records.flat());
  bytes.set([0x81, pick(random, [0x80, 0x80, 0x83]), 0, 1, 0, count, 0, 0, 0, 0], 2);
  const changes = between(random, 0, CHANGES_MOST);
  for (let i = 0; i < changes; i++) bytes = change(random, bytes);
  return bytes;
}

function drawRecord(random: Random, { type }: Question): number[] {
  const data = { A: [10, 0, 0, 1], AAAA: [...new Array(15).fill(0), 1], SRV: [0, 1, 0, 1, 0x1f, 0x90, 0xc0, 12] }[type];
  const is_alias = once(random, 4);
  const body = is_alias ? [0xc0, pick(random, [12, 16, 0, 255])] : data;
  const number = is_alias ? TYPES.CNAME : TYPES[type];
  return [0xc0, 12, 0, number, 0, 1, 0, 0, 0, 60, 0, body.length, ...body];
}

function change(random: Random, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = between(random, 0, Math.max(0, bytes.length - 1));
  if (once(random, 5)) return bytes.slice(0, at);
  if (once(random, 8)) return Uint8Array.of(...bytes, ...bytes.subarray(at));
  bytes[at] = pick(random, [0, 1, 63, 64, 128, 192, 255, between(random, 0, 255)]);
  return bytes;
}
