/** `option NAME …` and `no option NAME` of proxies (manual 4.2 "option"). */

import type { HttpConnections } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import { CHECK_OPTIONS } from './checks/options.ts';
import { setTransparent } from './dispatch.ts';
import type { ProxyDraft } from './drafts.ts';
import { DROPPED_OPTIONS, reportDropped } from './dropped.ts';
import { setForwardFor, setOriginalTo } from './forwardfor.ts';
import type { SectionKind } from './keyword.ts';
import { ALL_PROXIES, BACK, type Context, FRONT, refuseMore, type Statement } from './keyword.ts';
import { HAPROXY_OPTIONS } from './known-keywords.ts';
import { HTTPLOG_OPTION } from './log-format.ts';
import { didYouMeanIn, reportWrongSection, sectionsByName, sectionsOf } from './wrong-section.ts';

export type Option = {
  readonly name: string;
  readonly sections: readonly SectionKind[];
  readonly help: string;
  readonly has_effect: boolean;
  /** The model's field that it sets, for `spans`. */
  readonly field?: string;
  /** `words` are those after the option's name; `enable` is false after `no`. */
  readonly set: (draft: ProxyDraft, enable: boolean, words: readonly Word[], context: Context, name: Word) => void;
};

type Set = (draft: ProxyDraft, enable: boolean) => void;

const option = (name: string, sections: readonly SectionKind[], field: string, help: string, set: Set): Option => ({
  name,
  sections,
  help,
  has_effect: true,
  field,
  set: (draft, enable, words, { report }, nameWord) => {
    refuseMore(words, nameWord, report);
    set(draft, enable);
  },
});

/** What carpool does in any case. */
const alreadySo = (name: string, sections: readonly SectionKind[], help: string): Option => ({
  name,
  sections,
  help,
  has_effect: true,
  set: (_draft, enable, _words, { report }, nameWord) => {
    if (!enable)
      report.warning(nameWord.span, 'no-effect', `\`no option ${name}\` has no effect yet: carpool always does it.`);
  },
});

/** The last one written wins; `no` of another one than that changes nothing. */
const afterResponse = (name: string, mode: HttpConnections['after_response'], help: string): Option =>
  option(name, ALL_PROXIES, 'http', help, ({ http }, enable) => {
    if (enable) http.after_response = mode;
    else if (http.after_response === mode) http.after_response = 'keep-alive';
  });

const ignored = (name: string, sections: readonly SectionKind[], lost: string): Option => ({
  name,
  sections,
  help: `Accepted without effect: ${lost}.`,
  has_effect: false,
  set: (_draft, enable, _words, { report }, nameWord) => {
    if (enable) report.warning(nameWord.span, 'no-effect', `\`option ${name}\` has no effect yet: ${lost}.`);
  },
});

/** Known, and an error with its reason. */
const refused = (name: string, reason: string): Option => ({
  name,
  sections: BACK,
  help: `Refused: ${reason}.`,
  has_effect: true,
  set: (_draft, enable, _words, { report }, nameWord) => {
    if (enable) report.error(nameWord.span, 'unsupported-keyword', `\`option ${name}\` cannot be used: ${reason}.`);
  },
});

/** The older name and the newer one of each. */
const LAX_OPTIONS: readonly Option[] = ['accept-invalid-http-', 'accept-unsafe-violations-in-http-'].flatMap(
  (prefix) => [
    option(
      `${prefix}request`,
      FRONT,
      'http',
      'Take requests with bytes that no standard has there in targets, names and values of fields, but none that could be read in two ways.',
      (draft, enable) => (draft.http.lax_requests = enable),
    ),
    option(
      `${prefix}response`,
      BACK,
      'http',
      "The same for the names and values of servers' responses.",
      (draft, enable) => (draft.http.lax_responses = enable),
    ),
  ],
);

