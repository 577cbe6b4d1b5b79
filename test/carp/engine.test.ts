import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEngine, type Engine, nextDeadline_ns, step } from '#src/carp/engine.js';
import type { Effect, Event } from '#src/carp/events.js';
import { peerFrame, vhidSettings } from './peer.js';

const everyday = { seed: Uint32Array.of(1, 2, 3, 4), lease_s: 2, wait_for_ready: false };

function engineWith(...changes: Parameters<typeof vhidSettings>[0][]): Engine {
  return createEngine({ ...everyday, vhids: changes.map(vhidSettings) });
}

const two = [
  { vhid: 1, preempt: true },
  { vhid: 2, interface: 'eth1', addresses: ['10.0.0.2'], advskew: 50 },
];

function frameEvent(bytes: Uint8Array, name = 'eth0'): Event {
  return { kind: 'frame', interface: name, bytes, length: bytes.length };
}

const sources = fc.constantFrom('10.0.0.9', '10.0.0.12');
const settings = fc.constantFrom([1, 0], [1, 100], [1, 240], [5, 0], [255, 255], [0, 20]);
const names = fc.constantFrom('eth0', 'eth1');
const owners = fc.constantFrom('a', 'b', 'starting');
/** With one vhid less or more, other addresses, and both families. */
const configurations = fc.subarray([
  vhidSettings(two[0]),
  vhidSettings({ ...two[1], addresses: ['10.0.0.2', '2001:db8::2'], source_address6: 'fe80::11' }),
  vhidSettings({ vhid: 3, addresses: ['10.0.0.3'], preempt: true, preempt_delay_ns: 1e9 }),
]);
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: fc.constant<Event>({ kind: 'timer' }), weight: 5 },
  fc.record({ kind: fc.constant('link' as const), interface: names, up: fc.boolean() }),
  fc.record({ kind: fc.constant('health' as const), healthy: fc.boolean(), reason: fc.constant('why') }),
  fc.record({ kind: fc.constant('address-removed' as const), interface: names, address: fc.constant('10.0.0.1') }),
  fc.record({
    kind: fc.constant('demote' as const),
    owner: owners,
    amount: fc.integer({ min: 1, max: 255 }),
    reason: fc.constant('why'),
  }),
  fc.record({ kind: fc.constant('undemote' as const), owner: owners }),
  fc.record({ kind: fc.constant('stall' as const), late_ns: fc.integer({ min: 0, max: 10e9 }) }),
  fc.record({ kind: fc.constant('sent' as const), index: fc.nat(1), error: fc.constantFrom(null, 'ENOBUFS') }),
  configurations.map((vhids) => ({ kind: 'configure' as const, vhids })),
  fc.record({ kind: fc.constant('set-state' as const), index: fc.nat(2), state: fc.constantFrom('BACKUP', 'MASTER') }),
  fc
    .tuple(sources, settings, fc.constantFrom('secret', 'wrong'), fc.constantFrom('kernel', 'ucarp', 'carpool'))
    .map(([source, [advbase, advskew], pass, kind]) =>
      frameEvent(peerFrame({ source, vhid: 1, advbase, advskew, pass, kind: kind as 'kernel' })),
    ),
);
/** What happens and how long after the event before it. */
const anyHistory = fc.array(fc.tuple(anyEvent, fc.constantFrom(0, 1e6, 0.4e9, 1e9, 4e9)), { maxLength: 60 });

/** Runs a history with all timers in between; `look` sees every step's effects. */
function run(engine: Engine, history: [Event, number][], look: (effects: readonly Effect[]) => void): void {
  let now_ns = 1e9;
  look(step(engine, { kind: 'start' }, now_ns));
  for (const [event, after_ns] of history) {
    now_ns += after_ns;
    for (let count = 0; nextDeadline_ns(engine) <= now_ns; count++) {
      assert.ok(count < 1000, 'timers must come to an end');
      look(step(engine, { kind: 'timer' }, nextDeadline_ns(engine)));
    }
    look(step(engine, event, now_ns));
    const due_ns = engine.vhids.flatMap((vhid) => [...vhid.due_ns]);
    assert.ok(nextDeadline_ns(engine) <= Math.min(...due_ns), 'no deadline is overlooked');
  }
}

test('whatever happens, a vhid holds its addresses exactly while it is MASTER', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const engine = engineWith(...two);
      const held = engine.slots.map(() => new Set<string>());
      run(engine, history, (effects) => {
        for (const effect of effects) {
          if (!('addresses' in effect)) continue;
          const own = (held[effect.index] ??= new Set());
          for (const address of effect.addresses) {
            if (effect.kind === 'add-addresses') own.add(address);
            if (effect.kind === 'renew-addresses') assert.ok(own.has(address), 'renewed only what is held');
            if (effect.kind === 'remove-addresses') own.delete(address);
          }
        }
        for (const [index, own] of held.entries()) {
          const vhid = engine.slots[index];
          const wanted = vhid?.state === 'MASTER' ? vhid.settings.addresses : [];
          assert.deepEqual([...own].sort(), [...wanted].sort());
        }
      });
    }),
    { numRuns: 300 },
  );
});

