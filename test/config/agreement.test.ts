/** What one dialect refuses no other lets pass, and what it takes the carp section takes as well. Each was found by fuzzing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert } from '#src/config/convert/convert.js';
import { loadConfig } from '#src/config/load.js';

const STANZA =
  'auto eth0\niface eth0 inet static\n address 10.0.0.2/24\n ucarp-vid 1\n ucarp-vip 10.0.0.1\n ucarp-password x\n';
const CARP = 'carp web\n interface eth0\n vhid 1\n pass x\n address 10.0.0.1/24\n';

function codes(file: string, text: string): string[] {
  const { diagnostics } = loadConfig([{ file, text }]);
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
}

test('a name that no kernel could give to an interface is refused in every dialect', () => {
  const long = 'em9007199254740993';
  assert.deepEqual(codes('haproxy.cfg', CARP.replace('eth0', long)), ['bad-interface']);
  assert.deepEqual(codes('rc.conf', `ifconfig_${long}_alias0="vhid 1 pass x 10.0.0.1/32"\n`), ['bad-interface']);
  assert.deepEqual(codes('interfaces', STANZA.replaceAll('eth0', long)), ['bad-interface']);
});

test('an interface that is still a placeholder is refused in every dialect', () => {
  assert.deepEqual(codes('haproxy.cfg', CARP.replace('eth0', 'n.n.n.1')), ['placeholder']);
  assert.deepEqual(codes('interfaces', STANZA.replaceAll('eth0', 'n.n.n.1')), ['placeholder']);
});

test('an address that no host can have is refused in every dialect', () => {
  assert.deepEqual(codes('haproxy.cfg', CARP.replace('10.0.0.1', '255.0.0.1')), ['bad-address']);
  assert.deepEqual(codes('interfaces', STANZA.replace('10.0.0.2', '255.0.0.2')), ['bad-address']);
  assert.notDeepEqual(codes('hostname.carp0', 'inet6 fe80::10 00 vhid 1 pass x carpdev em0\n'), []);
});

test('an advskew of 255, which ucarp takes, stands in a carp section as well', () => {
  const { config } = loadConfig([{ file: 'interfaces', text: `${STANZA} ucarp-advskew 255\n` }]);
  const [native] = convert(config!, 'native').files;
  assert.deepEqual(codes('haproxy.cfg', native!.text), []);
  assert.notDeepEqual(codes('rc.conf', 'ifconfig_em0_alias0="vhid 1 advskew 255 pass x 10.0.0.1/32"\n'), []);
});

test('a demotion that several lines add up to is written as several lines', () => {
  const text = 'net.inet.carp.demotion=240\nnet.inet.carp.demotion=200\n';
  const sources = [
    { file: 'haproxy.cfg', text: CARP },
    { file: 'sysctl.conf', text },
  ];
  const { config } = loadConfig(sources);
  const [native] = convert(config!, 'native').files;
  const again = loadConfig([{ file: 'haproxy.cfg', text: native!.text }]);
  assert.equal(again.config?.carp_host.demotion, 440);
});

test('an interface whose name begins a comment is written in quotes', () => {
  const { config } = loadConfig([{ file: 'haproxy.cfg', text: CARP.replace('eth0', '"#1"') }]);
  assert.match(convert(config!, 'native').files[0]!.text, /interface '#1'/);
});
