/** Whom a userlist believes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { Accounts } from '#src/proxy/rules/accounts.js';

const SHA512 = '$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.';
const LIST = `userlist people
  group staff users anna,ben
  user anna password ${SHA512} groups staff
  user ben insecure-password sec:ret
  user carl
listen web
  bind 127.0.0.1:8080
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  server s 127.0.0.1:8081
`;

function accounts(): Accounts {
  const { config } = loadConfig([{ file: 'haproxy.cfg', text: LIST }]);
  return new Accounts(config!.userlists);
}

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

test('a userlist believes who knows the password, and knows their groups once each', () => {
  const people = accounts();
  assert.deepEqual(people.find('people', basic('anna:secret'))?.groups, ['staff']);
  assert.deepEqual(people.find('people', basic('ben:sec:ret'))?.groups, ['staff']);
});

test('nobody is believed without the right password, without any in the list, or without the list', () => {
  const people = accounts();
  for (const credentials of [
    'anna:Secret',
    `anna:${SHA512}`,
    'anna:',
    'anna:secret\0',
    'ben:sec',
    'carl:',
    'carl',
    ':',
    '',
  ])
    assert.equal(people.find('people', basic(credentials)), undefined, credentials);
  for (const field of [undefined, '', 'Basic', 'Basic !', 'Bearer YW5uYTpzZWNyZXQ='])
    assert.equal(people.find('people', field), undefined, field);
  assert.equal(people.find('nobody', basic('anna:secret')), undefined);
});

test('a hash is worked out once for the same credentials', () => {
  const people = accounts();
  const cost_ms = () => {
    const began_ms = performance.now();
    assert.ok(people.find('people', basic('anna:secret')));
    return performance.now() - began_ms;
  };
  const first_ms = cost_ms();
  const later_ms = Math.min(...Array.from({ length: 50 }, cost_ms));
  assert.ok(later_ms < first_ms / 4, `${later_ms} ms, the first time ${first_ms} ms`);
  assert.equal(people.find('people', basic('anna:Secret')), undefined, 'nor is another password believed then');
});
