/** Socket addresses, compared with what Node's own parser (node:net) takes and the kernel's layout. */
import assert from 'node:assert/strict';
import { isIPv6, SocketAddress } from 'node:net';
import { test } from 'node:test';
import { formatIpv6, parseIpv6 } from '#src/system/ipv6-address.js';
import {
  decodeSocketAddress,
  encodeSocketAddress,
  encodeUnixAddress,
  socketAddressBytes,
} from '#src/system/socket-address.js';

const IPV6 = [
  '::',
  '::1',
  'fe80::1',
  '2001:db8::ff00:42:8329',
  '1:2:3:4:5:6:7:8',
  '1::8',
  '::ffff:10.0.0.1',
  '64:ff9b::1.2.3.4',
  '1:2:3:4:5:6:7::',
  '::2:3:4:5:6:7:8',
  'ABCD::',
];
const NO_IPV6 = [
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  'g::',
  '::1.2.3',
  '1.2.3.4::',
  '::1.2.3.4:5',
  '10.0.0.1',
  ' ::1',
  '::1 ',
  ':1::',
  '1:',
];

test('an IPv6 address is taken exactly when node:net takes it, and comes back in the short form', () => {
  for (const text of IPV6) {
    assert.ok(isIPv6(text), text);
    const bytes = parseIpv6(text);
    assert.ok(bytes, text);
    const [expected, written] = [text, formatIpv6(bytes)].map(
      (each) => new SocketAddress({ address: each, family: 'ipv6' }).address,
    );
    assert.equal(written, expected);
  }
  for (const text of NO_IPV6) {
    assert.ok(!isIPv6(text), text);
    assert.equal(parseIpv6(text), undefined, text);
  }
});

test('the short form replaces the first of the longest runs of zeros, and no run of one', () => {
  const short = (text: string): string => formatIpv6(parseIpv6(text)!);
  assert.equal(short('1:0:0:2:0:0:0:3'), '1:0:0:2::3');
  assert.equal(short('1:0:0:2:3:0:0:4'), '1::2:3:0:0:4');
  assert.equal(short('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7');
  assert.equal(short('0:0:0:0:0:0:0:0'), '::');
});

test('socket addresses have the layout of the kernel and decode to what they were', () => {
  assert.deepEqual(
    [...socketAddressBytes({ address: '10.1.2.3', port: 8080 })],
    [2, 0, 0x1f, 0x90, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  for (const endpoint of [
    { address: '10.1.2.3', port: 65535 },
    { address: 'fe80::1', port: 1 },
  ]) {
    const bytes = new Uint8Array(40);
    bytes.set(socketAddressBytes(endpoint), 4);
    assert.deepEqual(decodeSocketAddress(bytes, 4), endpoint);
  }
  assert.equal(decodeSocketAddress(new Uint8Array(16), 0), undefined);
  assert.throws(() => socketAddressBytes({ address: 'localhost', port: 1 }), /no IP address/);
});

test('an endpoint is pinned once', () => {
  const first = encodeSocketAddress({ address: '127.0.0.1', port: 80 });
  assert.equal(encodeSocketAddress({ address: '127.0.0.1', port: 80 }), first);
  const places = Array.from({ length: 300 }, (_, port) => encodeSocketAddress({ address: '::1', port }).address);
  assert.equal(new Set([first.address, ...places]).size, 301);
});

test('a unix path has at most 107 bytes', () => {
  assert.deepEqual([...encodeUnixAddress('@a')!], [1, 0, 0, 97]);
  assert.deepEqual([...encodeUnixAddress('/a')!], [1, 0, 47, 97, 0]);
  assert.ok(encodeUnixAddress(`/${'a'.repeat(106)}`));
  assert.equal(encodeUnixAddress(`/${'a'.repeat(107)}`), undefined);
});
