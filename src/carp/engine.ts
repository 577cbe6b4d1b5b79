/** All vhids of one host. A stub of the interface; the rules follow. */
import type { Counters, Effect, EngineSettings, Event, VhidStatus } from './events.ts';

/** The engine's whole memory; `step` changes it in place. Only `counters` is for reading by others. */
export type Engine = { readonly settings: EngineSettings; readonly counters: Counters; readonly effects: Effect[] };

export function createEngine(settings: EngineSettings): Engine {
  const counters: Counters = {
    received: 0,
    sent: 0,
    send_errors: 0,
    dropped_length: 0,
    dropped_not_carp: 0,
    dropped_ttl: 0,
    dropped_version: 0,
    dropped_vhid: 0,
    dropped_checksum: 0,
    dropped_digest: 0,
    dropped_own: 0,
  };
  return { settings, counters, effects: [] };
}

/**
 * The one entrance. Mutates `engine` and returns its reused list of effects, valid until the next call:
 * perform them in order.
 */
export function step(engine: Engine, _event: Event, _now_ns: number): readonly Effect[] {
  engine.effects.length = 0;
  return engine.effects;
}

/** When the next `timer` event is due; Infinity when none is. */
export function nextDeadline_ns(_engine: Engine): number {
  return Number.POSITIVE_INFINITY;
}

export function status(_engine: Engine): readonly VhidStatus[] {
  return [];
}

/**
 * The bow-out frame that a guardian sends when the daemon died while vhid `index` was MASTER. A fresh copy with its
 * own counter; ask for it at every transition to MASTER (the advertised source may have changed).
 */
export function will(_engine: Engine, _index: number): Uint8Array {
  return new Uint8Array(0);
}
