/**
 * The words of one ifconfig command about CARP, as every BSD has them, in files and on the command line:
 *
 *   carp0  vhid 1 advskew 100 pass x 10.10.0.1/16                      FreeBSD up to 9
 *   em0    inet vhid 1 pass x alias 10.10.0.1/32                       FreeBSD from 10 on
 *   carp0  inet 10.10.0.1 255.255.0.0 NONE vhid 1 carpdev em0 pass x   OpenBSD; NetBSD without the bare netmask
 *   carp0  vhid 1 pass x vhinet 10.10.0.1/16                           DragonFly
 *
 * What they set comes out as one value; apply.ts puts it into a vhid.
 */
import { CARP_NUMBERS, type CarpNumber } from '../carp-draft.ts';
import { parseNodeAddress, parsePass, parseVirtualAddress } from '../carp-values.ts';
import type { Span } from '../diagnostic.ts';
import type { VirtualAddress } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isIPv4, isPlaceholder, parseInteger, reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';
import { prefixOfMask } from './netmask.ts';
import { expandRange } from './range.ts';

/** ucarp takes 255 as well. */
const KERNELS_MOST_ADVSKEW = 254;

/** Undefined is "not written"; null is "written away" (`-carpdev`, `mcast`). */
export type IfconfigLine = {
  vhid: number | undefined;
  advbase: number | undefined;
  advskew: number | undefined;
  pass: string | undefined;
  state: 'master' | 'backup' | 'init' | undefined;
  up: boolean | undefined;
  carpdev: string | null | undefined;
  /** OpenBSD's `carpnodes 1:0,2:100`. */
  nodes: readonly { readonly vhid: number; readonly advskew: number }[] | undefined;
  balancing: Balancing | undefined;
  peer: string | null | undefined;
  peer6: string | null | undefined;
  addresses: VirtualAddress[];
  /** How many of the addresses stand before `vhid`: on FreeBSD from 10 on perhaps the interface's own. */
  addresses_before_vhid: number;
  /** `alias` or `add`: beside the addresses that there are. */
  adds: boolean;
  /** `-alias` or `delete`: take the addresses away. */
  removes: boolean;
  /** A word that only OpenBSD and NetBSD have was there. */
  is_openbsd: boolean;
  readonly spans: Record<string, Span>;
};

export type Balancing = 'none' | 'arp' | 'ip' | 'ip-stealth' | 'ip-unicast';

type Reader = {
  readonly line: IfconfigLine;
  readonly report: Reporter;
  /** The word after `word`; undefined, and reported with `mend`, when it is missing. */
  readonly value: (word: Word, mend: string) => Word | undefined;
};

type Rule = { readonly values: 0 | 1; readonly read: (word: Word, reader: Reader) => void };

const BALANCINGS: readonly Balancing[] = ['none', 'arp', 'ip', 'ip-stealth', 'ip-unicast'];
const STATES = ['master', 'backup', 'init'] as const;
const MOST_NODES = 32;
const NETMASK_EXAMPLE = 'Write for example `netmask 255.255.0.0`.';

const RULES: Readonly<Record<string, Rule>> = {
  vhid: number('vhid'),
  advbase: number('advbase'),
  advskew: number('advskew'),
  pass: { values: 1, read: readPass },
  key: { values: 1, read: readPass },
  state: { values: 1, read: readState },
  inet: flag(() => undefined),
  inet6: flag(() => undefined),
  create: flag(() => undefined),
  alias: flag(({ line }) => void (line.adds = true)),
  add: flag(({ line }) => void (line.adds = true)),
  '-alias': { values: 0, read: readRemoval },
  delete: { values: 0, read: readRemoval },
  remove: { values: 0, read: readRemoval },
  up: flag(({ line }) => void (line.up = true)),
  down: flag(({ line }) => void (line.up = false)),
  vhinet: { values: 1, read: readVhinet },
  netmask: { values: 1, read: readNetmask },
  prefixlen: { values: 1, read: readPrefixLength },
  broadcast: ignored(1),
  carpdev: { values: 1, read: readCarpdev },
  '-carpdev': flag(({ line }) => void Object.assign(line, { carpdev: null, is_openbsd: true })),
  carpnodes: { values: 1, read: readNodes },
  balancing: { values: 1, read: readBalancing },
  peer: peer('peer', false),
  peer6: peer('peer6', true),
  carppeer: { values: 1, read: (word, reader) => openbsd(reader, () => readPeer('peer', false, word, reader)) },
  '-carppeer': flag(({ line }) => void Object.assign(line, { peer: null, is_openbsd: true })),
  mcast: flag(({ line }) => void (line.peer = null)),
  mcast6: flag(({ line }) => void (line.peer6 = null)),
  carpver: { values: 1, read: readVersion },
  vrrpprio: refused(1, 'VRRP is another protocol, which carpool does not speak.'),
  vrrpinterval: refused(1, 'VRRP is another protocol, which carpool does not speak.'),
  lladdr: refused(1, 'An own link address would be part of the signature on OpenBSD, which carpool does not sign.'),
  // nothing that carpool does depends on these
  group: ignored(1),
  '-group': ignored(1),
  description: ignored(1),
  descr: ignored(1),
  '-description': ignored(0),
  mtu: ignored(1),
  metric: ignored(1),
  fib: ignored(1),
  rdomain: ignored(1),
  priority: ignored(1),
  anycast: ignored(0),
  '-inet6': ignored(0),
  eui64: ignored(0),
  debug: ignored(0),
  '-debug': ignored(0),
};

