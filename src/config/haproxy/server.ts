/** `server NAME HOST[:PORT] [words …]` and `default-server [words …]` (manual 5.2). */
import { NOWHERE } from '../diagnostic.ts';
import type { Server } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { CHECK_WORDS, finishAgent, finishCheck, finishTrack } from './checks/server-words.ts';
import { copySettings, type ProxyDraft, type ServerDraft, type ServerSettings } from './drafts.ts';
import { type Context, checkName, type Statement } from './keyword.ts';
import { firstTlsWord, HAPROXY_SERVER_WORDS, TLS_WORDS } from './known-keywords.ts';
import { POOL_WORDS } from './pool-words.ts';
import { finishSendProxy, SEND_PROXY_WORDS } from './send-proxy.ts';
import { parseServerAddress } from './server-address.ts';
import { finishResolution, RESOLUTION_WORDS } from './server-resolution.ts';
import { flag, number, oneOf, type ServerWord, time } from './server-word.ts';
import { parseSource } from './tcp-options.ts';

/** Servers of one `server-template`. */
const LONGEST_TEMPLATE = 4096;

export const SERVER_WORDS: readonly ServerWord[] = [
  ...CHECK_WORDS,
  ...RESOLUTION_WORDS,
  ...SEND_PROXY_WORDS,
  ...POOL_WORDS,
  time(
    'tcp-ut',
    'How long the kernel tries to get bytes through to it before it gives the connection up.',
    'tcp_ut_ms',
    (settings, time_ms) => {
      settings.tcp_ut_ms = time_ms;
    },
  ),
  {
    name: 'source',
    help: 'The address that connections to it, and its checks, come from; with `interface` the interface that they leave by.',
    field: 'source',
    takes_value: true,
    followers: ['interface', 'usesrc'],
    parse: (settings, value, context, more) => {
      settings.source = parseSource([value, ...more], value, context) ?? settings.source;
    },
  },
  flag(
    'backup',
    'Use it only when no server without `backup` works.',
    'backup',
    (settings) => (settings.backup = true),
  ),
  flag('no-backup', 'Undo a `backup` of `default-server`.', 'backup', (settings) => (settings.backup = false)),
  flag('disabled', 'Start in maintenance.', 'disabled', (settings) => (settings.disabled = true)),
  flag('enabled', 'Undo a `disabled` of `default-server`.', 'disabled', (settings) => (settings.disabled = false)),
  number(
    'weight',
    'Share of the traffic, 0 to 256 (1); 0 takes no new traffic.',
    'weight',
    [0, 256],
    (settings, value) => (settings.weight = value),
  ),
  count('maxconn', 'Requests or connections at once (0: any number); more wait.'),
  count('minconn', 'The limit while the backend is idle; it grows to `maxconn` as the backend fills.'),
  count('maxqueue', 'How many may wait for this server (0: any number).'),
  time(
    'slowstart',
    'How long it takes a server that comes back to get its whole share.',
    'slowstart_ms',
    (settings, time_ms) => (settings.slowstart_ms = time_ms),
  ),
  number(
    'id',
    'Its number in the backend, for hashes and `balance first` (its place, from 1).',
    'id',
    [1, 2 ** 31 - 1],
    (settings, value) => (settings.id = value),
  ),
  {
    name: 'redir',
    help: 'Send clients of GET and HEAD there, with 302 and this before the path, instead of serving them through here.',
    field: 'redirect',
    takes_value: true,
    parse: parseRedirect,
  },
  {
    name: 'cookie',
    help: "What a client's cookie says to come back to this server.",
    field: 'cookie',
    takes_value: true,
    parse: parseServerCookie,
  },
  oneOf(
    'observe',
    'Learn from traffic whether it works, at `layer4` or `layer7`.',
    ['layer4', 'layer7'],
    (settings, value) => {
      settings.observe = value === 'layer4' ? 4 : 7;
    },
  ),
  oneOf(
    'on-error',
    'What too many errors do: `fastinter`, `fail-check`, `sudden-death` or `mark-down` (fail-check).',
    ['fastinter', 'fail-check', 'sudden-death', 'mark-down'],
    (settings, value) => (settings.on_error = value),
  ),
  number(
    'error-limit',
    'Errors in a row until `on-error` happens (10).',
    'error_limit',
    [1, 2 ** 31 - 1],
    (settings, value) => (settings.error_limit = value),
  ),
  oneOf(
    'on-marked-down',
    'End its sessions when it goes down: `shutdown-sessions`.',
    ['shutdown-sessions'],
    (settings) => {
      settings.shutdown_sessions_when_down = true;
    },
  ),
  oneOf(
    'on-marked-up',
    'End the sessions of backup servers when it comes up: `shutdown-backup-sessions`.',
    ['shutdown-backup-sessions'],
    (settings) => (settings.shutdown_backup_sessions_when_up = true),
  ),
];

