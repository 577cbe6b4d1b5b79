import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NOWHERE } from '#src/config/diagnostic.js';
import { Reporter } from '#src/config/reporter.js';
import { editDistance, suggest } from '#src/config/suggest.js';
import { isIPv4, isIPv6, isPlaceholder, parseDuration } from '#src/config/values.js';

test('an IPv4 address is four numbers without leading zeros', () => {
  for (const good of ['0.0.0.0', '255.255.255.255', '10.10.0.1']) assert.equal(isIPv4(good), true, good);
  for (const bad of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.', ' 1.2.3.4', '1.2.3.4/8']) {
    assert.equal(isIPv4(bad), false, bad);
  }
});

test('an IPv6 address has eight groups, or fewer and one ::', () => {
  for (const good of [
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    'fe80::200:5eff:fe00:1',
    '::ffff:10.0.0.1',
    '1:2:3:4:5:6:1.2.3.4',
  ]) {
    assert.equal(isIPv6(good), true, good);
  }
  for (const bad of [
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    '10.0.0.1',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7:8::',
  ]) {
    assert.equal(isIPv6(bad), false, bad);
  }
});

test('what documents write for the reader to replace is a placeholder, and names are not', () => {
  for (const text of [
    '<password>',
    '{{ password }}',
    'YOUR_PASSWORD',
    'n.n.n.10',
    'n.n.n.10/24',
    'x.x.x.x',
    '192.168.X.1',
    'a.b.c.d',
  ]) {
    assert.equal(isPlaceholder(text), true, text);
  }
  for (const text of ['password', 'www.bbc.co.uk', 'a.bc.de.com', '10.0.0.1', 'x', 'my_password1', 'web1.x.y']) {
    assert.equal(isPlaceholder(text), false, text);
  }
});

test('a time is milliseconds unless it says otherwise', () => {
  const read = (text: string) => parseDuration({ text, span: NOWHERE }, 'a time', new Reporter());
  const times = { '5': 5, '5ms': 5, '5s': 5000, '5m': 300_000, '2h': 7_200_000, '1d': 86_400_000, '1us': 1, '0': 0 };
  for (const [text, time_ms] of Object.entries(times)) assert.equal(read(text), time_ms, text);
  for (const text of ['', 's', '1.5s', '-1', '5 s', '25d', '5S', '1e3']) assert.equal(read(text), undefined, text);
});

test('one slip is near, another word is not', () => {
  assert.equal(suggest('premept', ['preempt', 'pass']), 'preempt');
  assert.equal(suggest('bnid', ['bind', 'mode']), 'bind');
  assert.equal(suggest('hello', ['bind', 'mode']), undefined);
  assert.equal(suggest('x'.repeat(65), ['x'.repeat(64)]), undefined);
});

test('the distance of two words is the same in both directions and 0 only for equal ones', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
  );
});
