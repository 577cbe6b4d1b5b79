/**
 * What a request or session is balanced by, as a number: the hash of the client's address, or of a part of the request's head.
 * Compiled once for a backend; reads bytes where they stand.
 */
import type * as model from '../config/model.ts';
import { parseAddress } from '../system/ip-address.ts';
import { avalanche, DEFAULT_HASH, type Hash, hashOf } from './balance/hash-functions.ts';
import { NO_HASH } from './balance/picker.ts';
import { hashBody } from './hash-body.ts';
import { hashOfSample } from './hash-sample.ts';
import { equalsIgnoringCase, lowerCaseBytes } from './http/characters.ts';
import type { Message } from './http/message.ts';
import type { Subject } from './sample/subject.ts';

/** The client's address as text. */
export type Client = { readonly address_bytes: Uint8Array };

export type HashKey = {
  /** `bytes` hold the request's head. */
  readonly ofRequest: (bytes: Uint8Array, request: Message, client: Client) => number;
  /** It is a sample: asked instead of the two others. */
  readonly ofSubject?: (subject: Subject) => number;
  /** It may stand in the body of a POST without a query. */
  readonly ofBody?: (body: Uint8Array, is_chunked: boolean) => number;
  /** Of a connection about which nothing else is known. */
  readonly ofClient: (client: Client) => number;
  /** It is in the first bytes that the client of a TCP session sends. */
  readonly ofFirstBytes?: (bytes: Uint8Array, start: number, end: number) => number;
};

const NOTHING: HashKey = { ofRequest: () => NO_HASH, ofClient: () => NO_HASH };

/** Null: every server may get any request. */
export function hashKeyOf({ balance, hash: type = DEFAULT_HASH }: model.Backend): HashKey | null {
  const hash = hashOf(type);
  switch (balance.kind) {
    case 'source': {
      const ofClient = ({ address_bytes }: Client) => hashAddress(address_bytes, type.avalanche);
      return { ofClient, ofRequest: (_bytes, _request, client) => ofClient(client) };
    }
    case 'uri':
      return { ...NOTHING, ofRequest: (bytes, request) => hashUri(bytes, request, balance, hash) };
    case 'url_param': {
      const name = new TextEncoder().encode(balance.name);
      const key = {
        ...NOTHING,
        ofRequest: (bytes: Uint8Array, request: Message) => hashParameter(bytes, request, name, hash),
      };
      if (!balance.check_post) return key;
      return { ...key, ofBody: (body, is_chunked) => hashBody(body, is_chunked, name, hash) };
    }
    case 'hdr': {
      const name = lowerCaseBytes(balance.name);
      return { ...NOTHING, ofRequest: (bytes, request) => hashHeader(bytes, request, name, balance, hash) };
    }
    case 'hash':
      return { ...NOTHING, ofSubject: hashOfSample(balance, hash) };
    case 'rdp-cookie': {
      const name = lowerCaseBytes(balance.name);
      return { ...NOTHING, ofFirstBytes: (bytes, start, end) => hashRdpCookie(bytes, start, end, name, hash) };
    }
    default:
      return null;
  }
}

// ── source ──────────────────────────────────────────────────────────────────────────────────────

/** The address's words of 32 bits, folded into one; HAProxy uses no hash function here, but the modifier. */
function hashAddress(text: Uint8Array, mixes: boolean): number {
  const address = parseAddress(new TextDecoder().decode(text));
  if (!address) return NO_HASH;
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  let folded = 0;
  for (let at = 0; at < address.length; at += 4) folded ^= view.getUint32(at);
  return mixes ? avalanche(folded) : folded >>> 0;
}

// ── uri ─────────────────────────────────────────────────────────────────────────────────────────

type Uri = Extract<model.Balance, { kind: 'uri' }>;

function hashUri(bytes: Uint8Array, request: Message, { len, depth, whole, path_only }: Uri, hash: Hash): number {
  const start = path_only ? startOfPath(bytes, request) : request.target_start;
  if (start < 0) return NO_HASH;
  const last = len === undefined ? request.target_end : Math.min(request.target_end, start + len);
  let slashes = 0;
  let end = start;
  for (; end < last; end++) {
    // HAProxy counts the slash that the path begins with as well
    if (bytes[end] === SLASH && depth !== undefined && ++slashes > depth) break;
    if (bytes[end] === QUESTION_MARK && !whole) break;
  }
  return hash(bytes, start, end);
}

