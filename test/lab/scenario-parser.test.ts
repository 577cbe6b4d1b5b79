import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import type { Scenario, Step } from '#src/lab/scenario.js';
import { parseScenario } from '#src/lab/scenario-parser.js';

const HOSTS = `title Two nodes
node a 10.10.0.11
    file haproxy.cfg
        carp web
            interface eth0
            vhid 1   # a comment of the file's own
            pass s3cret
            address 10.10.0.1/16
node b 10.10.0.12 ucarp
    arguments -v 1 -p s3cret   # a comment of the scenario
web w 10.10.0.21 port 80
client c 10.10.0.100
    probe 10.10.0.1
    request http://10.10.0.1/ every 50 ms timeout 300ms
`;

function parsed(text: string): Scenario {
  const { scenario, diagnostics } = parseScenario('folder/x.scenario', text);
  assert.deepEqual(diagnostics.map(formatDiagnostic), []);
  return scenario!;
}

function stepOf(line: string): Step['does'] {
  return parsed(`${HOSTS}steps\n    ${line}\n    expect no request fails\n`).steps[0]!.does;
}

/** The one diagnostic of a scenario with a mistake in it. */
function mistakeIn(text: string): string {
  const { scenario, diagnostics } = parseScenario('x.scenario', text);
  assert.equal(scenario, undefined);
  assert.equal(diagnostics.length, 1, diagnostics.map(formatDiagnostic).join('\n'));
  return formatDiagnostic(diagnostics[0]!);
}

test('hosts are read with what runs on them', () => {
  const scenario = parsed(`seed 7\n${HOSTS}steps\n    start a\n    expect no outage of 10.10.0.1\n`);
  assert.deepEqual([scenario.name, scenario.seed], ['x', 7]);
  assert.equal(scenario.title, 'Two nodes');
  assert.deepEqual(scenario.network, { address: '10.10.0.0', prefix_length: 16 });
  const [a, b, w, c] = scenario.hosts;
  assert.ok(a?.kind === 'node' && b?.kind === 'node' && w?.kind === 'web' && c?.kind === 'client');
  assert.deepEqual([a.runs, b.runs, w.port], ['carpool', 'ucarp', 80]);
  assert.deepEqual(b.ucarp_arguments, ['-v', '1', '-p', 's3cret']);
  assert.deepEqual(c.probes, [{ vip: '10.10.0.1', every_ms: 10 }]);
  assert.deepEqual(c.requests, [{ url: 'http://10.10.0.1/', every_ms: 50, timeout_ms: 300 }]);
});

test('a configuration file keeps its text and its inner indentation', () => {
  const scenario = parsed(`${HOSTS}steps\n    start a\n    expect no request fails\n`);
  assert.ok(scenario.hosts[0]?.kind === 'node');
  const [file] = scenario.hosts[0].files;
  assert.deepEqual([file!.name, file!.first_line, file!.indent], ['haproxy.cfg', 4, 8]);
  assert.equal(file!.text.split('\n')[2], "    vhid 1   # a comment of the file's own");
  assert.ok(file!.text.startsWith('carp web\n    interface eth0\n') && file!.text.endsWith('/16\n'));
});

test('actions take one host or several', () => {
  assert.deepEqual(stepOf('start a, b and c'), { kind: 'act', verb: 'start', hosts: ['a', 'b', 'c'] });
  assert.deepEqual(stepOf('crash a'), { kind: 'act', verb: 'crash', hosts: ['a'] });
  assert.deepEqual(stepOf('cut a to all over IPv6'), {
    kind: 'switch',
    change: { kind: 'cut', from: 'a', to: undefined, family: 6 },
  });
  assert.deepEqual(stepOf('heal'), { kind: 'switch', change: { kind: 'heal' } });
  assert.deepEqual(stepOf('lose 30 %'), { kind: 'switch', change: { kind: 'lose', percent: 30 } });
  assert.deepEqual(stepOf('repeat 30 %'), { kind: 'switch', change: { kind: 'repeat', percent: 30 } });
  assert.deepEqual(stepOf('delay up to 1.5 s'), { kind: 'switch', change: { kind: 'delay', up_to_ms: 1500 } });
  assert.deepEqual(stepOf('delay up to 0 ms'), { kind: 'switch', change: { kind: 'delay', up_to_ms: 0 } });
  assert.deepEqual(stepOf('echo on'), { kind: 'switch', change: { kind: 'echo', on: true } });
  assert.deepEqual(stepOf('reload a'), { kind: 'act', verb: 'reload', hosts: ['a'] });
  assert.deepEqual(stepOf('tell a demote 100'), { kind: 'tell', host: 'a', command: 'demote 100' });
});

test('the deeper lines below a write are the new text of a file, and the steps go on behind them', () => {
  const text =
    'carp web\n            interface eth0\n            vhid 2\n            pass x\n            address 10.10.0.2/16\n';
  const { steps } = parsed(
    `${HOSTS}steps\n    at 2 s write a haproxy.cfg\n        ${text}    reload a\n    expect no request fails\n`,
  );
  const [write, reload] = steps;
  assert.ok(write?.does.kind === 'write');
  assert.deepEqual([write.at_ms, write.does.host, write.does.file.name], [2000, 'a', 'haproxy.cfg']);
  assert.equal(write.does.file.text, text.replaceAll('\n        ', '\n'));
  assert.equal(reload?.text, 'reload a');
});

test('waiting is for a time or until a condition holds', () => {
  assert.deepEqual(stepOf('wait 1.5 s'), { kind: 'pause', for_ms: 1500 });
  assert.deepEqual(stepOf('wait until a is MASTER of vhid 1 within 5s'), {
    kind: 'wait',
    condition: { kind: 'state', node: 'a', vhid: 1, state: 'MASTER' },
    within_ms: 5000,
  });
});

