import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { runSysctl } from '#src/config/freebsd/sysctl-command.js';
import { CARP_HOST_DEFAULTS } from '#src/config/model-defaults.js';
import { Reporter } from '#src/config/reporter.js';

/** What is printed, with the warnings below it. */
function say(command: string, sections: readonly boolean[], preempt = false): string {
  const words = command.split(' ').map((text) => ({ text, span: { file: '', line: 0, column: 0, end_column: 0 } }));
  const vhids = sections.map((each, index) => ({ name: `web${index + 1}`, preempt: each }));
  const report = new Reporter();
  const host = { ...CARP_HOST_DEFAULTS, preempt };
  const outcome = runSysctl(words.slice(1), host, { demotion: 0, suppress_preempt: 0, vhids }, report);
  return [outcome?.text.trimEnd(), ...report.diagnostics.map(formatDiagnostic)].join('\n');
}

const SHOW = 'sysctl net.inet.carp.preempt';
const SOME = /warning: 1 of 2 vhids preempt because their sections say so: `web2`\. \[preempt-in-sections\]/;

test('preempt is 1 where every section says so, though the switch of the host is off', () => {
  assert.equal(say(SHOW, [true, true]), 'net.inet.carp.preempt: 1');
  assert.match(say('sysctl net.inet.carp', [true]), /^net\.inet\.carp\.preempt: 1$/m);
});

test('preempt is 0 where sections differ, and a line says which of them preempt', () => {
  const said = say(SHOW, [false, true]);
  assert.match(said, /^net\.inet\.carp\.preempt: 0\n/);
  assert.match(said, SOME);
  assert.match(say('sysctl -a', [false, true]), SOME);
});

test('a lone value stays one, for scripts', () => {
  assert.equal(say('sysctl -n net.inet.carp.preempt', [false, true]), '0');
  assert.equal(say('sysctl -e net.inet.carp.preempt', [true]), 'net.inet.carp.preempt=1');
});

test('preempt of the host cannot be turned off against the sections, and the answer says so', () => {
  const said = say('sysctl net.inet.carp.preempt=0', [true, true], true);
  assert.match(said, /^net\.inet\.carp\.preempt: 1 -> 1\n/);
  assert.match(said, /2 of 2 vhids preempt because .* `web1`, `web2`\./);
  assert.equal(say('sysctl net.inet.carp.preempt=0', [false], true), 'net.inet.carp.preempt: 1 -> 0');
});

test('nothing is said of sections when other settings are asked for, or nothing is configured', () => {
  assert.equal(say('sysctl net.inet.carp.log', [false, true]), 'net.inet.carp.log: 1');
  assert.equal(say(SHOW, []), 'net.inet.carp.preempt: 0');
  assert.equal(say(SHOW, [false, true], true), 'net.inet.carp.preempt: 1');
});
