/** The interfaces that vhids are on: their links, how often those went down, and which addresses vhids of one share. */
import { parseAddress } from './address.ts';
import type { Engine, Vhid } from './state.ts';

/** So many downs within FLAPPING_NS are a flapping link. */
const FLAPS = 3;
const FLAPPING_NS = 60e9;

export type Interface = {
  readonly name: string;
  up: boolean;
  /** Its vhids do not want to know. */
  ignored: boolean;
  /** Why it is so, in words. */
  why: string;
  /** By vhid number. */
  readonly vhids: (Vhid | undefined)[];
  /** What `balancing` vhids share. */
  shared: readonly SharedAddress[];
  /** When it last went down, the latest FLAPS times; `downs` counts all. */
  readonly down_ns: Float64Array;
  downs: number;
};

/** `vhids` in the order of their numbers, the same on every node. */
export type SharedAddress = { readonly address: Uint8Array; readonly vhids: readonly Vhid[] };

export function createInterface(name: string, up: boolean): Interface {
  const why = `link of ${name} is ${up ? 'up' : 'down'}`;
  const down_ns = new Float64Array(FLAPS).fill(Number.NEGATIVE_INFINITY);
  return { name, up, ignored: false, why, vhids: [], shared: [], down_ns, downs: 0 };
}

/** After its vhids changed. */
export function settleInterface(link: Interface): void {
  const vhids = link.vhids.filter((vhid) => vhid !== undefined);
  link.ignored = vhids.every(({ settings }) => settings.ignore_link_state);
  if (link.ignored) link.up = true;
  link.shared = sharedAddresses(vhids.filter(({ settings }) => settings.balancing === 'arp'));
}

function sharedAddresses(vhids: readonly Vhid[]): SharedAddress[] {
  const texts = new Set(vhids.flatMap(({ settings }) => settings.addresses));
  return [...texts].map((text) => ({
    address: parseAddress(text)!,
    vhids: vhids.filter(({ settings }) => settings.addresses.includes(text)),
  }));
}

/** Another MASTER of this host needs that address, too. */
export function isNeededElsewhere(engine: Engine, vhid: Vhid, address: string): boolean {
  return engine.vhids.some(
    (other) =>
      other !== vhid &&
      other.state === 'MASTER' &&
      other.settings.interface === vhid.settings.interface &&
      other.settings.addresses.includes(address),
  );
}

export function linkOf(engine: Engine, vhid: Vhid): Interface {
  return engine.interfaces.get(vhid.settings.interface)!;
}

/** How often a flapping link went down within a minute; 0: it does not flap. */
export function noteDown(link: Interface, now_ns: number): number {
  link.down_ns[link.downs % FLAPS] = now_ns;
  link.downs++;
  let recent = 0;
  for (const at_ns of link.down_ns) if (now_ns - at_ns < FLAPPING_NS) recent++;
  return recent === FLAPS ? recent : 0;
}
