import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GapFinder, longestOutage } from '#src/lab/outages.js';

/** One character a probe, 10 ms apart: ! answered, . lost. */
function probe(text: string): GapFinder {
  const finder = new GapFinder();
  [...text].forEach((character, index) => {
    finder.add({ sent_ms: index * 10, answered: character === '!' });
  });
  return finder;
}

const ALL = { from_ms: 0, until_ms: Number.POSITIVE_INFINITY };

test('an outage lasts from the last answered probe before it to the first answered one after it', () => {
  assert.equal(longestOutage(probe('!!...!!').all(), ALL, 70), 40);
});

test('no lost probe is no outage, however far apart the probes were sent', () => {
  const finder = new GapFinder();
  finder.add({ sent_ms: 0, answered: true });
  finder.add({ sent_ms: 900, answered: true });
  assert.equal(longestOutage(finder.all(), ALL, 1000), 0);
});

test('what is lost before the first answer is no outage', () => {
  assert.equal(longestOutage(probe('....!!').all(), ALL, 60), 0);
});

test('an outage without an end lasts to the end of the run', () => {
  assert.equal(longestOutage(probe('!...').all(), ALL, 500), 500);
});

test('the longest of several counts', () => {
  assert.equal(longestOutage(probe('!.!...!.!').all(), ALL, 90), 40);
});

test('an outage belongs to the window in which its first probe was lost', () => {
  const { gaps } = probe('!!!...!!..!');
  assert.equal(longestOutage(gaps, { from_ms: 25, until_ms: 70 }, 110), 40);
  assert.equal(longestOutage(gaps, { from_ms: 70, until_ms: 110 }, 110), 30);
  assert.equal(longestOutage(gaps, { from_ms: 0, until_ms: 25 }, 110), 0);
});

test('the end of an outage is told when it comes', () => {
  const finder = probe('!..');
  assert.deepEqual(finder.add({ sent_ms: 30, answered: true }), { from_ms: 0, lost_ms: 10, until_ms: 30 });
  assert.equal(finder.answering_since_ms, 30);
});
