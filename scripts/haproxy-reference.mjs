// docs/reference/haproxy.md as far as the parser's tables tell it: what is read, what has no effect, what is refused.
import { cell, code } from './markdown.mjs';

const BY_HAND = '<!-- From here on written by hand. -->';

/** @typedef {{ name: string, help: string, has_effect?: boolean, sections?: string[] }} Row */

/** @param {string} before the page as it is, of which what people wrote stays */
export async function haproxyReference(before) {
  const tables = await loadTables();
  const parts = [
    INTRO,
    keywords(tables),
    samples(tables),
    REQUESTS,
    withoutEffect(tables),
    refused(tables),
    dropped(tables),
  ];
  return `${parts.join('\n\n')}\n\n${BY_HAND}${before.split(BY_HAND)[1] ?? '\n'}`;
}

/** Below src/config/haproxy: each exports one table or several. */
const MODULES = [
  'carp',
  'global',
  'global-carp',
  'proxy',
  'timeouts',
  'options',
  'bind-words',
  'server',
  'error-file',
  'resolvers',
  'ring',
  'userlist',
  'conditions/sample-names',
  'conditions/converter-names',
  'known-keywords',
  'dropped',
];
/** @typedef {Record<string, any>} Tables by the names that they are exported under */

async function loadTables() {
  const folder = new URL('../dist/config/haproxy/', import.meta.url);
  const modules = await Promise.all(MODULES.map((name) => import(new URL(`${name}.js`, folder).href)));
  return Object.assign({}, ...modules);
}

const INTRO = `# haproxy.cfg: what carpool understands

<!-- Written by npm run docs from the parser's tables, as far as the other marker. -->

A file that HAProxy runs can be given to carpool as it is. What is not listed here is an error that names the line. What is
listed under "Accepted without effect" gets a warning that says what is lost. The meaning of each keyword is that of HAProxy's manual, but for
[some deliberate differences](#where-carpool-differs-from-haproxy).`;

/** @param {Tables} tables */
function keywords(tables) {
  return `## carp

carpool's own section, one for each vhid; see [carp.md](carp.md).

${table(tables.CARP_KEYWORDS)}

## global

${table([...tables.GLOBAL_KEYWORDS, ...tables.GLOBAL_CARP_KEYWORDS].filter(hasEffect))}

## defaults, frontend, listen, backend

${table(tables.PROXY_KEYWORDS.filter(hasEffect), sectionsOf)}

### timeout

${table(tables.TIMEOUTS.filter(hasEffect), sectionsOf)}

### option

${table(tables.OPTIONS.filter(hasEffect), sectionsOf)}

### Words of a bind line

${table(tables.BIND_WORDS.filter(hasEffect))}

### Words of a server line

${table(tables.SERVER_WORDS.filter(hasEffect))}

## resolvers

${table(tables.RESOLVERS_KEYWORDS)}

## ring

${table(tables.RING_KEYWORDS)}

## userlist

${table(tables.USERLIST_KEYWORDS)}

## http-errors

${table(tables.HTTP_ERRORS_KEYWORDS)}`;
}

/** @param {Tables} tables */
function samples({ FETCHES, CONVERTERS }) {
  return `## Samples

One table for ACLs and conditions, \`%[…]\` of log formats, and \`balance hash\`. What tells of the response or of the end of a request is for
log formats only.

- fetches: ${missing(FETCHES.keys(), [])}
- and, with \`_beg\`, \`_end\`, \`_sub\` and so on behind them, in conditions: \`path\`, \`url\`, \`base\`, \`hdr\`, \`cook\`, \`urlp\`, \`url_param\`
- converters: ${missing(CONVERTERS.keys(), [])}`;
}

