/**
 * Domain names as messages carry them (RFC 1035, 3.1 and 4.1.4):
 *
 *   | length:8 (0..63) | that many bytes | … | 0:8 |
 *   | 11 | offset:14 |   a pointer instead of the rest: the name goes on at an earlier byte of the message
 *
 * Here a name is text in lower case without the dot at its end; bytes other than letters, digits, `-` and `_` are `\DDD`.
 */

/** Of a name, with its length bytes. */
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;

/** Undefined: not a name that a question can ask for. */
export function encodeName(name: string): Uint8Array | undefined {
  const labels = name.replace(/\.$/, '').split('.');
  const bytes: number[] = [];
  for (const label of labels) {
    if (!/^[A-Za-z0-9_-]+$/.test(label) || label.length > LONGEST_LABEL) return undefined;
    bytes.push(label.length, ...Buffer.from(label, 'latin1'));
  }
  bytes.push(0);
  return bytes.length > LONGEST_NAME ? undefined : Uint8Array.from(bytes);
}

/** Names are compared without regard to case. */
export function canonicalName(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

export type NameRead = { readonly name: string /** Behind the name, where it stands. */; readonly end: number };

/**
 * The name that begins at `start`; undefined when it is broken. Every pointer must lead to before the part that it stands in, so
 * that no name is endless.
 */
export function readName(bytes: Uint8Array, start: number): NameRead | undefined {
  const labels: string[] = [];
  let length = 1;
  let part = start;
  let at = start;
  let end = -1;
  while (at < bytes.length) {
    const size = bytes[at];
    if (size === 0) return { name: labels.join('.'), end: end < 0 ? at + 1 : end };
    if (size <= LONGEST_LABEL) {
      length += size + 1;
      if (length > LONGEST_NAME || at + 1 + size > bytes.length) return undefined;
      labels.push(readLabel(bytes, at + 1, at + 1 + size));
      at += 1 + size;
    } else {
      if ((size & 0xc0) !== 0xc0 || at + 2 > bytes.length) return undefined;
      const target = ((size & 0x3f) << 8) | bytes[at + 1];
      if (target >= part) return undefined;
      if (end < 0) end = at + 2;
      part = target;
      at = target;
    }
  }
  return undefined;
}

function readLabel(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
  return text.replace(/[^A-Za-z0-9_-]/g, (byte) => `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`).toLowerCase();
}
