/** IPv6 addresses between text (RFC 4291 2.2, written as RFC 5952 recommends) and network-order bytes. */
import { parseIpv4 } from './ipv4-address.ts';

const GROUPS = 8;

/** The sixteen bytes of `fe80::1` or `::ffff:10.0.0.1`, without a zone; undefined when the text is no IPv6 address. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const before = parseGroups(halves[0], halves.length === 1);
  const after = halves.length === 2 ? parseGroups(halves[1], true) : [];
  if (!before || !after) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  const all = [...before, ...new Array<number>(missing).fill(0), ...after];
  for (const [index, group] of all.entries()) {
    bytes[2 * index] = group >> 8;
    bytes[2 * index + 1] = group & 0xff;
  }
  return bytes;
}

/** What stands between colons as 16-bit numbers; an IPv4 address may be the last two of the whole text. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const v4 = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (!v4) return undefined;
    groups.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3]);
  }
  return groups;
}

/** Sixteen bytes from `offset` on as text: the longest run of zero groups becomes `::`, mapped IPv4 stays readable. */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => (bytes[offset + 2 * index] << 8) | bytes[offset + 2 * index + 1],
  );
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(offset + 12, offset + 16).join('.')}`;
  }
  const run = longestZeroRun(groups);
  if (run.length < 2) return hexadecimal(groups);
  return `${hexadecimal(groups.slice(0, run.start))}::${hexadecimal(groups.slice(run.start + run.length))}`;
}

function hexadecimal(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

/** The first of the longest. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < GROUPS; start++) {
    let length = 0;
    while (start + length < GROUPS && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