const REQUESTS = `## Requests that are refused or changed

| request | HAProxy 2.6 | carpool |
| --- | --- | --- |
| Lines that end with a bare LF, folded fields, control characters in values, empty elements or HTTP/1.0 beside Transfer-Encoding, blanks after the size of a chunk, trailers that are no fields, or frame or route, several blanks in the request line, versions 0.x and 2 to 9, no Host or two equal ones or one that is no host, targets and CONNECT against RFC 9112 section 3.2, lengths beyond 10^15 | passes them on, most of them mended | 400 (505 for the versions) and a closed connection: another parser may read them in another way |
| A transfer coding besides chunked | 422 | 400 |
| Fields that \`Connection\` names | pass | end here, but not what frames or routes |
| \`Upgrade: h2c\`, or \`Upgrade\` that \`Connection\` does not name | passes | ends here, and the request goes on without it |
| HTTP/2 from its first byte on, without TLS | is understood | 505 |`;

/** @param {Tables} tables */
function withoutEffect({ GLOBAL_KEYWORDS, PROXY_KEYWORDS, OPTIONS, TIMEOUTS, BIND_WORDS, SERVER_WORDS }) {
  return `## Accepted without effect

${list(GLOBAL_KEYWORDS, 'global')}
${list(PROXY_KEYWORDS, 'proxies')}
${list(OPTIONS, 'option')}
${list(TIMEOUTS, 'timeout')}
${list(BIND_WORDS, 'words of a bind line')}
${list(SERVER_WORDS, 'words of a server line')}
- global: every \`tune.\` setting`;
}

/** @param {Tables} tables */
function refused(tables) {
  return `## Refused so far

What HAProxy has and carpool does not: an error that says so, so that no file seems to do what it does not.

- sections: ${missing(tables.HAPROXY_SECTIONS, ['global', 'defaults', 'frontend', 'backend', 'listen', 'resolvers', 'ring', 'userlist', 'http-errors', 'mailers'])}
- global: ${missing(tables.HAPROXY_GLOBAL, [...names(tables.GLOBAL_KEYWORDS), ...names(tables.GLOBAL_CARP_KEYWORDS)])}
- proxies: ${missing(tables.HAPROXY_PROXY.keys(), names(tables.PROXY_KEYWORDS))}
- option: ${missing(tables.HAPROXY_OPTIONS.keys(), names(tables.OPTIONS))}
- words of a bind line: ${missing(tables.HAPROXY_BIND_WORDS.keys(), names(tables.BIND_WORDS))}
- words of a server line: ${missing(tables.HAPROXY_SERVER_WORDS.keys(), names(tables.SERVER_WORDS))}`;
}

/** @param {Tables} tables */
function dropped({ DROPPED_KEYWORDS, DROPPED_OPTIONS }) {
  /** @type {{ name: string, mend: string }[]} */
  const rows = [
    ...DROPPED_KEYWORDS,
    ...DROPPED_OPTIONS.map((/** @type {Row} */ row) => ({ ...row, name: `option ${row.name}` })),
  ];
  return `## Dropped by HAProxy

What files for its versions 1.3 to 1.9 still have: an error there and here, with what is written today.

| written once | today |
| --- | --- |
${rows.map(({ name, mend }) => `| ${code(name)} | ${cell(mend)} |`).join('\n')}
| \`listen NAME ADDRESS:PORT\` | Write \`bind ADDRESS:PORT\` below. |`;
}

/** @param {Row} row */
function hasEffect(row) {
  return row.has_effect !== false;
}

/** @param {Row} row */
function sectionsOf(row) {
  const sections = row.sections ?? [];
  return sections.length === 4 ? 'all' : sections.join(', ');
}

/** @param {Row[]} rows @param {((row: Row) => string)} [where] */
function table(rows, where) {
  const cells = rows.map((row) => [code(row.name), ...(where ? [where(row)] : []), row.help.replaceAll('|', '\\|')]);
  const head = ['keyword', ...(where ? ['in'] : []), 'what it does'];
  return [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** @param {Row[]} rows @param {string} title */
function list(rows, title) {
  const names = rows.filter((row) => !hasEffect(row)).map((row) => code(row.name));
  return `- ${title}: ${names.join(', ') || 'none'}`;
}

/** @param {Row[]} rows */
function names(rows) {
  return rows.map(({ name }) => name);
}

/** @param {Iterable<string>} theirs @param {string[]} ours */
function missing(theirs, ours) {
  const words = [...theirs].filter((name) => !ours.includes(name) && !name.startsWith('tune.'));
  return words.sort().map(code).join(', ') || 'none';
}
