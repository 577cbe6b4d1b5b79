/** The words of `ifconfig carpN …` as FreeBSD up to 9 reads them (carp(4), ifconfig(8)). */
import { parsePass, parseVirtualAddress } from '../carp-values.ts';
import type { Span } from '../diagnostic.ts';
import type { VirtualAddress } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isIPv4, isPlaceholder, parseInteger, reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';

/** One carpN interface while its lines are read. */
export type CarpInterface = {
  readonly name: string;
  vhid: number | undefined;
  pass: string | undefined;
  advbase: number;
  advskew: number;
  readonly addresses: VirtualAddress[];
  span: Span;
  readonly spans: Record<string, Span>;
};

export function newCarpInterface(name: string, span: Span): CarpInterface {
  return { name, vhid: undefined, pass: undefined, advbase: 1, advskew: 0, addresses: [], span, spans: {} };
}

/** Each number's bounds; FreeBSD refuses an advbase of 0. */
const NUMBERS: Readonly<
  Record<string, { field: 'vhid' | 'advbase' | 'advskew'; min: number; max: number; example: number }>
> = {
  vhid: { field: 'vhid', min: 1, max: 255, example: 1 },
  advbase: { field: 'advbase', min: 1, max: 255, example: 1 },
  advskew: { field: 'advskew', min: 0, max: 254, example: 100 },
};

/** Words that change nothing about what carpool does. */
const SILENT: ReadonlySet<string> = new Set(['inet', 'alias', 'add', 'up', 'create']);
const WITH_VALUE = ['vhid', 'advbase', 'advskew', 'pass', 'netmask', 'broadcast'];
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'carpdev',
  'state',
  'peer',
  'peer6',
  'mcast',
  'carpver',
  'carpnodes',
  'balancing',
  'inet6',
  'down',
  'delete',
  '-alias',
  'mtu',
  'vhinet',
  'fib',
  'group',
  'description',
]);
const KNOWN = [...SILENT, ...WITH_VALUE, ...UNSUPPORTED];

export function parseIfconfig(carp: CarpInterface, words: readonly Word[], report: Reporter): void {
  new IfconfigReader(carp, words, report).read();
}

class IfconfigReader {
  readonly #carp: CarpInterface;
  readonly #words: readonly Word[];
  readonly #report: Reporter;
  #at = 0;

  constructor(carp: CarpInterface, words: readonly Word[], report: Reporter) {
    this.#carp = carp;
    this.#words = words;
    this.#report = report;
  }

  read(): void {
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++];
      if (SILENT.has(word.text)) continue;
      if (Object.hasOwn(NUMBERS, word.text)) this.#number(word);
      else if (word.text === 'pass') this.#pass(word);
      else if (word.text === 'netmask') this.#netmask(word);
      else if (word.text === 'broadcast') this.#at++;
      else if (UNSUPPORTED.has(word.text)) this.#unsupported(word);
      else this.#address(word);
    }
  }

  #number(word: Word): void {
    const { field, min, max, example } = NUMBERS[word.text];
    this.#carp.spans[field] = word.span;
    const value = this.#valueOf(
      word,
      `Write a number from ${min} to ${max} after it, such as \`${word.text} ${example}\`.`,
    );
    if (value === undefined) return;
    this.#carp.spans[field] = value.span;
    if (reportPlaceholder(value, word.text, this.#report)) return;
    const number = parseInteger(value, { what: word.text, min, max }, this.#report);
    if (number !== undefined) this.#carp[field] = number;
  }

  #pass(word: Word): void {
    this.#carp.spans['pass'] = word.span;
    const value = this.#valueOf(word, 'Write the password after it, the same on every node.');
    if (value === undefined) return;
    this.#carp.spans['pass'] = value.span;
    const pass = parsePass(value, this.#report);
    if (pass !== undefined) this.#carp.pass = pass;
  }

  /** The word after `word`, unless it is missing: the line ends, or the next word is a keyword itself. */
  #valueOf(word: Word, mend: string): Word | undefined {
    const value = this.#words[this.#at];
    const isMissing =
      value === undefined || (word.text === 'pass' ? this.#startsSomethingElse() : KNOWN.includes(value.text));
    if (isMissing) {
      const next = value === undefined ? 'nothing follows' : `the next word is \`${value.text}\``;
      return this.#report.error(word.span, 'missing-value', `\`${word.text}\` has no value: ${next}.`, mend);
    }
    this.#at++;
    return value;
  }

  /** A password may look like a keyword, but hardly like a keyword with its number or an address with its length. */
  #startsSomethingElse(): boolean {
    const [keyword, number] = this.#words.slice(this.#at);
    const [address, length] = keyword.text.split('/');
    if (isIPv4(address) && length !== undefined) return true;
    return Object.hasOwn(NUMBERS, keyword.text) && number !== undefined && /^\d+$/.test(number.text);
  }

  /** `netmask 255.255.0.0` or `netmask 0xffff0000`, for the address before it. */
  #netmask(word: Word): void {
    const value = this.#valueOf(word, 'Write for example `netmask 255.255.0.0`.');
    const last = this.#carp.addresses.pop();
    if (value === undefined) return;
    const prefix_length = prefixOfMask(value.text);
    if (last === undefined)
      this.#report.error(
        word.span,
        'carp-without-address',
        '`netmask` stands here without an address before it.',
        'Write `10.10.0.1/16` instead.',
      );
    else if (prefix_length === undefined)
      this.#report.error(
        value.span,
        'bad-address',
        `\`${value.text}\` is not a netmask.`,
        'Write for example `netmask 255.255.0.0`.',
      );
    if (last !== undefined) this.#carp.addresses.push({ ...last, prefix_length: prefix_length ?? last.prefix_length });
  }

  #address(word: Word): void {
    if (!/^[\d.]+(\/|$)/.test(word.text) && !word.text.includes(':') && !isPlaceholder(word.text)) {
      const mend = didYouMean(word.text, KNOWN) ?? 'Write an address such as `10.10.0.1/16`, or a word of ifconfig.';
      this.#report.error(
        word.span,
        'unknown-keyword',
        `\`${word.text}\` is no word of ifconfig for a CARP interface.`,
        mend,
      );
      return;
    }
    this.#carp.spans['addresses'] ??= word.span;
    const address = parseVirtualAddress(word, this.#report);
    if (address !== undefined) this.#carp.addresses.push(address);
  }

  #unsupported(word: Word): void {
    this.#report.error(
      word.span,
      'unsupported-keyword',
      `\`${word.text}\` of ifconfig is not supported yet.`,
      'Remove it, or write a carp section in haproxy.cfg.',
    );
    if (
      [
        'carpdev',
        'state',
        'peer',
        'peer6',
        'carpver',
        'carpnodes',
        'balancing',
        'inet6',
        'mtu',
        'fib',
        'group',
        'description',
      ].includes(word.text)
    )
      this.#at++;
  }
}

function prefixOfMask(text: string): number | undefined {
  const hexadecimal = /^0x([0-9a-fA-F]{1,8})$/.exec(text);
  if (hexadecimal === null && !isIPv4(text)) return undefined;
  const mask =
    hexadecimal === null
      ? text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
      : Number.parseInt(hexadecimal[1], 16);
  const bits = mask.toString(2).padStart(32, '0');
  return /^1+0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}
