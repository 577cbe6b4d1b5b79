/** IPv4 and IPv6 addresses between text, bytes and (IPv4) unsigned 32-bit numbers. */

/** 4 or 16 bytes, network order; undefined when `text` is no address. A `%zone` is not taken. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text);
}

function parseIPv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIPv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const known = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? known !== 16 : known > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  if (tail) bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of `a:b:…`, the last group perhaps an IPv4 address; undefined when a group is not one. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [position, group] of groups.entries()) {
    const dotted = position === groups.length - 1 && group.includes('.') ? parseIPv4(group) : undefined;
    if (dotted) bytes.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return undefined;
  }
  return bytes;
}

/** The address as an unsigned number, first octet highest. */
export function toNumber(bytes: Uint8Array, at = 0): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function formatIPv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** fe80::/10, ff01::/16 and ff02::/16: the addresses that mean something on one link only. */
export function isLinkLocal(address: Uint8Array): boolean {
  if (address.length !== 16) return false;
  if (address[0] === 0xfe) return (address[1] & 0xc0) === 0x80;
  return address[0] === 0xff && (address[1] & 0x0f) <= 2 && (address[1] & 0x0f) >= 1;
}
