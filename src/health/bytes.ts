/**
 * Bytes as strings with one character a byte (Latin-1): what expressions compute with and regular expressions look at.
 * Text of the configuration is UTF-8 on the wire.
 */

const encoder = new TextEncoder();

export function bytesOfText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** `text` as the byte string that goes over the wire. */
export function byteString(text: string): string {
  const bytes = encoder.encode(text);
  return bytes.length === text.length ? text : toByteString(bytes);
}

function toByteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function fromByteString(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Undefined when it is not made of pairs of hexadecimal digits. */
export function fromHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}
