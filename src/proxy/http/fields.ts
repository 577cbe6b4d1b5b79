/** The fields that say how a message is framed and what becomes of its connection (RFC 9110 section 7, RFC 9112 sections 6 and 9). */
import { COMMA, equalsIgnoringCase, lowerCaseBytes, SPACE, sameIgnoringCase, TAB } from './characters.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

const names: readonly { name: Uint8Array; meaning: number }[] = [
  { name: lowerCaseBytes('connection'), meaning: m.FIELD_CONNECTION },
  { name: lowerCaseBytes('keep-alive'), meaning: m.FIELD_KEEP_ALIVE },
  { name: lowerCaseBytes('proxy-connection'), meaning: m.FIELD_PROXY_CONNECTION },
  { name: lowerCaseBytes('content-length'), meaning: m.FIELD_CONTENT_LENGTH },
  { name: lowerCaseBytes('transfer-encoding'), meaning: m.FIELD_TRANSFER_ENCODING },
  { name: lowerCaseBytes('upgrade'), meaning: m.FIELD_UPGRADE },
  { name: lowerCaseBytes('host'), meaning: m.FIELD_HOST },
  { name: lowerCaseBytes('expect'), meaning: m.FIELD_EXPECT },
];
/** The first candidate by length * 32 + the first letter's low five bits: one look-up decides for nearly every field. */
const candidates = new Int8Array(32 * 32).fill(-1);
for (const [index, { name }] of names.entries()) candidates[name.length * 32 + (name[0] & 31)] = index;

export function recognise(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > 17) return m.ORDINARY;
  const candidate = candidates[length * 32 + (bytes[start] & 31)];
  if (candidate < 0) return m.ORDINARY;
  const { name, meaning } = names[candidate];
  return equalsIgnoringCase(bytes, start, end, name) ? meaning : m.ORDINARY;
}

/** Notes in the message what a field says. False: the message is malformed. */
export function understandField(
  bytes: Uint8Array,
  start: number,
  end: number,
  meaning: number,
  message: Message,
): boolean {
  switch (meaning) {
    case m.FIELD_CONTENT_LENGTH:
      return understandLength(bytes, start, end, message);
    case m.FIELD_TRANSFER_ENCODING:
      return understandTransferEncoding(bytes, start, end, message);
    case m.FIELD_CONNECTION:
      message.flags |= m.HAS_CONNECTION;
      return understandConnection(bytes, start, end, message);
    case m.FIELD_KEEP_ALIVE:
    case m.FIELD_PROXY_CONNECTION:
      message.flags |= m.HAS_CONNECTION;
      return true;
    case m.FIELD_UPGRADE:
      message.flags |= m.HAS_UPGRADE;
      understandUpgrade(bytes, start, end, message);
      return true;
    case m.FIELD_HOST:
      if (message.has(m.HAS_HOST)) return false;
      message.flags |= m.HAS_HOST;
      return true;
    case m.FIELD_EXPECT:
      if (equalsIgnoringCase(bytes, start, end, CONTINUE)) message.flags |= m.EXPECT_CONTINUE;
      return true;
    default:
      return true;
  }
}

/** Digits only; equal lengths count as one and go on as one, different ones are an attack (RFC 9112 section 6.3). */
function understandLength(bytes: Uint8Array, start: number, end: number, message: Message): boolean {
  let at = start;
  do {
    while (at < end && isBlank(bytes[at])) at++;
    const first = at;
    let length = 0;
    for (; at < end && bytes[at] >= 48 && bytes[at] <= 57; at++) length = length * 10 + (bytes[at] - 48);
    if (at === first || at - first > MAX_LENGTH_DIGITS) return false;
    if (message.content_length !== m.NO_LENGTH) {
      if (message.content_length !== length) return false;
      message.flags |= m.REPEATED_LENGTH;
    }
    message.content_length = length;
    while (at < end && isBlank(bytes[at])) at++;
    if (at === end) return true;
  } while (bytes[at++] === COMMA);
  return false;
}

/** Only `chunked`, once, at the end of everything is a framing that all parsers agree on. */
function understandTransferEncoding(bytes: Uint8Array, start: number, end: number, message: Message): boolean {
  if (message.has(m.HAS_TRANSFER_ENCODING)) return false;
  message.flags |= m.HAS_TRANSFER_ENCODING;
  if (!equalsIgnoringCase(bytes, start, end, CHUNKED_CODING)) return false;
  message.flags |= m.CHUNKED;
  return true;
}

function understandConnection(bytes: Uint8Array, start: number, end: number, message: Message): boolean {
  for (let at = start; at < end; ) {
    const first = startOfElement(bytes, at, end);
    at = endOfElement(bytes, first, end);
    const last = withoutBlanks(bytes, first, at);
    if (equalsIgnoringCase(bytes, first, last, CLOSE)) message.flags |= m.CONNECTION_CLOSE;
    else if (equalsIgnoringCase(bytes, first, last, KEEP_ALIVE)) message.flags |= m.CONNECTION_KEEP_ALIVE;
    else if (equalsIgnoringCase(bytes, first, last, UPGRADE)) message.flags |= m.CONNECTION_UPGRADE;
    else if (last > first && ++message.option_count > m.MAX_OPTIONS) return false;
  }
  return true;
}

/** Whoever speaks HTTP/2 with the server past us is seen by nobody. */
function understandUpgrade(bytes: Uint8Array, start: number, end: number, message: Message): void {
  for (let at = start; at < end; ) {
    const first = startOfElement(bytes, at, end);
    at = endOfElement(bytes, first, end);
    if (equalsIgnoringCase(bytes, first, withoutBlanks(bytes, first, at), H2C)) message.flags |= m.UPGRADE_TO_H2C;
  }
}

/** Whether a Connection field names the field whose name is bytes[start, end). */
export function isNominated(bytes: Uint8Array, message: Message, start: number, end: number): boolean {
  for (let index = 0; index < message.field_count; index++) {
    if (message.meaning[index] !== m.FIELD_CONNECTION) continue;
    const value_end = message.value_end[index];
    for (let at = message.value_start[index]; at < value_end; ) {
      const first = startOfElement(bytes, at, value_end);
      at = endOfElement(bytes, first, value_end);
      if (sameIgnoringCase(bytes, first, withoutBlanks(bytes, first, at), start, end)) return true;
    }
  }
  return false;
}

// The elements of a list: `first, second ,, third`.

function startOfElement(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (isBlank(bytes[at]) || bytes[at] === COMMA)) at++;
  return at;
}

/** The comma after it. */
function endOfElement(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA) at++;
  return at;
}

function withoutBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1])) at--;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** 10^15 bytes: still exact as a Number. */
const MAX_LENGTH_DIGITS = 15;
const CLOSE = lowerCaseBytes('close');
const KEEP_ALIVE = lowerCaseBytes('keep-alive');
const UPGRADE = lowerCaseBytes('upgrade');
const H2C = lowerCaseBytes('h2c');
const CHUNKED_CODING = lowerCaseBytes('chunked');
const CONTINUE = lowerCaseBytes('100-continue');
