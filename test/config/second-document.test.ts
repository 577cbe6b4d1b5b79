/**
 * The scenario `ucarp-pair` runs the second document's own files: its lines byte for byte, below the stanza that the
 * document takes for granted, with one substitution.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { parseScenario } from '#src/lab/scenario-parser.js';

const root = new URL('../../../', import.meta.url);
const SUBSTITUTION = ['n.n.n', '10.10.0'] as const;
const ownStanza = (address: string) => `auto eth0\niface eth0 inet static\n  address ${address}/24\n`;

const { scenario } = parseScenario('ucarp-pair.scenario', read('scenarios/ucarp-pair.scenario'));

for (const [server, address, document] of [
  ['first', '10.10.0.11', 'second-document'],
  ['second', '10.10.0.12', 'second-document-second-server'],
]) {
  test(`the ${server} server of ucarp-pair has the document's lines`, () => {
    const node = scenario?.hosts.find(({ name }) => name === server);
    assert.ok(node?.kind === 'node');
    const lines = read(`test/config/golden/${document}/interfaces`).replaceAll(...SUBSTITUTION);
    assert.equal(node.files[0]?.text, ownStanza(address!) + lines);
  });
}

test('both servers come out with the same vhid, and with equal settings', () => {
  const [first, second] = scenario!.hosts.map((host) => {
    const files = host.kind === 'node' ? host.files.map(({ name, text }) => ({ file: name, text })) : [];
    return loadConfig(files).config?.carps[0];
  });
  const facts = (carp: typeof first) => [
    carp?.vhid,
    carp?.pass,
    carp?.name,
    carp?.advbase,
    carp?.advskew,
    carp?.preempt,
  ];
  assert.deepEqual(facts(first), [1, 'some_password', '10.10.0.10', 1, 1, false]);
  assert.deepEqual(facts(second), facts(first));
});

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
