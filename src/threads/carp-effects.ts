/**
 * Carries out what the engine asks for: addresses first and in one batch, then frames, then words to control.
 *
 *   effects ──> connections, links, addresses (netlink) ──> frames (sockets) ──> messages (control)
 *                                                               └── outcome ──> `sent` event, back into the engine
 *
 * Addresses may come first because that is right both ways: a new MASTER answers before it announces, and one that
 * bows out has let go before its peer hears of it.
 */
import { type Engine, will } from '../carp/engine.ts';
import type { Effect, Family, SendEffect, VhidSettings } from '../carp/events.ts';
import type { ConnectionReset } from '../system/connection-reset.ts';
import { errnoName } from '../system/libc.ts';
import type { Netlink } from '../system/netlink.ts';
import type { CarpAddresses } from './carp-addresses.ts';
import type { GuardianPipe } from './carp-guardian.ts';
import type { CarpInterfaces } from './carp-interfaces.ts';
import type { FromCarp } from './carp-messages.ts';
import { isVirtual, type VirtualLinks } from './carp-virtual-links.ts';

const ENETDOWN = 100;
/** How much of a hand-over may be spent on resetting connections, and how many at most. */
const RESET_NS = 5e6;
const MAX_RESETS = 4096;

/** A sent frame's vhid, family and errno. Filled here, read by the loop, used again. */
export type Outcomes = { readonly vhids: number[]; readonly families: Family[]; readonly errors: number[] };

export type Performer = {
  readonly engine: Engine;
  /** By slot; undefined where no vhid is. */
  slots: readonly (VhidSettings | undefined)[];
  readonly addresses: CarpAddresses;
  readonly interfaces: CarpInterfaces;
  readonly virtual: VirtualLinks;
  readonly guardian: GuardianPipe;
  readonly netlink: Netlink;
  /** Undefined where the kernel cannot end connections. */
  readonly resets: ConnectionReset | undefined;
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
  let removed = false;
  for (let position = 0; position < effects.length; position++) {
    const effect = effects[position];
    if (effect.kind === 'transition') {
      if (effect.to === 'MASTER') setVirtualLink(performer, effect.index, true);
      if (effect.from === 'MASTER') removed = true;
    } else if (effect.kind === 'add-addresses') {
      bequeath(performer, effect.index, effect.interface);
      addresses.change(effect.index, effect.addresses, 'add', now_ns);
    } else if (effect.kind === 'renew-addresses') {
      addresses.change(effect.index, effect.addresses, 'renew', now_ns);
    } else if (effect.kind === 'remove-addresses') {
      removed = true;
    } else continue;
    changed = true;
  }
  if (removed) remove(performer, effects, now_ns);
  if (!changed && !removed) return;
  addresses.flush();
  if (!removed) return;
  for (let position = 0; position < effects.length; position++) {
    const effect = effects[position];
    if (effect.kind === 'transition' && effect.from === 'MASTER') guardian.forget(effect.index);
  }
}

/** All connections before the first address: a reset needs the address that it comes from. */
function remove(performer: Performer, effects: readonly Effect[], now_ns: number): void {
  resetConnections(performer, effects, now_ns);
  // The link first: what the kernel says when an IPv6 address goes must not leave from the virtual MAC.
  for (const effect of effects)
    if (effect.kind === 'transition' && effect.from === 'MASTER') setVirtualLink(performer, effect.index, false);
  for (const effect of effects) {
    if (effect.kind !== 'remove-addresses') continue;
    performer.addresses.change(effect.index, effect.addresses, 'remove', now_ns);
    if (performer.slots[effect.index]?.scripts) removeEntries(performer, effect.index);
  }
}

function setVirtualLink({ slots, virtual }: Performer, slot: number, up: boolean): void {
  const vhid = slots[slot];
  if (vhid && isVirtual(vhid)) virtual.set(vhid, up);
}

/** A script may have added the addresses once more, with another prefix length. */
export function removeEntries(performer: Performer, slot: number): void {
  performer.addresses.flush();
  performer.addresses.removeEntries(slot, performer.netlink.listAddresses());
}

function resetConnections({ resets, addresses }: Performer, effects: readonly Effect[], now_ns: number): void {
  if (!resets) return;
  const gone: Uint8Array[] = [];
  for (const effect of effects) {
    if (effect.kind !== 'remove-addresses') continue;
    for (const address of addresses.of(effect.index))
      if (effect.addresses.includes(address.text)) gone.push(address.request.bytes);
  }
  if (gone.length > 0) resets.reset(gone, MAX_RESETS, now_ns + RESET_NS);
}

/** The guardian learns of an address before the address is there. */
export function bequeath(performer: Performer, slot: number, interface_name: string): void {
  const { guardian, interfaces, addresses, engine } = performer;
  if (!guardian.connected) return;
  guardian.set(slot, interfaces.find(interface_name)?.index ?? 0, addresses.of(slot), will(engine, slot));
}

function act(performer: Performer, effect: Effect, now_ns: number): void {
  switch (effect.kind) {
    case 'send':
      performer.outcomes.vhids.push(effect.index);
      performer.outcomes.families.push(effect.family);
      performer.outcomes.errors.push(sendAdvert(performer, effect));
      return;
    case 'answer':
      send(performer, effect.interface, effect.frame);
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
function sendAdvert(performer: Performer, effect: SendEffect): number {
  const sockets = performer.interfaces.find(effect.interface)?.sockets;
  if (!sockets) return ENETDOWN;
  return effect.to === undefined ? sockets.send(effect.frame) : sockets.sendToPeer(effect.frame);
}

function send(performer: Performer, interface_name: string, frame: Uint8Array): number {
  return performer.interfaces.find(interface_name)?.sockets?.send(frame) ?? ENETDOWN;
}

/** What the `sent` event wants: null, or the errno's name. */
export function outcomeText(error: number): string | null {
  return error === 0 ? null : errnoName(error);
}
