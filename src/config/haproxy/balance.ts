/** `balance ALGORITHM …`, `hash-type METHOD [FUNCTION [MODIFIER]]` and `hash-balance-factor N` (manual 4.2). */
import type { Balance, HashFunction } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { parseSample } from './conditions/sample.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, onlyArgument, refuseMore, type Statement } from './keyword.ts';
import { isToken } from './token.ts';

type Parse = (
  name: Word,
  argument: string | undefined,
  rest: readonly Word[],
  report: Reporter,
  context: Context,
) => Balance | undefined;

/** Each takes what stands in parentheses after its name, and the words that follow. */
export const ALGORITHMS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['roundrobin', plain('roundrobin')],
  ['static-rr', plain('static-rr')],
  ['leastconn', plain('leastconn')],
  ['first', plain('first')],
  ['source', plain('source')],
  ['uri', parseUri],
  ['url_param', parseUrlParam],
  ['hdr', parseHdr],
  ['hash', parseHash],
  ['random', parseRandom],
  ['rdp-cookie', parseRdpCookie],
]);

const HTTP_ONLY: ReadonlySet<string> = new Set(['uri', 'url_param', 'hdr']);
const UNSUPPORTED: ReadonlySet<string> = new Set(['log-hash', 'log-sticky', 'sticky']);
const EXAMPLE = 'Write for example `balance roundrobin` or `balance leastconn`.';

export function parseBalance(draft: ProxyDraft, { keyword, args }: Statement, context: Context): undefined {
  const { report } = context;
  const [word = { text: 'roundrobin', span: keyword.span }, ...rest] = args;
  draft.spans['balance'] = word.span;
  const [, name, argument] = /^([^(]*)(?:\((.*)\))?$/.exec(word.text) ?? [];
  const parse = ALGORITHMS.get(name ?? '');
  if (parse !== undefined) {
    draft.balance = parse(word, argument, rest, report, context) ?? draft.balance;
  } else if (UNSUPPORTED.has(name ?? '')) {
    const message = `\`balance ${word.text}\` is not supported.`;
    return report.error(word.span, 'unsupported-value', message, 'Write `balance hdr(NAME)`, `uri` or `source`.');
  } else {
    const mend = didYouMean(word.text, ALGORITHMS.keys()) ?? EXAMPLE;
    return report.error(word.span, 'unknown-value', `\`${word.text}\` is not an algorithm.`, mend);
  }
}

/** As HAProxy: an algorithm that reads requests falls back to round robin where there are none. */
export function usableBalance({ mode, balance, name, span, spans }: ProxyDraft, report: Reporter): Balance {
  const needs_http = balance.kind === 'hash' ? balance.http : HTTP_ONLY.has(balance.kind);
  if (mode === 'http' || !needs_http) return balance;
  const message = `\`balance ${balance.kind}\` of \`${name}\` needs mode http; connections take turns instead.`;
  const mend = 'Write `mode http`, or `balance source`.';
  report.warning(spans['balance'] ?? span, 'balance-needs-http', message, mend);
  return { kind: 'roundrobin' };
}

function plain(kind: 'roundrobin' | 'static-rr' | 'leastconn' | 'first' | 'source'): Parse {
  return (name, argument, rest, report) => {
    if (argument !== undefined) return noArgument(name, report);
    refuseMore(rest, name, report);
    return { kind };
  };
}

/** `uri [len N] [depth N] [whole] [path-only]` */
function parseUri(
  name: Word,
  argument: string | undefined,
  rest: readonly Word[],
  report: Reporter,
): Balance | undefined {
  if (argument !== undefined) return noArgument(name, report);
  const found: { len?: number | undefined; depth?: number | undefined; whole?: boolean; path_only?: boolean } = {};
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at];
    if (word.text === 'whole') found.whole = true;
    else if (word.text === 'path-only') found.path_only = true;
    else if (word.text === 'len' || word.text === 'depth') {
      const value = rest[++at];
      if (value === undefined) return report.error(word.span, 'missing-value', `\`${word.text}\` needs a number.`);
      found[word.text] = parseInteger(value, { what: word.text, min: 1, max: 2 ** 31 - 1 }, report);
    } else {
      const mend = didYouMean(word.text, ['len', 'depth', 'whole', 'path-only']);
      const message = `\`${word.text}\` is not a word that \`balance uri\` knows.`;
      return report.error(word.span, 'unknown-keyword', message, mend);
    }
  }
  const { len, depth, whole = false, path_only = false } = found;
  return { kind: 'uri', len, depth, whole, path_only };
}

/** `url_param NAME [check_post [BYTES]]` */
function parseUrlParam(name: Word, _argument: string | undefined, rest: readonly Word[], report: Reporter) {
  const [param, post, bytes, ...more] = rest;
  if (param === undefined) {
    return report.error(name.span, 'missing-value', '`balance url_param` needs the name of a parameter.');
  }
  if (post !== undefined && post.text !== 'check_post') refuseMore(rest.slice(1), param, report);
  else if (post !== undefined) {
    // the most that was to be waited for has no effect in HAProxy any more
    if (bytes !== undefined) parseInteger(bytes, { what: 'check_post', min: 0, max: 2 ** 31 - 1 }, report);
    refuseMore(more, post, report);
  }
  return { kind: 'url_param' as const, name: param.text, check_post: post?.text === 'check_post' };
}

