/**
 * The line of `option httplog`, which most frontends write for each request. It says what the format of that name in standard-formats.ts
 * says, in one function that V8 compiles as a whole, where a compiled format is a row of fifty that call others.
 */
import type { LineWriter } from './line-writer.ts';
import { accessDate, LogDate } from './log-date.ts';
import { BAD_REQUEST, type FieldWriter, NO_SERVER } from './log-fields.ts';
import type { LogRecord } from './log-record.ts';

const SPACE = 32;
const QUOTE = 34;
const PLUS = 43;
const DASH = 45;
const SLASH = 47;
const COLON = 58;
const OPENING_BRACKET = 91;
const CLOSING_BRACKET = 93;
const NO_COOKIES = new TextEncoder().encode(' - - ');

/** For a frontend that captures nothing, of requests that are over. */
export function httpLine(): FieldWriter {
  const began = new LogDate(accessDate);
  return (writer, record) => {
    writeClient(writer, record, began);
    writeWay(writer, record);
    writeTimes(writer, record);
    writeOutcome(writer, record);
    writeLoads(writer, record);
    writeRequestLine(writer, record);
  };
}

/** `%ci:%cp [%tr] ` */
function writeClient(writer: LineWriter, record: LogRecord, began: LogDate): void {
  const { client_address } = record;
  if (client_address.length > 0) writer.text(client_address);
  else writer.byte(DASH);
  writer.byte(COLON);
  writer.integer(record.client_port);
  writer.byte(SPACE);
  writer.byte(OPENING_BRACKET);
  const time_ms = record.wall(record.first_byte_ms);
  began.write(writer, time_ms);
  began.writeMilliseconds(writer, time_ms);
  writer.byte(CLOSING_BRACKET);
  writer.byte(SPACE);
}

/** `%ft %b/%s ` */
function writeWay(writer: LineWriter, { frontend, assignment, page_name }: LogRecord): void {
  const { backend, server_seen } = assignment;
  writer.text(frontend.name_bytes);
  writer.byte(SPACE);
  writer.text(backend ? backend.name_bytes : frontend.name_bytes);
  writer.byte(SLASH);
  writer.text(page_name ?? (server_seen ? server_seen.name_bytes : NO_SERVER));
  writer.byte(SPACE);
}

/** `%TR/%Tw/%Tc/%Tr/%Ta ` */
function writeTimes(writer: LineWriter, record: LogRecord): void {
  writer.integer(record.request_time);
  writer.byte(SLASH);
  writer.integer(record.queue_time);
  writer.byte(SLASH);
  writer.integer(record.connect_time);
  writer.byte(SLASH);
  writer.integer(record.response_time);
  writer.byte(SLASH);
  writer.integer(record.active_time);
  writer.byte(SPACE);
}

/** `%ST %B %CC %CS %tsc ` */
function writeOutcome(writer: LineWriter, record: LogRecord): void {
  writer.integer(record.status);
  writer.byte(SPACE);
  writer.integer(record.bytes_sent);
  writer.text(NO_COOKIES);
  writer.byte(record.cause.charCodeAt(0));
  writer.byte(record.phase.charCodeAt(0));
  writer.byte(record.request_cookie.charCodeAt(0));
  writer.byte(record.response_cookie.charCodeAt(0));
  writer.byte(SPACE);
}

/** `%ac/%fc/%bc/%sc/%rc %sq/%bq ` */
function writeLoads(writer: LineWriter, { frontend, assignment }: LogRecord): void {
  const { backend, server_seen } = assignment;
  writer.integer(frontend.thread.all_clients);
  writer.byte(SLASH);
  writer.integer(frontend.connection_count);
  writer.byte(SLASH);
  writer.integer(backend ? backend.connections : 0);
  writer.byte(SLASH);
  writer.integer(server_seen ? server_seen.connections : 0);
  writer.byte(SLASH);
  if (assignment.redispatched) writer.byte(PLUS);
  writer.integer(assignment.retries);
  writer.byte(SPACE);
  writer.integer(assignment.server_queue);
  writer.byte(SLASH);
  writer.integer(assignment.backend_queue);
  writer.byte(SPACE);
}

/** `%{+Q}r` */
function writeRequestLine(writer: LineWriter, { line_offset, line_length }: LogRecord): void {
  writer.byte(QUOTE);
  if (line_length === 0) writer.text(BAD_REQUEST);
  else writer.foreign(writer.memory, line_offset, line_offset + line_length);
  writer.byte(QUOTE);
}