/** -1: there is none. */
function startOfPath(bytes: Uint8Array, { target_start, target_end }: Message): number {
  if (bytes[target_start] === SLASH) return target_start;
  for (let at = target_start; at + 2 < target_end; at++) {
    if (bytes[at] !== COLON || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) continue;
    const path = bytes.subarray(at + 3, target_end).indexOf(SLASH);
    return path < 0 ? -1 : at + 3 + path;
  }
  return -1;
}

// ── url_param ───────────────────────────────────────────────────────────────────────────────────

function hashParameter(bytes: Uint8Array, request: Message, name: Uint8Array, hash: Hash): number {
  const end = request.target_end;
  let at = request.target_start;
  while (at < end && bytes[at] !== QUESTION_MARK) at++;
  while (at < end) {
    const start = at + 1;
    at = start;
    while (at < end && bytes[at] !== AMPERSAND) at++;
    const value = start + name.length + 1;
    if (value <= at && bytes[value - 1] === EQUALS && spells(bytes, start, name)) return hash(bytes, value, at);
  }
  return NO_HASH;
}

function spells(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}

// ── hdr ─────────────────────────────────────────────────────────────────────────────────────────

function hashHeader(
  bytes: Uint8Array,
  request: Message,
  name: Uint8Array,
  { use_domain_only }: Extract<model.Balance, { kind: 'hdr' }>,
  hash: Hash,
): number {
  for (let index = 0; index < request.field_count; index++) {
    if (!equalsIgnoringCase(bytes, request.name_start[index], request.name_end[index], name)) continue;
    const start = request.value_start[index];
    const end = endOfFirst(bytes, start, request.value_end[index]);
    if (start === end) return NO_HASH;
    return use_domain_only ? hashDomain(bytes, start, end, hash) : hash(bytes, start, end);
  }
  return NO_HASH;
}

/** The first element of a list. */
function endOfFirst(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let quoted = false; at < end && (quoted || bytes[at] !== COMMA); at++) if (bytes[at] === QUOTE) quoted = !quoted;
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at--;
  return at;
}

/** `1wt` of `haproxy.1wt.eu`. */
function hashDomain(bytes: Uint8Array, start: number, end: number, hash: Hash): number {
  let last = end - 1;
  while (last > start && bytes[last] !== DOT) last--;
  const domain_end = last > start ? last : end;
  let domain = domain_end - 1;
  while (domain > start && bytes[domain - 1] !== DOT) domain--;
  return hash(bytes, domain, domain_end);
}

// ── rdp-cookie ──────────────────────────────────────────────────────────────────────────────────

/**
 * An X.224 connection request (MS-RDPBCGR section 2.2.1.1), whose routing token or cookie is text:
 *
 *   TPKT 4 bytes │ X.224 7 bytes │ Cookie: mstshash=USER CR LF │ …
 */
function hashRdpCookie(bytes: Uint8Array, start: number, end: number, name: Uint8Array, hash: Hash): number {
  const field = start + RDP_HEADERS;
  const value = field + COOKIE_FIELD.length + name.length + 1;
  if (value > end || !equalsIgnoringCase(bytes, field, field + COOKIE_FIELD.length, COOKIE_FIELD)) return NO_HASH;
  if (!equalsIgnoringCase(bytes, field + COOKIE_FIELD.length, value - 1, name) || bytes[value - 1] !== EQUALS) {
    return NO_HASH;
  }
  let at = value;
  while (at < end && bytes[at] !== CR) at++;
  return at === value || at === end ? NO_HASH : hash(bytes, value, at);
}

const RDP_HEADERS = 11;
const COOKIE_FIELD = lowerCaseBytes('Cookie: ');
const CR = 13;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const AMPERSAND = 38;
const COMMA = 44;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const EQUALS = 61;
const QUESTION_MARK = 63;
