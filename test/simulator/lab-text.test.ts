import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseScenario as parseLab } from '#src/lab/scenario-parser.js';
import { labText } from '#src/simulator/lab-text.js';
import { parseScenario } from '#src/simulator/scenario.js';
import { mixed, scenarios } from './arbitrary.js';

const PAIR = `seed 42
host a kind carpool drift_ppm 0 lease_s 4
vhid 1 segment 0 advbase 1 advskew 0 preempt yes
host b kind carpool drift_ppm 0 lease_s 4
vhid 1 segment 0 advbase 1 advskew 100 preempt yes
`;

function stepsOf(faults: string): string[] {
  const { text } = labText(parseScenario(`${PAIR}${faults}\ncalm 30000\n`));
  const lines = text.split('\n').map((line) => line.trim());
  return lines.slice(lines.indexOf('steps') + 1).filter((line) => line !== '');
}

test('faults become steps, and the end of all faults mends what is still broken', () => {
  const steps = stepsOf('at 6000 stall host a for_ms 5000\nat 14000 part segment 0 host b\nat 15000 crash host a');
  assert.deepEqual(steps, [
    'start a, b, client',
    'at 6000 ms freeze a',
    'at 11000 ms thaw a',
    'at 14000 ms isolate b',
    'at 15000 ms crash a',
    'at 30000 ms rejoin b',
    'wait 15000 ms',
    'expect 10.10.255.1 answers',
    'expect b is MASTER of 1',
  ]);
});

test('a host does only what it can: the dead do not die, and what stands still is not stopped', () => {
  const steps = stepsOf(
    'at 1 crash host a\nat 2 kill host a\nat 3 stall host b for_ms 10\nat 5 stop host b\nat 20 restart host b',
  );
  assert.deepEqual(steps.slice(1, -3), ['at 1 ms crash a', 'at 3 ms freeze b', 'at 13 ms thaw b']);
});

test('what the lab cannot do is left out and named', () => {
  const { left_out, text } = labText(
    parseScenario(`${PAIR}host c kind openbsd drift_ppm 5 lease_s 4
vhid 1 segment 1 advbase 1 advskew 0 preempt yes
at 1000 network segment 0 loss_percent 50 duplicate_percent 30 delay_ms 1
calm 2000
`),
  );
  assert.deepEqual(
    left_out.map((one) => one.replace(/ \(.*/, '')),
    ['clocks that drift', 'hosts that run openbsd', 'segments other than the first'],
  );
  assert.doesNotMatch(text, /node c/);
});

test('what the switch loses, delays, repeats and sends back, and whom it cuts off from whom becomes steps, and heals at the end', () => {
  const steps = stepsOf(
    [
      'at 1000 cut segment 0 from a to b family 6',
      'at 2000 cut segment 0 from * to a',
      'at 3000 cut segment 0 from b to b',
      'at 4000 cut segment 1 from a to b',
      'at 5000 network segment 0 loss_percent 50 duplicate_percent 0 delay_ms 1',
      'at 6000 unsendable host b for_ms 500',
      'at 7000 network segment 0 loss_percent 50 duplicate_percent 30 delay_ms 500',
      'at 8000 echo segment 0 on yes',
      'at 9000 echo segment 1 on no',
    ].join('\n'),
  );
  assert.deepEqual(steps.slice(1, -4), [
    'at 1000 ms cut a to b over IPv6',
    'at 2000 ms cut all to a',
    'at 5000 ms lose 50 %',
    'at 6000 ms jam b',
    'at 6500 ms unjam b',
    'at 7000 ms repeat 30 %',
    'at 7000 ms delay up to 500 ms',
    'at 8000 ms echo on',
    'at 30000 ms heal',
    'at 30000 ms lose 0 %',
    'at 30000 ms repeat 0 %',
    'at 30000 ms delay up to 0 ms',
    'at 30000 ms echo off',
  ]);
});

test('demotions are told to the daemon, and foreign hands take addresses', () => {
  const steps = stepsOf(
    'at 9000 demote host a amount 100\nat 12000 strip host b\nat 13000 stall host a for_ms 1000\nat 13500 undemote host a\nat 15000 undemote host a',
  );
  assert.deepEqual(steps.slice(1, -2), [
    'at 9000 ms tell a demote 100',
    'at 12000 ms strip b',
    'at 13000 ms freeze a',
    'at 14000 ms thaw a',
    'at 15000 ms tell a undemote',
  ]);
});

test('a reload writes the file anew and tells the daemon; at the end all agree, and the dead find it when they start', () => {
  const steps = stepsOf(
    [
      'at 5000 reload host a secret 2 also 1 advskew 20 absent -1',
      'at 6000 crash host b',
      'at 7000 reload host b secret 1 also -1 advskew -1 absent 0',
      'at 8000 restart host b',
      'at 9000 reload host b secret 1 also -1 advskew -1 absent -1',
    ].join('\n'),
  );
  const carp = (advskew: number, ...signed: string[]) => [
    'carp v1',
    'interface eth0',
    'vhid 1',
    ...signed,
    'advbase 1',
    `advskew ${advskew}`,
    'preempt',
  ];
  const plain = ['pass "simulated"', 'address 10.10.255.1/16'];
  const changed = ['pass "changed"', 'address 10.10.255.1/16'];
  assert.deepEqual(steps.slice(1), [
    'at 5000 ms write a haproxy.cfg',
    ...carp(20, plain[0], plain[1], 'address 10.10.254.1/16', 'also accept pass "changed" address 10.10.255.1'),
    'at 5000 ms reload a',
    'at 6000 ms crash b',
    'at 7000 ms write b haproxy.cfg',
    ...['frontend nothing', 'mode tcp', 'bind 127.0.0.1:9'],
    'at 8000 ms write b haproxy.cfg',
    ...carp(100, ...changed),
    'at 8000 ms start b',
    'at 9000 ms reload b',
    'at 30000 ms write a haproxy.cfg',
    ...carp(20, ...plain),
    'at 30000 ms reload a',
    'at 30000 ms write b haproxy.cfg',
    ...carp(100, ...plain),
    'at 30000 ms reload b',
    'wait 15000 ms',
    'expect 10.10.255.1 answers',
    'expect a is MASTER of 1',
    'expect b is BACKUP of 1',
  ]);
});

test('both families, unicast and the demote byte are in the files of the nodes', () => {
  const of = (fields: string) => {
    const text = PAIR.replaceAll('preempt yes', `${fields} preempt yes`);
    return labText(parseScenario(`${text}calm 1000\n`)).text;
  };
  assert.match(of('families 46'), /address 10\.10\.255\.1\/16\n +address fd00::1:1:1\/64\n/);
  assert.match(of('unicast yes'), /peer 10\.10\.0\.2\n[\s\S]*peer 10\.10\.0\.1\n/);
  assert.match(of('demote_byte yes'), / openbsd-demote-byte\n/);
});

for (const scope of [{}, mixed(['carpool', 'ucarp'])])
  test(`the lab takes whatever the simulator draws (${scope.kinds?.join(' and ') ?? 'carpools'})`, () => {
    fc.assert(
      fc.property(scenarios(scope), (scenario) => {
        const { text } = labText(scenario);
        const { diagnostics } = parseLab('seed.scenario', text);
        const errors = diagnostics.filter(({ severity }) => severity === 'error');
        assert.deepEqual(errors, [], text);
      }),
      { seed: 5, numRuns: 60 },
    );
  });
