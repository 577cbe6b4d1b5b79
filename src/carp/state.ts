/** The engine's whole memory. `step` changes it in place; nothing else does. */
import { parseAddress, toNumber } from './address.ts';
import { announcements } from './announce.ts';
import { type Auth, createAuth } from './auth.ts';
import { type CounterSource, createCounterSource, createOwnCounters, type OwnCounters } from './counter.ts';
import { createCounters } from './counters.ts';
import type { Demotions } from './demotion.ts';
import { interval_us, masterDown_us } from './election.ts';
import type { AddressEffect, Counters, Effect, EngineSettings, State, VhidSettings } from './events.ts';
import { createFrame, GROUP_IPV4, GROUP_MAC_IPV4, type PeerKind, virtualMac } from './frame.ts';

export type Engine = {
  readonly settings: EngineSettings;
  readonly vhids: readonly Vhid[];
  readonly interfaces: ReadonlyMap<string, Interface>;
  readonly demotions: Demotions;
  readonly counters: Counters;
  readonly counter_source: CounterSource;
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

export type Interface = {
  readonly name: string;
  up: boolean;
  /** Its vhids do not want to know. */
  readonly ignored: boolean;
  /** Why it is so, in words. */
  why: string;
  /** By vhid number. */
  readonly vhids: (Vhid | undefined)[];
};

/** The deadlines of one vhid, absolute, in `Vhid.due_ns`; Infinity is "not armed". In the order of their handling. */
export const MASTER_DOWN = 0;
export const RENEW = 1;
export const ADD_AGAIN = 2;
export const ADVERT = 3;
export const ANNOUNCE = 4;
/** The end of the demotion for send errors, on a node that sends no more adverts which could succeed. */
export const FORGIVE_SEND_ERRORS = 5;
const DEADLINES = 6;

/** So many failures in a row demote, and so many successes take it back. */
export const SEND_ERRORS_LIMIT = 3;

export type Vhid = {
  readonly index: number;
  readonly settings: VhidSettings;
  readonly auth: Auth;
  /** `settings.source_address` as an unsigned number. */
  readonly source: number;
  /** What we advert without and with demotion, in µs; shorter wins. */
  readonly configured_interval_us: number;
  interval_us: number;
  /** How long a BACKUP waits; with advbase 0 it follows the demotion. */
  master_down_ns: number;
  advskew: number;
  /** 0..240, the sum that is in `advskew`. */
  demotion: number;

  state: State;
  since_ns: number;
  reason: string;
  /** Why people took it out of service; undefined: they did not. */
  maintenance: string | undefined;
  /** BACKUP was entered once, so the first down script has run. */
  was_backup: boolean;
  /** In a typed array: storing times in an object's fields can allocate. */
  readonly due_ns: Float64Array;

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

  readonly own_counters: OwnCounters;
  readonly peer: Peer;
  equal_logged: boolean;
  refused_log_ns: number;
  send_errors: number;
  send_successes: number;
  sent: number;
  received: number;
  refused: number;

  /** Frames and effects that are the same each time, made once. */
  readonly advert: Extract<Effect, { kind: 'send' }>;
  readonly bow_out: Extract<Effect, { kind: 'send' }>;
  readonly announce: Extract<Effect, { kind: 'announce' }>;
  readonly add: AddressEffect;
  readonly renew: AddressEffect;
  readonly remove: AddressEffect;
};

/** The last advert that authenticated. */
export type Peer = {
  source: number;
  kind: PeerKind;
  interval_us: number;
  /** -1: nothing heard in this state's time. */
  heard_ns: number;
  /** Whose adverts make it MASTER in our eyes; 0 is nobody. */
  master: number;
  /** The interval of the last MASTER that a BACKUP heard and had to give way to, and until when its next advert may take. */
  preferred_interval_us: number;
  preferred_until_ns: number;
};

/** @throws RangeError on settings that the configuration's checks should have refused. */
export function createEngine(settings: EngineSettings): Engine {
  const vhids = settings.vhids.map((vhid, index) => createVhid(vhid, index, settings.lease_s));
  return {
    settings,
    vhids,
    interfaces: groupByInterface(vhids, settings.links_down ?? []),
    demotions: [],
    counters: createCounters(),
    counter_source: createCounterSource(settings.seed),
    effects: [],
    started: false,
    ready: !settings.wait_for_ready,
    ready_due_ns: Number.POSITIVE_INFINITY,
    healthy: true,
    ill_reason: '',
    stopped: false,
  };
}

function groupByInterface(vhids: readonly Vhid[], down: readonly string[]): Map<string, Interface> {
  const interfaces = new Map<string, Interface>();
  for (const vhid of vhids) {
    const name = vhid.settings.interface;
    const ignored = vhids.every(({ settings }) => settings.interface !== name || settings.ignore_link_state);
    const up = ignored || !down.includes(name);
    const why = `link of ${name} is ${up ? 'up' : 'down'}`;
    const group = interfaces.get(name) ?? { name, up, ignored, why, vhids: [] };
    if (group.vhids[vhid.settings.vhid]) throw new RangeError(`vhid ${vhid.settings.vhid} twice on ${name}`);
    group.vhids[vhid.settings.vhid] = vhid;
    interfaces.set(name, group);
  }
  return interfaces;
}

function createVhid(settings: VhidSettings, index: number, lease_s: number): Vhid {
  const interval = interval_us(settings.advbase, settings.advskew);
  if (interval === 0) throw new RangeError('advbase and advskew are both 0');
  return {
    index,
    settings,
    auth: createAuth({
      key: settings.key,
      vhid: settings.vhid,
      addresses: settings.addresses,
      order: settings.address_order ?? 'sorted',
      link_locals: settings.hash_link_locals ?? true,
    }),
    source: toNumber(sourceAddress(settings)),
    configured_interval_us: interval,
    interval_us: interval,
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
    own_counters: createOwnCounters(),
    peer: {
      source: 0,
      kind: 'carpool',
      interval_us: 0,
      heard_ns: -1,
      master: 0,
      preferred_interval_us: 0,
      preferred_until_ns: 0,
    },
    equal_logged: false,
    refused_log_ns: 0,
    send_errors: 0,
    send_successes: 0,
    sent: 0,
    received: 0,
    refused: 0,
    ...createEffects(settings, index, lease_s),
  };
}

function createEffects(settings: VhidSettings, index: number, lease_s: number) {
  const place = { index, interface: settings.interface };
  const addresses = { ...place, addresses: settings.addresses, lease_s };
  const frames = announcements(settings.interface_mac, settings.addresses);
  return {
    advert: { kind: 'send', ...place, what: 'advert', family: 4, frame: advertFrame(settings) },
    bow_out: { kind: 'send', ...place, what: 'bow-out', family: 4, frame: advertFrame(settings) },
    announce: { kind: 'announce', ...place, frames },
    add: { kind: 'add-addresses', ...addresses },
    renew: { kind: 'renew-addresses', ...addresses },
    remove: { kind: 'remove-addresses', ...addresses },
  } as const;
}

function advertFrame(settings: VhidSettings): Uint8Array {
  const mac = settings.advert_mac ?? 'interface';
  return createFrame({
    destination_mac: GROUP_MAC_IPV4,
    source_mac: mac === 'interface' ? settings.interface_mac : virtualMac(mac, settings.vhid),
    source: sourceAddress(settings),
    destination: GROUP_IPV4,
    tos: 0x10,
    id: 0,
  });
}

function sourceAddress(settings: VhidSettings): Uint8Array {
  const bytes = parseAddress(settings.source_address ?? '');
  if (bytes?.length !== 4) throw new RangeError(`no IPv4 source address: ${settings.source_address}`);
  return bytes;
}
