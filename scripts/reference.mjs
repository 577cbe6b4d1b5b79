// `npm run docs`: writes what docs/reference can take from the code itself; with --check only compares.
//
//   haproxy.md     from the parser's keyword tables, up to the marker behind which people write
//   runtime-api.md the tables of commands, between their markers, from the command table
//   scenarios.md   the table of scenarios, between its two markers, from their titles
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from './build.mjs';

const BY_HAND = '<!-- From here on written by hand. -->';

build();
const folder = new URL('../docs/reference/', import.meta.url);
await keep(new URL('haproxy.md', folder), haproxyReference);
await keep(new URL('runtime-api.md', folder), runtimeReference);
await keep(new URL('scenarios.md', folder), scenariosReference);

/** @param {URL} file @param {(text: string) => Promise<string>} renew the file's text to what it should be */
async function keep(file, renew) {
  const text = readFileSync(file, 'utf8');
  const wanted = await renew(text);
  if (text === wanted) return;
  if (!process.argv.includes('--check')) return writeFileSync(file, wanted);
  const name = file.pathname.split('/').at(-1);
  process.stderr.write(`docs/reference/${name} is not what the code says: run npm run docs\n`);
  process.exitCode = 1;
}

/** @param {string} text */
async function runtimeReference(text) {
  const load = (/** @type {string} */ name) => import(new URL(`../dist/control/runtime/${name}`, import.meta.url).href);
  const { RUNTIME_COMMANDS } = await load('table.js');
  const { MISSING_COMMANDS } = await load('missing.js');
  /** @param {{ usage: string }} a @param {{ usage: string }} b */
  const byUsage = (a, b) => (a.usage < b.usage ? -1 : 1);
  /** @param {{ usage: string, level: string, help: string }[]} commands */
  const there = (commands) =>
    [...commands].sort(byUsage).map(({ usage, level, help }) => `| ${code(cell(usage))} | ${level} | ${cell(help)} |`);
  /** @param {{ usage: string, why: string }[]} commands */
  const missing = (commands) =>
    [...commands].sort(byUsage).map(({ usage, why }) => `| ${code(cell(usage))} | ${cell(why)} |`);
  return text
    .replace(/(<!-- commands.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
      return `${before}| command | level | what it does |\n|---|---|---|\n${there(RUNTIME_COMMANDS).join('\n')}${after}`;
    })
    .replace(/(<!-- missing.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
      return `${before}| command | why not |\n|---|---|\n${missing(MISSING_COMMANDS).join('\n')}${after}`;
    });
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|');
}

/** @param {string} text */
async function scenariosReference(text) {
  const { listScenarios } = await import(new URL('../dist/lab/lab.js', import.meta.url).href);
  /** @type {{ name: string, title: string }[]} */
  const scenarios = listScenarios();
  const rows = scenarios.map(({ name, title }) => `| ${code(name)} | ${title} |`).join('\n');
  return text.replace(/(<!-- scenarios.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
    return `${before}| scenario | what it shows |\n|---|---|\n${rows}${after}`;
  });
}

