/** `option forwardfor`: the header that tells servers the client's address. */
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isNetwork } from '../values.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context } from './keyword.ts';
import { isToken } from './token.ts';

/** `option forwardfor [except NETWORK] [header NAME] [if-none]` */
export function setForwardFor(
  draft: ProxyDraft,
  enable: boolean,
  words: readonly Word[],
  { report }: Context,
): undefined {
  const names = ['header', 'if-none', 'except'];
  let header = 'X-Forwarded-For';
  let if_none = false;
  let except: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word.text === 'if-none') if_none = true;
    else if (!names.includes(word.text)) {
      const mend = didYouMean(word.text, names) ?? 'Write `header NAME` or `if-none`.';
      return report.error(
        word.span,
        'unknown-keyword',
        `\`${word.text}\` is not a word that \`option forwardfor\` knows.`,
        mend,
      );
    } else if (at + 1 === words.length) {
      return report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
    } else if (word.text === 'header') header = parseHeaderName(words[++at], report) ?? header;
    else except = parseNetwork(words[++at], report) ?? except;
  }
  draft.forwardfor = enable ? { header, if_none, except } : undefined;
}

function parseNetwork({ text, span }: Word, report: Reporter): string[] | undefined {
  if (isNetwork(text)) return [text];
  return report.error(span, 'bad-address', `\`${text}\` is not a network.`, 'Write for example `127.0.0.0/8`.');
}

function parseHeaderName(word: Word, report: Reporter): string | undefined {
  if (isToken(word.text)) return word.text;
  const message = `\`${word.text}\` cannot be the name of a header.`;
  return report.error(word.span, 'bad-header-name', message, 'Write letters, digits and hyphens.');
}