const KNOWN = Object.keys(RULES);

/** Everything that the words say; what is wrong with them is reported and left out. */
function readRemoval(word: Word, { line }: Reader): void {
  line.removes = true;
  line.spans['removes'] = word.span;
}

export function readIfconfigLine(words: readonly Word[], report: Reporter): IfconfigLine {
  return new LineReader(words, report).read();
}

function emptyLine(): IfconfigLine {
  return {
    vhid: undefined,
    advbase: undefined,
    advskew: undefined,
    pass: undefined,
    state: undefined,
    up: undefined,
    carpdev: undefined,
    nodes: undefined,
    balancing: undefined,
    peer: undefined,
    peer6: undefined,
    addresses: [],
    addresses_before_vhid: 0,
    adds: false,
    removes: false,
    is_openbsd: false,
    spans: {},
  };
}

class LineReader implements Reader {
  readonly line = emptyLine();
  readonly report: Reporter;
  readonly #words: readonly Word[];
  #at = 0;

  readonly value = (word: Word, mend: string): Word | undefined => {
    const next = this.#words[this.#at];
    const isSecret = word.text === 'pass' || word.text === 'key';
    if (next !== undefined && !(isSecret ? this.#startsSomethingElse() : Object.hasOwn(RULES, next.text))) {
      this.#at++;
      return next;
    }
    const problem = next === undefined ? 'nothing follows' : `the next word is \`${next.text}\``;
    return this.report.error(word.span, 'missing-value', `\`${word.text}\` has no value: ${problem}.`, mend);
  };

  constructor(words: readonly Word[], report: Reporter) {
    this.#words = words;
    this.report = report;
  }

  read(): IfconfigLine {
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++];
      if (Object.hasOwn(RULES, word.text)) RULES[word.text].read(word, this);
      else this.#address(word);
    }
    const removal = this.line.removes ? this.line.spans['removes'] : undefined;
    if (removal !== undefined && this.line.addresses.length === 0)
      this.report.error(
        removal,
        'missing-value',
        'No address is named that shall go.',
        'Write it as well: `10.10.0.1 -alias`.',
      );
    return this.line;
  }

  /** A password may look like a keyword, but hardly like a keyword with its number or an address with its length. */
  #startsSomethingElse(): boolean {
    const [keyword, number] = this.#words.slice(this.#at);
    const [address, length] = keyword.text.split('/');
    if (isIPv4(address) && length !== undefined) return true;
    return Object.hasOwn(CARP_NUMBERS, keyword.text) && number !== undefined && /^\d+$/.test(number.text);
  }

  #address(word: Word): void {
    const { line, report } = this;
    line.spans['addresses'] ??= word.span;
    if (!isAddressLike(word.text)) {
      const mend = didYouMean(word.text, KNOWN) ?? 'Write an address such as `10.10.0.1/16`, or a word of ifconfig.';
      report.error(word.span, 'unknown-keyword', `\`${word.text}\` is no word of ifconfig for CARP.`, mend);
      return;
    }
    for (const each of expandRange(word, report)) {
      const address = parseVirtualAddress(each, report);
      if (address !== undefined) line.addresses.push(address);
    }
    this.#positionalMask();
  }

  /** hostname.if's own order: `inet 10.0.0.1 255.255.255.0 10.0.0.255`, `inet6 2001:db8::1 64`. */
  #positionalMask(): void {
    const [mask, broadcast] = this.#words.slice(this.#at);
    const last = this.line.addresses[this.line.addresses.length - 1];
    if (mask === undefined || last === undefined) return;
    const isIPv6 = last.address.includes(':');
    const prefix_length = isIPv6 ? prefixLength(mask.text) : prefixOfMask(mask.text);
    if (prefix_length === undefined || (!isIPv6 && !/^(255\.|0x)/.test(mask.text))) return;
    this.#at++;
    this.line.addresses[this.line.addresses.length - 1] = { ...last, prefix_length };
    if (!isIPv6 && broadcast !== undefined && (broadcast.text === 'NONE' || isIPv4(broadcast.text))) this.#at++;
  }
}

