/** docs/reference/haproxy.md says what is refused so far; every word there is an error, and none of them only a warning. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';

const reference = readFileSync(new URL('../../../docs/reference/haproxy.md', import.meta.url), 'utf8');
const refused = /## Refused so far\n([\s\S]*?)\n<!--/.exec(reference)![1]!;

const PROXY = 'listen a\n mode http\n bind :80\n';
const TEXTS: Record<string, (word: string) => string> = {
  sections: (word) => `${word} x\n`,
  global: (word) => `global\n ${word} 1\n`,
  proxies: (word) => `${PROXY} ${word} x\n`,
  option: (word) => `${PROXY} option ${word}\n`,
  'words of a bind line': (word) => `listen a\n mode http\n bind :80 ${word} x\n`,
  'words of a server line': (word) => `${PROXY} server s 10.0.0.1:80 ${word} x\n`,
};

for (const [title, textOf] of Object.entries(TEXTS))
  test(`what the reference calls refused among ${title} is refused`, () => {
    const line = refused.split('\n').find((one) => one.startsWith(`- ${title}: `))!;
    const words = [...line.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
    assert.ok(words.length > 0);
    const accepted = words.filter((word) => loadConfig([{ file: 'haproxy.cfg', text: textOf(word) }]).config);
    assert.deepEqual(accepted, []);
  });

test("a carp section's `peers` is told to be `peer`, and the section goes on", () => {
  const text = 'carp web\n interface eth0\n vhid 1\n pass "x"\n address 10.0.0.1/24\n peers 10.0.0.3\n advskew 999\n';
  const { diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ code, mend }) => [code, mend]),
    [
      ['unknown-keyword', 'Write `peer 10.0.0.3`, and a line for each other node.'],
      ['out-of-range', errors[1]?.mend],
    ],
  );
});

test('adverts that would all be bow-outs are refused', () => {
  const text = 'carp web\n interface eth0\n vhid 1\n pass "x"\n address 10.0.0.1/24\n advbase 255\n advskew 255\n';
  const { diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  assert.deepEqual(
    diagnostics.map(({ code, span }) => [code, span.line]),
    [['always-bows-out', 7]],
  );
});
