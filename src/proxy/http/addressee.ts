/**
 * To whom a request is addressed must be said in one way only (RFC 9112 sections 3.2 and 3.3). Pure.
 *
 *   /path                     Host alone says it; the parser has seen that it is one host
 *   http://host:port/path     and Host says the same
 *   host:port                 CONNECT only, and Host says the same
 *   *                         OPTIONS only
 */
import { COLON, classes, HOST, sameIgnoringCase } from './characters.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

/** False: two parsers could send the request to two places, or read its body in two ways. */
export function isClearlyAddressed(bytes: Uint8Array, request: Message): boolean {
  if (request.version_minor === 1 && !request.has(m.HAS_HOST)) return false;
  const { target_start, target_end, method } = request;
  if (method === m.METHOD_CONNECT) return isClearConnect(bytes, request);
  if (bytes[target_start] === SLASH) return true;
  if (bytes[target_start] === ASTERISK) return method === m.METHOD_OPTIONS && target_end === target_start + 1;
  const authority = endOfScheme(bytes, target_start, target_end);
  if (authority < 0) return false;
  let end = authority;
  while (end < target_end && bytes[end] !== SLASH && bytes[end] !== QUESTION_MARK) end++;
  return end > authority && isHost(bytes, authority, end) && hostIs(bytes, request, authority, end);
}

/** A tunnel has no body: whoever believes in one reads what is meant for the other end. */
function isClearConnect(bytes: Uint8Array, request: Message): boolean {
  if (request.has(m.CHUNKED) || request.content_length !== m.NO_LENGTH) return false;
  const { target_start, target_end } = request;
  let port = target_end;
  while (port > target_start && isDigit(bytes[port - 1])) port--;
  if (port === target_end || port - 1 <= target_start || bytes[port - 1] !== COLON) return false;
  return isHost(bytes, target_start, target_end) && hostIs(bytes, request, target_start, target_end);
}

/** The offset after `scheme://`, or -1. */
function endOfScheme(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (isLetter(bytes[at]) || (at > start && (isDigit(bytes[at]) || isSchemeMark(bytes[at]))))) at++;
  const found = at > start && at + 2 < end && bytes[at] === COLON && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH;
  return found ? at + 3 : -1;
}

function isHost(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && (classes[bytes[at]] & HOST) !== 0) at++;
  return at === end;
}

/** Without a Host (HTTP/1.0) nothing contradicts. */
function hostIs(bytes: Uint8Array, request: Message, start: number, end: number): boolean {
  for (let index = 0; index < request.field_count; index++) {
    if (request.meaning[index] !== m.FIELD_HOST) continue;
    return sameIgnoringCase(bytes, start, end, request.value_start[index], request.value_end[index]);
  }
  return true;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 122;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isSchemeMark(byte: number): boolean {
  return byte === 43 || byte === 45 || byte === 46; // + - .
}

const SLASH = 47;
const ASTERISK = 42;
const QUESTION_MARK = 63;
