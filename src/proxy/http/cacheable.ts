/**
 * Whether a cache on the way could keep a response, as far as `cookie … nocache` wants to know. HAProxy's rule: it may by its
 * method and status, nothing forbids it, and something says for how long it holds or how to ask again.
 */
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

const STATUSES: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);
const CONTROLS = ['cache-control', 'pragma'].map(lowerCaseBytes);
const REASONS = ['expires', 'etag', 'last-modified'].map(lowerCaseBytes);
const FORBIDS = /(?:^|[,\s])(?:no-store|no-cache|private|max-age=0|s-maxage=0)(?:$|[,\s])/i;
const ALLOWS = /(?:^|[,\s])(?:max-age|s-maxage)=/i;

export function isCacheable(bytes: Uint8Array, response: Message, method: number): boolean {
  if (method !== m.METHOD_GET && method !== m.METHOD_HEAD) return false;
  if (!STATUSES.has(response.status)) return false;
  let has_reason = false;
  for (let index = 0; index < response.field_count; index++) {
    if (isOneOf(bytes, response, index, REASONS)) has_reason = true;
    if (!isOneOf(bytes, response, index, CONTROLS)) continue;
    const value = String.fromCharCode(...bytes.subarray(response.value_start[index], response.value_end[index]));
    if (FORBIDS.test(value)) return false;
    if (ALLOWS.test(value)) has_reason = true;
  }
  return has_reason;
}

function isOneOf(bytes: Uint8Array, { name_start, name_end }: Message, index: number, names: readonly Uint8Array[]) {
  return names.some((name) => equalsIgnoringCase(bytes, name_start[index], name_end[index], name));
}
