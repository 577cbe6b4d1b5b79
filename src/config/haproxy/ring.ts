/**
 * A `ring` section (manual 3.9), and the rings that `log tcp@…` implies:
 *
 *   log ring@latest …  ──▶ ring latest ──▶ show events latest
 *                                      └─▶ server lines, over TCP
 */
import type { Span } from '../diagnostic.ts';
import type { LogTarget, Ring, RingServer } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseInteger } from '../values.ts';
import { spanOf } from '../word.ts';
import { parseLiteralEndpoint } from './address.ts';
import { type Context, checkName, type Keyword, onlyArgument, type SectionKind, type Statement } from './keyword.ts';
import { DEFAULT_BYTES, LOG_PORT, parseFormat } from './log.ts';
import { serverOfTcpRing } from './ring-name.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] };

export type RingDraft = Omit<Open<Ring>, 'servers'> & { servers: RingServer[] };

const SECTIONS: readonly SectionKind[] = ['ring'];
/** HAProxy's BUFSIZE: no ring is smaller. */
const LEAST_BYTES = 16_384;
const MOST_BYTES = 256 * 1024 * 1024;
const FRAMINGS = ['legacy', 'octet-count'];

const row = (name: string, help: string, parse: Keyword<RingDraft>['parse']): Keyword<RingDraft> => ({
  name,
  sections: SECTIONS,
  help,
  has_effect: true,
  parse,
});

export const RING_KEYWORDS: readonly Keyword<RingDraft>[] = [
  row('description', 'What `show events` says of it.', (draft, statement, context) => {
    draft.description = onlyArgument(statement, 'a text', context)?.text ?? draft.description;
  }),
  row('format', 'The header of its lines (`raw`), whatever the `log` lines say.', (draft, statement, context) => {
    const word = onlyArgument(statement, 'a format', context);
    draft.format = (word && parseFormat(word, context)) ?? draft.format;
  }),
  row('maxlen', 'The longest line in bytes, with its header (1024).', (draft, statement, context) => {
    const word = onlyArgument(statement, 'a number of bytes', context);
    const bytes = word && parseInteger(word, { what: 'maxlen', min: 1, max: LEAST_BYTES }, context.report);
    draft.max_bytes = bytes ?? draft.max_bytes;
  }),
  row('size', 'Bytes of all lines together (16384); the oldest go first.', parseSize),
  row(
    'server',
    '`server NAME ADDRESS:PORT [log-proto legacy|octet-count]`: a log server that gets all lines over TCP.',
    parseServer,
  ),
  row(
    'timeout',
    '`timeout connect TIME`; `timeout server TIME`: how long lines may wait for a server that does not read.',
    parseTimeout,
  ),
  row('backing-file', 'Refused: a ring is lost with the process.', (_draft, { keyword }, { report }) => {
    const message = 'A ring is in memory only: `backing-file` is not supported.';
    const mend = 'Remove the line; a `server` line keeps what is logged beyond the life of the process.';
    report.error(keyword.span, 'unsupported-keyword', message, mend);
  }),
];

export function newRing(name: string, span: Span): RingDraft {
  return {
    name,
    description: name,
    format: 'raw',
    max_bytes: DEFAULT_BYTES,
    size_bytes: LEAST_BYTES,
    servers: [],
    connect_ms: undefined,
    server_ms: undefined,
    span,
  };
}

/** `rings` is to be called when `withRings` has seen everything that logs. */
export function finishRings(drafts: readonly RingDraft[], report: Reporter) {
  const rings = new Map<string, Ring>(drafts.map((draft) => [draft.name, draft]));
  const done = new Map<LogTarget, LogTarget>();
  const resolve = (target: LogTarget): LogTarget => {
    if (target.to.kind !== 'ring') return target;
    const { name } = target.to;
    const ring = rings.get(name) ?? impliedRing(name, target);
    if (ring === undefined) {
      const mend = didYouMean(name, rings.keys()) ?? `Write a section \`ring ${name}\`.`;
      report.error(target.span, 'unknown-ring', `There is no ring \`${name}\`.`, mend);
      return target;
    }
    rings.set(name, ring);
    return { ...target, format: ring.format, has_own_format: true, max_bytes: ring.max_bytes };
  };
  // the targets of the global section are those of many proxies
  const once = (target: LogTarget): LogTarget => {
    const resolved = done.get(target) ?? resolve(target);
    done.set(target, resolved);
    return resolved;
  };
  return {
    rings: () => [...rings.values()],
    withRings: <T extends { readonly log_targets: readonly LogTarget[] }>(owner: T): T => ({
      ...owner,
      log_targets: owner.log_targets.map(once),
    }),
  };
}

/** Of `log tcp@…`. */
function impliedRing(name: string, { format, max_bytes, span }: LogTarget): Ring | undefined {
  const endpoint = serverOfTcpRing(name);
  if (endpoint === undefined) return undefined;
  const server = { name, endpoint, octet_count: false, span };
  return { ...newRing(name, span), description: `lines for ${name}`, format, max_bytes, servers: [server] };
}

function parseSize(draft: RingDraft, statement: Statement, context: Context): undefined {
  const word = onlyArgument(statement, 'a number of bytes', context);
  const bytes = word && parseInteger(word, { what: 'size', min: 1, max: MOST_BYTES }, context.report);
  if (word === undefined || bytes === undefined) return;
  if (bytes < LEAST_BYTES) {
    const message = `A ring has ${LEAST_BYTES} bytes or more, so \`size ${bytes}\` is not heeded.`;
    context.report.warning(word.span, 'no-effect', message);
  } else draft.size_bytes = bytes;
}

function parseServer(draft: RingDraft, { keyword, args }: Statement, context: Context): undefined {
  const { report } = context;
  const [name, address, ...words] = args;
  if (name === undefined || address === undefined) {
    const mend = 'Write for example `server log1 10.0.0.9:514 log-proto octet-count`.';
    return report.error(keyword.span, 'missing-value', '`server` needs a name and an address.', mend);
  }
  checkName(name, context);
  const literal = { text: address.text.replace(/^tcp[46]?@/, ''), span: address.span };
  const endpoint = parseLiteralEndpoint(literal, LOG_PORT, 'The log server', context);
  let octet_count = false;
  for (let at = 0; at < words.length; at += 2) {
    const [word, value] = [words[at], words[at + 1]];
    if (word.text !== 'log-proto') {
      const message = `\`${word.text}\` on a server of a ring is not supported.`;
      return report.error(word.span, 'unsupported-keyword', message, 'Only `log-proto` may follow the address.');
    }
    if (value === undefined || !FRAMINGS.includes(value.text)) {
      const mend = didYouMean(value?.text ?? '', FRAMINGS);
      return report.error((value ?? word).span, 'unknown-value', '`log-proto` is `legacy` or `octet-count`.', mend);
    }
    octet_count = value.text === 'octet-count';
  }
  if (endpoint) draft.servers.push({ name: name.text, endpoint, octet_count, span: spanOf([keyword, ...args]) });
}

function parseTimeout(draft: RingDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [name, value, ...more] = args;
  if ((name?.text !== 'connect' && name?.text !== 'server') || value === undefined || more.length > 0) {
    const message = 'A ring has a `timeout connect` and a `timeout server`.';
    return report.error((name ?? keyword).span, 'bad-value', message, 'Write for example `timeout connect 5s`.');
  }
  const time_ms = parseDuration(value, `timeout ${name.text}`, report);
  if (time_ms !== undefined) draft[`${name.text}_ms`] = time_ms === 0 ? undefined : time_ms;
}