const EXPECTATIONS: readonly [string, object][] = [
  ['10.10.0.1 is gone from a within 100 ms', { kind: 'becomes', within_ms: 100 }],
  ['10.10.0.1 is on a', { kind: 'becomes', within_ms: 0 }],
  ['a has ended within 5 s', { kind: 'becomes', condition: { kind: 'ended', node: 'a' }, within_ms: 5000 }],
  ['a is BACKUP of 1 for 1 min', { kind: 'stays', for_ms: 60_000 }],
  ['outage of 10.10.0.1 at most 3.59 s', { kind: 'outage', vip: '10.10.0.1', at_most_ms: 3590 }],
  ['no outage of 10.10.0.1', { kind: 'outage', vip: '10.10.0.1', at_most_ms: 0 }],
  ['at most 12 requests fail', { kind: 'failed', at_most: 12 }],
  ['no request fails', { kind: 'failed', at_most: 0 }],
  ['no request fails for 2 s', { kind: 'all-answered', for_ms: 2000 }],
  ['at least 5 requests answered by w', { kind: 'answered', at_least: 5, by: 'w' }],
];

for (const [text, fields] of EXPECTATIONS) {
  test(`'expect ${text}' is understood`, () => {
    const does = stepOf(`expect ${text}`);
    assert.ok(does.kind === 'expect');
    assert.deepEqual({ ...does.expectation, ...fields }, does.expectation);
  });
}

test('a step can have a time', () => {
  const { steps } = parsed(`${HOSTS}steps\n    at 12 s kill a\n    expect no request fails\n`);
  assert.deepEqual([steps[0]!.at_ms, steps[1]!.at_ms], [12_000, undefined]);
});

const MISTAKES: readonly [string, string, RegExp][] = [
  ['a misspelt step', 'kil a', /^x\.scenario:16:5: error: `kil` is not a step\. \[unknown-step]\n.*kill/],
  ['an unknown host', 'start aa', /:16:11: error: `aa` is not a host that can start\. .*\n.*/],
  ['a web server that should crash', 'crash w', /`w` is not a host that can crash/],
  ['an unknown state', 'expect a is MATSER of 1', /:16:17: .*`MATSER` is not a state of CARP.*\n.*MASTER/],
  ['a vhid out of range', 'expect a is MASTER of 256', /:16:27: .*A vhid is a whole number from 1 to 255/],
  ['a time without unit', 'wait 5', /:16:11: .*The unit \(ms, s or min\) is missing/],
  ['a time of no sense', 'wait soon', /:16:10: .*\[bad-time]/],
  ['a missing bound', 'expect outage of 10.10.0.1', /Here should stand `at most`/],
  ['a delay that fills all memory', 'delay up to 1 min', /\[bad-time]/],
  ['a reload of ucarp', 'reload b', /`b` is not a host that can reload/],
  [
    'a file that the node does not have',
    'write a hapoxy.cfg',
    /:16:13: .*`hapoxy\.cfg` is not a file of a\..*\n.*haproxy\.cfg/,
  ],
  ['a file without a text', 'write a haproxy.cfg', /\[empty-file]/],
  [
    'a mistake in the new text',
    'write a haproxy.cfg\n        carp x\n            vhid 256\n            address 10.10.0.1/16',
    /:18:18: error: .*256/,
  ],
  ['an address that no client probes', 'expect no outage of 10.10.0.9', /\[not-probed]\n.*probe 10\.10\.0\.9/],
  ['a word too many', 'wait 5 s please', /:16:14: .*`please` is one word too many/],
];

for (const [what, line, expected] of MISTAKES) {
  test(`${what} is a diagnostic that names the place`, () => {
    assert.match(mistakeIn(`${HOSTS}steps\n    ${line}\n    expect no request fails\n`), expected);
  });
}

const STEPS = 'steps\n    start a\n    expect a is MASTER of 1\n';
const CARP =
  'carp x\n            interface eth0\n            vhid 1\n            pass x\n            address 10.10.0.1/16\n';
const NODE = `node a 10.10.0.11\n    file f.cfg\n        ${CARP}`;

test('mistakes outside the steps are diagnostics too', () => {
  assert.match(mistakeIn(`nod a 10.10.0.11\n`), /:1:1: .*`nod` is not a section.*\n.*node/);
  assert.match(mistakeIn(`node a 10.10.0.11\n${STEPS}`), /\[no-configuration]/);
  assert.match(mistakeIn(`${NODE}${NODE}${STEPS}`), /:8:\d+: .*There is a host `a` already/);
  assert.match(mistakeIn(`network 10.0.0.0/24\n${NODE}${STEPS}`), /\[outside-network]/);
  assert.match(mistakeIn(`seed many\n${NODE}${STEPS}`), /:1:6: .*\[bad-number]/);
  assert.match(mistakeIn(`web w 10.10.0\n${NODE}${STEPS}`), /:1:7: .*\[bad-address]/);
  assert.match(mistakeIn(`${NODE}steps\n    start a\n`), /\[no-expectation]/);
  assert.match(mistakeIn(''), /\[no-steps]/);
});

test('a mistake in a configuration file is named at its place in the scenario', () => {
  assert.match(mistakeIn(`${NODE.replace('vhid 1', 'vhid 256')}${STEPS}`), /^x\.scenario:5:18: error: .*256/);
});

test('every scenario of the repository is without a mistake and has a title', () => {
  const folder = new URL('../../../scenarios/', import.meta.url);
  for (const file of readdirSync(folder)) {
    assert.notEqual(parsed(readFileSync(new URL(file, folder), 'utf8')).title, '', file);
  }
});
