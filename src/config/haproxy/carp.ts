/**
 * carpool's own section of haproxy.cfg, one per vhid:
 *
 *     carp web
 *         interface eth0
 *         vhid 1
 *         pass "s3cret"
 *         address 10.10.0.1/16
 *         demote 240 unless { nbsrv(servers) ge 1 }
 */
import { parsePass, parseVirtualAddress } from '../carp-values.ts';
import type { Carp } from '../model.ts';
import { carpWith } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseTrack } from '../track.ts';
import { parseInteger, reportPlaceholder } from '../values.ts';
import { spanOf } from '../word.ts';
import { parseCondition } from './condition.ts';
import type { CarpDraft } from './drafts.ts';
import { type Context, type Keyword, noArguments, onlyArgument, type Statement } from './keyword.ts';

const CARP = ['carp'] as const;

export const CARP_KEYWORDS: readonly Keyword<CarpDraft>[] = [
  {
    name: 'interface',
    sections: CARP,
    help: 'The network interface that holds the addresses.',
    has_effect: true,
    parse: parseInterface,
  },
  {
    name: 'vhid',
    sections: CARP,
    help: 'The number, 1 to 255, that all nodes of one address share.',
    has_effect: true,
    parse: parseNumber('vhid', 1, 255),
  },
  {
    name: 'pass',
    sections: CARP,
    help: 'The password that all nodes share, at most 19 bytes.',
    has_effect: true,
    parse: parsePassword,
  },
  {
    name: 'address',
    sections: CARP,
    help: 'A virtual address and its prefix length; may be repeated.',
    has_effect: true,
    parse: parseAddress,
  },
  {
    name: 'advbase',
    sections: CARP,
    help: 'Seconds from one advert to the next (1).',
    has_effect: true,
    parse: parseNumber('advbase', 1, 255),
  },
  {
    name: 'advskew',
    sections: CARP,
    help: 'Added to advbase in 1/256 s (0); the node with the lower value is preferred.',
    has_effect: true,
    parse: parseNumber('advskew', 0, 254),
  },
  {
    name: 'preempt',
    sections: CARP,
    help: 'Take the address from a less preferred master.',
    has_effect: true,
    negatable: true,
    parse: parsePreempt,
  },
  {
    name: 'demote',
    sections: CARP,
    help: '`demote N if|unless CONDITION`: be less preferred by N while the condition says so.',
    has_effect: true,
    parse: parseDemote,
  },
  {
    name: 'track',
    sections: CARP,
    help: '`track http://…|tcp ADDRESS:PORT [inter T] [rise N] [fall N] [demote N]`: be less preferred while that service fails.',
    has_effect: true,
    parse: parseTracked,
  },
];

/** Only `address`, `demote` and `track` may be repeated: of the others the first would have no effect. */
function warnOfSecond(draft: CarpDraft, field: string, { keyword }: Statement, { report }: Context): void {
  const first = draft.spans[field];
  if (first === undefined) return;
  const message = `\`${keyword.text}\` stands in line ${first.line} already; only this last one counts.`;
  report.warning(keyword.span, 'assigned-twice', message, 'Remove one of them.');
}

function parseInterface(draft: CarpDraft, statement: Statement, context: Context): void {
  const word = onlyArgument(statement, 'the name of a network interface', context);
  if (word === undefined) return;
  warnOfSecond(draft, 'interface', statement, context);
  draft.spans['interface'] = word.span;
  if (reportPlaceholder(word, 'interface', context.report)) return;
  // the kernel's IFNAMSIZ is 16 with the closing NUL
  if (word.text.length === 0 || word.text.length > 15 || /[\s/]/.test(word.text))
    context.report.error(
      word.span,
      'bad-interface',
      `\`${word.text}\` cannot be the name of an interface.`,
      'Write a name that `ip link` lists, such as `eth0`.',
    );
  else draft.interface = word.text;
}

