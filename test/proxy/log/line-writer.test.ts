import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineWriter } from '#src/proxy/log/line-writer.js';
import { accessDate, LogDate, syslogDate } from '#src/proxy/log/log-date.js';

const bytes = new Uint8Array(256);
const encode = (text: string) => new TextEncoder().encode(text);

function write(how: (writer: LineWriter) => void, limit = 200): string {
  const writer = new LineWriter(bytes);
  writer.begin(10, limit);
  how(writer);
  return Buffer.from(bytes.subarray(10, writer.end)).toString('latin1');
}

test('integers are written as people write them', () => {
  for (const value of [0, 7, 10, 4096, -1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    assert.equal(
      write((writer) => writer.integer(value)),
      String(value),
    );
  }
});

test('padded numbers have exactly their width', () => {
  assert.equal(
    write((writer) => writer.padded(7, 3)),
    '007',
  );
  assert.equal(
    write((writer) => writer.padded(999, 3)),
    '999',
  );
});

test('what a client sends cannot end the line or the quotes', () => {
  const target = Uint8Array.of(...encode('GET /"#'), 10, 0xff, ...encode('x'));
  assert.equal(
    write((writer) => writer.foreign(target, 0, target.length)),
    'GET /#22#23#0A#FFx',
  );
});

test('what does not fit is cut off, and nothing is written beyond', () => {
  bytes[20] = 99;
  const long = encode('0123456789abcdef');
  assert.equal(
    write((writer) => writer.text(long), 10),
    '0123456789',
  );
  assert.equal(
    write((writer) => writer.foreign(long, 0, long.length), 10),
    '0123456789',
  );
  assert.equal(bytes[20], 99);
});

test('dates are those of the two formats, with milliseconds where they belong', () => {
  const time = new Date(2026, 10, 2, 3, 4, 5, 67);
  const access = write((writer) => {
    const date = new LogDate(accessDate);
    date.write(writer, time.getTime());
    date.writeMilliseconds(writer, time.getTime());
  });
  assert.equal(access, '02/Nov/2026:03:04:05.067');
  assert.equal(
    write((writer) => new LogDate(syslogDate).write(writer, time.getTime())),
    'Nov  2 03:04:05',
  );
});
