/** Which bytes may stand where in a head (RFC 9110 section 5.6.2 and 5.5, RFC 9112 section 3). One look-up a byte. */

export const TOKEN = 1; // tchar: methods and field names
export const TARGET = 2; // request target: visible ASCII (and bytes above 127, as HAProxy accepts them)
export const VALUE = 4; // field content: visible, space, tab, obs-text

export const classes = new Uint8Array(256);

for (let byte = 0x21; byte < 0x7f; byte++) classes[byte] |= TARGET | VALUE;
for (let byte = 0x80; byte < 0x100; byte++) classes[byte] |= TARGET | VALUE;
classes[0x20] |= VALUE;
classes[0x09] |= VALUE;
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  classes[character.charCodeAt(0)] |= TOKEN;
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