/** @param {string} before */
async function haproxyReference(before) {
  const tables = new URL('../dist/config/haproxy/', import.meta.url);
  const load = (/** @type {string} */ name) => import(new URL(name, tables).href);
  const { CARP_KEYWORDS } = await load('carp.js');
  const { GLOBAL_KEYWORDS } = await load('global.js');
  const { GLOBAL_CARP_KEYWORDS } = await load('global-carp.js');
  const { PROXY_KEYWORDS } = await load('proxy.js');
  const { TIMEOUTS } = await load('timeouts.js');
  const { OPTIONS } = await load('options.js');
  const { BIND_WORDS } = await load('bind-words.js');
  const { SERVER_WORDS } = await load('server.js');
  const { HTTP_ERRORS_KEYWORDS } = await load('error-file.js');
  const { RESOLVERS_KEYWORDS } = await load('resolvers.js');
  const { RING_KEYWORDS } = await load('ring.js');
  const { USERLIST_KEYWORDS } = await load('userlist.js');
  const { FETCHES } = await load('conditions/sample-names.js');
  const { CONVERTERS } = await load('conditions/converter-names.js');
  const known = await load('known-keywords.js');
  return `# haproxy.cfg: what carpool understands

<!-- Written by npm run docs from the parser's tables, as far as the other marker. -->

A file that HAProxy runs can be given to carpool as it is. What is not listed here is an error that names the line. What is
listed under "Accepted without effect" gets a warning that says what is lost. The meaning of each keyword is that of HAProxy's manual, but for
[some deliberate differences](#where-carpool-differs-from-haproxy).

## carp

carpool's own section, one for each vhid; see [carp.md](carp.md).

${table(CARP_KEYWORDS)}

## global

${table([...GLOBAL_KEYWORDS, ...GLOBAL_CARP_KEYWORDS].filter(hasEffect))}

## defaults, frontend, listen, backend

${table(PROXY_KEYWORDS.filter(hasEffect), sectionsOf)}

### timeout

${table(TIMEOUTS.filter(hasEffect), sectionsOf)}

### option

${table(OPTIONS.filter(hasEffect), sectionsOf)}

### Words of a bind line

${table(BIND_WORDS.filter(hasEffect))}

### Words of a server line

${table(SERVER_WORDS.filter(hasEffect))}

## resolvers

${table(RESOLVERS_KEYWORDS)}

## ring

${table(RING_KEYWORDS)}

## userlist

${table(USERLIST_KEYWORDS)}

## http-errors

${table(HTTP_ERRORS_KEYWORDS)}

## Samples

One table for ACLs and conditions, \`%[…]\` of log formats, and \`balance hash\`. What tells of the response or of the end of a request is for
log formats only.

- fetches: ${missing(FETCHES.keys(), [])}
- and, with \`_beg\`, \`_end\`, \`_sub\` and so on behind them, in conditions: \`path\`, \`url\`, \`base\`, \`hdr\`, \`cook\`, \`urlp\`, \`url_param\`
- converters: ${missing(CONVERTERS.keys(), [])}

## Requests that are refused or changed

| request | HAProxy 2.6 | carpool |
| --- | --- | --- |
| Lines that end with a bare LF, folded fields, control characters in values, empty elements or HTTP/1.0 beside Transfer-Encoding, blanks after the size of a chunk, trailers that are no fields, or frame or route, several blanks in the request line, versions 0.x and 2 to 9, no Host or two equal ones or one that is no host, targets and CONNECT against RFC 9112 section 3.2, lengths beyond 10^15 | passes them on, most of them mended | 400 (505 for the versions) and a closed connection: another parser may read them in another way |
| A transfer coding besides chunked | 422 | 400 |
| Fields that \`Connection\` names | pass | end here, but not what frames or routes |
| \`Upgrade: h2c\`, or \`Upgrade\` that \`Connection\` does not name | passes | ends here, and the request goes on without it |
| HTTP/2 from its first byte on, without TLS | is understood | 505 |

## Accepted without effect

${list(GLOBAL_KEYWORDS, 'global')}
${list(PROXY_KEYWORDS, 'proxies')}
${list(OPTIONS, 'option')}
${list(TIMEOUTS, 'timeout')}
${list(BIND_WORDS, 'words of a bind line')}
${list(SERVER_WORDS, 'words of a server line')}
- global: every \`tune.\` setting

## Refused so far

What HAProxy has and carpool does not: an error that says so, so that no file seems to do what it does not.

- sections: ${missing(known.HAPROXY_SECTIONS, ['global', 'defaults', 'frontend', 'backend', 'listen', 'resolvers', 'ring', 'userlist', 'http-errors', 'mailers'])}
- global: ${missing(known.HAPROXY_GLOBAL, [...names(GLOBAL_KEYWORDS), ...names(GLOBAL_CARP_KEYWORDS)])}
- proxies: ${missing(known.HAPROXY_PROXY.keys(), names(PROXY_KEYWORDS))}
- option: ${missing(known.HAPROXY_OPTIONS.keys(), names(OPTIONS))}
- words of a bind line: ${missing(known.HAPROXY_BIND_WORDS.keys(), names(BIND_WORDS))}
- words of a server line: ${missing(known.HAPROXY_SERVER_WORDS.keys(), names(SERVER_WORDS))}

## Dropped by HAProxy

What files for its versions 1.3 to 1.9 still have: an error there and here, with what is written today.

| written once | today |
| --- | --- |
${droppedRows(await load('dropped.js'))}
| \`listen NAME ADDRESS:PORT\` | Write \`bind ADDRESS:PORT\` below. |

${BY_HAND}${before.split(BY_HAND)[1] ?? '\n'}`;
}

/** @param {Record<'DROPPED_KEYWORDS' | 'DROPPED_OPTIONS', { name: string, mend: string }[]>} lists */
function droppedRows({ DROPPED_KEYWORDS, DROPPED_OPTIONS }) {
  const options = DROPPED_OPTIONS.map(({ name, mend }) => ({ name: `option ${name}`, mend }));
  return [...DROPPED_KEYWORDS, ...options].map(({ name, mend }) => `| ${code(name)} | ${cell(mend)} |`).join('\n');
}

/** @typedef {{ name: string, help: string, has_effect?: boolean, sections?: string[] }} Row */

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

/** @param {string} word */
function code(word) {
  return `\`${word}\``;
}
