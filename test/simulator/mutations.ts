/** Deliberate mistakes in the rules, put between the simulator and the real engine. Each is one that somebody could make. */
import { nextDeadline_ns, step } from '#src/carp/engine.js';
import type { Effect, Event } from '#src/carp/events.js';
import { PDU_AT_IPV4 } from '#src/carp/frame.js';
import { checksum, PDU_BYTES } from '#src/carp/packet.js';
import { ADVERT, type Engine, MASTER_DOWN, MASTER_DOWN6, RENEW } from '#src/carp/state.js';
import { CARPOOL, type Core } from '#src/simulator/program.js';
import { mixed, type Scope } from './arbitrary.js';

export type Mutation = {
  readonly rule: string;
  readonly core: Core;
  /** What may catch it: names of invariants. */
  readonly caught_by: readonly string[];
  /** Where it shows; without one in plain scenarios. */
  readonly scope?: Scope;
};

const ADVSKEW_AT = PDU_AT_IPV4 + 2;
const DEMOTE_AT = PDU_AT_IPV4 + 4;
const ADVBASE_AT = PDU_AT_IPV4 + 5;
const CHECKSUM_AT = PDU_AT_IPV4 + 6;

export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'leases are never renewed',
    core: withEffects((effect) => effect.kind !== 'renew-addresses'),
    caught_by: ['lease'],
  },
  {
    rule: 'addresses stay when a MASTER yields',
    core: withEffects((effect) => effect.kind !== 'remove-addresses'),
    caught_by: ['lease'],
  },
  {
    rule: 'an address that somebody removed is not added again',
    core: withEvents((event) => (event.kind === 'address-removed' ? undefined : event)),
    caught_by: ['lease'],
  },
  {
    rule: 'a new MASTER does not announce itself',
    core: withEffects((effect) => effect.kind !== 'announce'),
    caught_by: ['announced'],
  },
  {
    rule: 'bow-outs are not heard',
    core: withEvents((event) => (isAdvert(event) && isBowOut(event.bytes) ? undefined : event)),
    caught_by: ['bow-out', 'demoted'],
  },
  {
    rule: 'a MASTER that stops says nothing',
    core: withEffects((effect, event) => !(event.kind === 'stop' && effect.kind === 'send')),
    caught_by: ['bow-out'],
  },
  {
    rule: 'a MASTER adverts only once',
    core: after((engine) => setDeadline(engine, ADVERT, () => Number.POSITIVE_INFINITY)),
    caught_by: ['two masters', 'one master', 'preempt'],
  },
  {
    rule: 'a BACKUP waits twice as long',
    core: after((engine) => setDeadline(engine, MASTER_DOWN, (due_ns) => due_ns + patience_ns(engine))),
    caught_by: ['nobody'],
  },
  {
    rule: 'a BACKUP waits for ever',
    core: after((engine) => setDeadline(engine, MASTER_DOWN, () => Number.POSITIVE_INFINITY)),
    caught_by: ['stuck', 'nobody'],
  },
  {
    rule: 'a BACKUP does not hear the MASTER',
    core: whileIn('BACKUP', (event) => (isAdvert(event) && !isBowOut(event.bytes) ? undefined : event)),
    caught_by: ['one master', 'preempt'],
  },
  {
    rule: 'preempt is ignored',
    core: {
      ...CARPOOL,
      createEngine: (settings) =>
        CARPOOL.createEngine({ ...settings, vhids: settings.vhids.map((vhid) => ({ ...vhid, preempt: false })) }),
    },
    caught_by: ['preempt'],
  },
  {
    rule: 'a MASTER stays MASTER whoever adverts',
    core: whileIn('MASTER', (event) => (isAdvert(event) ? undefined : event)),
    caught_by: ['two masters'],
  },
  {
    rule: 'the slower node is preferred',
    core: withEvents((event) =>
      isAdvert(event) && !isBowOut(event.bytes) ? withSkew(event, (skew) => 254 - skew) : event,
    ),
    caught_by: ['two masters', 'one master', 'preempt'],
  },
  {
    rule: 'demotions are forgotten',
    core: withEvents((event) => (event.kind === 'demote' ? undefined : event)),
    caught_by: ['demoted', 'two masters', 'preempt'],
  },
  {
    rule: 'demotions are never taken back',
    core: withEvents((event) => (event.kind === 'undemote' && event.owner === 'fault' ? undefined : event)),
    caught_by: ['preempt', 'two masters', 'one master'],
  },
  {
    rule: 'a link that goes down is not noticed',
    core: withEvents((event) => (event.kind === 'link' && !event.up ? undefined : event)),
    caught_by: ['stuck'],
  },
  {
    rule: 'a link that comes up again is not noticed',
    core: withEvents((event) => (event.kind === 'link' && event.up ? undefined : event)),
    caught_by: ['stuck'],
  },
  {
    rule: 'after a stall timers run as if nothing had been',
    core: {
      ...CARPOOL,
      step: (engine, event, now_ns) => {
        if (event.kind === 'stall') return [];
        for (const vhid of engine.vhids) if (event.kind === 'timer') vhid.sent_ns = vhid.renewed_ns = now_ns;
        return step(engine, event, now_ns);
      },
    },
    caught_by: ['held up'],
  },
  {
    rule: 'a lease is renewed after it has ended',
    core: after((engine) => setDeadline(engine, RENEW, (due_ns) => due_ns + 4e9)),
    caught_by: ['lease'],
  },
  {
    rule: 'IPv6 adverts are not sent',
    core: withEffects((effect) => effect.kind !== 'send' || effect.family === 4),
    caught_by: ['one master', 'two masters', 'preempt', 'bow-out', 'demoted'],
    scope: { manner: { families: 46 } },
  },
  {
    rule: 'the patience for IPv6 never ends',
    core: after((engine) => setDeadline(engine, MASTER_DOWN6, () => Number.POSITIVE_INFINITY)),
    caught_by: ['stuck', 'nobody'],
    scope: { manner: { families: 6 } },
  },
  {
    rule: 'an advert over one family counts for both',
    core: {
      ...CARPOOL,
      step: (engine, event, now_ns) => {
        const heard = engine.vhids.map(({ heard }) => heard);
        const effects = step(engine, event, now_ns);
        for (const [at, { due_ns, heard: now, state }] of engine.vhids.entries())
          if (state === 'BACKUP' && now > heard[at])
            due_ns[MASTER_DOWN] = due_ns[MASTER_DOWN6] = Math.max(due_ns[MASTER_DOWN], due_ns[MASTER_DOWN6]);
        return effects;
      },
    },
    caught_by: ['nobody'],
    scope: { manner: { families: 46 } },
  },
  {
    rule: 'the demote byte is not sent',
    core: {
      ...CARPOOL,
      step: (engine, event, now_ns) =>
        step(engine, event, now_ns).map((effect) =>
          effect.kind === 'send' && effect.what === 'advert'
            ? { ...effect, frame: withDemote(effect.frame, 0) }
            : effect,
        ),
    },
    caught_by: ['demoted', 'two masters', 'preempt', 'one master', 'preferred'],
    scope: { manner: { demote_byte: 'yes' } },
  },
  {
    rule: "the others' demote byte is not read",
    core: withEvents((event) => (isAdvert(event) ? { ...event, bytes: withDemote(event.bytes, 0) } : event)),
    caught_by: ['demoted', 'two masters', 'preempt', 'one master', 'preferred'],
    scope: { ...mixed(['carpool', 'openbsd']), manner: { demote_byte: 'yes' } },
  },
  {
    rule: 'who is demoted in byte 4 adverts more slowly, too',
    core: {
      ...CARPOOL,
      createEngine: (settings) =>
        CARPOOL.createEngine({
          ...settings,
          vhids: settings.vhids.map((vhid) => ({ ...vhid, openbsd_demote_byte: false })),
        }),
    },
    caught_by: ['demoted', 'two masters', 'preempt', 'one master', 'preferred'],
    scope: { ...mixed(['carpool', 'openbsd']), manner: { demote_byte: 'yes' } },
  },
  {
    rule: 'only one unicast peer gets adverts',
    core: withEffects((effect) => effect.kind !== 'send' || !effect.to?.endsWith('.3')),
    caught_by: ['two masters', 'one master', 'preempt', 'nobody', 'bow-out', 'demoted'],
    scope: { manner: { unicast: 'yes' } },
  },
  {
    rule: 'a new configuration is not taken up',
    core: withEvents((event) => (event.kind === 'configure' ? undefined : event)),
    caught_by: ['two masters', 'one master', 'preempt', 'stuck', 'lease', 'nobody', 'bow-out'],
    scope: { manner: {} },
  },
  {
    rule: 'what is also accepted is forgotten',
    core: withEvents((event) =>
      event.kind === 'configure'
        ? { ...event, vhids: event.vhids.map((vhid) => ({ ...vhid, also_accept: [] })) }
        : event,
    ),
    caught_by: ['two masters', 'one master', 'preempt', 'demoted', 'bow-out'],
    scope: { manner: {} },
  },
  {
    rule: 'addresses that a new configuration does not have stay',
    core: withEffects((effect, event) => event.kind !== 'configure' || effect.kind !== 'remove-addresses'),
    caught_by: ['lease'],
    scope: { manner: {} },
  },
  {
    rule: 'a preempt delay is forgotten',
    core: {
      ...CARPOOL,
      createEngine: (settings) =>
        CARPOOL.createEngine({ ...settings, vhids: settings.vhids.map((vhid) => ({ ...vhid, preempt_delay_ns: 0 })) }),
    },
    caught_by: ['too early'],
    scope: { manner: {}, delay_ms: 2500 },
  },
  {
    rule: 'a BACKUP answers for a shared address, too',
    core: {
      ...CARPOOL,
      step: (engine, event, now_ns) => {
        if (event.kind !== 'frame' || event.bytes[13] !== 6) return step(engine, event, now_ns);
        const states = engine.vhids.map(({ state }) => state);
        for (const vhid of engine.vhids) vhid.state = 'MASTER';
        const effects = step(engine, event, now_ns);
        for (const [at, vhid] of engine.vhids.entries()) vhid.state = states[at];
        return effects;
      },
    },
    caught_by: ['balance'],
    scope: { manner: { shared: 'yes' } },
  },
];