test('whatever happens, the state moves only along the edges of the picture and always says why', () => {
  const edges = ['INIT BACKUP', 'BACKUP MASTER', 'BACKUP INIT', 'MASTER BACKUP', 'MASTER INIT'];
  fc.assert(
    fc.property(anyHistory, (history) => {
      run(engineWith(...two), history, (effects) => {
        for (const effect of effects) {
          if (effect.kind !== 'transition') continue;
          assert.ok(edges.includes(`${effect.from} ${effect.to}`));
          assert.ok(effect.reason.length > 0 && !/undefined|NaN|Infinity/.test(effect.reason), effect.reason);
        }
      });
    }),
    { numRuns: 300 },
  );
});

test('whatever happens, the end is: a stop leaves nothing to wait for and nothing held', () => {
  const unsent: [Event, 0] = [{ kind: 'sent', index: 0, error: 'ENOBUFS' }, 0];
  fc.assert(
    fc.property(anyHistory, (history) => {
      const engine = engineWith(...two);
      run(engine, history, () => {});
      step(engine, { kind: 'stop', reason: 'SIGTERM' }, 1e12);
      assert.equal(nextDeadline_ns(engine), Number.POSITIVE_INFINITY);
      assert.ok(engine.vhids.every((vhid) => vhid.state === 'INIT'));
    }),
    { examples: [[[unsent, unsent, unsent]]] },
  );
});

test('the same events give the same effects, to the byte', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const [one, other] = [record(history), record(history)];
      assert.deepEqual(one, other);
    }),
    { numRuns: 50 },
  );
});

function record(history: [Event, number][]): string[] {
  const lines: string[] = [];
  run(engineWith(...two), history, (effects) => lines.push(JSON.stringify(effects)));
  return lines;
}

test('adverts are sent in one and the same buffer, by one and the same effect', () => {
  const engine = engineWith({});
  step(engine, { kind: 'start' }, 0);
  const seen = new Set<unknown>();
  for (let count = 0; count < 100; count++)
    for (const effect of step(engine, { kind: 'timer' }, nextDeadline_ns(engine)))
      if (effect.kind === 'send') seen.add(effect).add(effect.frame).add(effect.frame.buffer);
  assert.equal(seen.size, 3);
});

/** What a step may leave behind: a few numbers that code which is not compiled yet puts into the heap. */
const GARBAGE_MAX = 256;

/** Bytes of garbage per turn of `turn`, over many turns after a warm-up. */
function garbagePerTurn(turn: (count: number) => void): number {
  const TURNS = 20_000;
  for (let count = 0; count < TURNS; count++) turn(count);
  const before = process.memoryUsage().heapUsed;
  for (let count = TURNS; count < 2 * TURNS; count++) turn(count);
  return (process.memoryUsage().heapUsed - before) / TURNS;
}

test('a BACKUP that hears its master makes next to no garbage', () => {
  const engine = engineWith({ advskew: 100 });
  const event = frameEvent(peerFrame({ source: '10.0.0.12', vhid: 1, advbase: 1, advskew: 0 }));
  step(engine, { kind: 'start' }, 0);
  const garbage = garbagePerTurn((count) => step(engine, event, count * 1e9));
  assert.equal(engine.vhids[0].counters.received, 40_000);
  assert.ok(garbage < GARBAGE_MAX, `${garbage} bytes per advert`);
});

test('a MASTER that adverts and renews makes next to no garbage', () => {
  const engine = engineWith({});
  const timer: Event = { kind: 'timer' };
  const sent: Event = { kind: 'sent', index: 0, error: null };
  step(engine, { kind: 'start' }, 0);
  for (let count = 0; count < 20; count++) step(engine, timer, nextDeadline_ns(engine));
  const garbage = garbagePerTurn(() => {
    const effects = step(engine, timer, nextDeadline_ns(engine));
    if (effects.some((effect) => effect.kind === 'send')) step(engine, sent, engine.vhids[0].sent_ns);
  });
  assert.ok(engine.vhids[0].counters.sent > 10_000);
  assert.ok(garbage < GARBAGE_MAX, `${garbage} bytes per advert`);
});

test('a vhid that waits in INIT has been there since the start', () => {
  const engine = createEngine({ ...everyday, vhids: [vhidSettings()], wait_for_ready: true });
  step(engine, { kind: 'start' }, 7e9);
  assert.deepEqual([engine.vhids[0].state, engine.vhids[0].since_ns], ['INIT', 7e9]);
});

test('settings that no configuration should let through are refused at once', () => {
  const refused = [
    { source_address: 'fe80::1' },
    { addresses: ['10.0.0'] },
    { addresses: ['2001:db8::1'] },
    { balancing: 'arp' as const },
    { also_accept: Array.from({ length: 5 }, () => ({})) },
    { key: new Uint8Array(21) },
  ];
  for (const change of refused)
    assert.throws(() => createEngine({ ...everyday, vhids: [{ ...vhidSettings(), ...change }] }), RangeError);
  assert.throws(() => engineWith({}, {}), /vhid 1 twice on eth0/);
});
