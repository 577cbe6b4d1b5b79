/** The keywords of defaults, frontend, listen and backend sections. */
import { HIGHEST_RATE } from '../model-defaults.ts';
import { didYouMean } from '../suggest.ts';
import { parseInteger, reportPlaceholder } from '../values.ts';
import { ALGORITHMS, HASH_FUNCTIONS, parseBalance, parseBalanceFactor, parseHashType } from './balance.ts';
import { parseBind } from './bind.ts';
import { parseExternalCheck } from './checks/external.ts';
import { parseHttpCheck, parseTcpCheck } from './checks/rules.ts';
import { CHOICE_KEYWORDS } from './choices.ts';
import { parseAcl } from './conditions/acl.ts';
import { DISPATCH_KEYWORDS } from './dispatch.ts';
import type { ProxyDraft } from './drafts.ts';
import { parseErrorFile, parseErrorFiles } from './error-file.ts';
import { parseHeaderName } from './forwardfor.ts';
import { HTTP_ERROR_KEYWORDS } from './http-error.ts';
import { parseHttpRequest } from './http-request.ts';
import {
  ALL_PROXIES,
  BACK,
  type Context,
  FRONT,
  type Keyword,
  noArguments,
  onlyArgument,
  refuseMore,
  type Statement,
  withoutEffect,
} from './keyword.ts';
import { parseLogTarget } from './log.ts';
import { LOG_KEYWORDS } from './log-format.ts';
import { parseOption } from './options.ts';
import { parseRetryOn, RETRY_EVENTS } from './retry-on.ts';
import { parseDefaultServer, parseServer, parseServerTemplate } from './server.ts';
import { SERVER_STATE_KEYWORDS } from './server-states.ts';
import { parseCookie, parseDynamicCookieKey } from './session-cookie.ts';
import { parseStatsPage } from './stats-page.ts';
import { TCP_KEYWORDS } from './tcp-options.ts';
import { parseTimeout } from './timeouts.ts';

