/**
 * The way of FreeBSD from 10 on: vhids belong to the addresses of a real interface.
 *
 *   em0  inet vhid 1 advskew 100 pass x alias 10.10.0.1/32
 *
 * Every line about the same vhid of the interface adds to it.
 */
import { newCarp } from '../carp-draft.ts';
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import { spanOf, type Word } from '../word.ts';
import { applyLine } from './apply.ts';
import { type BsdInterface, reportState } from './interface.ts';
import { type IfconfigLine, readIfconfigLine } from './line.ts';

const CARP_WORDS = ['vhid', 'advskew', 'advbase', 'pass', 'state', 'peer', 'peer6', 'mcast', 'mcast6', 'carpver'];

/** Whether a line about a real interface is about CARP at all. */
export function isVhidLine(words: readonly Word[]): boolean {
  return words.some(({ text }) => text === 'vhid' || text === 'advskew' || text === 'advbase');
}

/** The name of a vhid of a real interface: `em0:1`. */
export function vhidName(name: string, vhid: number): string {
  return `${name}:${vhid}`;
}

/** The line's values; undefined, and reported, when no vhid says what it is about. */
export function readVhidLine(words: readonly Word[], report: Reporter): IfconfigLine | undefined {
  const first = words.find(({ text }) => CARP_WORDS.includes(text));
  if (first !== undefined && first.text !== 'vhid')
    report.error(
      first.span,
      'vhid-first',
      `\`${first.text}\` stands before any \`vhid\`, so it belongs to none.`,
      'Write `vhid` and its number first, then the other words of CARP.',
    );
  const line = readIfconfigLine(words, report);
  return line.vhid === undefined ? undefined : line;
}

/** The addresses of the vhid: those after it, and only when there are none those before it. */
export function vhidAddresses(line: IfconfigLine): IfconfigLine['addresses'] {
  const after = line.addresses.slice(line.addresses_before_vhid);
  return after.length > 0 ? after : line.addresses;
}

/** Reads a line of a file into the vhid of `interfaces` that it names. */
export function addVhidLine(
  name: string,
  words: readonly Word[],
  interfaces: Map<string, BsdInterface>,
  report: Reporter,
): void {
  const line = readVhidLine(words, report);
  if (line?.vhid === undefined) return;
  reportState(line, report);
  const key = vhidName(name, line.vhid);
  const known = interfaces.get(key) ?? newVhid(name, line.vhid, spanOf(words));
  interfaces.set(key, known);
  applyLine(known.draft, line, { is_command: false, addresses: vhidAddresses(line) });
}

export function newVhid(name: string, vhid: number, span: Span): BsdInterface {
  const draft = newCarp(vhidName(name, vhid), span, 'freebsd10');
  draft.interface = name;
  return { draft, nodes: undefined };
}
