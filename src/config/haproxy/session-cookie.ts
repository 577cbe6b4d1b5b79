/** `cookie NAME [rewrite|insert|prefix] …` and `dynamic-cookie-key KEY` (manual 4.2 "cookie"). */
import type { SessionCookie } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration } from '../values.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, onlyArgument, type Statement } from './keyword.ts';
import { isToken } from './token.ts';

/** A response's head must have room for it. */
const LONGEST = 500;

type Draft = { -readonly [K in keyof SessionCookie]: SessionCookie[K] };

const MODES = ['rewrite', 'insert', 'prefix'] as const;
const FLAGS = ['indirect', 'nocache', 'postonly', 'preserve', 'httponly', 'secure', 'dynamic'] as const;
const WITH_VALUE = ['domain', 'attr', 'maxidle', 'maxlife'] as const;
const ALL_WORDS: readonly string[] = [...MODES, ...FLAGS, ...WITH_VALUE];

export function parseCookie(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [name, ...words] = args;
  if (name === undefined) {
    const mend = 'Write for example `cookie SRV insert indirect nocache`.';
    return report.error(keyword.span, 'missing-value', '`cookie` needs a name.', mend);
  }
  if (!isToken(name.text)) {
    const message = `\`${name.text}\` cannot be the name of a cookie.`;
    return report.error(name.span, 'bad-name', message, 'Write letters, digits, `-` and `_`.');
  }
  const cookie = newCookie(name.text);
  for (let at = 0; at < words.length; at++) {
    const takes_value = WITH_VALUE.some((known) => known === words[at].text);
    const value = takes_value ? words[at + 1] : undefined;
    if (takes_value && value === undefined) {
      return report.error(words[at].span, 'missing-value', `\`${words[at].text}\` of a cookie needs a value.`);
    }
    readWord(cookie, words[at], value, report);
    if (takes_value) at++;
  }
  draft.spans['cookie'] = name.span;
  draft.cookie = cookie;
  checkTogether(cookie, name, report);
}

function newCookie(name: string): Draft {
  return {
    name,
    mode: 'passive',
    indirect: false,
    nocache: false,
    postonly: false,
    preserve: false,
    httponly: false,
    secure: false,
    domains: [],
    attributes: [],
    maxidle_s: undefined,
    maxlife_s: undefined,
    dynamic: false,
  };
}

function readWord(cookie: Draft, word: Word, value: Word | undefined, report: Reporter): undefined {
  const mode = MODES.find((known) => known === word.text);
  const flag = FLAGS.find((known) => known === word.text);
  if (value !== undefined) return readValue(cookie, word, value, report);
  if (mode !== undefined && cookie.mode !== 'passive' && cookie.mode !== mode) {
    const message = `A cookie cannot be both \`${cookie.mode}\` and \`${mode}\`.`;
    return report.error(word.span, 'contradiction', message, 'Keep one of `rewrite`, `insert` and `prefix`.');
  }
  if (mode !== undefined) cookie.mode = mode;
  else if (flag !== undefined) cookie[flag] = true;
  else {
    const message = `\`${word.text}\` is not a word that \`cookie\` knows.`;
    return report.error(word.span, 'unknown-keyword', message, didYouMean(word.text, ALL_WORDS));
  }
}

/** Nothing in a value may end the attribute or the header early. */
function readValue(cookie: Draft, word: Word, value: Word, report: Reporter): undefined {
  if (word.text === 'maxidle' || word.text === 'maxlife') {
    const bare = /^\d+$/.test(value.text); // seconds, unlike other times
    const time_ms = parseDuration(bare ? { ...value, text: `${value.text}s` } : value, word.text, report);
    const field = word.text === 'maxidle' ? 'maxidle_s' : 'maxlife_s';
    if (time_ms !== undefined) cookie[field] = Math.ceil(time_ms / 1000) || undefined;
    return;
  }
  const bad = /[^\x20-\x7e]|;/.exec(value.text);
  if (bad !== null) {
    const message = `The ${word.text} \`${value.text}\` has a character that a cookie cannot hold.`;
    return report.error(value.span, 'bad-value', message, 'Write printable characters other than `;`.');
  }
  if (word.text === 'domain' && !value.text.includes('.', 1)) {
    const message = `The domain \`${value.text}\` has no dot inside: most browsers refuse such a cookie.`;
    report.warning(value.span, 'bad-value', message);
  }
  if (word.text === 'domain') cookie.domains = [...cookie.domains, value.text];
  else cookie.attributes = [...cookie.attributes, value.text];
}

function checkTogether(cookie: Draft, name: Word, report: Reporter): undefined {
  const { mode, preserve, indirect, postonly, nocache, maxidle_s, maxlife_s } = cookie;
  if (indirect && mode === 'rewrite') {
    const message = '`rewrite` and `indirect` of a cookie exclude each other.';
    return report.error(name.span, 'contradiction', message, 'Remove `indirect`, or write `insert`.');
  }
  if (cookie.name.length + [...cookie.domains, ...cookie.attributes].join('').length > LONGEST) {
    const message = `The name, domains and attributes of a cookie may have ${LONGEST} characters together.`;
    return report.error(name.span, 'out-of-range', message, 'Remove some.');
  }
  if (preserve && mode !== 'insert' && !indirect) {
    const message = '`preserve` of a cookie needs `insert` or `indirect`.';
    return report.error(name.span, 'contradiction', message, 'Add `insert`, or remove `preserve`.');
  }
  if ((maxidle_s !== undefined || maxlife_s !== undefined) && mode !== 'insert') {
    const message = '`maxidle` and `maxlife` of a cookie need `insert`.';
    return report.error(name.span, 'contradiction', message, 'Add `insert`, or remove them.');
  }
  if ((postonly || nocache) && mode !== 'insert') {
    report.warning(name.span, 'no-effect', '`nocache` and `postonly` of a cookie have an effect with `insert` only.');
  }
}

export function parseDynamicCookieKey(draft: ProxyDraft, statement: Statement, context: Context): void {
  const word = onlyArgument(statement, 'a secret key', context);
  if (word === undefined) return;
  draft.spans['dynamic_cookie_key'] = word.span;
  draft.dynamic_cookie_key = word.text;
}

/** Cookies are HTTP's, and dynamic ones need their key. */
export function usableCookie(draft: ProxyDraft, report: Reporter): SessionCookie | undefined {
  const { cookie, mode, name, spans, span } = draft;
  if (cookie === undefined) return undefined;
  const at = spans['cookie'] ?? span;
  if (mode !== 'http') {
    report.warning(at, 'cookie-needs-http', `The cookie of \`${name}\` needs mode http and is ignored.`);
    return undefined;
  }
  if (cookie.dynamic && draft.dynamic_cookie_key === undefined) {
    const message = `The dynamic cookie of \`${name}\` needs a key, so servers without \`cookie\` have none.`;
    report.warning(at, 'missing-value', message, 'Add `dynamic-cookie-key SECRET`.');
  }
  const named = draft.servers.some(({ settings }) => settings.cookie !== undefined);
  if (!named && !cookie.dynamic && draft.servers.length > 0) {
    const message = `No server of \`${name}\` has a \`cookie\`, so clients are not brought back to their server.`;
    report.warning(at, 'no-effect', message, 'Add for example `cookie s1` to the first server.');
  }
  return cookie;
}