export const PROXY_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  {
    name: 'bind',
    sections: ['frontend', 'listen'],
    help: 'Listen on an address and port.',
    has_effect: true,
    parse: parseBind,
  },
  {
    name: 'mode',
    sections: ALL_PROXIES,
    help: '`http` to understand requests, `tcp` to pass bytes on.',
    has_effect: true,
    parse: parseMode,
  },
  {
    name: 'default_backend',
    sections: FRONT,
    help: 'The backend that gets the traffic.',
    has_effect: true,
    parse: parseDefaultBackend,
  },
  {
    name: 'server',
    sections: ['listen', 'backend'],
    help: 'A server to balance over.',
    has_effect: true,
    parse: parseServer,
  },
  {
    name: 'server-template',
    sections: ['listen', 'backend'],
    help: 'Servers that differ in the number behind their name, for the addresses of one host name.',
    has_effect: true,
    parse: parseServerTemplate,
  },
  {
    name: 'default-server',
    sections: BACK,
    help: 'Words for the `server` lines that follow.',
    has_effect: true,
    parse: parseDefaultServer,
  },
  {
    name: 'balance',
    sections: BACK,
    help: `How the next server is chosen: ${[...ALGORITHMS.keys()].map((name) => `\`${name}\``).join(', ')}.`,
    has_effect: true,
    parse: parseBalance,
  },
  {
    name: 'hash-type',
    sections: BACK,
    help: `From a hash to a server: \`map-based\` or \`consistent\`, with ${HASH_FUNCTIONS.join(', ')}, and \`avalanche\`.`,
    has_effect: true,
    parse: parseHashType,
  },
  {
    name: 'hash-balance-factor',
    sections: BACK,
    help: 'Percent of the average load that consistent hashing may give to one server.',
    has_effect: true,
    parse: parseBalanceFactor,
  },
  {
    name: 'cookie',
    sections: BACK,
    help: 'The cookie that brings a client back to its server.',
    has_effect: true,
    parse: parseCookie,
  },
  {
    name: 'dynamic-cookie-key',
    sections: BACK,
    help: 'The secret from which `cookie … dynamic` makes the values of servers without `cookie`.',
    has_effect: true,
    parse: parseDynamicCookieKey,
  },
  {
    name: 'fullconn',
    sections: BACK,
    help: 'Connections of the backend at which servers with `minconn` take their `maxconn`.',
    has_effect: true,
    parse: parseCount('fullconn', 1),
  },
  {
    name: 'maxconn',
    sections: FRONT,
    help: 'Connections at once; more wait in the kernel.',
    has_effect: true,
    parse: parseCount('maxconn', 0),
  },
  {
    name: 'rate-limit',
    sections: FRONT,
    help: '`rate-limit sessions N`: new clients in a second (0: any number); more wait in the kernel.',
    has_effect: true,
    parse: parseRateLimit,
  },
  {
    name: 'backlog',
    sections: FRONT,
    help: "Length of the kernel's queue of connections that nobody accepted yet.",
    has_effect: true,
    parse: parseCount('backlog', 1),
  },
  {
    name: 'retries',
    sections: BACK,
    help: 'Attempts to connect after the first (3).',
    has_effect: true,
    parse: parseCount('retries', 0),
  },
  {
    name: 'acl',
    sections: ['frontend', 'listen', 'backend'],
    help: 'Give a name to a question about a request, for the conditions of the rules below.',
    has_effect: true,
    parse: parseAcl,
  },
  {
    name: 'retry-on',
    sections: BACK,
    help: `After which failures a request is tried again (conn-failure): ${RETRY_EVENTS.map((name) => `\`${name}\``).join(', ')}.`,
    has_effect: true,
    parse: parseRetryOn,
  },
  {
    name: 'timeout',
    sections: ALL_PROXIES,
    help: 'How long to wait for one thing before giving up.',
    has_effect: true,
    parse: parseTimeout,
  },
  {
    name: 'option',
    sections: ALL_PROXIES,
    help: 'Switch a behaviour on.',
    has_effect: true,
    negatable: true,
    parse: parseOption,
  },
  {
    name: 'log',
    sections: ALL_PROXIES,
    help: 'Where to log: `global`, stdout, stderr, a UDP address or a socket.',
    has_effect: true,
    negatable: true,
    parse: parseLog,
  },
  {
    name: 'disabled',
    sections: ALL_PROXIES,
    help: 'Do not run this section.',
    has_effect: true,
    parse: setDisabled(true),
  },
  {
    name: 'enabled',
    sections: ALL_PROXIES,
    help: 'Undo a `disabled` of the defaults.',
    has_effect: true,
    parse: setDisabled(false),
  },
  {
    name: 'tcp-check',
    sections: BACK,
    help: 'A rule of `option tcp-check`: `connect`, `send…`, `expect`, `comment`, `set-var`, `unset-var`.',
    has_effect: true,
    parse: parseTcpCheck,
  },
  {
    name: 'http-check',
    sections: BACK,
    help: 'A rule of `option httpchk`: the same, and `disable-on-404`, `send-state`.',
    has_effect: true,
    parse: parseHttpCheck,
  },
  {
    name: 'external-check',
    sections: BACK,
    help: '`command` and `path` of `option external-check`.',
    has_effect: true,
    parse: parseExternalCheck,
  },
  withoutEffect('email-alert', ALL_PROXIES, 'no mail is sent'),
  {
    name: 'stats',
    sections: ALL_PROXIES,
    help: 'The statistics page: `enable`, `uri`, `auth`, `realm`, `refresh`, `admin`, `scope`, `hide-version`, `show-…`.',
    has_effect: true,
    parse: parseStatsPage,
  },
  {
    name: 'http-request',
    sections: ALL_PROXIES,
    help: '`use-service prometheus-exporter`; `set-priority-class SAMPLE`, `set-priority-offset SAMPLE`: who goes first in a queue. Each with or without a condition such as `if { path /metrics }`.',
    has_effect: true,
    parse: parseHttpRequest,
  },
  {
    name: 'errorfile',
    sections: ALL_PROXIES,
    help: 'The whole reply to send for a status code, from a file.',
    has_effect: true,
    parse: parseErrorFile,
  },
  {
    name: 'errorfiles',
    sections: ALL_PROXIES,
    help: 'The replies of an `http-errors` section, all of them or those for the status codes that follow.',
    has_effect: true,
    parse: parseErrorFiles,
  },
  ...HTTP_ERROR_KEYWORDS,
  ...SERVER_STATE_KEYWORDS,
  ...CHOICE_KEYWORDS,
  ...DISPATCH_KEYWORDS,
  ...TCP_KEYWORDS,
  ...LOG_KEYWORDS,
  withoutEffect('description', ['frontend', 'listen', 'backend'], 'nothing shows it'),
  withoutEffect('id', ['frontend', 'listen', 'backend'], 'nothing shows it'),
  withoutEffect('guid', ['frontend', 'listen', 'backend'], 'nothing shows it'),
  {
    name: 'http-reuse',
    sections: BACK,
    help: 'Which requests may go over a connection that another client opened: `never`, `safe`, `aggressive` or `always`.',
    has_effect: true,
    parse: parseReuse,
  },
  withoutEffect('compression', ALL_PROXIES, 'answers are sent on as the servers give them'),
  withoutEffect('load-server-state-from-file', BACK, 'a reload keeps the states of servers, a restart asks them anew'),
  withoutEffect('server-state-file-name', BACK, 'a reload keeps the states of servers, a restart asks them anew'),
  {
    name: 'http-send-name-header',
    sections: BACK,
    help: 'The header field that tells a server its own name.',
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'the name of a header', context);
      if (word) draft.http.name_header = parseHeaderName(word, context.report) ?? draft.http.name_header;
    },
  },
  withoutEffect('bind-process', ALL_PROXIES, 'there is one process'),
  withoutEffect('max-keep-alive-queue', BACK, 'idle connections are always used again'),
];

function parseMode(draft: ProxyDraft, statement: Statement, context: Context): void {
  const mode = onlyArgument(statement, '`http` or `tcp`', context);
  if (mode === undefined) return;
  draft.spans['mode'] = mode.span;
  if (mode.text === 'http' || mode.text === 'tcp') draft.mode = mode.text;
  else if (/^(health|log|spop|haterm)$/.test(mode.text))
    context.report.error(
      mode.span,
      'unsupported-value',
      `\`mode ${mode.text}\` is not supported.`,
      'Write `mode http` or `mode tcp`.',
    );
  else
    context.report.error(
      mode.span,
      'unknown-value',
      `\`${mode.text}\` is not a mode.`,
      didYouMean(mode.text, ['http', 'tcp']) ?? 'Write `mode http` or `mode tcp`.',
    );
}

