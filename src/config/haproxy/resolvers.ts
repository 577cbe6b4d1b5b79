/** A `resolvers` section (manual 5.3.2). */
import type { Span } from '../diagnostic.ts';
import type { Backend, Hold, Nameserver, Resolvers } from '../model.ts';
import { RESOLVERS_DEFAULTS } from '../model-defaults.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseInteger } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { parseLiteralEndpoint } from './address.ts';
import {
  type Context,
  checkName,
  type Keyword,
  noArguments,
  onlyArgument,
  refuseMore,
  type SectionKind,
  type Statement,
} from './keyword.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] };

export type ResolversDraft = Omit<Open<Resolvers>, 'nameservers' | 'hold' | 'spans'> & {
  nameservers: Nameserver[];
  hold: Open<Hold>;
  spans: Record<string, Span>;
};

const RESOLVERS: readonly SectionKind[] = ['resolvers'];
const DNS_PORT = 53;
/** A query goes to all of them. */
const MOST_NAMESERVERS = 16;

export const RESOLVERS_KEYWORDS: readonly Keyword<ResolversDraft>[] = [
  {
    name: 'nameserver',
    sections: RESOLVERS,
    help: '`nameserver NAME [udp@|tcp@]ADDRESS[:PORT]`: whom to ask; all are asked, and the first good answer counts.',
    has_effect: true,
    parse: parseNameserver,
  },
  {
    name: 'parse-resolv-conf',
    sections: RESOLVERS,
    help: "Ask the nameservers of the host's /etc/resolv.conf.",
    has_effect: true,
    parse: (draft, statement, context) => {
      noArguments(statement, context);
      addNameserver(draft, { kind: 'resolv-conf', span: statement.keyword.span }, context);
    },
  },
  count('resolve_retries', 'How often a name is asked for before its status is an error (3).', [1, 1000]),
  count('accepted_payload_size', 'The longest answer over UDP in bytes (512).', [512, 65_535], 'payload_bytes'),
  {
    name: 'timeout',
    sections: RESOLVERS,
    help: '`timeout resolve TIME` from one resolution to the next (1s); `timeout retry TIME` until a query is repeated (1s).',
    has_effect: true,
    parse: parseTimeout,
  },
  {
    name: 'hold',
    sections: RESOLVERS,
    help: 'For how long after the last good answer a failure is ignored: `nx`, `refused`, `timeout`, `other` (30s); how long a record outlives its answers: `obsolete` (0). `valid` is without effect on servers.',
    has_effect: true,
    parse: parseHold,
  },
];

const HOLDS: Readonly<Record<string, keyof Hold>> = {
  nx: 'nx_ms',
  refused: 'refused_ms',
  timeout: 'timeout_ms',
  other: 'other_ms',
  obsolete: 'obsolete_ms',
  valid: 'valid_ms',
};

const TIMEOUTS: Readonly<Record<string, 'resolve_ms' | 'retry_ms'>> = { resolve: 'resolve_ms', retry: 'retry_ms' };

export function newResolvers(name: string, span: Span): ResolversDraft {
  return { name, nameservers: [], ...RESOLVERS_DEFAULTS, hold: { ...RESOLVERS_DEFAULTS.hold }, span, spans: {} };
}

/** HAProxy makes a section `default` of its own from the host's nameservers, where somebody asks for it. */
export function finishResolvers(drafts: readonly ResolversDraft[], backends: readonly Backend[]): Resolvers[] {
  const asking = backends
    .flatMap(({ servers }) => servers)
    .find(({ resolution }) => resolution?.resolvers === 'default');
  if (asking === undefined || drafts.some(({ name }) => name === 'default')) return [...drafts];
  const { span } = asking;
  return [...drafts, { ...newResolvers('default', span), nameservers: [{ kind: 'resolv-conf', span }] }];
}

