/** `option httpchk`: how servers with `check` are asked over HTTP. */
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, refuseMore } from './keyword.ts';
import { isToken } from './token.ts';

/** `option httpchk [[METHOD] URI [VERSION]]` */
export function setHttpCheck(draft: ProxyDraft, enable: boolean, words: readonly Word[], { report }: Context): void {
  if (!enable) {
    draft.check = { kind: 'tcp' };
    return;
  }
  const [method, uri, version] = words.length === 1 ? [undefined, words[0]] : words;
  if (words.length > 3) refuseMore(words.slice(3), words[2], report);
  else if (areWellFormed(method, uri, version, report)) {
    const texts = { method: method?.text ?? 'OPTIONS', uri: uri?.text ?? '/', version: version?.text ?? 'HTTP/1.0' };
    draft.check = { kind: 'http', ...texts };
  }
}

/** Nothing in them may end the request line early. */
function areWellFormed(
  method: Word | undefined,
  uri: Word | undefined,
  version: Word | undefined,
  report: Reporter,
): boolean {
  const problem = (word: Word, message: string, mend: string): boolean => {
    report.error(word.span, 'unsupported-value', message, mend);
    return false;
  };
  const example = 'Write for example `option httpchk GET /health HTTP/1.0`.';
  if (method !== undefined && !isToken(method.text)) {
    return problem(method, `\`${method.text}\` is not an HTTP method.`, example);
  }
  if (uri !== undefined && !/^[\x21-\x7e]+$/.test(uri.text)) {
    return problem(uri, 'The URI of a check is made of printable characters without spaces.', example);
  }
  if (version === undefined || /^HTTP\/1\.[01]$/.test(version.text)) return true;
  const hasHeaders = version.text.startsWith('HTTP/') && /\s/.test(version.text);
  const message = hasHeaders
    ? 'Headers after the version of `option httpchk` are not supported yet.'
    : `\`${version.text}\` is not a version of HTTP that checks can use.`;
  return problem(version, message, 'Write `HTTP/1.0` or `HTTP/1.1`.');
}
