/** Hashes of passwords that this host cannot check. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOWHERE } from '#src/config/diagnostic.js';
import { emptyConfig } from '#src/config/model-defaults.js';
import { probePasswords } from '#src/control/password-probe.js';

test('a password that is no hash of this host is an error, a hash and a plain password are none', () => {
  const account = (name: string, kind: 'plain' | 'crypt', text: string) => ({
    name,
    password: { kind, text, span: NOWHERE },
    groups: [],
    span: NOWHERE,
  });
  const accounts = [
    account('anna', 'crypt', '$6$abcdefgh$ltjgWl6579NluT'),
    account('ben', 'plain', 'x'),
    account('carl', 'crypt', 'x'),
    account('dora', 'crypt', '$9$salt$hash'),
  ];
  const config = { ...emptyConfig([]), userlists: [{ name: 'people', accounts, span: NOWHERE }] };
  const found = probePasswords(config).map(({ severity, code, message }) => [severity, code, message]);
  const sentence = (name: string) => `The password of \`${name}\` is no hash that crypt(3) of this host knows.`;
  assert.deepEqual(found, [
    ['error', 'unknown-hash', sentence('carl')],
    ['error', 'unknown-hash', sentence('dora')],
  ]);
});