function parseNameserver(draft: ResolversDraft, { keyword, args }: Statement, context: Context): undefined {
  const { report } = context;
  const [name, address, ...more] = args;
  if (name === undefined || address === undefined) {
    const mend = 'Write for example `nameserver dns1 10.0.0.1:53`.';
    return report.error(keyword.span, 'missing-value', '`nameserver` needs a name and an address.', mend);
  }
  checkName(name, context);
  if (more.length > 0) {
    const message = `\`${more[0].text}\` on a \`nameserver\` line is not supported.`;
    report.error(more[0].span, 'unsupported-keyword', message, 'Write a name and an address only.');
  }
  if (draft.nameservers.some((known) => known.kind === 'address' && known.name === name.text))
    report.error(
      name.span,
      'duplicate-name',
      `There is a nameserver \`${name.text}\` already.`,
      'Rename one of the two.',
    );
  const transport = /^tcp[46]?@/.test(address.text) ? 'tcp' : 'udp';
  const literal = { text: address.text.replace(/^(udp[46]?|tcp[46]?)@/, ''), span: address.span };
  const endpoint = parseLiteralEndpoint(literal, DNS_PORT, 'The nameserver', context);
  const span = spanOf([keyword, ...args]);
  if (endpoint) addNameserver(draft, { kind: 'address', name: name.text, transport, endpoint, span }, context);
}

function addNameserver(draft: ResolversDraft, nameserver: Nameserver, { report }: Context): void {
  if (draft.nameservers.length < MOST_NAMESERVERS) draft.nameservers.push(nameserver);
  else report.error(nameserver.span, 'too-many', `A section has at most ${MOST_NAMESERVERS} nameservers.`);
}

function count(
  name: string,
  help: string,
  [min, max]: readonly [number, number],
  field = name as 'resolve_retries' | 'payload_bytes',
): Keyword<ResolversDraft> {
  const parse: Keyword<ResolversDraft>['parse'] = (draft, statement, context) => {
    const word = onlyArgument(statement, 'a number', context);
    const value = word && parseInteger(word, { what: name, min, max }, context.report);
    if (word === undefined || value === undefined) return;
    draft[field] = value;
    draft.spans[field] = word.span;
  };
  return { name, sections: RESOLVERS, help, has_effect: true, parse };
}

function parseTimeout(draft: ResolversDraft, statement: Statement, context: Context): void {
  const found = parseNamedTime(statement, TIMEOUTS, 'timeout resolve 5s', context);
  if (found?.time_ms === 0)
    context.report.error(
      found.word.span,
      'out-of-range',
      'A timeout must be longer than 0.',
      'Write for example `1s`.',
    );
  else if (found) {
    draft[found.field] = found.time_ms;
    draft.spans[found.field] = found.word.span;
  }
}

function parseHold(draft: ResolversDraft, statement: Statement, context: Context): void {
  const found = parseNamedTime(statement, HOLDS, 'hold nx 30s', context);
  if (!found) return;
  draft.hold[found.field] = found.time_ms;
  draft.spans[found.field] = found.word.span;
}

/** `timeout retry 1s`: the second word is a name out of a table, the third a time. */
function parseNamedTime<Field>(
  { keyword, args }: Statement,
  fields: Readonly<Record<string, Field>>,
  example: string,
  { report }: Context,
): { field: Field; time_ms: number; word: Word } | undefined {
  const [name, word, ...more] = args;
  if (name === undefined || word === undefined) {
    const message = `\`${keyword.text}\` needs a name and a time.`;
    return report.error(keyword.span, 'missing-value', message, `Write for example \`${example}\`.`);
  }
  refuseMore(more, word, report);
  const names = Object.keys(fields);
  if (!names.includes(name.text)) {
    const message = `\`${name.text}\` is not a word that \`${keyword.text}\` knows.`;
    const mend = didYouMean(name.text, names) ?? `Write ${names.map((known) => `\`${known}\``).join(', ')}.`;
    return report.error(name.span, 'unknown-keyword', message, mend);
  }
  const time_ms = parseDuration(word, `${keyword.text} ${name.text}`, report);
  return time_ms === undefined ? undefined : { field: fields[name.text], time_ms, word };
}