/** A limit; 0 is none. */
function count(name: 'maxconn' | 'minconn' | 'maxqueue', help: string): ServerWord {
  return number(name, help, name, [0, 2 ** 31 - 1], (settings, value) => (settings[name] = value || undefined));
}

function parseServerCookie(settings: ServerSettings, value: Word, { report }: Context): void {
  if (/^[\x21-\x7e]+$/.test(value.text) && !/[;,|~]/.test(value.text)) settings.cookie = value.text;
  else {
    const message = `\`${value.text}\` cannot be the value of a cookie.`;
    report.error(value.span, 'bad-value', message, 'Write printable characters other than `;`, `,`, `|` and `~`.');
  }
}

function parseRedirect(settings: ServerSettings, { text, span }: Word, { report }: Context): void {
  if (/^[\x21-\x7e]+$/.test(text)) settings.redirect = text;
  else {
    const message = `\`${text}\` cannot stand before a path.`;
    report.error(span, 'bad-value', message, 'Write for example `redir http://images.example.com`.');
  }
}

export function parseServer(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const { report } = context;
  if (args.length < 2) {
    report.error(
      keyword.span,
      'missing-value',
      '`server` needs a name and an address.',
      'Write for example `server web1 10.0.0.11:80 check`.',
    );
    return;
  }
  const [name, address] = args;
  checkName(name, context);
  draft.spans['servers'] ??= keyword.span;
  const settings = copySettings(draft.default_server);
  parseServerWords(settings, args.slice(2), context);
  const parts = parseServerAddress(address, context);
  if (parts === undefined) return;
  const server: ServerDraft = { name: name.text, ...parts, settings, span: spanOf([keyword, ...args]) };
  server.settings.spans['name'] = name.span;
  server.settings.spans['host'] = address.span;
  draft.servers.push(server);
}

/** `server-template PREFIX NUM[-NUM] ADDRESS[:PORT] [words …]`: servers that differ in their names only; `set server` may move them. */
export function parseServerTemplate(draft: ProxyDraft, statement: Statement, context: Context): undefined {
  const { keyword, args } = statement;
  const { report } = context;
  if (args.length < 3) {
    const mend = 'Write for example `server-template web 1-3 web.example.com:80 check`.';
    return report.error(
      keyword.span,
      'missing-value',
      '`server-template` needs a prefix, a number and an address.',
      mend,
    );
  }
  const [prefix, numbers, address, ...words] = args;
  checkName(prefix, context);
  draft.spans['servers'] ??= keyword.span;
  const settings = copySettings(draft.default_server);
  parseServerWords(settings, words, context);
  const range = parseNumbers(numbers, context);
  const parts = parseServerAddress(address, context);
  if (parts === undefined || range === undefined) return;
  Object.assign(settings.spans, { name: prefix.span, host: address.span });
  for (let number = range.first; number <= range.last; number++) {
    const own = copySettings(settings);
    draft.servers.push({ name: `${prefix.text}${number}`, ...parts, settings: own, span: spanOf([keyword, ...args]) });
  }
}

