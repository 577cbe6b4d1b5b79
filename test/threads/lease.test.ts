import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseFor } from '#src/threads/lease.js';
import { vhidSettings } from '../carp/peer.js';

const six = (count: number, fields = {}) =>
  Array.from({ length: count }, (_, index) =>
    vhidSettings({
      vhid: index + 1,
      addresses: [`fd00::${(index + 1).toString(16)}`],
      source_address6: 'fe80::1',
      ...fields,
    }),
  );

test('an address outlives a daemon that stands still by two seconds', () => {
  assert.equal(leaseFor([]), 2);
  assert.equal(leaseFor(six(32)), 2);
  assert.equal(
    leaseFor(Array.from({ length: 255 }, (_, vhid) => vhidSettings({ vhid, addresses: [`10.0.0.${vhid}`] }))),
    2,
  );
});

test('many IPv6 addresses on one link are renewed less often', () => {
  assert.deepEqual(
    [33, 128, 129].map((count) => leaseFor(six(count))),
    [4, 4, 6],
  );
});

test('on links of their own they are not', () => {
  assert.equal(leaseFor(six(200, { mac: 'virtual' })), 2);
  assert.equal(leaseFor([...six(32), ...six(32, { interface: 'eth1' })]), 2);
});