type Advert = Extract<Event, { kind: 'frame' }>;

/** The engine does not get the event that `change` takes away. */
function withEvents(change: (event: Event) => Event | undefined): Core {
  return {
    ...CARPOOL,
    step: (engine, event, now_ns) => {
      const changed = change(event);
      return changed ? step(engine, changed, now_ns) : [];
    },
  };
}

/** The host does not get the effects that `keeps` refuses. */
function withEffects(keeps: (effect: Effect, event: Event) => boolean): Core {
  return {
    ...CARPOOL,
    step: (engine, event, now_ns) => step(engine, event, now_ns).filter((effect) => keeps(effect, event)),
  };
}

/** Takes events away in one state only; adverts concern one vhid, and all of an engine's are looked at together. */
function whileIn(state: 'BACKUP' | 'MASTER', change: (event: Event) => Event | undefined): Core {
  return {
    ...CARPOOL,
    step: (engine, event, now_ns) => {
      const vhid = event.kind === 'frame' ? engine.interfaces.get(event.interface)?.vhids[event.bytes[35]] : undefined;
      const changed = vhid?.state === state ? change(event) : event;
      return changed ? step(engine, changed, now_ns) : [];
    },
  };
}

/** Tampers with the engine's deadlines after each step. */
function after(change: (engine: Engine) => void): Core {
  return {
    createEngine: CARPOOL.createEngine,
    nextDeadline_ns,
    step: (engine, event, now_ns) => {
      const before = engine.vhids.map((vhid) => [...vhid.due_ns]);
      const effects = step(engine, event, now_ns);
      const unchanged = engine.vhids.map((vhid, i) =>
        vhid.due_ns.map((due_ns, j) => (due_ns === before[i][j] ? 1 : 0)),
      );
      const after = engine.vhids.map((vhid) => [...vhid.due_ns]);
      change(engine);
      // what this step did not arm has been tampered with already
      for (const [i, vhid] of engine.vhids.entries())
        for (const j of vhid.due_ns.keys()) if (unchanged[i][j]) vhid.due_ns[j] = after[i][j];
      return effects;
    },
  };
}

