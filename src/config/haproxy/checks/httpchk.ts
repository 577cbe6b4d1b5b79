/** `option httpchk [[METHOD] URI [VERSION]]`, with the old way of hiding headers and a body behind the version. */
import type { CheckMethod, HttpSendRule } from '../../model.ts';
import { httpCheck } from '../../model-defaults.ts';
import type { Word } from '../../word.ts';
import { type Context, refuseMore } from '../keyword.ts';
import { literal } from './format.ts';
import { addHeader, isMethod, isUri, isVersion } from './send.ts';
import { Words } from './words.ts';

export function parseHttpchk(words: readonly Word[], name: Word, context: Context): CheckMethod | undefined {
  const [method, uri, version] = words.length === 1 ? [undefined, words[0]] : words;
  const at = new Words(name, words, context);
  if (words.length > 3) return refuseMore(words.slice(3), words[2], context.report);
  if (method !== undefined && !isMethod(method, at)) return undefined;
  if (uri !== undefined && !isUri(uri, at)) return undefined;
  const hidden = version && splitVersion(version);
  if (hidden !== undefined && !isVersion(hidden.version, at)) return undefined;
  const headers: Header[] = [];
  for (const { name, value } of hidden?.fields ?? []) if (!addHeader(headers, name, value, at)) return undefined;
  const body = hidden?.body === undefined ? undefined : literal(hidden.body);
  if (hidden?.fields !== undefined) warnOfHidden(hidden, context);
  const check = httpCheck(method?.text ?? 'OPTIONS', uri?.text ?? '/', hidden?.version.text ?? 'HTTP/1.0');
  return { ...check, headers, body };
}

type Header = HttpSendRule['headers'][number];

/** `fields` and `body`: where something stands behind the version. */
type Hidden = {
  readonly version: Word;
  readonly fields?: readonly { readonly name: Word; readonly value: Word }[];
  readonly body?: string | undefined;
};

/** `HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nbody` */
function splitVersion({ text, span }: Word): Hidden {
  const end = text.indexOf('\r\n');
  if (end < 0) return { version: { text, span } };
  const head_end = text.indexOf('\r\n\r\n', end);
  const lines = text.slice(end, head_end < 0 ? undefined : head_end).split('\r\n');
  const fields = lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, name, value] = /^([^:]*):?[ \t]*(.*?)[ \t]*$/s.exec(line) as RegExpExecArray;
      return { name: { text: name, span }, value: { text: value, span } };
    });
  const body = head_end < 0 ? '' : text.slice(head_end + 4);
  return { version: { text: text.slice(0, end), span }, fields, body: body === '' ? undefined : body };
}

function warnOfHidden({ version, fields = [], body }: Hidden, { report }: Context): void {
  const words = fields.map(({ name, value }) => ` hdr ${name.text} ${quoted(value.text)}`);
  if (body !== undefined) words.push(` body ${quoted(body)}`);
  const mend = words.length === 0 ? 'Write the version alone.' : `Write \`http-check send${words.join('')}\`.`;
  report.warning(version.span, 'deprecated', 'Headers behind the version of `option httpchk` are deprecated.', mend);
}

/** As it can be written into a configuration. */
function quoted(text: string): string {
  return /^[\w.:/@=,;*+-]+$/.test(text) ? text : `'${text}'`;
}
