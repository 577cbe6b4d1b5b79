/**
 * The dates that a cookie with `maxidle` or `maxlife` carries, HAProxy's form: seconds since 1970 divided by 4, in five digits of
 * base 64.
 *
 *   s1|aBcDe|fGhIj     value | last seen | first seen
 */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LENGTH = 5;
export const BAR = 124;

/** Rounded up to the next 4 s. */
export function formatDate(seconds: number): string {
  let left = Math.floor((seconds + 3) / 4);
  let text = '';
  for (let digit = 0; digit < LENGTH; digit++) {
    text = DIGITS[left & 63] + text;
    left = Math.floor(left / 64);
  }
  return text;
}

/** In seconds; 0: there is none at `start`. */
export function readDate(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < LENGTH) return 0;
  let quarters = 0;
  for (let at = start; at < start + LENGTH; at++) {
    const digit = DIGITS.indexOf(String.fromCharCode(bytes[at]));
    if (digit < 0) return 0;
    quarters = quarters * 64 + digit;
  }
  return quarters * 4;
}
