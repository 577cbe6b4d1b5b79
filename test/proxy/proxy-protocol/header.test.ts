/** The PROXY protocol's header: written, read, and refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '#src/proxy/balance/hash-functions.js';
import { encodeBinary, encodeText } from '#src/proxy/proxy-protocol/header.js';
import { LONGEST_HEADER, readHeader } from '#src/proxy/proxy-protocol/read-header.js';

const V4 = { source: { address: '192.0.2.1', port: 56324 }, destination: { address: '198.51.100.9', port: 443 } };
const V6 = { source: { address: '2001:db8::1', port: 1 }, destination: { address: '2001:db8::2', port: 65535 } };
const NO_FIELDS = { crc32c: false, unique_id: undefined };
const bytes = (text: string) => new TextEncoder().encode(text);

test('the checksum is Castagnoli', () => {
  assert.equal(crc32c(bytes('123456789')), 0xe3069283);
});

test('what is written is read again, in both versions and families', () => {
  for (const ends of [V4, V6]) {
    const headers = [
      encodeText(ends),
      encodeBinary(ends, NO_FIELDS),
      encodeBinary(ends, { crc32c: true, unique_id: bytes('id-1') }),
    ];
    for (const header of headers) {
      assert.deepEqual(readHeader(header), { length: header.length, ends });
      const followed = new Uint8Array([...header, ...bytes('GET / HTTP/1.1')]);
      assert.deepEqual(readHeader(followed), { length: header.length, ends });
      for (let length = 0; length < header.length; length++) {
        assert.equal(readHeader(header.subarray(0, length)), 'incomplete');
      }
    }
  }
});

test('the bytes of version 2 are those of the specification', () => {
  const header = Buffer.from(encodeBinary(V4, { crc32c: false, unique_id: bytes('ab') })).toString('hex');
  assert.equal(
    header,
    '0d0a0d0a000d0a515549540a' + '21' + '11' + '0011' + 'c0000201' + 'c6336409' + 'dc0401bb' + '0500026162',
  );
});

test('nobody known, or two families, is UNKNOWN or LOCAL, and read as the connection itself', () => {
  const mixed = { source: V4.source, destination: V6.destination };
  for (const ends of [undefined, mixed]) {
    const line = encodeText(ends);
    assert.equal(Buffer.from(line).toString(), 'PROXY UNKNOWN\r\n');
    assert.deepEqual(readHeader(line), { length: 15, ends: null });
    assert.deepEqual(readHeader(encodeBinary(ends, NO_FIELDS)), { length: 16, ends: null });
  }
  const long = bytes(`PROXY UNKNOWN ${'f'.repeat(50)}\r\n`);
  assert.deepEqual(readHeader(long), { length: long.length, ends: null });
});

test('what is no header to the letter is refused', () => {
  const lines = [
    'GET / HTTP/1.1\r\n',
    'PROXX TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n',
    'PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
    'PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY  UNKNOWN\r\n',
    `PROXY UNKNOWN ${'x'.repeat(200)}`,
  ];
  for (const line of lines) assert.equal(readHeader(bytes(line)), 'malformed', JSON.stringify(line));
});

test('a binary header that lies about itself is refused', () => {
  const good = encodeBinary(V4, { crc32c: true, unique_id: undefined });
  const changed = (at: number, value: number) => {
    const header = good.slice();
    header[at] = value;
    return header;
  };
  assert.equal(readHeader(changed(3, 0)), 'malformed', 'signature');
  assert.equal(readHeader(changed(12, 0x31)), 'malformed', 'version');
  assert.equal(readHeader(changed(12, 0x22)), 'malformed', 'command');
  assert.equal(readHeader(changed(17, 9)), 'malformed', 'checksum');
  assert.equal(readHeader(changed(15, 4).subarray(0, 20)), 'malformed', 'addresses that do not fit');
  assert.equal(readHeader(changed(30, 200)), 'malformed', 'a field that goes on behind the end');
  assert.equal(readHeader(changed(14, LONGEST_HEADER >> 8)), 'malformed', 'longer than anybody needs');
});