function isAddressLike(text: string): boolean {
  return /^[\d.]+(-\d+)?(\/|$)/.test(text) || text.includes(':') || isPlaceholder(text);
}

function prefixLength(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) > 0 && Number(text) <= 128 ? Number(text) : undefined;
}

function flag(set: (reader: Reader) => void): Rule {
  return { values: 0, read: (_word, reader) => set(reader) };
}

function ignored(values: 0 | 1): Rule {
  return { values, read: (word, reader) => void (values === 1 && reader.value(word, 'Write the value after it.')) };
}

function refused(values: 0 | 1, message: string): Rule {
  return {
    values,
    read: (word, reader) => {
      reader.report.error(word.span, 'unsupported-keyword', message, `Remove \`${word.text}\`.`);
      if (values === 1) reader.value(word, 'Remove it.');
    },
  };
}

function openbsd({ line }: Reader, read: () => void): void {
  line.is_openbsd = true;
  read();
}

function number(field: Exclude<CarpNumber, 'deadratio'>): Rule {
  const { min, example } = CARP_NUMBERS[field];
  const max = field === 'advskew' ? KERNELS_MOST_ADVSKEW : CARP_NUMBERS[field].max;
  const mend = `Write a number from ${min} to ${max} after it, such as \`${field} ${example}\`.`;
  return {
    values: 1,
    read: (word, { line, report, value }) => {
      line.spans[field] = word.span;
      if (field === 'vhid') line.addresses_before_vhid = line.addresses.length;
      const given = value(word, mend);
      if (given === undefined) return;
      line.spans[field] = given.span;
      if (reportPlaceholder(given, field, report)) return;
      line[field] = parseInteger(given, { what: field, min, max }, report);
    },
  };
}

function readPass(word: Word, { line, report, value }: Reader): void {
  line.spans['pass'] = word.span;
  const given = value(word, 'Write the password after it, the same on every node.');
  if (given === undefined) return;
  line.spans['pass'] = given.span;
  line.pass = parsePass(given, report);
}

function readState(word: Word, { line, report, value }: Reader): void {
  line.spans['state'] = word.span;
  const given = value(word, 'Write `state backup` or `state master`.');
  line.state = STATES.find((each) => each === given?.text.toLowerCase());
  if (given === undefined || line.state !== undefined) return;
  const mend = didYouMean(given.text, STATES) ?? 'Write `state backup` or `state master`.';
  report.error(given.span, 'unknown-value', `There is no state \`${given.text}\`.`, mend);
}

function readVhinet(word: Word, { line, report, value }: Reader): void {
  line.spans['addresses'] ??= word.span;
  const given = value(word, 'Write the virtual address after it, such as `vhinet 10.10.0.1/16`.');
  const address = given && parseVirtualAddress(given, report);
  if (address !== undefined) line.addresses.push(address);
}

/** `netmask 255.255.0.0` or `netmask 0xffff0000`, for the address before it. */
function readNetmask(word: Word, { line, report, value }: Reader): void {
  const given = value(word, NETMASK_EXAMPLE);
  const last = line.addresses.pop();
  if (given === undefined) return;
  const prefix_length = prefixOfMask(given.text);
  if (last === undefined)
    report.error(
      word.span,
      'carp-without-address',
      '`netmask` stands here without an address before it.',
      'Write `10.10.0.1/16` instead.',
    );
  else if (prefix_length === undefined)
    report.error(given.span, 'bad-address', `\`${given.text}\` is not a netmask.`, NETMASK_EXAMPLE);
  if (last !== undefined) line.addresses.push({ ...last, prefix_length: prefix_length ?? last.prefix_length });
}

