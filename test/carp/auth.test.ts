import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAuth, passwordKey, sign } from '#src/carp/auth.js';
import { sha1 } from '#src/carp/sha1.js';

test('SHA-1 is what node:crypto says, at every length around the block borders and at random ones', () => {
  for (let length = 0; length < 200; length++) compareSha1(randomBytes(length));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), compareSha1));
});

function compareSha1(message: Uint8Array): void {
  assert.equal(Buffer.from(sha1(message)).toString('hex'), createHash('sha1').update(message).digest('hex'));
}

test('the digest of an advert is the plain HMAC of its string, for any number of addresses', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const key = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(
      key,
      fc.integer({ min: 1, max: 255 }),
      fc.array(word, { maxLength: 40 }),
      word,
      word,
      (key, vhid, words, high, low) => {
        const addresses = [...new Set(words)].sort((a, b) => a - b).map(dotted);
        const auth = createAuth({ key, vhid, addresses, order: 'sorted', link_locals: true });
        const hmac = new Uint8Array(20);
        sign(auth.sent, high, low, hmac, 0);
        const text = [
          2,
          1,
          vhid,
          ...addresses.flatMap((address) => address.split('.').map(Number)),
          ...bytes(high),
          ...bytes(low),
        ];
        const expected = createHmac('sha1', key).update(Uint8Array.from(text)).digest('hex');
        assert.equal(Buffer.from(hmac).toString('hex'), expected);
      },
    ),
  );
});

function dotted(address: number): string {
  return bytes(address).join('.');
}

function bytes(number: number): number[] {
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
}

test('one address makes one digest to accept; several unsorted ones with a link-local more', () => {
  const settings = { key: passwordKey('x'), vhid: 1, order: 'sorted', link_locals: true } as const;
  assert.equal(createAuth({ ...settings, addresses: ['10.0.0.1'] }).accepted.length, 1);
  assert.equal(createAuth({ ...settings, addresses: ['10.0.0.1', '10.0.0.2'] }).accepted.length, 1);
  assert.equal(createAuth({ ...settings, addresses: ['10.0.0.2', '10.0.0.1'] }).accepted.length, 2);
  assert.equal(
    createAuth({ ...settings, addresses: ['10.0.0.2', '10.0.0.1', 'fe80::1', '2001:db8::1'] }).accepted.length,
    6,
  );
});

test('a password counts up to its 19th byte, as with ifconfig', () => {
  assert.equal(Buffer.from(passwordKey('abcdefghijklmnopqrst')).toString(), 'abcdefghijklmnopqrs');
  assert.equal(passwordKey('pässwörd').length, 10);
  const tooLong = { key: new Uint8Array(21), vhid: 1, addresses: [], order: 'sorted', link_locals: true } as const;
  assert.throws(() => createAuth(tooLong), RangeError);
});
