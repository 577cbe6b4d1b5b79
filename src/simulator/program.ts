/**
 * What a host runs: the events and effects of the engine, whoever's rules are behind them. carpool's is the real engine;
 * `Core` is the seam where a test puts in a broken one.
 */
import { passwordKey } from '../carp/auth.ts';
import { createEngine, type Engine, nextDeadline_ns, step, will } from '../carp/engine.ts';
import type { Effect, Event, State, VhidSettings } from '../carp/events.ts';
import type { Configured, HostSettings, MemberSettings } from './scenario.ts';

export type Core = {
  readonly createEngine: typeof createEngine;
  readonly step: typeof step;
  readonly nextDeadline_ns: typeof nextDeadline_ns;
};

export const CARPOOL: Core = { createEngine, step, nextDeadline_ns };

export type Program = {
  /** The effects may be reused by the next call. */
  handle(event: Event, now_ns: number): readonly Effect[];
  nextDeadline_ns(): number;
  state(index: number): State;
  /** What it holds as MASTER. */
  addresses(index: number): readonly string[];
  /** What the program itself believes, 0..240; only to know of demotions that the world did not cause. */
  demotion(index: number): number;
  /** Why nothing will ever happen to this vhid; undefined when something is awaited. */
  stuck(index: number): string | undefined;
  /** What a guardian sends when the program is killed; undefined: it has none. */
  will?(index: number): readonly Uint8Array[];
};

export type Start = {
  readonly host: HostSettings;
  /** From 1: makes its addresses. */
  readonly number: number;
  readonly seed: Uint32Array;
  readonly links_down: readonly string[];
  readonly configured: readonly Configured[];
  /** How many hosts there are: a unicast vhid's peers. */
  readonly hosts: number;
};

/** What nodes must share, by number: a password, and how many addresses of each family. */
export const SECRETS = [
  { password: 'simulated', addresses: 1 },
  { password: 'changed', addresses: 1 },
  { password: 'simulated', addresses: 2 },
] as const;
export const SECRETS_COUNT = SECRETS.length;

export function carpoolProgram(core: Core, { host, number, seed, links_down, configured, hosts }: Start): Program {
  const vhids = carpoolVhids(configured, number, hosts);
  const engine = core.createEngine({ vhids, seed, lease_s: host.lease_s, wait_for_ready: true, links_down });
  return {
    handle: (event, now_ns) => core.step(engine, event, now_ns),
    nextDeadline_ns: () => core.nextDeadline_ns(engine),
    addresses: (index) => engine.slots[index]?.settings.addresses ?? [],
    state: (index) => engine.slots[index]?.state ?? 'INIT',
    demotion: (index) => engine.slots[index]?.demotion ?? 0,
    stuck: (index) => stuck(engine, index),
    will: (index) => will(engine, index),
  };
}

function stuck(engine: Engine, index: number): string | undefined {
  const vhid = engine.slots[index];
  if (!vhid) return undefined;
  const { state, due_ns } = vhid;
  if (state === 'BACKUP' && !due_ns.some(Number.isFinite)) return 'a BACKUP that waits for nothing';
  if (state === 'MASTER' && !due_ns.some(Number.isFinite)) return 'a MASTER that will do nothing';
  return undefined;
}

/** What a carpool on host `number` is configured with. */
export function carpoolVhids(configured: readonly Configured[], number: number, hosts: number): VhidSettings[] {
  return configured
    .filter(({ absent }) => !absent)
    .map((member) => {
      const { password } = SECRETS[member.secret];
      const { families = 4, unicast, shared, delay_ms = 0, segment, demote_byte } = member;
      const others = Array.from({ length: hosts }, (_, i) => i + 1).filter((other) => other !== number);
      return {
        ...vhidSettings(member, number),
        key: passwordKey(password),
        addresses: shared ? [sharedAddress(segment)] : addressesOf(member, member.secret),
        also_accept: member.also < 0 ? [] : [alternative(member)],
        peers: unicast ? others.flatMap((other) => sourcesOf(segment, other, families)) : [],
        ...(shared ? { mac: 'virtual', balancing: 'arp' } : {}),
        preempt_delay_ns: delay_ms * 1e6,
        openbsd_demote_byte: demote_byte === 'yes',
      };
    });
}

function alternative(member: Configured): { key: Uint8Array; addresses?: readonly string[] } {
  const key = passwordKey(SECRETS[member.also].password);
  return member.shared ? { key } : { key, addresses: addressesOf(member, member.also) };
}

function addressesOf({ segment, vhid, families = 4 }: MemberSettings, secret: number): string[] {
  const { addresses } = SECRETS[secret];
  const four = [255, 254].slice(0, addresses).map((net) => `10.${segment}.${net}.${vhid}`);
  const six = [1, 2].slice(0, addresses).map((host) => `fd00::${segment + 1}:${vhid}:${host}`);
  return [...(families === 6 ? [] : four), ...(families === 4 ? [] : six)];
}

function sourcesOf(segment: number, number: number, families: 4 | 6 | 46): string[] {
  return [...(families === 6 ? [] : [source4(segment, number)]), ...(families === 4 ? [] : [source6(segment, number)])];
}

/** The address that all vhids of a segment share. */
export function sharedAddress(segment: number): string {
  return `10.${segment}.253.1`;
}

/** Host number n is 10.S.x.y with x.y = n on segment S, and fe80::S:n. */
export function source4(segment: number, number: number): string {
  return `10.${segment}.${number >> 8}.${number & 255}`;
}

export function source6(segment: number, number: number): string {
  return `fe80::${(segment + 1).toString(16)}:${number.toString(16)}`;
}

/** A vhid with one VIP, as any program may have it. */
export function vhidSettings(member: MemberSettings, number: number): VhidSettings {
  const { segment } = member;
  return {
    interface: interfaceOf(segment),
    vhid: member.vhid,
    key: passwordKey(SECRETS[0].password),
    addresses: [`10.${segment}.255.${member.vhid}`],
    advbase: member.advbase,
    advskew: member.advskew,
    preempt: member.preempt,
    deadratio: 3,
    source_address: source4(segment, number),
    source_address6: source6(segment, number),
    interface_mac: Uint8Array.of(2, 0, 10, segment, number >> 8, number & 255),
  };
}

export function interfaceOf(segment: number): string {
  return `eth${segment}`;
}
