import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeAddress, encodeDeleteAddress, encodeNewAddress, FOREVER_S } from '#src/system/netlink-address.js';
import { decodeLink, encodeNewVeth, encodeSetLink } from '#src/system/netlink-link.js';
import {
  LITTLE_ENDIAN,
  MessageBuilder,
  NLMSG_ERROR,
  parseAttributes,
  parseError,
  parseMessages,
  RTM_DELADDR,
  RTM_NEWADDR,
} from '#src/system/netlink-message.js';

const skip = LITTLE_ENDIAN ? false : 'the bytes below are little-endian';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const builder = () => new MessageBuilder(new Uint8Array(4096));
const built = (one: MessageBuilder) => one.bytes.subarray(0, one.length);
const lease = { index: 3, bytes: Uint8Array.of(10, 0, 0, 9), prefix_length: 32, lifetime_s: 2, noprefixroute: true };

test('a leased address is the bytes that `ip address replace … valid_lft 2 noprefixroute` sends', { skip }, () => {
  const message = builder();
  encodeNewAddress(message, 5, { ...lease, replace: true });
  const header = '44000000' + '1400' + '0505' + '05000000' + '00000000';
  const body = '02200000' + '03000000';
  const address = '08000200' + '0a000009' + '08000100' + '0a000009';
  const flags = '08000800' + '00020000';
  const lifetime = '14000600' + '02000000' + '02000000' + '00000000' + '00000000';
  assert.equal(hex(built(message)), header + body + address + flags + lifetime);
});

test('an address reads back as it was written', () => {
  const message = builder();
  encodeNewAddress(message, 5, lease);
  const [parsed] = parseMessages(built(message));
  const address = decodeAddress(parsed);
  assert.equal(parsed.type, RTM_NEWADDR);
  assert.equal(address?.address, '10.0.0.9');
  assert.equal(address?.index, 3);
  assert.equal(address?.prefix_length, 32);
  assert.equal(address?.valid_s, 2);
  assert.ok(address?.noprefixroute);
});

test('an address without a lifetime stays for ever, an IPv6 one skips duplicate detection', () => {
  const message = builder();
  const bytes = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
  encodeNewAddress(message, 1, { index: 1, bytes, prefix_length: 128 });
  const address = decodeAddress(parseMessages(built(message))[0]);
  assert.equal(address?.address, '2001:db8::9');
  assert.equal(address?.valid_s, FOREVER_S);
  assert.equal(address?.flags, 0x02);
});

test('several messages make one batch', () => {
  const batch = builder();
  encodeNewAddress(batch, 1, lease);
  encodeDeleteAddress(batch, 2, lease);
  const messages = parseMessages(built(batch));
  assert.deepEqual(
    messages.map(({ type, sequence }) => [type, sequence]),
    [
      [RTM_NEWADDR, 1],
      [RTM_DELADDR, 2],
    ],
  );
});

test('a link change says only what it changes', { skip }, () => {
  const message = builder();
  encodeSetLink(message, 7, 4, { up: true });
  assert.equal(hex(built(message).subarray(16)), '00000000' + '04000000' + '01000000' + '01000000');
  const quiet = builder();
  encodeSetLink(quiet, 7, 4, { master: 2 });
  assert.equal(hex(built(quiet).subarray(24)), '00000000' + '00000000' + '08000a00' + '02000000');
});

test('the two ends of a veth pair are named, one inside the other', () => {
  const message = builder();
  encodeNewVeth(message, 1, { name: 'a' }, { name: 'eth0', namespace_fd: 9 });
  const [parsed] = parseMessages(built(message));
  assert.equal(decodeLink(parsed)?.name, 'a');
  assert.equal(decodeLink(parsed)?.kind, 'veth');
  const data = parseAttributes(parseAttributes(parsed.body, 16).get(18)!).get(2)!;
  const peer = parseAttributes(parseAttributes(data).get(1)!, 16);
  assert.equal(Buffer.from(peer.get(3)!).toString(), 'eth0\0');
  assert.deepEqual([...peer.get(28)!], [9, 0, 0, 0]);
});

test('a refusal carries the errno and the sentence of the kernel', () => {
  const message = builder();
  message.begin(NLMSG_ERROR, 0x200, 1).u32(-19 >>> 0);
  message.u32(0).u32(0).u32(0).u32(0); // the header of the refused request
  message.attributeText(1, 'Device not found').end();
  assert.deepEqual(parseError(parseMessages(built(message))[0]), { errno: 19, text: 'Device not found' });
});

test('noise never makes the parsers throw or run on', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      for (const message of parseMessages(noise)) {
        decodeAddress(message);
        decodeLink(message);
        parseAttributes(message.body);
      }
    }),
  );
});
