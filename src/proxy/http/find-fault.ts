/**
 * Where a message that was refused went wrong. The parsers only say that it did, so the shortest beginning that they refuse is
 * looked for by halving: a beginning that is refused stays refused with more behind it.
 */
import { Body } from './body.ts';
import { COLON, CR, LF, SPACE } from './characters.ts';
import { beginBody } from './framing.ts';
import { Message } from './message.ts';
import { parseRequest, parseResponse } from './parse-head.ts';

/** `position`: of the first byte that cannot be, from 0. `state`: what HAProxy's parser would be reading there, and its number. */
export type Fault = { readonly position: number; readonly state: readonly [name: string, number: number] };

/** `bytes` begin with the head. */
export function findFault(kind: 'request' | 'response', bytes: Uint8Array): Fault {
  const parse = kind === 'request' ? parseRequest : parseResponse;
  const message = new Message();
  const length = shortest(bytes.length, (end) => parse(bytes, 0, end, message) < 0);
  if (length !== undefined) return inHead(kind, bytes, length);
  // the head was read in the last call, as a whole
  if (parse(bytes, 0, bytes.length, message) <= 0) return { position: bytes.length, state: ['MSG_HDR_FIRST', 16] };
  const in_body = message.end < bytes.length ? bodyFault(bytes, message) : undefined;
  if (in_body !== undefined) return in_body;
  // it names two places to go to, or is an answer that nobody asked for
  return kind === 'request'
    ? { position: message.target_start, state: ['MSG_RQURI', 4] }
    : { position: STATUS_AT, state: ['MSG_RPCODE', 12] };
}

/** The least end, up to `most`, for which it is refused. */
function shortest(most: number, isRefused: (end: number) => boolean): number | undefined {
  if (!isRefused(most)) return undefined;
  let [good, bad] = [0, most];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isRefused(middle)) bad = middle;
    else good = middle;
  }
  return bad;
}

function bodyFault(bytes: Uint8Array, message: Message): Fault | undefined {
  const end = shortest(bytes.length, (until) => {
    const body = new Body();
    return until > message.end && beginBody(body, message) && body.take(bytes, message.end, until) < 0;
  });
  return end === undefined ? undefined : { position: end - 1, state: ['MSG_CHUNK_SIZE', 26] };
}

function inHead(kind: 'request' | 'response', bytes: Uint8Array, length: number): Fault {
  const position = length - 1;
  const line = position === 0 ? 0 : bytes.lastIndexOf(LF, position - 1) + 1;
  if (line === 0) {
    const spaces = bytes.subarray(0, position).filter((byte) => byte === SPACE).length;
    const states = kind === 'request' ? REQUEST_LINE : STATUS_LINE;
    return { position, state: states[Math.min(spaces, 2)] };
  }
  const colon = bytes.indexOf(COLON, line);
  if (colon < 0 || colon > position) return { position, state: ['MSG_HDR_NAME', 17] };
  // a line that is whole means something that cannot be: a second length, a second host
  if (bytes[position] !== LF || bytes[position - 1] !== CR) return { position, state: ['MSG_HDR_VAL', 22] };
  let value = colon + 1;
  while (bytes[value] === SPACE) value++;
  return { position: value, state: ['MSG_HDR_L2_LWS', 24] };
}

/** Behind `HTTP/1.1 `. */
const STATUS_AT = 9;

const REQUEST_LINE = [
  ['MSG_RQMETH', 2],
  ['MSG_RQURI', 4],
  ['MSG_RQVER', 6],
] as const;
const STATUS_LINE = [
  ['MSG_RPVER', 10],
  ['MSG_RPCODE', 12],
  ['MSG_RPREASON', 14],
] as const;
