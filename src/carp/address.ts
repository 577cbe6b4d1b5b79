/**
 * IPv4 and IPv6 addresses between text and bytes. Where both may stand, they are "mapped": 16 bytes, an IPv4 address
 * behind ::ffff: (RFC 4291, 2.5.5.2), so that one comparison serves both.
 */

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

export const MAPPED_BYTES = 16;
const PREFIX_BYTES = 12;
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** Writes the 4 or 16 bytes at `bytes[at ..]` to `out` in the mapped form. */
export function writeMapped(out: Uint8Array, bytes: Uint8Array, at: number, family: 4 | 6): void {
  if (family === 6) {
    for (let i = 0; i < MAPPED_BYTES; i++) out[i] = bytes[at + i];
    return;
  }
  for (let i = 0; i < PREFIX_BYTES; i++) out[i] = MAPPED_PREFIX[i];
  for (let i = 0; i < 4; i++) out[PREFIX_BYTES + i] = bytes[at + i];
}

/** Of the mapped form. A loop: for each advert some of these are made, and the built-in copy costs several times as much. */
export function copyMapped(to: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < MAPPED_BYTES; i++) to[i] = from[i];
}

/** The mapped form of 4 or 16 bytes. */
export function toMapped(bytes: Uint8Array): Uint8Array {
  const mapped = new Uint8Array(MAPPED_BYTES);
  writeMapped(mapped, bytes, 0, bytes.length === 4 ? 4 : 6);
  return mapped;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Of a mapped address: `10.0.0.1`, or IPv6 as RFC 5952 writes it. */
export function formatMapped(mapped: Uint8Array): string {
  for (let i = 0; i < MAPPED_PREFIX.length; i++) if (mapped[i] !== MAPPED_PREFIX[i]) return formatIPv6(mapped);
  return mapped.subarray(12).join('.');
}

function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** `02:00:0a:00:00:01` */
export function formatMac(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** fe80::/10, ff01::/16 and ff02::/16: the addresses that mean something on one link only. */
export function isLinkLocal(address: Uint8Array): boolean {
  if (address.length !== 16) return false;
  if (address[0] === 0xfe) return (address[1] & 0xc0) === 0x80;
  return address[0] === 0xff && (address[1] & 0x0f) <= 2 && (address[1] & 0x0f) >= 1;
}
