/** One name over virtual time: which question comes when, whose answer counts, and when a failure is one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOLVERS_DEFAULTS } from '#src/config/model-defaults.js';
import type { Answer, QuestionType } from '#src/dns/message.js';
import { type Effect, newResolution, onAnswer, onTime, type Resolution } from '#src/dns/resolution.js';

const base = { truncated: false, additional: [] };
const NX: Answer = { ...base, rcode: 3, answers: [] };
const REFUSED: Answer = { ...base, rcode: 5, answers: [] };
const EMPTY: Answer = { ...base, rcode: 0, answers: [] };
const address = (...addresses: string[]): Answer => ({
  ...base,
  rcode: 0,
  answers: addresses.map((one) => ({ type: one.includes(':') ? 'AAAA' : 'A', name: 'app.test', address: one })),
});

/** A resolution with its clock; each call gives its effects in short: `ask A`, `have 10.0.0.1`, `failed nx`. */
class Course {
  now_ms = 0;
  private readonly settings;
  private state: Resolution;

  constructor({ nameservers = 1, preferred = 'A' as QuestionType, hold = {}, known = false } = {}) {
    this.settings = { ...RESOLVERS_DEFAULTS, nameservers, hold: { ...RESOLVERS_DEFAULTS.hold, ...hold } };
    this.state = newResolution('app.test', preferred, 0, known ? 0 : Number.NEGATIVE_INFINITY);
  }

  after(time_ms: number): string {
    this.now_ms += time_ms;
    return this.take(onTime(this.state, this.settings, this.now_ms));
  }

  hears(answer: Answer, nameserver = 0, query = this.state.query): string {
    return this.take(onAnswer(this.state, this.settings, { query, nameserver, answer }, this.now_ms));
  }

  private take({ resolution, effects }: { resolution: Resolution; effects: readonly Effect[] }): string {
    this.state = resolution;
    return effects.map(describe).join(', ');
  }
}

function describe(effect: Effect): string {
  if (effect.kind === 'ask') return `ask ${effect.type}`;
  if (effect.kind === 'failed') return `failed ${effect.failure}`;
  return `have ${effect.records.map((record) => ('address' in record ? record.address : '')).join(' ')}`;
}

test('a good answer holds until the next resolution', () => {
  const course = new Course();
  assert.equal(course.after(0), 'ask A');
  assert.equal(course.hears(address('10.0.0.1')), 'have 10.0.0.1');
  assert.equal(course.after(999), '');
  assert.equal(course.after(1), 'ask A');
});

test('the first good answer of any nameserver counts, and the others come too late', () => {
  const course = new Course({ nameservers: 3 });
  course.after(0);
  assert.equal(course.hears(NX, 2), '');
  assert.equal(course.hears(NX, 2), '', 'a nameserver is heard once');
  assert.equal(course.hears(address('10.0.0.1'), 0), 'have 10.0.0.1');
  assert.equal(course.hears(address('10.0.0.2'), 1), '');
});

test('when all nameservers fail the other family is asked for, then everything again, three times', () => {
  const course = new Course({ preferred: 'AAAA' });
  assert.equal(course.after(0), 'ask AAAA');
  assert.equal(course.hears(EMPTY), 'ask A');
  assert.equal(course.hears(NX), 'ask AAAA');
  assert.equal(course.hears(NX), 'ask A');
  assert.equal(course.hears(NX), 'ask AAAA');
  assert.equal(course.hears(NX), 'ask A');
  assert.equal(course.hears(NX), 'failed nx');
});

test('an address of the other family is a good answer, and the next resolution asks for the preferred one', () => {
  const course = new Course({ preferred: 'AAAA' });
  course.after(0);
  course.hears(EMPTY);
  assert.equal(course.hears(address('10.0.0.1')), 'have 10.0.0.1');
  assert.equal(course.after(1000), 'ask AAAA');
});

test('silence is asked again with the same question, and then it is a time-out', () => {
  const course = new Course();
  course.after(0);
  assert.equal(course.after(1000), 'ask A');
  assert.equal(course.after(1000), 'ask A');
  assert.equal(course.after(1000), 'failed timeout');
});

test('what one nameserver said counts when the others are silent', () => {
  const course = new Course({ nameservers: 2 });
  course.after(0);
  assert.equal(course.hears(REFUSED, 1), '');
  assert.equal(course.after(1000), 'ask AAAA');
});

test('services have no other family', () => {
  const course = new Course({ preferred: 'SRV' });
  assert.equal(course.after(0), 'ask SRV');
  assert.equal(course.hears(NX), 'ask SRV');
});

test('a failure counts when the last good answer is longer ago than hold says', () => {
  const course = new Course({ known: true, hold: { timeout_ms: 3500 } });
  course.after(0);
  for (let time = 0; time < 2; time++) assert.equal(course.after(1000), 'ask A');
  assert.equal(course.after(1000), '', 'held: 3 s after the last good one');
  assert.equal(course.after(1000), 'ask A');
  for (let time = 0; time < 2; time++) course.after(1000);
  assert.equal(course.after(1000), 'failed timeout');
});

test('a record that is told no more stays for hold obsolete', () => {
  const course = new Course({ hold: { obsolete_ms: 1500 } });
  course.after(0);
  course.hears(address('10.0.0.1', '10.0.0.2'));
  course.after(1000);
  assert.equal(course.hears(address('10.0.0.2')), 'have 10.0.0.2 10.0.0.1');
  course.after(1000);
  assert.equal(course.hears(address('10.0.0.2')), 'have 10.0.0.2');
});

test('an answer to an earlier question comes too late', () => {
  const course = new Course();
  course.after(0);
  course.after(1000);
  assert.equal(course.hears(address('10.0.0.1'), 0, 1), '');
  assert.equal(course.hears(address('10.0.0.1'), 0, 2), 'have 10.0.0.1');
});
