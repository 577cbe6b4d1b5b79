/** A vhid while its lines are read, in whatever dialect, and the parts of the reading that all dialects share. */

import type { Span } from './diagnostic.ts';
import type { AlsoAccept, Carp, CarpDialect, DemoteRule, Track, VirtualAddress } from './model.ts';
import { CARP_DEFAULTS, carpWith } from './model-defaults.ts';
import type { Reporter } from './reporter.ts';
import { parseDuration, parseInteger, reportPlaceholder } from './values.ts';
import type { Word } from './word.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** The model's fields, open for change; what nobody wrote yet is undefined or its default. */
export type CarpDraft = Open<
  Omit<Carp, 'vhid' | 'pass' | 'addresses' | 'demotions' | 'peers' | 'also_accept' | 'tracks' | 'spans'>
> & {
  vhid: number | undefined;
  pass: string | undefined;
  addresses: VirtualAddress[];
  demotions: DemoteRule[];
  peers: string[];
  also_accept: AlsoAccept[];
  tracks: Track[];
  spans: Record<string, Span>;
};

export function newCarp(name: string, span: Span, dialect: CarpDialect = 'native'): CarpDraft {
  return {
    ...CARP_DEFAULTS,
    name,
    dialect,
    vhid: undefined,
    pass: undefined,
    addresses: [],
    demotions: [],
    peers: [],
    also_accept: [],
    tracks: [],
    span,
    spans: {},
  };
}

/** A vhid of the model, open for change again. */
export function reopen(carp: Carp): CarpDraft {
  return {
    ...carp,
    addresses: [...carp.addresses],
    demotions: [...carp.demotions],
    peers: [...carp.peers],
    also_accept: [...carp.also_accept],
    tracks: [...carp.tracks],
    spans: { ...carp.spans },
  };
}

/** Undefined when a vhid or every address is missing; who calls has reported that, in the words of its dialect. */
export function closeCarp({ vhid, pass, ...rest }: CarpDraft): Carp | undefined {
  if (vhid === undefined || rest.addresses.length === 0) return undefined;
  // which vhid a client gets is told by the MAC in the answer to its ARP request
  const mac = rest.balancing === 'arp' ? 'virtual' : rest.mac;
  // a virtual MAC that sends nothing is forgotten by the switches
  const advert_mac = mac === 'virtual' && rest.spans['advert_mac'] === undefined ? 'kernel' : rest.advert_mac;
  return carpWith({ ...rest, mac, advert_mac, vhid, pass: pass ?? '' });
}

/**
 * The fields that are whole numbers, and their bounds. FreeBSD refuses an advbase of 0, OpenBSD takes it. ucarp takes an
 * advskew of 255, the kernels do not.
 */
export const CARP_NUMBERS = {
  vhid: { min: 1, max: 255, example: 1 },
  advbase: { min: 0, max: 255, example: 1 },
  advskew: { min: 0, max: 255, example: 100 },
  deadratio: { min: 1, max: 255, example: 3 },
} as const;

export type CarpNumber = keyof typeof CARP_NUMBERS;

/** Into the draft, or reported. */
export function setNumber(draft: CarpDraft, field: CarpNumber, word: Word, report: Reporter): void {
  draft.spans[field] = word.span;
  if (reportPlaceholder(word, field, report)) return;
  const { min, max } = CARP_NUMBERS[field];
  const value = parseInteger(word, { what: field, min, max }, report);
  if (value !== undefined) draft[field] = value;
}

/** Seconds when no unit is written: a delay in milliseconds is nobody's wish. */
export function parseDelay(word: Word, what: string, report: Reporter): number | undefined {
  const text = /^\d+$/.test(word.text) ? `${word.text}s` : word.text;
  return parseDuration({ text, span: word.span }, what, report);
}
