/**
 * Carries out what the engine asks for: addresses first and in one batch, then frames, then words to control.
 *
 *   effects ──> addresses (netlink) ──> frames (packet sockets) ──> messages (control)
 *                                            └── outcome ──> `sent` event, back into the engine
 *
 * Addresses may come first because that is right both ways: a new MASTER answers before it announces, and one that
 * bows out has let go before its peer hears of it.
 */
import { type Engine, will } from '../carp/engine.ts';
import type { Effect } from '../carp/events.ts';
import { errnoName } from '../system/libc.ts';
import type { CarpAddresses } from './carp-addresses.ts';
import type { GuardianPipe } from './carp-guardian.ts';
import type { CarpInterfaces } from './carp-interfaces.ts';
import type { FromCarp } from './carp-messages.ts';

const ENETDOWN = 100;

/** A sent frame's vhid and errno. Filled here, read by the loop, used again. */
export type Outcomes = { readonly vhids: number[]; readonly errors: number[] };

export type Performer = {
  readonly engine: Engine;
  readonly addresses: CarpAddresses;
  readonly interfaces: CarpInterfaces;
  readonly guardian: GuardianPipe;
  readonly post: (message: FromCarp) => void;
  readonly outcomes: Outcomes;
};

/** Reads `effects` to the end before it returns, so the engine may be stepped again after that. */
export function perform(performer: Performer, effects: readonly Effect[], now_ns: number): void {
  if (effects.length === 0) return;
  changeAddresses(performer, effects, now_ns);
  for (let position = 0; position < effects.length; position++) act(performer, effects[position], now_ns);
}

function changeAddresses(performer: Performer, effects: readonly Effect[], now_ns: number): void {
  const { addresses, guardian } = performer;
  let changed = false;
  for (let position = 0; position < effects.length; position++) {
    const effect = effects[position];
    if (effect.kind === 'add-addresses') {
      bequeath(performer, effect.index, effect.interface);
      addresses.change(effect.index, 'add', now_ns);
    } else if (effect.kind === 'renew-addresses') addresses.change(effect.index, 'renew', now_ns);
    else if (effect.kind === 'remove-addresses') addresses.change(effect.index, 'remove', now_ns);
    else continue;
    changed = true;
  }
  if (!changed) return;
  addresses.flush();
  for (let position = 0; position < effects.length; position++) {
    const effect = effects[position];
    if (effect.kind === 'remove-addresses') guardian.forget(effect.index);
  }
}

/** The guardian learns of an address before the address is there. */
export function bequeath(performer: Performer, vhid: number, interface_name: string): void {
  const { guardian, interfaces, addresses, engine } = performer;
  if (!guardian.connected) return;
  guardian.set(vhid, interfaces.get(interface_name).index, addresses.vhids[vhid], will(engine, vhid));
}

function act(performer: Performer, effect: Effect, now_ns: number): void {
  switch (effect.kind) {
    case 'send':
      performer.outcomes.vhids.push(effect.index);
      performer.outcomes.errors.push(send(performer, effect.interface, effect.frame));
      return;
    case 'announce':
      for (const frame of effect.frames) send(performer, effect.interface, frame);
      return;
    case 'transition': {
      const { kind, at_ns, index, vhid, from, to, reason } = effect;
      performer.post({ kind, at_ns, index, vhid, interface: effect.interface, from, to, reason });
      return;
    }
    case 'script': {
      const { index, which, path } = effect;
      performer.post({ kind: 'run-script', at_ns: now_ns, index, which, path, arguments: effect.arguments });
      return;
    }
    case 'log':
      performer.post({ kind: 'log', at_ns: now_ns, level: effect.level, text: effect.text });
      return;
    default:
      return; // address effects are done
  }
}

/** 0 or the errno. */
function send(performer: Performer, interface_name: string, frame: Uint8Array): number {
  return performer.interfaces.get(interface_name).socket?.send(frame) ?? ENETDOWN;
}

/** What the `sent` event wants: null, or the errno's name. */
export function outcomeText(error: number): string | null {
  return error === 0 ? null : errnoName(error);
}