/** `hash SAMPLE` */
function parseHash(
  name: Word,
  argument: string | undefined,
  rest: readonly Word[],
  report: Reporter,
  context: Context,
): Balance | undefined {
  const [expression, ...more] = rest;
  if (argument !== undefined || expression === undefined) {
    const mend = 'Write for example `balance hash req.hdr(x-user),lower`.';
    return report.error(name.span, 'missing-value', '`balance hash` is followed by a sample.', mend);
  }
  refuseMore(more, expression, report);
  const parsed = parseSample(expression, context);
  if (parsed === undefined) return undefined;
  if (parsed.suffix !== undefined || parsed.moment === 'response' || parsed.moment === 'end') {
    const message = `\`${expression.text}\` is no value of a request, which could be hashed.`;
    return report.error(expression.span, 'bad-sample', message, 'Write for example `balance hash path`.');
  }
  return {
    kind: 'hash',
    sample: parsed.sample,
    type: parsed.type === 'method' ? 'str' : parsed.type,
    http: parsed.http,
  };
}

/** `hdr(NAME) [use_domain_only]` */
function parseHdr(name: Word, argument: string | undefined, rest: readonly Word[], report: Reporter) {
  const [domain, ...more] = rest;
  if (argument === undefined || !isToken(argument)) {
    const message = `\`balance ${name.text}\` needs the name of a header in parentheses.`;
    return report.error(name.span, 'missing-value', message, 'Write for example `balance hdr(Host)`.');
  }
  const use_domain_only = domain?.text === 'use_domain_only';
  refuseMore(use_domain_only ? more : rest, name, report);
  return { kind: 'hdr' as const, name: argument.toLowerCase(), use_domain_only };
}

/** `random` or `random(DRAWS)` */
function parseRandom(name: Word, argument: string | undefined, rest: readonly Word[], report: Reporter) {
  refuseMore(rest, name, report);
  const word = { text: argument ?? '2', span: name.span };
  const draws = parseInteger(word, { what: 'The draws of `balance random`', min: 1, max: 1000 }, report);
  return draws === undefined ? undefined : { kind: 'random' as const, draws };
}

/** `rdp-cookie` or `rdp-cookie(NAME)` */
function parseRdpCookie(name: Word, argument: string | undefined, rest: readonly Word[], report: Reporter) {
  refuseMore(rest, name, report);
  return { kind: 'rdp-cookie' as const, name: (argument || 'mstshash').toLowerCase() };
}

function noArgument(name: Word, report: Reporter): undefined {
  const message = `\`balance ${name.text}\` takes nothing in parentheses.`;
  return report.error(name.span, 'unexpected-word', message, EXAMPLE);
}

const METHODS = ['map-based', 'consistent'];
export const HASH_FUNCTIONS: readonly HashFunction[] = ['sdbm', 'djb2', 'wt6', 'crc32', 'none'];

export function parseHashType(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [method, named, modifier, ...more] = args;
  if (method === undefined) {
    return report.error(keyword.span, 'missing-value', '`hash-type` needs a method.', 'Write `hash-type consistent`.');
  }
  if (!METHODS.includes(method.text)) return reportUnknown(method, 'a method', METHODS, report);
  const consistent = method.text === 'consistent';
  const found = HASH_FUNCTIONS.find((name) => name === named?.text);
  if (named !== undefined && found === undefined) {
    return reportUnknown(named, 'a hash function', HASH_FUNCTIONS, report);
  }
  if (modifier !== undefined && modifier.text !== 'avalanche') {
    return reportUnknown(modifier, 'a modifier', ['avalanche'], report);
  }
  refuseMore(more, modifier ?? keyword, report);
  draft.spans['hash'] = method.span;
  draft.hash = {
    method: consistent ? 'consistent' : 'map-based',
    function: found ?? 'sdbm',
    // HAProxy's rule: `consistent` alone is sdbm with avalanche
    avalanche: modifier !== undefined || (consistent && named === undefined),
  };
}

function reportUnknown(word: Word, what: string, known: readonly string[], report: Reporter): undefined {
  const mend = didYouMean(word.text, known) ?? `Write ${known.map((name) => `\`${name}\``).join(', ')}.`;
  return report.error(word.span, 'unknown-value', `\`${word.text}\` is not ${what} of \`hash-type\`.`, mend);
}

export function parseBalanceFactor(draft: ProxyDraft, statement: Statement, context: Context): undefined {
  const word = onlyArgument(statement, 'a percentage', context);
  const factor = word && parseInteger(word, { what: 'hash-balance-factor', min: 0, max: 2 ** 31 - 1 }, context.report);
  if (word === undefined || factor === undefined) return;
  if (factor > 0 && factor <= 100) {
    const message = `hash-balance-factor \`${word.text}\` must be 0 or greater than 100.`;
    return context.report.error(word.span, 'out-of-range', message, 'Write for example `hash-balance-factor 150`.');
  }
  draft.spans['hash_balance_factor'] = word.span;
  draft.hash_balance_factor = factor === 0 ? undefined : factor;
}