function parseNumbers(word: Word, { report }: Context): { first: number; last: number } | undefined {
  const match = /^(?:(\d{1,6})-)?(\d{1,6})$/.exec(word.text);
  const range = match && { first: Number(match[1] ?? 1), last: Number(match[2]) };
  if (range && range.last >= range.first && range.last - range.first < LONGEST_TEMPLATE) return range;
  const message = `\`${word.text}\` does not say how many servers there are.`;
  const mend = `Write a number such as \`3\`, or a range such as \`1-3\`, of at most ${LONGEST_TEMPLATE} servers.`;
  return report.error(word.span, 'out-of-range', message, mend);
}

export function parseDefaultServer(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  if (args.length === 0)
    context.report.error(
      keyword.span,
      'missing-value',
      '`default-server` needs at least one word, such as `inter 5s`.',
    );
  parseServerWords(draft.default_server, args, context);
}

function parseServerWords(settings: ServerSettings, words: readonly Word[], context: Context): void {
  const tls = firstTlsWord(words);
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (TLS_WORDS.has(word.text) && word !== tls) {
      at += HAPROXY_SERVER_WORDS.get(word.text) ?? 0;
      continue;
    }
    const known = SERVER_WORDS.find(({ name }) => name === word.text);
    if (known === undefined) {
      reportUnknown(word, context);
      at += HAPROXY_SERVER_WORDS.get(word.text) ?? 0;
      continue;
    }
    settings.spans[known.field] = word.span;
    if (!known.takes_value) known.parse(settings, word, context, []);
    else if (at + 1 < words.length) {
      const value = words[++at];
      const first = at + 1;
      while (known.followers?.includes(words[at + 1]?.text ?? '')) at += 2;
      known.parse(settings, value, context, words.slice(first, at + 1));
    } else context.report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
  }
}

function reportUnknown(word: Word, { report }: Context): void {
  if (HAPROXY_SERVER_WORDS.has(word.text)) {
    report.error(
      word.span,
      'unsupported-keyword',
      `\`${word.text}\` on a \`server\` line is not supported yet${TLS_WORDS.has(word.text) ? ': carpool speaks no TLS' : ''}.`,
      'Remove it; the server works without it only if it does not need it.',
    );
  } else {
    report.error(
      word.span,
      'unknown-keyword',
      `\`${word.text}\` is not a word that \`server\` knows.`,
      didYouMean(word.text, HAPROXY_SERVER_WORDS.keys()),
    );
  }
}

/** The draft as the model wants it; `backend` is the name of the section that it stands in. */
export function finishServer(draft: ServerDraft, backend: string, report: Reporter): Server {
  const { name, host, address, port, port_offset, settings, span } = draft;
  const { weight, backup, disabled, spans } = settings;
  const { id, maxconn, minconn, maxqueue, slowstart_ms, cookie } = settings;
  const { shutdown_sessions_when_down, shutdown_backup_sessions_when_up } = settings;
  return {
    name,
    host,
    init_addresses: settings.init_addresses,
    resolution: finishResolution(settings),
    endpoint: { address, port },
    port_offset,
    takes_rest: settings.takes_rest,
    redirect: settings.redirect,
    weight,
    backup,
    disabled,
    id,
    // as in HAProxy: the lower limit alone is the limit, and it is never the greater one
    maxconn: maxconn ?? minconn,
    minconn: minconn !== undefined && maxconn !== undefined && minconn < maxconn ? minconn : undefined,
    maxqueue,
    slowstart_ms,
    cookie,
    send_proxy: finishSendProxy(settings),
    tcp_ut_ms: settings.tcp_ut_ms,
    pool_max_conn: settings.pool_max_conn,
    max_reuse: settings.max_reuse,
    source: settings.source,
    observe: observeOf(settings, report),
    shutdown_sessions_when_down,
    shutdown_backup_sessions_when_up,
    check: finishCheck(settings),
    agent: finishAgent(settings),
    track: finishTrack(settings, backend),
    span,
    spans,
  };
}

function observeOf({ observe, error_limit, on_error, check, spans }: ServerSettings, report: Reporter) {
  if (observe === undefined) return undefined;
  if (check) return { layer: observe, error_limit, on_error };
  const message = '`observe` of a server without `check` has no effect: nothing would bring it back.';
  return report.warning(spans['observe'] ?? NOWHERE, 'no-effect', message, 'Add `check`.');
}