function readPrefixLength(word: Word, { line, report, value }: Reader): void {
  const given = value(word, 'Write for example `prefixlen 64`.');
  const last = line.addresses.pop();
  if (last !== undefined) line.addresses.push(last);
  const max = last?.address.includes(':') === false ? 32 : 128;
  const prefix_length = given && parseInteger(given, { what: 'prefixlen', min: 1, max }, report);
  if (last !== undefined && prefix_length !== undefined)
    line.addresses[line.addresses.length - 1] = { ...last, prefix_length };
}

function readCarpdev(word: Word, { line, report, value }: Reader): void {
  line.is_openbsd = true;
  const given = value(word, 'Write the name of the interface after it, such as `carpdev em0`.');
  if (given === undefined || reportPlaceholder(given, 'interface', report)) return;
  line.spans['interface'] = given.span;
  line.carpdev = given.text;
}

function readNodes(word: Word, { line, report, value }: Reader): void {
  line.is_openbsd = true;
  line.spans['nodes'] = word.span;
  const mend = 'Write pairs of vhid and advskew, such as `carpnodes 1:0,2:100`.';
  const given = value(word, mend);
  if (given === undefined) return;
  const pairs = given.text.split(',').map((pair) => /^(\d{1,3}):(\d{1,3})$/.exec(pair));
  const nodes = pairs.map((pair) => ({ vhid: Number(pair?.[1]), advskew: Number(pair?.[2]) }));
  const isGood = nodes.every(
    ({ vhid, advskew }) => vhid >= 1 && vhid <= 255 && advskew >= 0 && advskew <= KERNELS_MOST_ADVSKEW,
  );
  if (isGood && nodes.length <= MOST_NODES) line.nodes = nodes;
  else report.error(given.span, 'bad-nodes', `\`${given.text}\` is no list of at most ${MOST_NODES} nodes.`, mend);
}

function readBalancing(word: Word, { line, report, value }: Reader): void {
  line.is_openbsd = true;
  line.spans['balancing'] = word.span;
  const given = value(word, 'Write `balancing arp`.');
  if (given === undefined) return;
  line.spans['balancing'] = given.span;
  line.balancing = BALANCINGS.find((each) => each === given.text);
  if (line.balancing === undefined)
    report.error(
      given.span,
      'unknown-value',
      `There is no balancing \`${given.text}\`.`,
      didYouMean(given.text, BALANCINGS) ?? 'Write `balancing arp`.',
    );
  else if (line.balancing.startsWith('ip'))
    report.error(
      given.span,
      'unsupported-balancing',
      `\`balancing ${line.balancing}\` needs a kernel in which every node receives every frame and keeps its share; Linux has no such.`,
      'Write `balancing arp`: it shares the clients of the own network among the nodes.',
    );
}

function peer(field: 'peer' | 'peer6', isIPv6: boolean): Rule {
  return { values: 1, read: (word, reader) => readPeer(field, isIPv6, word, reader) };
}

function readPeer(field: 'peer' | 'peer6', isIPv6: boolean, word: Word, { line, report, value }: Reader): void {
  line.spans['peers'] ??= word.span;
  const example = isIPv6 ? '2001:db8::2' : '10.0.0.2';
  const given = value(word, `Write the other node's address after it, such as \`${word.text} ${example}\`.`);
  const address = given && parseNodeAddress(given, word.text, report);
  if (given === undefined || address === undefined) return;
  if (address.includes(':') === isIPv6) line[field] = address;
  else
    report.error(
      given.span,
      'bad-address',
      `\`${word.text}\` takes an IPv${isIPv6 ? 6 : 4} address.`,
      `Write for example \`${word.text} ${example}\`.`,
    );
}

function readVersion(word: Word, { report, value }: Reader): void {
  const given = value(word, 'Write `carpver 2`, or leave it out.');
  if (given === undefined || given.text === '2') return;
  report.error(given.span, 'unsupported-keyword', '`carpver 3` is VRRP, another protocol.', 'Leave it out.');
}
