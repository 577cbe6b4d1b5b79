/** `carpool diff`: two nodes' configurations side by side, in any dialect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareNodes } from '#src/config/compare-nodes.js';
import { loadConfig, type Source } from '#src/config/load.js';

const A = `carp web
    interface eth0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
    advskew 0
    preempt
`;
const B = A.replace('advskew 0', 'advskew 100');

function configOf(...sources: Source[]) {
  const { config, diagnostics } = loadConfig(sources);
  assert.ok(config, JSON.stringify(diagnostics));
  return config;
}

/** `kind what` of each difference. */
function differences(a: string, b: string): string[] {
  const [one, other] = [a, b].map((text) => configOf({ file: 'node.cfg', text }));
  return compareNodes(one!, other!).map(({ kind, what }) => `${kind} ${what}`);
}

test('two nodes that fit differ in nothing but advskew', () => {
  assert.deepEqual(differences(A, B), []);
});

test('equal advskews are a tie', () => {
  assert.deepEqual(differences(A, A), ['must-differ vhid 1 advskew']);
});

test('what is in the digest must be equal, and the password is never shown', () => {
  const [one, other] = [A, B.replace('s3cret', 's3cr3t')].map((text) => configOf({ file: 'node.cfg', text }));
  const found = compareNodes(one!, other!);
  assert.deepEqual(
    found.map(({ kind, what }) => `${kind} ${what}`),
    ['must-be-equal vhid 1 pass'],
  );
  assert.doesNotMatch(JSON.stringify(found), /s3cr/);
  assert.deepEqual(differences(A, B.replace('10.10.0.1/16', '10.10.0.2/16')), ['must-be-equal vhid 1 addresses']);
  assert.deepEqual(differences(A, B.replace('vhid 1', 'vhid 2')), ['must-be-equal vhid 1 number']);
});

test('advbase must be equal', () => {
  assert.deepEqual(differences(A, `${B}    advbase 2\n`), ['must-be-equal vhid 1 advbase']);
});

test('what is merely different is told as that', () => {
  const other = B.replace('eth0', 'ens3').replace('    preempt\n', '').replace('/16', '/24');
  assert.deepEqual(differences(A, other), [
    'different vhid 1 preempt',
    'different vhid 1 interface',
    'different vhid 1 prefix length',
  ]);
});

test('a vhid that only one node has', () => {
  const more = `${A}carp mail\n    interface eth0\n    vhid 2\n    pass "x"\n    address 10.10.0.2/16\n    preempt\n`;
  assert.deepEqual(differences(more, B), ['must-be-equal vhid 2']);
  assert.deepEqual(differences(B, more), ['must-be-equal vhid 2']);
});

test('services behind the address are compared by what they are', () => {
  const proxy = (port: number) => `defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend f
    bind 10.10.0.1:80
    default_backend b
backend b
    server s 10.10.0.21:${port}
`;
  assert.deepEqual(differences(A + proxy(80), B + proxy(81)), ['different servers']);
});

test('dialects compare: rc.conf on one node and the native section on the other', () => {
  const rc = 'cloned_interfaces="carp0"\nifconfig_carp0="vhid 1 advskew 100 pass s3cret 10.10.0.1/16"\n';
  const freebsd = configOf({ file: 'rc.conf', text: rc });
  const found = compareNodes(configOf({ file: 'a.cfg', text: A }), freebsd).map(({ kind, what }) => `${kind} ${what}`);
  assert.deepEqual(
    found.filter((text) => !text.startsWith('different')),
    [],
  );
});
