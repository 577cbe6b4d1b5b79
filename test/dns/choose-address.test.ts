/** Which address each server of a name gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseAddresses, type Seeker } from '#src/dns/choose-address.js';
import { isInNetwork } from '#src/dns/network.js';
import { placeServices, serverWeight } from '#src/dns/services.js';

const wishes = { prefer: 'ipv4', networks: [], allows_duplicates: false } as const;
const seekers = (...current: string[]): Seeker[] => current.map((address) => ({ current: address, wishes }));

test('servers keep what they have, and the others share what is left', () => {
  assert.deepEqual(chooseAddresses(seekers('', '10.0.0.2', ''), ['10.0.0.2', '10.0.0.3']), [
    '10.0.0.3',
    '10.0.0.2',
    '',
  ]);
});

test('who has the same address as another one moves', () => {
  assert.deepEqual(chooseAddresses(seekers('10.0.0.1', '10.0.0.1'), ['10.0.0.1', '10.0.0.2']), [
    '10.0.0.1',
    '10.0.0.2',
  ]);
});

test('a family, then a network is preferred, even to what a server has', () => {
  const [both] = seekers('2001:db8::1');
  assert.deepEqual(chooseAddresses([both!], ['2001:db8::1', '10.0.0.1']), ['10.0.0.1']);
  const near = { current: '192.0.2.1', wishes: { ...wishes, networks: [{ address: '10.0.0.0', prefix_length: 8 }] } };
  assert.deepEqual(chooseAddresses([near], ['192.0.2.1', '10.0.0.1']), ['10.0.0.1']);
  assert.deepEqual(chooseAddresses([near], ['192.0.2.1', '192.0.2.2']), ['192.0.2.1']);
});

test('with allow-dup-ip servers share an address only where there are too few', () => {
  const sharing = ['', '', ''].map((current) => ({ current, wishes: { ...wishes, allows_duplicates: true } }));
  const chosen = chooseAddresses(sharing, ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(chosen.slice(0, 2), ['10.0.0.1', '10.0.0.2']);
  assert.notEqual(chosen[2], '');
});

test('no two servers have one address, none is wasted, and a second look changes nothing', () => {
  const address = fc.nat(6).map((last) => `10.0.0.${last}`);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(''), address), { maxLength: 6 }),
      fc.uniqueArray(address),
      (held, told) => {
        const chosen = chooseAddresses(seekers(...held), told);
        const used = chosen.filter((one) => one !== '');
        assert.equal(new Set(used).size, used.length);
        assert.equal(used.length, Math.min(held.length, told.length));
        assert.deepEqual(chooseAddresses(seekers(...chosen), told), chosen);
      },
    ),
  );
});

test('networks have bits, not bytes', () => {
  assert.ok(isInNetwork('10.1.2.3', { address: '10.0.0.0', prefix_length: 15 }));
  assert.ok(!isInNetwork('10.2.2.3', { address: '10.0.0.0', prefix_length: 15 }));
  assert.ok(isInNetwork('2001:db8::5', { address: '2001:db8::', prefix_length: 32 }));
  assert.ok(!isInNetwork('10.0.0.1', { address: '::', prefix_length: 0 }));
});

test('a service keeps its server while it is announced, and new ones take free places', () => {
  const service = (target: string, weight = 0) =>
    ({ type: 'SRV', name: '_http._tcp.test', target, port: 80, priority: 0, weight }) as const;
  const [a, b, c] = ['a', 'b', 'c'].map((target) => service(target));
  assert.deepEqual(placeServices([undefined, undefined, undefined], [a!, b!]), [a, b, undefined]);
  assert.deepEqual(placeServices([a, b], [c!, b!]), [c, b]);
  assert.deepEqual(placeServices([a, b], [service('b', 512), c!]), [c, service('b', 512)]);
  assert.deepEqual(
    [0, 255, 256, 65_535].map((weight) => serverWeight(service('a', weight))),
    [1, 1, 2, 256],
  );
});
