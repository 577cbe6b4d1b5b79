/**
 * The places of a line of hostname.if(5). OpenBSD's netstart takes the words after an address for what their places say,
 * whatever they are, and ifconfig(8) then refuses the whole line, or does something else:
 *
 *   inet [alias] ADDRESS NETMASK BROADCAST words …      BROADCAST may be NONE; what follows ADDRESS may be left out from
 *   inet6 [alias] ADDRESS LENGTH words …                the end, but not skipped
 *
 * Carpool knows a mask and a broadcast address by their looks, so such a line works here and is worth a warning only.
 */
import { broadcastOf, dottedMask, prefixOfMask } from '../ifconfig/netmask.ts';
import type { Reporter } from '../reporter.ts';
import { isIPv4 } from '../values.ts';
import type { Word } from '../word.ts';

/** Where the line has none. */
const EXAMPLE_LENGTH = 24;

/** `words`: a line of a hostname file, in which names of interfaces and comments have no part. */
export function checkPlaces(words: readonly Word[], report: Reporter): void {
  const [family, ...rest] = words;
  const [address, ...after] = rest[0]?.text === 'alias' ? rest.slice(1) : rest;
  if (address === undefined) return;
  if (family!.text === 'inet') checkIPv4(address, after, report);
  if (family!.text === 'inet6') checkIPv6(address, after, report);
}

function checkIPv4(address: Word, [mask, broadcast]: readonly Word[], report: Reporter): void {
  const [host = '', length] = address.text.split('/');
  if (!isIPv4(host) || mask === undefined) return;
  const prefix_length = (length === undefined ? prefixOfMask(mask.text) : prefixOf(length)) ?? EXAMPLE_LENGTH;
  const last = broadcastOf(host, prefix_length);
  if (!isMask(mask.text))
    warn(mask, 'the netmask', `Write for example \`${host} ${dottedMask(prefix_length)} ${last}\` first.`, report);
  else if (broadcast !== undefined && !broadcast.text.endsWith('NONE') && !isIPv4(broadcast.text))
    warn(broadcast, 'the broadcast address', `Write \`${last}\` or \`NONE\` before it.`, report);
}

function checkIPv6({ text }: Word, [length]: readonly Word[], report: Reporter): void {
  if (!text.includes(':') || length === undefined || /^\d{1,3}$/.test(length.text)) return;
  const [host, bits = '64'] = text.split('/');
  warn(length, 'the prefix length', `Write for example \`${host} ${bits}\` first.`, report);
}

function warn(word: Word, place: string, mend: string, report: Reporter): void {
  const message = `OpenBSD takes \`${word.text}\`, the word in this place, for ${place}.`;
  report.warning(word.span, 'word-out-of-place', message, mend);
}

function prefixOf(length: string): number | undefined {
  return /^\d{1,2}$/.test(length) && Number(length) <= 32 ? Number(length) : undefined;
}

function isMask(text: string): boolean {
  return isIPv4(text) || /^0x[0-9a-f]{1,8}$/i.test(text);
}
