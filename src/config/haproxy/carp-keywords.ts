/** How the lines of a carp section are read; carp.ts has the table. */
import { CARP_NUMBERS, type CarpDraft, type CarpNumber, parseDelay, setNumber } from '../carp-draft.ts';
import { parseNodeAddress, parsePass, parseVirtualAddress } from '../carp-values.ts';
import type { AlsoAccept } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { parseTrack } from '../track.ts';
import { isInterfaceName, isIPv4, parseInteger, reportPlaceholder } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { parseCondition } from './conditions/demote.ts';
import { type Context, type Keyword, noArguments, onlyArgument, refuseMore, type Statement } from './keyword.ts';

type Parse = Keyword<CarpDraft>['parse'];

const MOST_ALSO_ACCEPTED = 4;
const MOST_PEERS = 32;

/** Only some keywords may be repeated: of the others the first would have no effect. */
function warnOfSecond(draft: CarpDraft, field: string, { keyword }: Statement, { report }: Context): void {
  const first = draft.spans[field];
  if (first === undefined) return;
  const message = `\`${keyword.text}\` stands in line ${first.line} already; only this last one counts.`;
  report.warning(keyword.span, 'assigned-twice', message, 'Remove one of them.');
}

/** `vhid 1`, `advskew 100` */
export function parseNumber(field: CarpNumber): Parse {
  return (draft, statement, context) => {
    warnOfSecond(draft, field, statement, context);
    draft.spans[field] = statement.keyword.span;
    const { min, max } = CARP_NUMBERS[field];
    const word = onlyArgument(statement, `a number from ${min} to ${max}`, context);
    if (word !== undefined) setNumber(draft, field, word, context.report);
  };
}

/** `nodad`, `no nodad` */
export function parseFlag(
  field: 'nodad' | 'hash_link_locals' | 'openbsd_demote_byte' | 'ignore_link_state' | 'broadcast' | 'disabled',
): Parse {
  return (draft, statement, context) => {
    noArguments(statement, context);
    draft[field] = !statement.negated;
    draft.spans[field] = statement.keyword.span;
  };
}

/** A word out of a few, such as `mac virtual`. */
export function parseChoice<Field extends 'mac' | 'advert_mac' | 'balancing'>(
  field: Field,
  choices: readonly CarpDraft[Field][],
): Parse {
  return (draft, statement, context) => {
    warnOfSecond(draft, field, statement, context);
    draft.spans[field] = statement.keyword.span;
    const word = onlyArgument(statement, choices.map((choice) => `\`${choice}\``).join(' or '), context);
    if (word === undefined) return;
    draft.spans[field] = word.span;
    const choice = choices.find((each) => each === word.text);
    if (choice !== undefined) draft[field] = choice;
    else
      context.report.error(
        word.span,
        'unknown-value',
        `\`${statement.keyword.text} ${word.text}\` does not exist.`,
        didYouMean(word.text, choices) ?? `Write ${choices.map((each) => `\`${each}\``).join(' or ')}.`,
      );
  };
}

export function parseInterface(draft: CarpDraft, statement: Statement, context: Context): void {
  const word = onlyArgument(statement, 'the name of a network interface', context);
  if (word === undefined) return;
  warnOfSecond(draft, 'interface', statement, context);
  draft.spans['interface'] = word.span;
  if (checkInterfaceName(word, context)) draft.interface = word.text;
}

/** False, and reported, for what no system could call an interface. */
export function checkInterfaceName(word: Word, { report }: Context): boolean {
  if (reportPlaceholder(word, 'interface', report)) return false;
  if (isInterfaceName(word.text)) return true;
  const message = `\`${word.text}\` cannot be the name of an interface.`;
  report.error(word.span, 'bad-interface', message, 'Write a name that `ip link` lists, such as `eth0`.');
  return false;
}

export function parsePassword(draft: CarpDraft, statement: Statement, context: Context): void {
  warnOfSecond(draft, 'pass', statement, context);
  draft.spans['pass'] = statement.keyword.span;
  const word = onlyArgument(statement, 'a password', context);
  if (word === undefined) return;
  draft.spans['pass'] = word.span;
  const pass = parsePass(word, context.report);
  if (pass !== undefined) draft.pass = pass;
}

export function parseAddress(draft: CarpDraft, statement: Statement, context: Context): void {
  draft.spans['addresses'] ??= statement.keyword.span;
  const word = onlyArgument(statement, 'an address, such as `10.10.0.1/16`', context);
  const address = word && parseVirtualAddress(word, context.report);
  if (address !== undefined) draft.addresses.push(address);
}

export function parsePeer(draft: CarpDraft, statement: Statement, context: Context): void {
  draft.spans['peers'] ??= statement.keyword.span;
  const word = onlyArgument(statement, "another node's address, such as `10.0.0.2`", context);
  const peer = word && parseNodeAddress(word, 'peer', context.report);
  if (word === undefined || peer === undefined) return;
  if (draft.peers.length < MOST_PEERS) draft.peers.push(peer);
  else context.report.error(word.span, 'too-many', `A vhid has at most ${MOST_PEERS} peers.`);
}