export const OPTIONS: readonly Option[] = [
  { name: 'httplog', sections: FRONT, field: 'log_format', ...HTTPLOG_OPTION },
  option(
    'httpslog',
    FRONT,
    'log_format',
    'Log one line per request, in HTTPS format; what only TLS knows is `-`.',
    (draft, enable) => (draft.log_format = { kind: enable ? 'httpslog' : 'none' }),
  ),
  option(
    'tcplog',
    ALL_PROXIES,
    'log_format',
    'Log one line per connection, in TCP format.',
    (draft, enable) => (draft.log_format = { kind: enable ? 'tcplog' : 'none' }),
  ),
  option(
    'dontlognull',
    FRONT,
    'log_null',
    'Do not log connections on which nothing was sent.',
    (draft, enable) => (draft.log_null = !enable),
  ),
  option(
    'dontlog-normal',
    FRONT,
    'log_normal',
    'Log only what went wrong.',
    (draft, enable) => (draft.log_normal = !enable),
  ),
  option(
    'log-separate-errors',
    FRONT,
    'log_separate_errors',
    'Log what went wrong at level err instead of info.',
    (draft, enable) => (draft.log_separate_errors = enable),
  ),
  option(
    'logasap',
    FRONT,
    'log_asap',
    "Log when the response's head is there, with `+` before the time and the bytes so far.",
    (draft, enable) => (draft.log_asap = enable),
  ),
  {
    name: 'redispatch',
    field: 'redispatch',
    sections: BACK,
    help: 'Which retries may leave the server that a cookie or a hash names (-1: the last).',
    has_effect: true,
    set: setRedispatch,
  },
  option(
    'persist',
    BACK,
    'persist',
    "Stay with the cookie's server even when it is down.",
    (draft, enable) => (draft.persist = enable),
  ),
  option(
    'allbackups',
    BACK,
    'all_backups',
    'All backup servers take traffic, not only the first that works.',
    (draft, enable) => (draft.all_backups = enable),
  ),
  {
    name: 'forwardfor',
    field: 'forwardfor',
    sections: ALL_PROXIES,
    help: "Add the client's address to requests, in X-Forwarded-For.",
    has_effect: true,
    set: setForwardFor,
  },
  {
    name: 'originalto',
    field: 'originalto',
    sections: ALL_PROXIES,
    help: 'Add the address that the client connected to, in X-Original-To.',
    has_effect: true,
    set: setOriginalTo,
  },
  ...CHECK_OPTIONS,
  afterResponse('http-keep-alive', 'keep-alive', 'Keep connections open on both sides between requests.'),
  afterResponse('http-server-close', 'server-close', "Close the server's connection after each response."),
  afterResponse(
    'httpclose',
    'close',
    "Close connections after each response: the client's by a frontend, the server's by either.",
  ),
  option(
    'http-pretend-keepalive',
    BACK,
    'http',
    'Do not tell servers that their connection will be closed.',
    (draft, enable) => (draft.http.pretend_keepalive = enable),
  ),
  option(
    'http-buffer-request',
    ALL_PROXIES,
    'http',
    "Ask a server when the request's body is there, or a buffer full of it.",
    (draft, enable) => (draft.http.buffer_request = enable),
  ),
  ...LAX_OPTIONS,
  {
    name: 'http-restrict-req-hdr-names',
    field: 'http',
    sections: ALL_PROXIES,
    help: 'What becomes of request fields whose names are not letters, digits and hyphens: `preserve`, `delete`, or with `reject` 403.',
    has_effect: true,
    set: setRestrictNames,
  },
  {
    name: 'transparent',
    sections: BACK,
    help: 'Requests that no cookie binds to a server go to the address and port that the client connected to.',
    has_effect: true,
    set: (draft, enable, words, { report }, name) => {
      refuseMore(words, name, report);
      setTransparent(draft, enable, name.span);
    },
  },
  option(
    'checkcache',
    BACK,
    'http',
    'Answer with 502 instead of a response that a cache could keep together with its cookie.',
    (draft, enable) => (draft.http.check_cache = enable),
  ),
  option(
    'abortonclose',
    BACK,
    'http',
    'Give up requests whose client closed its side before the response began.',
    (draft, enable) => (draft.http.abort_on_close = enable),
  ),
  alreadySo('tcp-smart-accept', FRONT, 'Left to the kernel.'),
  alreadySo('tcp-smart-connect', BACK, 'Left to the kernel.'),
  alreadySo('splice-auto', ALL_PROXIES, 'Carpool chooses how bytes move.'),
  alreadySo('splice-request', ALL_PROXIES, 'Carpool chooses how bytes move.'),
  alreadySo('splice-response', ALL_PROXIES, 'Carpool chooses how bytes move.'),
  alreadySo('http-no-delay', ALL_PROXIES, 'Data is always sent without delay.'),
  option(
    'http-ignore-probes',
    FRONT,
    'http',
    'Neither answer nor log clients that say nothing before they go, or until their time is over.',
    (draft, enable) => (draft.http.ignore_probes = enable),
  ),
  option(
    'prefer-last-server',
    BACK,
    'http',
    'With `http-reuse never`, a client goes back to the server that its last request left a connection to. Where servers ask connections to log in (NTLM) it is always so.',
    (draft, enable) => (draft.http.prefer_last_server = enable),
  ),
  ignored('independent-streams', ALL_PROXIES, 'bytes of either direction show that a connection is in use'),
  ignored('nolinger', ALL_PROXIES, 'connections are closed in good order'),
  ignored('h1-case-adjust-bogus-client', FRONT, 'names of header fields are sent on as they came'),
  ignored('h1-case-adjust-bogus-server', BACK, 'names of header fields are sent on as they came'),
  ignored('idle-close-on-response', FRONT, 'a reload closes no idle connection, and a stop drains first'),
  ignored('disable-h2-upgrade', FRONT, 'HTTP/2 is not supported'),
  refused('spop-check', 'there is no SPOE filter whose agents it could check'),
  ignored('contstats', FRONT, 'counters are updated at the end of a request'),
  option(
    'socket-stats',
    FRONT,
    'socket_stats',
    'Count each `bind` for itself, too.',
    (draft, enable) => (draft.socket_stats = enable),
  ),
  option('tcpka', ALL_PROXIES, 'tcpka', 'Let the kernel probe quiet connections on both sides.', (draft, enable) => {
    draft.tcpka.client = enable;
    draft.tcpka.server = enable;
  }),
  option('clitcpka', FRONT, 'tcpka', 'Let the kernel probe quiet connections of clients.', (draft, enable) => {
    draft.tcpka.client = enable;
  }),
  option('srvtcpka', BACK, 'tcpka', 'Let the kernel probe quiet connections to servers.', (draft, enable) => {
    draft.tcpka.server = enable;
  }),
];

