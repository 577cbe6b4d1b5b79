/** What every modelled peer does the same way: adverts to frames and back, addresses, transitions. The rules are elsewhere. */

import { parseAddress, sameBytes, toMapped } from '../../carp/address.ts';
import { type Auth, createAuth, sign, verify } from '../../carp/auth.ts';
import { createCounterSource, nextWord } from '../../carp/counter.ts';
import { interval_us } from '../../carp/election.ts';
import type { Effect, State, VhidSettings } from '../../carp/events.ts';
import {
  createFrame,
  createFrameInfo,
  GROUP_IPV4,
  GROUP_MAC_IPV4,
  PDU_AT_IPV4,
  readFrame,
  virtualMac,
} from '../../carp/frame.ts';
import { createPdu, decodePdu, encodePdu } from '../../carp/packet.ts';

export type Advert = { readonly source: Uint8Array; readonly interval_us: number; readonly demote: number };

const info = createFrameInfo();
const pdu = createPdu();

export class Speaker {
  readonly settings: VhidSettings;
  /** Mapped. */
  readonly source: Uint8Array;
  state: State = 'INIT';
  effects: Effect[] = [];
  readonly #index: number;
  readonly #auth: Auth;
  readonly #counters: Uint32Array;
  readonly #frame: Uint8Array;

  constructor(settings: VhidSettings, index: number, seed: Uint32Array, mac: 'ucarp' | 'kernel') {
    const { vhid, key, addresses } = settings;
    const source = parseAddress(settings.source_address!)!;
    this.settings = settings;
    this.source = toMapped(source);
    this.#index = index;
    this.#auth = createAuth({ key, vhid, addresses, order: 'sorted', link_locals: true });
    this.#counters = createCounterSource(seed.map((word) => word + index));
    this.#frame = createFrame({
      destination_mac: GROUP_MAC_IPV4,
      source_mac: virtualMac(mac, vhid),
      source,
      destination: GROUP_IPV4,
      tos: 0x10,
      id: 0,
    });
  }

  /** The advert in a frame; undefined when it is none for this vhid. */
  read(bytes: Uint8Array): Advert | undefined {
    if (readFrame(bytes, bytes.length, info) !== null || sameBytes(info.source, this.source)) return undefined;
    if (decodePdu(bytes, info.pdu_at, info.pdu_length, pdu) !== null || pdu.vhid !== this.settings.vhid)
      return undefined;
    if (!verify(this.#auth, pdu.counter_high, pdu.counter_low, pdu.hmac)) return undefined;
    return { source: info.source.slice(), interval_us: interval_us(pdu.advbase, pdu.advskew), demote: pdu.demote };
  }

  send(advbase: number, advskew: number, demote = 0): void {
    const { vhid, interface: name } = this.settings;
    Object.assign(pdu, { vhid, advbase, advskew, demote });
    pdu.counter_high = nextWord(this.#counters);
    pdu.counter_low = nextWord(this.#counters);
    sign(this.#auth.sent, pdu.counter_high, pdu.counter_low, pdu.hmac, 0);
    encodePdu(pdu, this.#frame, PDU_AT_IPV4);
    this.effects.push({
      kind: 'send',
      index: this.#index,
      interface: name,
      what: 'advert',
      family: 4,
      frame: this.#frame.slice(),
    });
  }

  announce(): void {
    this.effects.push({ kind: 'announce', index: this.#index, interface: this.settings.interface, frames: [] });
  }

  /** No peer leases its addresses. */
  change(to: State, reason: string, now_ns: number): void {
    const from = this.state;
    const { interface: name, addresses, vhid } = this.settings;
    const place = { index: this.#index, interface: name };
    this.state = to;
    const held = { ...place, addresses, lease_s: Number.POSITIVE_INFINITY };
    if (to === 'MASTER') this.effects.push({ kind: 'add-addresses', ...held });
    else this.effects.push({ kind: 'remove-addresses', ...held });
    this.effects.push({ kind: 'transition', ...place, vhid, from, to, reason, at_ns: now_ns });
  }

  take(): Effect[] {
    const { effects } = this;
    this.effects = [];
    return effects;
  }
}
