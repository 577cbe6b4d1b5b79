/** What each field of a log format writes (manual 8.2.6). A field writes nothing but its value; quotes are the format's. */
import { hostname } from 'node:os';
import type { Socket } from '../../reactor/socket.ts';
import { parseAddress } from '../../system/ip-address.ts';
import { destinationOf } from '../ends.ts';
import type { LineWriter } from './line-writer.ts';
import { accessDate, gmtDate, LogDate, zonedDate } from './log-date.ts';
import type { LogRecord } from './log-record.ts';

export type FieldWriter = (writer: LineWriter, record: LogRecord) => void;

export type Field = {
  readonly write: FieldWriter;
  /** Never in quotes. */
  readonly numeric: boolean;
  /** No `-` stands for an empty value. */
  readonly may_be_empty?: boolean;
  /** `+Q` writes it so, where quotes are not just around it. */
  readonly quoted?: FieldWriter;
  /** `+X` writes it so. */
  readonly hexadecimal?: FieldWriter;
  /** Writes nothing at all, not even a blank beside it, when this says so. */
  readonly absent?: (record: LogRecord) => boolean;
};

const encode = (text: string) => new TextEncoder().encode(text);
export const NO_SERVER = encode('<NOSRV>');
export const BAD_REQUEST = encode('<BADREQ>');
const DASH = encode('-');
const HOST = encode(hostname());
const SPACE = 32;
const QUESTION = 63;
const STAR = 42;
const PLUS = 43;
const OPEN = 123;
const CLOSE = 125;
const BAR = 124;
const QUOTE = 34;
const SLASH = 47;

type Value = (record: LogRecord) => number;

function number(value: Value): Field {
  return {
    numeric: true,
    write: (writer, record) => writer.integer(value(record)),
  };
}

/** Numbers that `+X` writes in four hexadecimal digits, or more. */
function hexNumber(value: Value): Field {
  return { ...number(value), hexadecimal: (writer, record) => writer.hexadecimal(value(record), 4) };
}

/** `-` where there is none. */
function portIfAny(port: (record: LogRecord) => number | undefined): Field {
  const { hexadecimal = () => {}, write } = hexNumber((record) => port(record) ?? 0);
  const orDash =
    (write: FieldWriter): FieldWriter =>
    (writer, record) =>
      port(record) === undefined ? writer.text(DASH) : write(writer, record);
  return { numeric: true, write: orDash(write), hexadecimal: orDash(hexadecimal) };
}

/** `+X` writes an address as the digits of its bytes. */
function address(write: FieldWriter): Field {
  return {
    ...text(write),
    hexadecimal(writer, record) {
      const start = writer.end;
      write(writer, record);
      writer.replaceFrom(start, hexOfAddress);
    },
  };
}

function unquoted(write: FieldWriter): Field {
  return { numeric: true, write };
}

function text(write: FieldWriter): Field {
  return { numeric: false, write };
}

/** What carpool never has: `-`, or `""` in quotes. */
const nothing = text(() => {});

/** With `option logasap` the line is early, so that the value will be more: `+` says so. */
function growing(value: Value): Field {
  const write: FieldWriter = (writer, record) => {
    if (record.early) writer.byte(PLUS);
    writer.integer(value(record));
  };
  return { numeric: true, write };
}

/** Dates are computed once a second and kept per field. */
function date(format: (date: Date) => string, at: Value, milliseconds: boolean): Field {
  const kept = new LogDate(format);
  return {
    numeric: true,
    write: (writer, record) => {
      const time_ms = record.wall(at(record));
      kept.write(writer, time_ms);
      if (milliseconds) kept.writeMilliseconds(writer, time_ms);
    },
  };
}

const accepted: Value = (record) => record.idle_ms;
const began: Value = (record) => record.first_byte_ms;

// ── addresses ─────────────────────────────────────────────────────────────────────────────────────

/** Asked of the kernel: only formats that name it pay for it. */
function localOf(socket: Socket): { address: Uint8Array; port: number } {
  const local = destinationOf(socket);
  return local ? { address: encode(local.address), port: local.port } : { address: DASH, port: 0 };
}

/** `7F000001`; what is no address stays. */
function hexOfAddress(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? Buffer.from(bytes).toString('hex').toUpperCase() : text;
}

