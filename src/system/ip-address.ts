/** IP addresses between text and network-order bytes. */

/** The four bytes of `10.0.0.1`, or undefined when the text is no IPv4 address. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

/** `10.0.0.1` as an unsigned number, first byte most significant; undefined when the text is no IPv4 address. */
export function parseIpv4Number(text: string): number | undefined {
  const bytes = parseIpv4(text);
  return bytes && new DataView(bytes.buffer).getUint32(0);
}

/** Four bytes become `10.0.0.1`; sixteen become eight groups without abbreviation. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups: string[] = [];
  for (let offset = 0; offset + 2 <= bytes.length; offset += 2) groups.push(view.getUint16(offset).toString(16));
  return groups.join(':');
}

/** `02:00:00:00:00:01` as six bytes; undefined when the text is no MAC address. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