function parseDefaultBackend(draft: ProxyDraft, statement: Statement, context: Context): void {
  const name = onlyArgument(statement, 'the name of a backend', context);
  if (name === undefined) return;
  draft.spans['default_backend'] = name.span;
  if (!reportPlaceholder(name, 'backend', context.report)) draft.default_backend = name.text;
}

function parseCount(field: 'maxconn' | 'backlog' | 'retries' | 'fullconn', min: number): Keyword<ProxyDraft>['parse'] {
  return (draft, statement, context) => {
    const word = onlyArgument(statement, 'a number', context);
    const value = word && parseInteger(word, { what: field, min, max: 2 ** 31 - 1 }, context.report);
    if (word === undefined || value === undefined) return;
    draft.spans[field] = word.span;
    if (field === 'maxconn') draft.maxconn = value === 0 ? undefined : value;
    else draft[field] = value;
  };
}

function parseRateLimit(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): void {
  const [what, count] = args;
  if (what?.text !== 'sessions' || count === undefined) {
    const message = '`rate-limit` is followed by `sessions` and a number.';
    report.error((what ?? keyword).span, 'bad-value', message, 'Write for example `rate-limit sessions 100`.');
    return;
  }
  refuseMore(args.slice(2), count, report);
  draft.sessions_per_s = parseInteger(count, { what: 'rate-limit sessions', min: 0, max: HIGHEST_RATE }, report) ?? 0;
}

function parseLog(draft: ProxyDraft, statement: Statement, context: Context): void {
  const [target] = statement.args;
  if (statement.negated) {
    draft.log_targets = [];
    draft.log_global = undefined;
  } else if (target?.text === 'global') {
    draft.log_global = target.span;
    refuseMore(statement.args.slice(1), target, context.report);
  } else {
    const parsed = parseLogTarget(statement, context);
    if (parsed !== undefined) draft.log_targets.push(parsed);
  }
}

function parseReuse(draft: ProxyDraft, statement: Statement, context: Context): void {
  const word = onlyArgument(statement, '`never`, `safe`, `aggressive` or `always`', context);
  if (word === undefined) return;
  draft.spans['reuse'] = word.span;
  const { text } = word;
  if (text === 'never' || text === 'safe' || text === 'aggressive' || text === 'always') draft.http.reuse = text;
  else
    context.report.error(
      word.span,
      'bad-value',
      `\`${text}\` is not a way to reuse connections.`,
      'Write `never`, `safe`, `aggressive` or `always`.',
    );
}

function setDisabled(disabled: boolean): Keyword<ProxyDraft>['parse'] {
  return (draft, statement, context) => {
    noArguments(statement, context);
    draft.disabled = disabled;
  };
}
