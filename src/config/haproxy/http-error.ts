/** `errorloc CODE URL`, `errorloc302`, `errorloc303`, and `http-error status CODE …` (manual 4.2): replies that are made once. */
import type { Reporter } from '../reporter.ts';
import { LONGEST_HEAD_BYTES, LONGEST_REPLY_BYTES, type ReplyHead, storedReply } from '../stored-reply.ts';
import { didYouMean } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { parseStatus } from './error-file.ts';
import { ALL_PROXIES, type Context, type Keyword, refuseMore, type Statement } from './keyword.ts';
import { isToken } from './token.ts';

export const HTTP_ERROR_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  location('errorloc', 302, 'The same as `errorloc302`.'),
  location('errorloc302', 302, '`errorloc302 CODE URL`: send clients there, with 302, instead of an error.'),
  location('errorloc303', 303, 'The same with 303: the client asks with GET, whatever it asked with before.'),
  {
    name: 'http-error',
    sections: ALL_PROXIES,
    help: '`http-error status CODE` and `errorfile`, `errorfiles`, `file`, `string`, `lf-string` or `default-errorfiles`, `content-type`, `hdr`: the reply for a status code. Fields of log formats are refused.',
    has_effect: true,
    parse: parseHttpError,
  },
];

function location(name: string, answer: 302 | 303, help: string): Keyword<ProxyDraft> {
  const parse = (draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined => {
    const [code, url] = args;
    if (code === undefined || url === undefined) {
      const mend = `Write for example \`${name} 503 https://www.example.org/sorry.html\`.`;
      return report.error(keyword.span, 'missing-value', `\`${name}\` needs a status code and a URL.`, mend);
    }
    refuseMore(args.slice(2), url, report);
    const status = parseStatus(code, report);
    if (status === undefined || !isFieldValue(url, report)) return;
    const headers = [
      ['cache-control', 'no-cache'],
      ['location', url.text],
    ] as const;
    const content = storedReply({ status: answer, content_type: undefined, headers }, new Uint8Array());
    draft.error_files.push({ status, path: undefined, head: undefined, content, span: spanOf([keyword, ...args]) });
  };
  return { name, sections: ALL_PROXIES, help, has_effect: true, parse };
}

/** What the words of one line say. */
type Said = {
  status: number | undefined;
  content_type: string | undefined;
  payload: Payload | undefined;
  readonly headers: (readonly [string, string])[];
};

/** The word that names its kind, and the one behind it. */
type Payload = { readonly kind: Word; readonly value: Word };

const PAYLOADS = ['default-errorfiles', 'errorfile', 'errorfiles', 'file', 'string', 'lf-string', 'lf-file'];
const WORDS = ['status', 'content-type', 'hdr', ...PAYLOADS];

function parseHttpError(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const said = readWords(args, report);
  if (said === undefined) return;
  const { status, payload, content_type, headers } = said;
  if (status === undefined) {
    const mend = 'Write for example `http-error status 503 content-type text/plain string "Sorry."`.';
    return report.error(keyword.span, 'missing-value', '`http-error` needs `status` and a code.', mend);
  }
  const head: ReplyHead = { status, content_type, headers };
  const file = { status, path: undefined, head: undefined, content: undefined, span: spanOf([keyword, ...args]) };
  const text = payload?.value.text ?? '';
  const body = new TextEncoder().encode(payload?.kind.text === 'file' ? '' : text);
  switch (payload?.kind.text) {
    case 'default-errorfiles':
      draft.error_files.push({ no_reply_for: status });
      return;
    case 'errorfiles':
      draft.error_files.push({
        section: payload.value,
        statuses: [{ value: status, span: payload.value.span }],
        if_any: true,
      });
      return;
    case 'errorfile':
      draft.error_files.push({ ...file, path: payload.value.text });
      return;
  }
  if (text !== '' && content_type === undefined) {
    const mend = 'Write for example `content-type text/html` before it.';
    return report.error(payload?.kind.span ?? keyword.span, 'missing-value', 'The reply needs a `content-type`.', mend);
  }
  const content = storedReply(head, body);
  const largest = payload?.kind.text === 'file' ? LONGEST_HEAD_BYTES : LONGEST_REPLY_BYTES;
  if (content.length > largest) {
    const message = `The reply has ${content.length} bytes; it may have ${largest}.`;
    return report.error(keyword.span, 'bad-reply-length', message);
  }
  if (payload?.kind.text === 'file') draft.error_files.push({ ...file, path: payload.value.text, head });
  else draft.error_files.push({ ...file, content });
}

/** Undefined after a report. */
function readWords(words: readonly Word[], report: Reporter): Said | undefined {
  const said: Said = { status: undefined, content_type: undefined, payload: undefined, headers: [] };
  for (let at = 0; at < words.length; ) {
    const [word, value, second] = words.slice(at, at + 3);
    const { text } = word;
    const count = text === 'hdr' ? 2 : text === 'default-errorfiles' ? 0 : 1;
    if (!WORDS.includes(text)) {
      const mend = didYouMean(text, WORDS) ?? `There are ${WORDS.map((each) => `\`${each}\``).join(', ')}.`;
      return report.error(word.span, 'unknown-keyword', `\`${text}\` is not a word of \`http-error\`.`, mend);
    }
    if (words.length <= at + count)
      return report.error(
        word.span,
        'missing-value',
        `\`${text}\` needs ${count === 2 ? 'a name and a value' : 'a value'}.`,
      );
    if (!readWord(said, word, value, second, report)) return undefined;
    at += 1 + count;
  }
  return said;
}

/** `value` and `second` are there as far as the word takes some. False after a report. */
function readWord(said: Said, word: Word, value: Word, second: Word, report: Reporter): boolean {
  switch (word.text) {
    case 'status':
      said.status = parseStatus(value, report);
      return said.status !== undefined;
    case 'content-type':
      said.content_type = value.text;
      return isFieldValue(value, report);
    case 'hdr': {
      const text = withoutFields(second, report);
      if (text === undefined || !isFieldValue(second, report)) return false;
      if (isToken(value.text)) said.headers.push([value.text, text]);
      else report.error(value.span, 'bad-header-name', `\`${value.text}\` cannot be the name of a header.`);
      return isToken(value.text);
    }
  }
  if (said.payload !== undefined) {
    const message = `\`${word.text}\` stands beside \`${said.payload.kind.text}\`: a reply has one of them.`;
    report.error(word.span, 'unexpected-word', message, 'Remove one of them.');
    return false;
  }
  if (word.text === 'lf-file') {
    report.error(
      word.span,
      'unsupported-keyword',
      '`lf-file` is not supported.',
      'Write `file`, without fields in it.',
    );
    return false;
  }
  const text = word.text === 'lf-string' ? withoutFields(value, report) : value?.text;
  said.payload = { kind: word, value: { ...(value ?? word), text: text ?? '' } };
  return word.text !== 'lf-string' || text !== undefined;
}

/** What a log format without fields says: the reply is made when the process starts, and no request is there to ask. */
function withoutFields({ text, span }: Word, report: Reporter): string | undefined {
  if (!/%/.test(text.replaceAll('%%', ''))) return text.replaceAll('%%', '%');
  const message = 'Fields of a log format (`%…`) are not supported here: the reply is the same for every request.';
  return report.error(span, 'unsupported-value', message, 'Write the text itself, and `%%` for a percent sign.');
}

function isFieldValue({ text, span }: Word, report: Reporter): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const is_one = text !== '' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(text);
  if (!is_one)
    report.error(span, 'bad-value', 'This cannot be the value of a header field.', 'Write one line of text.');
  return is_one;
}
