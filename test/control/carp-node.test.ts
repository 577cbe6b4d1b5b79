/** The control thread's idea of the vhids' slots, and the engine's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEngine, step } from '#src/carp/engine.js';
import type { Carp } from '#src/config/model.js';
import { assignSlots, type Slot } from '#src/control/carp-node.js';
import { vhidSettings } from '../carp/peer.js';
import { carpOf } from '../helpers/carp-runner.js';

/** Vhid numbers of one interface, in any order. */
const configuration = fc.uniqueArray(fc.integer({ min: 1, max: 6 }));
const settingsOf = (numbers: readonly number[]) => numbers.map((vhid) => vhidSettings({ vhid }));
const carpsOf = (numbers: readonly number[]): Carp[] => numbers.map((vhid) => carpOf({ vhid, addresses: [] }));

test('both give the same slots, whatever comes and goes', () => {
  fc.assert(
    fc.property(configuration, fc.array(configuration, { maxLength: 8 }), (first, changes) => {
      const seed = Uint32Array.of(1, 2, 3, 4);
      const engine = createEngine({ vhids: settingsOf(first), seed, lease_s: 2, wait_for_ready: false });
      step(engine, { kind: 'start' }, 0);
      let slots: readonly Slot[] = assignSlots([], settingsOf(first), carpsOf(first));
      for (const [at_s, numbers] of changes.entries()) {
        step(engine, { kind: 'configure', vhids: settingsOf(numbers) }, (at_s + 1) * 1e9);
        slots = assignSlots(slots, settingsOf(numbers), carpsOf(numbers));
        const length = Math.max(slots.length, engine.slots.length);
        for (let slot = 0; slot < length; slot++)
          assert.equal(slots[slot]?.carp.vhid, engine.slots[slot]?.settings.vhid, `slot ${slot}`);
      }
    }),
  );
});
