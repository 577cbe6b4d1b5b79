/** Which bytes may stand where in a head (RFC 9110 section 5.6.2 and 5.5, RFC 9112 section 3). One look-up a byte. */

export const TOKEN = 1; // tchar: methods and field names
export const TARGET = 2; // request target: visible ASCII but "#", as a fragment stays with the client
export const VALUE = 4; // field content: visible, space, tab, obs-text
export const HOST = 8; // host and port (RFC 3986 section 3.2), without the comma that would join two of them

// With `option accept-invalid-http-request` and its kin. Bytes above 0x7f stay out of names: servers that trim or fold them could
// read another name than we do.
export const LAX_NAME = 16; // visible ASCII but the colon
export const LAX_TARGET = 32; // visible, and bytes above 0x7f
export const LAX_VALUE = 64; // all but NUL, CR and LF

export const classes = new Uint8Array(256);

for (let byte = 0x01; byte < 0x100; byte++) if (byte !== 0x0d && byte !== 0x0a) classes[byte] |= LAX_VALUE;
for (let byte = 0x21; byte < 0x7f; byte++) classes[byte] |= TARGET | VALUE | LAX_TARGET | LAX_NAME;
for (let byte = 0x80; byte < 0x100; byte++) classes[byte] |= VALUE | LAX_TARGET;
classes[0x3a] &= ~LAX_NAME;
classes[0x23] &= ~TARGET;
classes[0x20] |= VALUE;
classes[0x09] |= VALUE;
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  classes[character.charCodeAt(0)] |= TOKEN;
}

for (const character of "!$%&'()*+-._~:;=[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  classes[character.charCodeAt(0)] |= HOST;
}

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;
export const COMMA = 44;
export const SEMICOLON = 59;

/** Lower-case text as bytes, to compare with `equalsIgnoringCase`. */
export function lowerCaseBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text.toLowerCase());
}

/** Whether bytes[start, end) spell `lower`, in any case. Letters only differ in bit 5; other bytes are compared as they are. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  if (end - start !== lower.length) return false;
  for (let index = 0; index < lower.length; index++) {
    const byte = bytes[start + index];
    if (byte !== lower[index] && (byte | 0x20) !== lower[index]) return false;
    if (byte < 0x40 && byte !== lower[index]) return false;
  }
  return true;
}

/** Whether bytes[start, end) and bytes[other, other_end) are the same text, in any case. */
/** bytes[start, end) begins with `lower`, whatever its case. */
export function sameStart(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  return end - start >= lower.length && equalsIgnoringCase(bytes, start, start + lower.length, lower);
}

export function sameIgnoringCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  other: number,
  other_end: number,
): boolean {
  if (end - start !== other_end - other) return false;
  for (let index = 0; index < end - start; index++) {
    if (lowerCase(bytes[start + index]) !== lowerCase(bytes[other + index])) return false;
  }
  return true;
}

function lowerCase(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
