/**
 * Reads one head into a Message (RFC 9112 sections 2 to 5), in one pass over its bytes, without making strings.
 *
 *   start line ──▶ field line ──▶ field line … ──▶ blank line
 *        │              │
 *        └──────────────┴──▶ INCOMPLETE (call again with more bytes)   or   MALFORMED (400 and close)
 *
 * Strict where two parsers could read two ways: no space before the colon, no folding, no bare CR or LF, no NUL, one length.
 */
import * as c from './characters.ts';
import { COLON, CR, classes, HOST, LF, SPACE, TAB, TOKEN, VALUE } from './characters.ts';
import { recognise, understandField } from './fields.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

/** Results of the parsers; a positive result is the offset after the head. */
export const INCOMPLETE = 0;
export const MALFORMED = -1;
export const TOO_MANY_FIELDS = -2;
export const VERSION_NOT_SUPPORTED = -3;

/** The offset after the empty lines before a request (RFC 9112 section 2.2). */
export function skipEmptyLines(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  return at;
}

/** Parses the request head that begins at `start`. Empty lines before it are the caller's (RFC 9112 section 2.2). */
export function parseRequest(bytes: Uint8Array, start: number, end: number, message: Message): number {
  let at = start;
  while (at < end && (classes[bytes[at]] & TOKEN) !== 0) at++;
  if (at === end) return INCOMPLETE;
  if (at === start && at + 1 === end && bytes[at] === CR) return INCOMPLETE; // perhaps an empty line
  if (bytes[at] !== SPACE || at === start) return MALFORMED;
  message.start = start;
  message.method_end = at;
  message.method = methodOf(bytes, start, at);
  message.target_start = ++at;
  const targets = message.lax ? c.LAX_TARGET : c.TARGET;
  while (at < end && (classes[bytes[at]] & targets) !== 0) at++;
  if (at === end) return INCOMPLETE;
  if (bytes[at] !== SPACE || at === message.target_start) return MALFORMED;
  message.target_end = at;
  at = parseVersion(bytes, at + 1, end, message);
  if (at <= 0) return at;
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? MALFORMED : INCOMPLETE;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return MALFORMED;
  return parseFields(bytes, at + 2, end, message);
}

/** The same, or `parseResponse`, for a proxy that takes bytes which no standard has there: what they refused may do. */
export function parseLax(
  parse: typeof parseRequest,
  bytes: Uint8Array,
  start: number,
  end: number,
  message: Message,
): number {
  message.lax = true;
  const result = parse(bytes, start, end, message);
  message.lax = false;
  return result;
}

/** Parses the response head that begins at `start`. */
export function parseResponse(bytes: Uint8Array, start: number, end: number, message: Message): number {
  message.start = start;
  let at = parseVersion(bytes, start, end, message);
  if (at <= 0) return at;
  if (at + 4 > end) return INCOMPLETE;
  const hundreds = bytes[at + 1] - 48;
  const tens = bytes[at + 2] - 48;
  const ones = bytes[at + 3] - 48;
  if (bytes[at] !== SPACE || hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9)
    return MALFORMED;
  message.status = hundreds * 100 + tens * 10 + ones;
  at += 4;
  if (at < end && bytes[at] !== SPACE && bytes[at] !== CR) return MALFORMED;
  while (at < end && (classes[bytes[at]] & VALUE) !== 0) at++; // the reason phrase means nothing
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? MALFORMED : INCOMPLETE;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return MALFORMED;
  return parseFields(bytes, at + 2, end, message);
}

/** `HTTP/1.0` or `HTTP/1.1`; returns the offset after it. */
function parseVersion(bytes: Uint8Array, start: number, end: number, message: Message): number {
  for (let index = 0; index < 5; index++) {
    if (start + index === end) return INCOMPLETE;
    if (bytes[start + index] !== HTTP_SLASH[index]) return MALFORMED;
  }
  if (start + 8 > end) return INCOMPLETE;
  const major = bytes[start + 5] - 48;
  const minor = bytes[start + 7] - 48;
  if (bytes[start + 6] !== DOT || major < 0 || major > 9 || minor < 0 || minor > 9) return MALFORMED;
  if (major !== 1) return VERSION_NOT_SUPPORTED;
  message.version_minor = minor === 0 ? 0 : 1;
  message.version_said = minor;
  return start + 8;
}

function parseFields(bytes: Uint8Array, start: number, end: number, message: Message): number {
  message.fields_start = start;
  message.flags = 0;
  message.content_length = m.NO_LENGTH;
  message.field_count = 0;
  message.option_count = 0;
  let at = start;
  for (let count = 0; ; count++) {
    if (at === end) return INCOMPLETE;
    if (bytes[at] === CR) {
      if (at + 1 === end) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return MALFORMED;
      message.end = at + 2;
      return at + 2;
    }
    if (count === m.MAX_FIELDS) return TOO_MANY_FIELDS;
    at = parseField(bytes, at, end, message, count);
    if (at <= 0) return at;
  }
}

/** `name: value CRLF`; returns the offset after it. */
function parseField(bytes: Uint8Array, start: number, end: number, message: Message, count: number): number {
  const { lax } = message;
  const names = lax ? c.LAX_NAME : TOKEN;
  let at = start;
  while (at < end && (classes[bytes[at]] & names) !== 0) at++;
  if (at === end) return INCOMPLETE;
  if (bytes[at] !== COLON || at === start) return MALFORMED; // a space here is folding or smuggling
  const name_end = at++;
  const meaning = recognise(bytes, start, name_end);
  const allowed = meaning === m.FIELD_HOST ? HOST : lax && meaning === m.ORDINARY ? c.LAX_VALUE : VALUE;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  const value_start = at;
  while (at < end && (classes[bytes[at]] & allowed) !== 0) at++;
  if (allowed === HOST) while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? MALFORMED : INCOMPLETE;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return MALFORMED;
  let value_end = at;
  while (value_end > value_start && (bytes[value_end - 1] === SPACE || bytes[value_end - 1] === TAB)) value_end--;
  message.name_start[count] = start;
  message.name_end[count] = name_end;
  message.value_start[count] = value_start;
  message.value_end[count] = value_end;
  message.field_count = count + 1;
  message.meaning[count] = meaning;
  if (meaning === m.ORDINARY) return at + 2;
  if (value_end !== at || value_start > name_end + 2 || bytes[value_start - 1] === TAB) message.flags |= m.PADDED;
  if (!understandField(bytes, value_start, value_end, meaning, message)) return MALFORMED;
  return at + 2;
}

function methodOf(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < METHODS.length; index++) {
    const { name, method } = METHODS[index];
    if (name.length === end - start && startsWith(bytes, start, name)) return method;
  }
  return m.METHOD_OTHER;
}

function startsWith(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}

const encode = (text: string) => new TextEncoder().encode(text);
const HTTP_SLASH = encode('HTTP/');
const DOT = 46;
/** Methods are case-sensitive (RFC 9110 section 9.1). */
const METHODS = [
  { name: encode('GET'), method: m.METHOD_GET },
  { name: encode('HEAD'), method: m.METHOD_HEAD },
  { name: encode('POST'), method: m.METHOD_POST },
  { name: encode('PUT'), method: m.METHOD_PUT },
  { name: encode('DELETE'), method: m.METHOD_DELETE },
  { name: encode('OPTIONS'), method: m.METHOD_OPTIONS },
  { name: encode('TRACE'), method: m.METHOD_TRACE },
  { name: encode('CONNECT'), method: m.METHOD_CONNECT },
];