function setDeadline(engine: Engine, which: number, change: (due_ns: number) => number): void {
  for (const vhid of engine.vhids)
    if (Number.isFinite(vhid.due_ns[which])) vhid.due_ns[which] = change(vhid.due_ns[which]);
}

function patience_ns(engine: Engine): number {
  return Math.max(...engine.vhids.map((vhid) => vhid.master_down_ns));
}

function isAdvert(event: Event): event is Advert {
  return event.kind === 'frame';
}

function isBowOut(frame: Uint8Array): boolean {
  return frame[ADVBASE_AT] === 255 && frame[ADVSKEW_AT] === 255;
}

function withSkew(event: Advert, change: (advskew: number) => number): Advert {
  const bytes = event.bytes.slice();
  bytes[ADVSKEW_AT] = change(bytes[ADVSKEW_AT]);
  return { ...event, bytes: withDemote(bytes, 0) };
}

/** Neither advskew nor byte 4 is in the digest, so a checksum is all that has to be mended. */
function withDemote(frame: Uint8Array, demote: number): Uint8Array {
  const bytes = frame.slice();
  bytes[DEMOTE_AT] = demote;
  bytes[CHECKSUM_AT] = bytes[CHECKSUM_AT + 1] = 0;
  const sum = checksum(bytes, PDU_AT_IPV4, PDU_BYTES);
  bytes[CHECKSUM_AT] = sum >> 8;
  bytes[CHECKSUM_AT + 1] = sum;
  return bytes;
}