// ── the request line: `METHOD TARGET VERSION` ─────────────────────────────────────────────────────

/** The bytes of the request line between two places that `find` tells, or `<BADREQ>`. An empty part is no `-`. */
function partOfLine(find: (bytes: Uint8Array, start: number, end: number) => readonly [number, number]): Field {
  const write: FieldWriter = (writer, record) => {
    const { line_offset, line_length } = record;
    if (line_length === 0) {
      writer.text(BAD_REQUEST);
      return;
    }
    const [start, end] = find(writer.memory, line_offset, line_offset + line_length);
    writer.foreign(writer.memory, start, end);
  };
  return { ...text(write), may_be_empty: true };
}

function target(bytes: Uint8Array, start: number, end: number): readonly [number, number] {
  const first = bytes.indexOf(SPACE, start);
  const last = bytes.lastIndexOf(SPACE, end - 1);
  return [first + 1, Math.max(first + 1, last)];
}

/** Where the query's `?` is, or the end of the target. */
function query(bytes: Uint8Array, start: number, end: number): readonly [number, number, number] {
  const [from, to] = target(bytes, start, end);
  const mark = bytes.indexOf(QUESTION, from);
  return [from, mark < 0 || mark >= to ? to : mark, to];
}

/** After `scheme://authority` of an absolute target. */
function path(bytes: Uint8Array, start: number, end: number): readonly [number, number] {
  const [from, mark] = query(bytes, start, end);
  if (bytes[from] === SLASH) return [from, mark];
  if (bytes[from] === STAR) return [mark, mark]; // `OPTIONS *` is about no path
  const authority = bytes.indexOf(SLASH, from);
  if (authority < 0 || authority >= mark || bytes[authority + 1] !== SLASH) return [from, mark];
  const slash = bytes.indexOf(SLASH, authority + 2);
  return slash < 0 || slash >= mark ? [mark, mark] : [slash, mark];
}

// ── captured headers ──────────────────────────────────────────────────────────────────────────────

/** `{a|b}`: what is not there is empty. */
function captures(side: 'request' | 'response'): Field {
  const write: FieldWriter = (writer, record) => {
    const { length } = record.frontend.config.captures[side];
    writer.byte(OPEN);
    for (let index = 0; index < length; index++) {
      if (index > 0) writer.byte(BAR);
      const value = record.captured?.[side][index];
      if (value) writer.foreignHeader(value);
    }
    writer.byte(CLOSE);
  };
  return { ...text(write), absent: (record) => capturesNothing(side, record) };
}

/** `a b`: what is not there is `-`, or `""` with quotes around each. */
function captureList(side: 'request' | 'response'): Field {
  const list =
    (quoted: boolean): FieldWriter =>
    (writer, record) => {
      const { length } = record.frontend.config.captures[side];
      for (let index = 0; index < length; index++) {
        if (index > 0) writer.byte(SPACE);
        if (quoted) writer.byte(QUOTE);
        const value = record.captured?.[side][index];
        if (value) writer.foreignHeader(value);
        else if (!quoted) writer.text(DASH);
        if (quoted) writer.byte(QUOTE);
      }
    };
  return {
    numeric: true, // its quotes are its own
    absent: (record) => capturesNothing(side, record),
    write: list(false),
    quoted: list(true),
  };
}

/** Nor are there values of a request that could not be read. */
function capturesNothing(side: 'request' | 'response', record: LogRecord): boolean {
  return record.frontend.config.captures[side].length === 0 || record.line_length === 0;
}

function cookie(side: 'request' | 'response'): Field {
  return text((writer, { captured }) => {
    const value = captured?.cookies[side];
    if (value) writer.visible(value);
  });
}

