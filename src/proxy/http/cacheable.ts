/**
 * Whether a cache on the way could keep a response, and a cookie with it: what `cookie … nocache` and `option checkcache` want to
 * know. HAProxy's rule: it may by its method and status or because it says `public`, nothing after that forbids it, and something
 * says for how long it holds or how to ask again.
 */
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

const METHODS: ReadonlySet<number> = new Set([m.METHOD_GET, m.METHOD_HEAD, m.METHOD_OPTIONS, m.METHOD_TRACE]);
const STATUSES: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);
const CACHE_CONTROL = lowerCaseBytes('cache-control');
const PRAGMA = lowerCaseBytes('pragma');
const SET_COOKIE = lowerCaseBytes('set-cookie');
const REASONS = ['expires', 'etag', 'last-modified'].map(lowerCaseBytes);
const FORBIDS = /^(?:no-store|no-cache|private|max-age=0|s-maxage=0)$/;
const FORBIDS_COOKIE = /^no-cache="set-cookie[,"]/;
const TELLS_AGE = /^(?:max-age|s-maxage)=/;
/** Elements of a list; a comma within quotes is none. */
const ELEMENT = /(?:"[^"]*"|[^",])+/g;

export function isCacheable(bytes: Uint8Array, response: Message, method: number): boolean {
  return judge(bytes, response, method).response;
}

/** A cache could give a client the cookie of another one. */
export function leaksCookie(bytes: Uint8Array, response: Message, method: number): boolean {
  for (let index = 0; index < response.field_count; index++) {
    if (isNamed(bytes, response, index, SET_COOKIE)) return judge(bytes, response, method).cookie;
  }
  return false;
}

/** What may be kept: the response, and the cookies that it sets. */
function judge(bytes: Uint8Array, response: Message, method: number): { response: boolean; cookie: boolean } {
  let may = METHODS.has(method) && STATUSES.has(response.status);
  let may_cookie = may;
  let has_reason = false;
  for (let index = 0; index < response.field_count; index++) {
    if (REASONS.some((name) => isNamed(bytes, response, index, name))) has_reason = true;
    const is_pragma = isNamed(bytes, response, index, PRAGMA);
    if (!is_pragma && !isNamed(bytes, response, index, CACHE_CONTROL)) continue;
    for (const element of elementsOf(bytes, response, index)) {
      if (is_pragma && element === 'no-cache') return { response: false, cookie: false };
      if (is_pragma) continue;
      if (TELLS_AGE.test(element)) has_reason = true;
      if (element === 'public') may = may_cookie = true;
      else if (FORBIDS.test(element)) may = may_cookie = false;
      else if (FORBIDS_COOKIE.test(element)) may_cookie = false;
    }
  }
  return { response: may && has_reason, cookie: may_cookie && has_reason };
}

function elementsOf(bytes: Uint8Array, { value_start, value_end }: Message, index: number): string[] {
  const value = String.fromCharCode(...bytes.subarray(value_start[index], value_end[index])).toLowerCase();
  return (value.match(ELEMENT) ?? []).map((element) => element.trim());
}

function isNamed(bytes: Uint8Array, { name_start, name_end }: Message, index: number, name: Uint8Array): boolean {
  return equalsIgnoringCase(bytes, name_start[index], name_end[index], name);
}
