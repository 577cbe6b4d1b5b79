/** The engine's whole memory. `step` changes it in place; nothing else does. */
import { MAPPED_BYTES } from './address.ts';
import { type BadSources, createBadSources } from './bad-sources.ts';
import { type CounterSecret, type CounterSource, createCounterSource, nextWord } from './counter.ts';
import { createCounters } from './counters.ts';
import type { Demotions } from './demotion.ts';
import { masterDown_us } from './election.ts';
import type { Counters, Effect, EngineSettings, Family, HostSettings, State, Trouble, VhidSettings } from './events.ts';
import type { PeerKind } from './frame.ts';
import { createInterface, type Interface, settleInterface } from './interfaces.ts';
import { type Prepared, prepare } from './prepared.ts';

export type Engine = {
  readonly lease_s: number;
  host: HostSettings;
  /** In the order of their slots. Only `configure` changes these three. */
  readonly vhids: Vhid[];
  /** By `index`. */
  readonly slots: (Vhid | undefined)[];
  readonly interfaces: Map<string, Interface>;
  /** The deadlines of all vhids, one after the other: each vhid's are a part of it. */
  due_ns: Float64Array;
  /** The earliest of them, or before it: deadlines that move later leave it as it was. NaN: it has to be looked for. */
  next_ns: number;
  readonly demotions: Demotions;
  readonly counters: Counters;
  readonly bad_sources: BadSources;
  readonly counter_source: CounterSource;
  readonly counter_secret: CounterSecret;
  /** What the present step asks for; emptied by the next one. */
  readonly effects: Effect[];
  started: boolean;
  ready: boolean;
  /** How long every vhid waits for `ready` at most; Infinity when nobody waits. */
  ready_due_ns: number;
  healthy: boolean;
  /** What the last `health` event said. */
  ill_reason: string;
  stopped: boolean;
};

/** The deadlines of one vhid, absolute, in `Vhid.due_ns`; Infinity is "not armed". In the order of their handling. */
export const MASTER_DOWN = 0;
export const MASTER_DOWN6 = 1;
export const RENEW = 2;
export const ADD_AGAIN = 3;
export const ADVERT = 4;
export const ANNOUNCE = 5;
/** The end of the demotion for send errors, on a node that sends no more adverts which could succeed. */
export const FORGIVE_SEND_ERRORS = 6;
export const DEADLINES = 7;

/** So many failures in a row demote, and so many successes take it back. */
export const SEND_ERRORS_LIMIT = 3;

/** What follows from the settings (`Prepared`) is replaced by a `configure` event alone; the rest is its life. */
export type Vhid = Prepared & {
  readonly index: number;
  /** What we advert with demotion, in µs; shorter wins. */
  interval_us: number;
  /** How long a BACKUP waits; with advbase 0 it follows the demotion. */
  master_down_ns: number;
  /** With the demotion in it, unless that goes into byte 4. */
  advskew: number;
  /** 0..240 */
  demotion: number;

  state: State;
  since_ns: number;
  reason: string;
  /** Why people took it out of service; undefined: they did not. */
  maintenance: string | undefined;
  /** BACKUP was entered once, so the first down script has run. */
  was_backup: boolean;
  /** A part of `Engine.due_ns`, which is looked through many times a second. */
  due_ns: Float64Array;

  /** When the last advert left and when the addresses were last leased. */
  sent_ns: number;
  renewed_ns: number;
  /** Which of ANNOUNCE_AFTER_S comes next, counted from `announce_from_ns`. */
  announce_step: number;
  announce_from_ns: number;
  /** Before these times neither a foreign removal nor a defeated peer is answered at once. */
  add_again_ns: number;
  answer_defeated_ns: number;
  /** Until then it does not preempt, because it was told to yield. */
  calm_until_ns: number;
  /** Since when this BACKUP hears slower masters only; Infinity: it does not. */
  slower_since_ns: number;

  readonly peer: Peer;
  readonly defeated: Defeated;
  /** By kind; made when first needed, then changed in place. */
  readonly troubles: Map<Trouble['kind'], LiveTrouble>;
  /** Of `failing_family`, in a row: while one family's adverts fail, the other's say nothing about them. */
  send_errors: number;
  send_successes: number;
  failing_family: Family;
  readonly counters: Counters;
  /** Adverts that authenticated. */
  heard: number;
};

/** The last advert that authenticated. */
export type Peer = {
  /** Mapped. */
  readonly source: Uint8Array;
  /** Mapped: what people know it by, its IPv4 source also when it adverts over both families. */
  readonly name: Uint8Array;
  /** Of its last IPv4 advert. */
  interval4_us: number;
  readonly mac: Uint8Array;
  family: 4 | 6;
  kind: PeerKind;
  advbase: number;
  advskew: number;
  demote: number;
  interval_us: number;
  /** -1: nothing heard yet; of either family, and of each. */
  heard_ns: number;
  heard4_ns: number;
  heard6_ns: number;
  /** Whose adverts make it MASTER in our eyes, mapped, while `master_known`. */
  readonly master: Uint8Array;
  master_known: boolean;
  /** The last MASTER that a BACKUP heard and had to give way to (mapped), its interval, and until when its next advert may take. */
  readonly preferred: Uint8Array;
  preferred_interval_us: number;
  preferred_until_ns: number;
};