/** Ours and HAProxy's other ones. */
const ALL = sectionsByName([...HAPROXY_OPTIONS].map(([name, letters]) => [name, sectionsOf(letters)] as const));

export function parseOption(draft: ProxyDraft, { keyword, args, negated }: Statement, context: Context): void {
  const { report } = context;
  if (args.length === 0) {
    report.error(
      keyword.span,
      'missing-value',
      '`option` needs the name of an option.',
      'Write for example `option httplog`.',
    );
    return;
  }
  const [name, ...words] = args;
  const known = OPTIONS.find((candidate) => candidate.name === name.text);
  if (known === undefined) reportUnknown(name, words, draft.kind, negated, context);
  else if (!known.sections.includes(draft.kind))
    reportWrongSection(`option ${name.text}`, name.span, draft.kind, known.sections, report);
  else {
    if (known.field !== undefined) draft.spans[known.field] = name.span;
    known.set(draft, !negated, words, context, name);
  }
}

function reportUnknown(
  name: Word,
  words: readonly Word[],
  kind: SectionKind,
  negated: boolean,
  { report }: Context,
): void {
  if (reportDropped(DROPPED_OPTIONS, name, words, report)) return;
  if (!HAPROXY_OPTIONS.has(name.text)) {
    report.error(
      name.span,
      'unknown-keyword',
      `\`${name.text}\` is not an option.`,
      didYouMeanIn(kind, name.text, ALL),
    );
  } else if (!negated) {
    report.error(
      name.span,
      'unsupported-keyword',
      `\`option ${name.text}\` is not supported yet.`,
      'Remove it if the set-up can do without.',
    );
  }
}

function setRestrictNames(
  draft: ProxyDraft,
  _enable: boolean,
  words: readonly Word[],
  { report }: Context,
  name: Word,
): void {
  const [policy, ...more] = words;
  refuseMore(more, policy ?? name, report);
  const { text } = policy ?? { text: '' };
  if (text === 'preserve' || text === 'delete' || text === 'reject') draft.http.restrict_names = text;
  else {
    const message = '`option http-restrict-req-hdr-names` needs `preserve`, `delete` or `reject`.';
    report.error((policy ?? name).span, 'unknown-value', message, didYouMean(text, ['preserve', 'delete', 'reject']));
  }
}

/** `option redispatch [INTERVAL]`; 0 is off. */
function setRedispatch(
  draft: ProxyDraft,
  enable: boolean,
  words: readonly Word[],
  { report }: Context,
  name: Word,
): void {
  const [interval, ...more] = words;
  refuseMore(more, interval ?? name, report);
  if (interval !== undefined && !/^-?\d{1,9}$/.test(interval.text)) {
    const message = `The interval \`${interval.text}\` of \`option redispatch\` is not a whole number.`;
    report.error(interval.span, 'not-a-number', message, 'Write for example `option redispatch 1`.');
    return;
  }
  const every = interval === undefined ? -1 : Number(interval.text);
  draft.redispatch = enable && every !== 0 ? every : undefined;
}