export function parseSource(draft: CarpDraft, statement: Statement, context: Context): void {
  warnOfSecond(draft, 'source_address', statement, context);
  draft.spans['source_address'] = statement.keyword.span;
  const word = onlyArgument(statement, 'an IPv4 address of this host', context);
  const source = word && parseNodeAddress(word, 'source address', context.report);
  if (word === undefined || source === undefined) return;
  draft.spans['source_address'] = word.span;
  if (isIPv4(source)) draft.source_address = source;
  else
    context.report.error(
      word.span,
      'bad-address',
      '`source` is for IPv4; over IPv6 adverts leave from the link-local address.',
      'Remove the line, or write an IPv4 address of this host.',
    );
}

export function parseMulticast(draft: CarpDraft, statement: Statement, context: Context): void {
  warnOfSecond(draft, 'multicast_address', statement, context);
  draft.spans['multicast_address'] = statement.keyword.span;
  const word = onlyArgument(statement, 'an IPv4 group, such as `224.0.0.18`', context);
  if (word === undefined) return;
  draft.spans['multicast_address'] = word.span;
  const first = Number(word.text.split('.')[0]);
  if (isIPv4(word.text) && first >= 224 && first < 240) draft.multicast_address = word.text;
  else
    context.report.error(
      word.span,
      'bad-address',
      `\`${word.text}\` is no multicast group.`,
      'Write an address from 224.0.0.0 to 239.255.255.255, the same on every node.',
    );
}

/** `preempt`, `preempt delay 30s`, `no preempt` */
export function parsePreempt(draft: CarpDraft, statement: Statement, context: Context): undefined {
  const { keyword, args, negated } = statement;
  draft.preempt = !negated;
  draft.spans['preempt'] = keyword.span;
  const [delay, time, ...more] = args;
  if (delay === undefined || negated || delay.text !== 'delay') return void noArguments(statement, context);
  refuseMore(more, time ?? delay, context.report);
  draft.spans['preempt_delay_ms'] = delay.span;
  if (time === undefined)
    return context.report.error(delay.span, 'missing-value', '`preempt delay` needs a time, such as `30s`.');
  draft.preempt_delay_ms = parseDelay(time, 'preempt delay', context.report) ?? 0;
}

/** `also accept [pass TEXT] [address A …]` */
export function parseAlso(draft: CarpDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [accept, ...words] = args;
  const example = 'Write `also accept pass "old"`, `also accept address 10.10.0.1`, or both in one line.';
  if (accept?.text !== 'accept' || words.length === 0)
    return report.error(
      spanOf([keyword, ...args]),
      'missing-value',
      '`also accept` needs a password or addresses.',
      example,
    );
  draft.spans['also_accept'] = keyword.span;
  if (draft.also_accept.length === MOST_ALSO_ACCEPTED)
    return report.error(
      keyword.span,
      'too-many',
      `A vhid accepts at most ${MOST_ALSO_ACCEPTED} others.`,
      'Remove one.',
    );
  const passAt = words[0].text === 'pass' ? 0 : -1;
  const rest = passAt === 0 ? words.slice(2) : words;
  if (passAt === 0 && words[1] === undefined)
    return report.error(words[0].span, 'missing-value', '`pass` needs a password.', example);
  if (rest.length > 0 && rest[0].text !== 'address')
    return report.error(
      rest[0].span,
      'unexpected-word',
      `\`${rest[0].text}\` stands where \`pass\` or \`address\` belongs.`,
      example,
    );
  if (rest.length === 1) return report.error(rest[0].span, 'missing-value', '`address` needs an address.', example);
  const pass = passAt === 0 ? parsePass(words[1], report) : undefined;
  const addresses = rest.slice(1).flatMap((word) => parseVirtualAddress(word, report)?.address ?? []);
  const also: AlsoAccept = { pass, addresses: rest.length === 0 ? undefined : addresses };
  draft.also_accept.push(also);
}

/** ucarp's -u and -d. */
export function parseScript(which: 'up' | 'down' | 'xparam'): Parse {
  return (draft, statement, context) => {
    const word = onlyArgument(
      statement,
      which === 'xparam' ? 'a word for the scripts' : 'the path of a program',
      context,
    );
    if (word !== undefined) draft.scripts = { ...(draft.scripts ?? NO_SCRIPTS), [which]: word.text };
  };
}

/** ucarp's -z and -n. */
export function parseScriptFlag(which: 'down_at_exit' | 'neutral'): Parse {
  return (draft, statement, context) => {
    noArguments(statement, context);
    draft.scripts = { ...(draft.scripts ?? NO_SCRIPTS), [which]: true };
  };
}

const NO_SCRIPTS = { up: undefined, down: undefined, xparam: undefined, down_at_exit: false, neutral: false };

export function parseDemote(draft: CarpDraft, { keyword, args }: Statement, { report }: Context): undefined {
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

export function parseTracked(draft: CarpDraft, { keyword, args }: Statement, { report }: Context): void {
  const track = parseTrack(args, keyword, report);
  if (track !== undefined) draft.tracks.push(track);
}
