import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLogFormat } from '#src/config/log-format.js';
import type { Frontend } from '#src/proxy/frontend.js';
import { CompiledFormat } from '#src/proxy/log/compile-format.js';
import { httpLine } from '#src/proxy/log/http-line.js';
import { LineWriter } from '#src/proxy/log/line-writer.js';
import { accessDate, LogDate, syslogDate } from '#src/proxy/log/log-date.js';
import { LogRecord } from '#src/proxy/log/log-record.js';
import { STANDARD_FORMATS } from '#src/proxy/log/standard-formats.js';

const bytes = new Uint8Array(512);
/** Where a request line stands, behind what is written. */
const LINE_AT = 400;
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

test('the line of `option httplog` is what its format says, wherever it is cut off', () => {
  const format = new CompiledFormat(parseLogFormat(STANDARD_FORMATS.httplog).parts);
  const line = httpLine();
  for (const record of records()) {
    for (const limit of [240, 90, 61, 30, 9, 1]) {
      assert.equal(
        write((writer) => line(writer, record), limit),
        write((writer) => format.write(writer, record), limit),
      );
    }
  }
});

/** A request that went well, one that went to a second server, one that could not be read, and a page of our own. */
function records(): LogRecord[] {
  const frontend = {
    name_bytes: encode('www'),
    config: { captures: { request: [], response: [] } },
    thread: { all_clients: 20 },
    connection_count: 12,
  } as unknown as Frontend;
  const backend = { name_bytes: encode('servers'), connections: 7 };
  const server_seen = { name_bytes: encode('a'), connections: 3 };
  const [best, none] = [
    { backend, server_seen, retries: 0, redispatched: false, server_queue: 0, backend_queue: 0 },
    { backend: null, server_seen: null, retries: 0, redispatched: false, server_queue: 0, backend_queue: 0 },
  ];
  const times = { wall_ms: Date.UTC(2026, 10, 2, 3, 4, 5, 67), end_ms: 50_000, first_byte_ms: 49_990, head_ms: 49_991 };
  const after = { assigned_ms: 49_992, connected_ms: 49_995, response_ms: 49_999, status: 200, bytes_sent: 123_456 };
  const bytes_of_line = encode('GET /"x HTTP/1.1');
  bytes.set(bytes_of_line, LINE_AT);
  const base = {
    client_address: encode('127.0.0.1'),
    client_port: 54_321,
    line_offset: LINE_AT,
    line_length: bytes_of_line.length,
    assignment: best,
  };
  return [
    { ...base, ...times, ...after },
    { ...base, ...times, ...after, assignment: { ...best, retries: 3, redispatched: true, server_queue: 2 } },
    { ...times, client_address: encode('unix'), assignment: none, status: 400, cause: 'C', phase: 'R' },
    { ...base, ...times, ...after, page_name: encode('<STATS>'), request_cookie: 'V', response_cookie: 'U' },
    { ...times, end_ms: 2 ** 40, bytes_sent: 2 ** 40, assignment: best, status: -1 },
  ].map((what) => Object.assign(new LogRecord(frontend), what));
}
