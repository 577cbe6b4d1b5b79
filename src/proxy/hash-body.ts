/**
 * `balance url_param … check_post`: the parameter in the body of a POST whose target has no query, as far as a buffer held the body.
 * Of a chunked body only the first chunk is looked at.
 */
import type { Hash } from './balance/hash-functions.ts';
import { NO_HASH } from './balance/picker.ts';

export function hashBody(body: Uint8Array, is_chunked: boolean, name: Uint8Array, hash: Hash): number {
  const form = is_chunked ? firstChunk(body) : body;
  let at = 0;
  while (at < form.length) {
    const value = at + name.length + 1;
    if (value <= form.length && form[value - 1] === EQUALS && spells(form, at, name)) {
      const end = endOfValue(form, value);
      return end < 0 ? NO_HASH : hash(form, value, end);
    }
    const next = form.indexOf(AMPERSAND, at);
    if (next < 0) return NO_HASH;
    at = next + 1;
  }
  return NO_HASH;
}

/** As HAProxy, which looks at the first character only. -1: what stands there is no form. */
function endOfValue(form: Uint8Array, start: number): number {
  if (start === form.length || BLANKS.includes(form[start])) return start;
  if (form[start] !== AMPERSAND && !TOKEN.test(String.fromCharCode(form[start]))) return -1;
  const end = form.indexOf(AMPERSAND, start);
  return end < 0 ? form.length : end;
}

function firstChunk(body: Uint8Array): Uint8Array {
  const line_end = body.indexOf(LF);
  const size = line_end < 0 ? 0 : Number.parseInt(Buffer.from(body.subarray(0, line_end)).toString('latin1'), 16);
  return body.subarray(line_end + 1, line_end + 1 + (size || 0));
}

function spells(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;
const LF = 10;
const BLANKS = [9, 10, 13, 32];
const AMPERSAND = 38;
const EQUALS = 61;
