/**
 * What a host runs: the events and effects of the engine, whoever's rules are behind them. carpool's is the real engine;
 * `Core` is the seam where a test puts in a broken one.
 */
import { passwordKey } from '../carp/auth.ts';
import { createEngine, type Engine, nextDeadline_ns, step, will } from '../carp/engine.ts';
import type { Effect, Event, State, VhidSettings } from '../carp/events.ts';
import type { HostSettings, MemberSettings } from './scenario.ts';

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
};

export function carpoolProgram(core: Core, { host, number, seed, links_down }: Start): Program {
  const vhids = host.members.map((member) => vhidSettings(member, number));
  const engine = core.createEngine({ vhids, seed, lease_s: host.lease_s, wait_for_ready: true, links_down });
  return {
    handle: (event, now_ns) => core.step(engine, event, now_ns),
    nextDeadline_ns: () => core.nextDeadline_ns(engine),
    state: (index) => engine.vhids[index].state,
    demotion: (index) => engine.vhids[index].demotion,
    stuck: (index) => stuck(engine, index),
    will: (index) => will(engine, index),
  };
}

function stuck(engine: Engine, index: number): string | undefined {
  const { state, due_ns } = engine.vhids[index];
  if (state === 'BACKUP' && !due_ns.some(Number.isFinite)) return 'a BACKUP that waits for nothing';
  if (state === 'MASTER' && !due_ns.some(Number.isFinite)) return 'a MASTER that will do nothing';
  return undefined;
}

/** Host number n is 10.S.x.y with x.y = n on segment S; a vhid has one VIP. */
export function vhidSettings(member: MemberSettings, number: number): VhidSettings {
  const source = [10, member.segment, number >> 8, number & 255];
  return {
    interface: interfaceOf(member.segment),
    vhid: member.vhid,
    key: passwordKey('simulated'),
    addresses: [`10.${member.segment}.255.${member.vhid}`],
    advbase: member.advbase,
    advskew: member.advskew,
    preempt: member.preempt,
    deadratio: 3,
    source_address: source.join('.'),
    interface_mac: Uint8Array.of(2, 0, ...source),
  };
}

export function interfaceOf(segment: number): string {
  return `eth${segment}`;
}