/** A MASTER that goes on adverting although this one is preferred. */
export type Defeated = { readonly source: Uint8Array; heard_ns: number; count: number; sent_before: number };

export type LiveTrouble = { text: string; at_ns: number; logged_ns: number };

/** @throws RangeError on settings that the configuration's checks should have refused. */
export function createEngine(settings: EngineSettings): Engine {
  const { vhids, seed, lease_s, wait_for_ready, links_down = [], ...host } = settings;
  const counter_source = createCounterSource(seed);
  const engine: Engine = {
    lease_s,
    host,
    vhids: [],
    slots: [],
    interfaces: new Map(),
    due_ns: new Float64Array(0),
    next_ns: Number.NaN,
    demotions: [],
    counters: createCounters(),
    bad_sources: createBadSources(),
    counter_source,
    counter_secret: Uint32Array.from([1, 2, 3, 4], () => nextWord(counter_source)),
    effects: [],
    started: false,
    ready: !wait_for_ready,
    ready_due_ns: Number.POSITIVE_INFINITY,
    healthy: true,
    ill_reason: '',
    stopped: false,
  };
  for (const [index, one] of vhids.entries()) {
    const vhid = createVhid(one, index, lease_s, host);
    engine.slots[index] = vhid;
    engine.vhids.push(vhid);
  }
  enlist(engine, links_down);
  return engine;
}

/** Brings `interfaces` up to date with `vhids`; new ones are down if they are among `links_down`. */
export function enlist(engine: Engine, links_down: readonly string[]): void {
  for (const link of engine.interfaces.values()) link.vhids.length = 0;
  for (const vhid of engine.vhids) {
    const { interface: name, vhid: number } = vhid.settings;
    let link = engine.interfaces.get(name);
    if (!link) engine.interfaces.set(name, (link = createInterface(name, !links_down.includes(name))));
    if (link.vhids[number]) throw new RangeError(`vhid ${number} twice on ${name}`);
    link.vhids[number] = vhid;
  }
  for (const link of engine.interfaces.values()) settleInterface(link);
  gatherDeadlines(engine);
}

function gatherDeadlines(engine: Engine): void {
  engine.due_ns = new Float64Array(DEADLINES * engine.vhids.length);
  for (const [position, vhid] of engine.vhids.entries()) {
    const part = engine.due_ns.subarray(DEADLINES * position, DEADLINES * (position + 1));
    part.set(vhid.due_ns);
    vhid.due_ns = part;
  }
}

export function createVhid(settings: VhidSettings, index: number, lease_s: number, host: HostSettings): Vhid {
  const prepared = prepare(settings, index, lease_s, host);
  const { auth, families, source4, source6, group4, peers, vip_mac, adverts, bow_outs, announce, add, renew, remove } =
    prepared;
  // Field by field: of an object that is made by spreading another, V8 misses every load for ever, and loads make up
  // a third of what an advert costs.
  return {
    settings,
    auth,
    families,
    source4,
    source6,
    group4,
    peers,
    vip_mac,
    adverts,
    bow_outs,
    announce,
    add,
    renew,
    remove,
    configured_interval_us: prepared.configured_interval_us,
    index,
    interval_us: prepared.configured_interval_us,
    master_down_ns: 1000 * masterDown_us(settings.deadratio, settings.advbase, settings.advskew),
    advskew: settings.advskew,
    demotion: 0,
    state: 'INIT',
    since_ns: 0,
    reason: 'not started',
    maintenance: undefined,
    was_backup: false,
    due_ns: new Float64Array(DEADLINES).fill(Number.POSITIVE_INFINITY),
    sent_ns: 0,
    renewed_ns: 0,
    announce_step: 0,
    announce_from_ns: 0,
    add_again_ns: 0,
    answer_defeated_ns: 0,
    calm_until_ns: 0,
    slower_since_ns: Number.POSITIVE_INFINITY,
    peer: createPeer(),
    defeated: { source: new Uint8Array(MAPPED_BYTES), heard_ns: 0, count: 0, sent_before: 0 },
    troubles: new Map(),
    send_errors: 0,
    send_successes: 0,
    failing_family: 4,
    counters: createCounters(),
    heard: 0,
  };
}

function createPeer(): Peer {
  return {
    source: new Uint8Array(MAPPED_BYTES),
    name: new Uint8Array(MAPPED_BYTES),
    interval4_us: 0,
    mac: new Uint8Array(6),
    family: 4,
    kind: 'carpool',
    advbase: 0,
    advskew: 0,
    demote: 0,
    interval_us: 0,
    heard_ns: -1,
    heard4_ns: -1,
    heard6_ns: -1,
    master: new Uint8Array(MAPPED_BYTES),
    master_known: false,
    preferred: new Uint8Array(MAPPED_BYTES),
    preferred_interval_us: 0,
    preferred_until_ns: 0,
  };
}
