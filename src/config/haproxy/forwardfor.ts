/** `option forwardfor` and `option originalto`: the headers that tell servers the addresses of a client's connection. */
import type { ForwardFor } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isIPv4, isNetwork } from '../values.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context } from './keyword.ts';
import { isToken } from './token.ts';

/** `option forwardfor [except NETWORK] [header NAME] [if-none]` */
export function setForwardFor(draft: ProxyDraft, enable: boolean, words: readonly Word[], { report }: Context): void {
  const read = readWords('forwardfor', 'X-Forwarded-For', ['header', 'if-none', 'except'], words, report);
  if (read) draft.forwardfor = enable ? read : undefined;
}

/** `option originalto [except NETWORK] [header NAME]` */
export function setOriginalTo(draft: ProxyDraft, enable: boolean, words: readonly Word[], { report }: Context): void {
  const read = readWords('originalto', 'X-Original-To', ['header', 'except'], words, report);
  if (read) draft.originalto = enable ? read : undefined;
}

function readWords(
  option: string,
  usual_header: string,
  names: readonly string[],
  words: readonly Word[],
  report: Reporter,
): ForwardFor | undefined {
  let header = usual_header;
  let if_none = false;
  let except: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (!names.includes(word.text)) {
      const mend = didYouMean(word.text, names) ?? `Write ${names.map((name) => `\`${name}\``).join(' or ')}.`;
      const message = `\`${word.text}\` is not a word that \`option ${option}\` knows.`;
      return report.error(word.span, 'unknown-keyword', message, mend);
    }
    if (word.text === 'if-none') if_none = true;
    else if (at + 1 === words.length)
      return report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
    else if (word.text === 'header') header = parseHeaderName(words[++at], report) ?? header;
    else except = parseNetwork(words[++at], report) ?? except;
  }
  return { header, if_none, except };
}

function parseNetwork({ text, span }: Word, report: Reporter): string[] | undefined {
  const [address, mask] = text.split('/');
  const network = mask?.includes('.') ? `${address}/${lengthOf(mask)}` : text;
  if (isNetwork(network)) return [network];
  return report.error(span, 'bad-address', `\`${text}\` is not a network.`, 'Write for example `127.0.0.0/8`.');
}

/** Of `255.0.0.0`; a mask with gaps has none. */
function lengthOf(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined;
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined;
}

export function parseHeaderName(word: Word, report: Reporter): string | undefined {
  if (isToken(word.text)) return word.text;
  const message = `\`${word.text}\` cannot be the name of a header.`;
  return report.error(word.span, 'bad-header-name', message, 'Write letters, digits and hyphens.');
}
