/**
 * The scenarios that play a document run that document's own lines: those of the golden files, which are the document's
 * byte for byte, with the substitutions that are listed here and no other.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { parseScenario } from '#src/lab/scenario-parser.js';

const root = new URL('../../../', import.meta.url);

type Substitution = readonly [from: string, to: string];
type Played = {
  scenario: string;
  node: string;
  file: string;
  document: string;
  substitutions: readonly Substitution[];
};

/** The names of examples, and the listener that the document's frontend lacks: the line that its diagnostic asks for. */
const OWN_SERVERS: readonly Substitution[] = [
  ['server1.example.com', '10.10.0.21'],
  ['server2.example.com', '10.10.0.22'],
  ['frontend http-in\n', 'frontend http-in\n        bind 10.10.0.1:80\n'],
];
const OWN_PASSWORD: Substitution = ['<password>', 's3cret'];
/** The third document says that there are two virtual addresses, and not which. */
const OWN_ADDRESSES: readonly Substitution[] = [
  ['my_password1"', 'my_password1 10.10.0.1/16"'],
  ['my_password2"', 'my_password2 10.10.0.2/16"'],
];
/** Its second server has lost a number, which the text calls the mirror of the first one's. */
const MIRRORED: Substitution = ['advskew pass', 'advskew 100 pass'];

const balance = { scenario: 'balance-behind-one-address' };
const two = { scenario: 'two-addresses', file: 'rc.conf' };
const PLAYED: readonly Played[] = [
  {
    ...balance,
    node: 'master',
    file: 'haproxy.conf',
    document: 'first-document/haproxy.conf',
    substitutions: OWN_SERVERS,
  },
  {
    ...balance,
    node: 'backup',
    file: 'haproxy.conf',
    document: 'first-document/haproxy.conf',
    substitutions: OWN_SERVERS,
  },
  { ...balance, node: 'master', file: 'rc.conf', document: 'first-document/rc.conf', substitutions: [OWN_PASSWORD] },
  {
    ...balance,
    node: 'backup',
    file: 'rc.conf',
    document: 'first-document-backup/rc.conf',
    substitutions: [OWN_PASSWORD],
  },
  { ...two, node: 'node-a', document: 'third-document-a/rc.conf', substitutions: OWN_ADDRESSES },
  { ...two, node: 'node-b', document: 'third-document-b/rc.conf', substitutions: [...OWN_ADDRESSES, MIRRORED] },
];

for (const { scenario, node, file, document, substitutions } of PLAYED) {
  test(`${file} of ${node} in ${scenario} is ${document}`, () => {
    let text = read(`test/config/golden/${document}`);
    for (const [from, to] of substitutions) {
      assert.ok(text.includes(from), `${document} does not have ${from}`);
      text = text.replaceAll(from, to);
    }
    assert.equal(fileOf(scenario, node, file), text);
  });
}

for (const node of ['node-a', 'node-b'])
  test(`sysctl.conf of ${node} is the line that the document leaves out`, () => {
    assert.equal(fileOf('two-addresses', node, 'sysctl.conf'), 'net.inet.carp.preempt=1\n');
  });

test('of the two nodes each prefers another address and takes its own back', () => {
  const carpsOf = (node: string) => {
    const sources = ['rc.conf', 'sysctl.conf'].map((file) => ({ file, text: fileOf('two-addresses', node, file) }));
    return loadConfig(sources).config;
  };
  const [a, b] = [carpsOf('node-a'), carpsOf('node-b')];
  assert.deepEqual(
    a?.carps.map(({ advskew }) => advskew),
    [0, 100],
  );
  assert.deepEqual(
    b?.carps.map(({ advskew }) => advskew),
    [100, 0],
  );
  assert.ok(a?.carp_host.preempt && b?.carp_host.preempt);
});

function fileOf(scenario: string, node: string, file: string): string {
  const path = `scenarios/${scenario}.scenario`;
  const host = parseScenario(path, read(path)).scenario?.hosts.find(({ name }) => name === node);
  assert.ok(host?.kind === 'node');
  return host.files.find(({ name }) => name === file)!.text;
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