export const FIELDS: Readonly<Record<string, Field>> = {
  B: growing((record) => record.bytes_sent),
  CC: cookie('request'),
  CS: cookie('response'),
  H: text((writer) => writer.text(HOST)),
  HM: partOfLine((bytes, start) => [start, bytes.indexOf(SPACE, start)]),
  HP: partOfLine((bytes, start, end) => {
    const [from, mark] = query(bytes, start, end);
    return [from, mark];
  }),
  HPO: partOfLine(path),
  HQ: partOfLine((bytes, start, end) => {
    const [, mark, to] = query(bytes, start, end);
    return [mark, to];
  }),
  HU: partOfLine(target),
  HV: partOfLine((bytes, _start, end) => [bytes.lastIndexOf(SPACE, end - 1) + 1, end]),
  ID: text((writer, record) => writer.text(record.unique_id.length > 0 ? record.unique_id : DASH)),
  ST: number((record) => record.status),
  T: date(gmtDate, accepted, false),
  Ta: growing((record) => record.active_time),
  Tc: number((record) => record.connect_time),
  Td: number((record) => record.data_time),
  Th: number(() => 0),
  Ti: number((record) => record.idle_time),
  Tl: date(zonedDate, accepted, false),
  TR: number((record) => record.request_time),
  Tq: number((record) => (record.request_time < 0 ? -1 : record.idle_time + record.request_time)),
  Tr: number((record) => record.response_time),
  Ts: hexNumber((record) => Math.floor(record.wall(accepted(record)) / 1000)),
  Tt: growing((record) => record.total_time),
  Tu: growing((record) => record.active_time),
  Tw: number((record) => record.queue_time),
  U: number((record) => record.bytes_received),
  ac: number((record) => record.frontend.thread.all_clients),
  b: text((writer, { assignment, frontend }) =>
    writer.text(assignment.backend ? assignment.backend.name_bytes : frontend.name_bytes),
  ),
  bc: number(({ assignment }) => (assignment.backend ? assignment.backend.connections : 0)),
  bi: address((writer, record) => writer.text(record.source ? encode(record.source.address) : DASH)),
  bp: portIfAny((record) => record.source?.port),
  bq: number(({ assignment }) => assignment.backend_queue),
  ci: address((writer, record) => writer.text(record.client_address)),
  cp: hexNumber((record) => record.client_port),
  f: text((writer, record) => writer.text(record.frontend.name_bytes)),
  fc: number((record) => record.frontend.connection_count),
  fi: address((writer, record) => writer.text(localOf(record.client_socket).address)),
  fp: hexNumber((record) => localOf(record.client_socket).port),
  ft: text((writer, record) => writer.text(record.frontend.name_bytes)),
  hr: captures('request'),
  hrl: captureList('request'),
  hs: captures('response'),
  hsl: captureList('response'),
  lc: hexNumber((record) => record.number),
  ms: {
    numeric: true,
    write: (writer, record) => writer.padded(Math.floor(record.wall(accepted(record))) % 1000, 3),
    hexadecimal: (writer, record) => writer.hexadecimal(Math.floor(record.wall(accepted(record))) % 1000, 2),
  },
  pid: hexNumber(() => process.pid),
  r: text((writer, { line_offset, line_length }) => {
    if (line_length === 0) writer.text(BAD_REQUEST);
    else writer.foreign(writer.memory, line_offset, line_offset + line_length);
  }),
  rc: {
    numeric: true,
    write: (writer, { assignment }) => {
      if (assignment.redispatched) writer.byte(PLUS);
      writer.integer(assignment.retries);
    },
  },
  rt: hexNumber((record) => record.frontend.thread.all_requests),
  s: text((writer, { assignment, page_name }) =>
    writer.text(page_name ?? (assignment.server_seen ? assignment.server_seen.name_bytes : NO_SERVER)),
  ),
  sc: number(({ assignment }) => (assignment.server_seen ? assignment.server_seen.connections : 0)),
  si: address((writer, { assignment }) => {
    const address = assignment.server_seen?.endpoint.address;
    writer.text(address ? encode(address) : DASH);
  }),
  sp: portIfAny(({ assignment }) => assignment.server_seen?.endpoint.port),
  sq: number(({ assignment }) => assignment.server_queue),
  sslc: nothing,
  sslv: nothing,
  t: date(accessDate, accepted, true),
  tr: date(accessDate, began, true),
  trg: date(gmtDate, began, false),
  trl: date(zonedDate, began, false),
  ts: unquoted(writeState),
  tsc: unquoted((writer, record) => {
    writeState(writer, record);
    writer.byte(record.request_cookie.charCodeAt(0));
    writer.byte(record.response_cookie.charCodeAt(0));
  }),
};

function writeState(writer: LineWriter, { cause, phase }: LogRecord): void {
  writer.byte(cause.charCodeAt(0));
  writer.byte(phase.charCodeAt(0));
}
