/** What every dialect's CARP lines write alike: the password and the virtual address. */
import type { VirtualAddress } from './model.ts';
import type { Reporter } from './reporter.ts';
import { isIPv4, isIPv6, isPlaceholderWord, reportPlaceholder } from './values.ts';
import type { Word } from './word.ts';

/** The key has 20 bytes and the BSDs' ifconfig keeps the last one zero. */
export const LONGEST_PASS_BYTES = 19;

export function parsePass(word: Word, report: Reporter): string | undefined {
  if (isPlaceholderWord(word.text)) {
    report.error(
      word.span,
      'placeholder',
      `The password is still the placeholder \`${word.text}\`.`,
      'Choose a password, the same on every node.',
    );
    return undefined;
  }
  const bytes = Buffer.byteLength(word.text);
  if (bytes > LONGEST_PASS_BYTES) {
    report.error(
      word.span,
      'password-too-long',
      `The password has ${bytes} bytes; CARP carries at most ${LONGEST_PASS_BYTES}.`,
      'Choose a shorter one; the BSDs would cut it off in silence.',
    );
    return undefined;
  }
  if (word.text.includes('\0')) {
    report.error(
      word.span,
      'password-with-nul',
      'The password contains a NUL byte, at which the BSDs would end it.',
      'Choose one without it.',
    );
    return undefined;
  }
  return word.text;
}

/** `a.b.c.d/len`; a bare address is a /32. */
export function parseVirtualAddress(word: Word, report: Reporter): VirtualAddress | undefined {
  if (reportPlaceholder(word, 'address', report)) return undefined;
  const [, address, length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(word.text) ?? [];
  const prefix_length = length === undefined ? 32 : Number(length);
  if (address === undefined || !isIPv4(address) || prefix_length > 32) return reportBadAddress(word, report);
  if (prefix_length < 1 || !isUnicast(address)) {
    report.error(
      word.span,
      'bad-address',
      `\`${word.text}\` cannot be a virtual address.`,
      'Write an address of your network that no host has.',
    );
    return undefined;
  }
  return { address, prefix_length, span: word.span };
}

function reportBadAddress(word: Word, report: Reporter): undefined {
  if (isIPv6(word.text.replace(/\/\d+$/, '')))
    report.error(
      word.span,
      'unsupported-address',
      'IPv6 virtual addresses are not supported yet.',
      'Write an IPv4 address.',
    );
  else
    report.error(
      word.span,
      'bad-address',
      `\`${word.text}\` is not an IPv4 address.`,
      'Write four numbers and a prefix length, such as `10.10.0.1/16`.',
    );
  return undefined;
}

/** Not 0/8, loopback, multicast or above. */
function isUnicast(address: string): boolean {
  const first = Number(address.split('.')[0]);
  return first > 0 && first < 224 && first !== 127;
}