function parseNumber(field: 'vhid' | 'advbase' | 'advskew', min: number, max: number): Keyword<CarpDraft>['parse'] {
  return (draft, statement, context) => {
    warnOfSecond(draft, field, statement, context);
    draft.spans[field] = statement.keyword.span;
    const word = onlyArgument(statement, `a number from ${min} to ${max}`, context);
    if (word === undefined) return;
    draft.spans[field] = word.span;
    const value = reportPlaceholder(word, field, context.report)
      ? undefined
      : parseInteger(word, { what: field, min, max }, context.report);
    if (value !== undefined) draft[field] = value;
  };
}

function parsePassword(draft: CarpDraft, statement: Statement, context: Context): void {
  warnOfSecond(draft, 'pass', statement, context);
  draft.spans['pass'] = statement.keyword.span;
  const word = onlyArgument(statement, 'a password', context);
  if (word === undefined) return;
  draft.spans['pass'] = word.span;
  const pass = parsePass(word, context.report);
  if (pass !== undefined) draft.pass = pass;
}

function parseAddress(draft: CarpDraft, statement: Statement, context: Context): void {
  draft.spans['addresses'] ??= statement.keyword.span;
  const word = onlyArgument(statement, 'an address, such as `10.10.0.1/16`', context);
  const address = word && parseVirtualAddress(word, context.report);
  if (address !== undefined) draft.addresses.push(address);
}

function parsePreempt(draft: CarpDraft, statement: Statement, context: Context): void {
  noArguments(statement, context);
  draft.preempt = !statement.negated;
  draft.spans['preempt'] = statement.keyword.span;
}

function parseDemote(draft: CarpDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [amountWord, polarity, ...words] = args;
  const example = 'Write for example `demote 240 unless { nbsrv(servers) ge 1 }`.';
  if (amountWord === undefined)
    return report.error(keyword.span, 'missing-value', '`demote` needs an amount and a condition.', example);
  const amount = parseInteger(amountWord, { what: 'demote', min: 1, max: 255 }, report);
  if (polarity === undefined)
    return report.error(
      amountWord.span,
      'missing-value',
      '`demote` needs `if` or `unless` and a condition after the amount.',
      example,
    );
  if (polarity.text !== 'if' && polarity.text !== 'unless')
    return report.error(
      polarity.span,
      'unknown-keyword',
      `\`${polarity.text}\` stands where \`if\` or \`unless\` belongs.`,
      didYouMean(polarity.text, ['if', 'unless']) ?? example,
    );
  const condition = parseCondition(words, polarity, report);
  if (amount === undefined || condition === undefined) return;
  const text = words.map((word) => word.text).join(' ');
  draft.demotions.push({ amount, polarity: polarity.text, condition, text, span: spanOf([keyword, ...args]) });
}

function parseTracked(draft: CarpDraft, { keyword, args }: Statement, { report }: Context): void {
  const track = parseTrack(args, keyword, report);
  if (track !== undefined) draft.tracks.push(track);
}

/** Undefined, and reported, when something is missing without which no advert can be sent. */
export function finishCarp(draft: CarpDraft, report: Reporter): Carp | undefined {
  reportMissing(draft, report);
  const { vhid, pass, ...rest } = draft;
  if (vhid === undefined || rest.addresses.length === 0) return undefined;
  return carpWith({ ...rest, vhid, pass: pass ?? '' });
}

/** What was written and is wrong has a span, and was reported already. */
function reportMissing({ name, span, spans }: CarpDraft, report: Reporter): void {
  const section = `The carp section \`${name}\``;
  if (spans['vhid'] === undefined) {
    const mend = 'Add a line such as `vhid 1`, with the same number on every node.';
    report.error(span, 'vhid-missing', `${section} has no vhid.`, mend);
  }
  if (spans['addresses'] === undefined) {
    const mend = 'Add a line such as `address 10.10.0.1/16`.';
    report.error(span, 'carp-without-address', `${section} has no address, so there is nothing to share.`, mend);
  }
  if (spans['pass'] === undefined) {
    const message = `${section} has no password, so any host of the segment can take its addresses.`;
    report.warning(span, 'pass-missing', message, 'Add a line such as `pass "s3cret"`, the same on every node.');
  }
}
