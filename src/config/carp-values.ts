/** What every dialect's CARP lines write alike: the password and the virtual address. */
import type { VirtualAddress } from './model.ts';
import type { Reporter } from './reporter.ts';
import { canonicalIPv6, isIPv4, isIPv6, isPlaceholderWord, reportPlaceholder } from './values.ts';
import type { Word } from './word.ts';

/** The key has 20 bytes and the BSDs' ifconfig keeps the last one zero. */
const LONGEST_PASS_BYTES = 19;

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

/** `a.b.c.d/len` or `a:b::c/len`; without a length it is the address alone, /32 or /128. A zone (`%em0`) is dropped. */
export function parseVirtualAddress(word: Word, report: Reporter): VirtualAddress | undefined {
  if (reportPlaceholder(word, 'address', report)) return undefined;
  const [, text = '', length] = /^([^/%]*)(?:%[^/]*)?(?:\/(\d{1,3}))?$/.exec(word.text) ?? [];
  const bits = isIPv4(text) ? 32 : isIPv6(text) ? 128 : 0;
  const prefix_length = length === undefined ? bits : Number(length);
  if (bits === 0) return reportBadAddress(word, `\`${word.text}\` is not an IPv4 or IPv6 address.`, report);
  if (prefix_length > bits)
    return reportBadAddress(word, `The prefix length of \`${word.text}\` is more than ${bits}.`, report);
  if (prefix_length < 1 || !isUnicast(text))
    return report.error(
      word.span,
      'bad-address',
      `\`${word.text}\` cannot be a virtual address.`,
      'Write an address of your network that no host has.',
    );
  return { address: bits === 32 ? text : canonicalIPv6(text), prefix_length, span: word.span };
}

/** A node's own address, of either family and without a length. */
export function parseNodeAddress(word: Word, what: string, report: Reporter): string | undefined {
  if (reportPlaceholder(word, what, report)) return undefined;
  const text = word.text.replace(/%.*$/, '');
  if (isIPv4(text) && isUnicast(text)) return text;
  if (isIPv6(text) && isUnicast(text)) return canonicalIPv6(text);
  const mend = 'Write an address such as `10.0.0.2` or `2001:db8::2`, without a prefix length.';
  return report.error(word.span, 'bad-address', `The ${what} \`${word.text}\` is not the address of a host.`, mend);
}

function reportBadAddress(word: Word, sentence: string, report: Reporter): undefined {
  return report.error(word.span, 'bad-address', sentence, 'Write for example `10.10.0.1/16` or `2001:db8::10/64`.');
}

/** Not unspecified, loopback or multicast; and of IPv4 nothing above. */
export function isUnicast(address: string): boolean {
  if (address.includes(':')) return !/^(::1?|ff..:.*)$/.test(canonicalIPv6(address));
  const first = Number(address.split('.')[0]);
  return first > 0 && first < 224 && first !== 127;
}
