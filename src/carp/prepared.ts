/** Everything of a vhid that follows from its settings alone: digests, frames and effects, made once. */
import { parseAddress, toMapped } from './address.ts';
import { announcements } from './announce.ts';
import { type Auth, createAuth } from './auth.ts';
import { interval_us } from './election.ts';
import type { AddressEffect, Effect, Family, HostSettings, SendEffect, VhidSettings } from './events.ts';
import {
  createFrame,
  GROUP_IPV4,
  GROUP_IPV6,
  GROUP_MAC_IPV4,
  GROUP_MAC_IPV6,
  groupMac,
  MARK,
  virtualMac,
} from './frame.ts';

const ALSO_ACCEPT_MAX = 4;
const LOW_DELAY = 0x10;
const BROADCAST_MAC = new Uint8Array(6).fill(0xff);
const UNKNOWN_MAC = new Uint8Array(6);

export type Prepared = {
  readonly settings: VhidSettings;
  readonly auth: Auth;
  /** What it adverts over; 4 comes first. */
  readonly families: readonly Family[];
  /** Own source addresses, the IPv4 group and the peers, all mapped. */
  readonly source4: Uint8Array | undefined;
  readonly source6: Uint8Array | undefined;
  readonly group4: Uint8Array;
  readonly peers: readonly Uint8Array[];
  /** What neighbours are told. */
  readonly vip_mac: Uint8Array;
  readonly configured_interval_us: number;
  /** Frames and effects that are the same each time but for the bytes of the advert: one for each family and peer. */
  readonly adverts: readonly SendEffect[];
  readonly bow_outs: readonly SendEffect[];
  readonly announce: Extract<Effect, { kind: 'announce' }>;
  readonly add: AddressEffect;
  readonly renew: AddressEffect;
  readonly remove: AddressEffect;
};

/** @throws RangeError on settings that the configuration's checks should have refused. */
export function prepare(settings: VhidSettings, index: number, lease_s: number, host: HostSettings): Prepared {
  const { interface: name, addresses, also_accept = [], balancing = 'none' } = settings;
  if (also_accept.length > ALSO_ACCEPT_MAX) throw new RangeError(`${also_accept.length} alternatives to accept`);
  if (balancing === 'arp' && settings.mac !== 'virtual') throw new RangeError('balancing without the virtual MAC');
  const auth = createAuth({
    key: settings.key,
    vhid: settings.vhid,
    addresses,
    order: settings.address_order ?? 'sorted',
    link_locals: settings.hash_link_locals ?? true,
    also: also_accept,
  });
  const families = ([4, 6] as const).filter((family) => addresses.some((text) => familyOf(text) === family));
  const vip_mac = settings.mac === 'virtual' ? virtualMac('kernel', settings.vhid) : settings.interface_mac;
  const place = { index, interface: name };
  const held = { ...place, addresses, lease_s };
  // announcing a shared address would draw every client to this node
  const announced = balancing === 'arp' ? [] : addresses;
  const router = settings.ipv6_router ?? false;
  const send = (what: SendEffect['what']) => families.flatMap((family) => sends(settings, host, index, what, family));
  return {
    settings,
    auth,
    families,
    source4: families.includes(4) ? sourceOf(settings, 4) : undefined,
    source6: families.includes(6) ? sourceOf(settings, 6) : undefined,
    group4: toMapped(group4Of(settings)),
    peers: (settings.peers ?? []).map((text) => toMapped(bytesOf(text, 'a peer'))),
    vip_mac,
    configured_interval_us: interval_us(settings.advbase, settings.advskew),
    adverts: send('advert'),
    bow_outs: send('bow-out'),
    announce: { kind: 'announce', ...place, frames: announcements(vip_mac, announced, router) },
    add: { kind: 'add-addresses', ...held },
    renew: { kind: 'renew-addresses', ...held },
    remove: { kind: 'remove-addresses', ...held },
  };
}

/** One effect for the group, or one for each unicast peer. */
function sends(
  settings: VhidSettings,
  host: HostSettings,
  index: number,
  what: SendEffect['what'],
  family: Family,
): SendEffect[] {
  const place = { kind: 'send', index, interface: settings.interface, what, family } as const;
  const peers = (settings.peers ?? []).filter((peer) => familyOf(peer) === family);
  if (peers.length === 0) return [{ ...place, frame: advertFrame(settings, host, family) }];
  return peers.map((to) => ({ ...place, to, frame: advertFrame(settings, host, family, to) }));
}

function advertFrame(settings: VhidSettings, host: HostSettings, family: Family, to?: string): Uint8Array {
  const group = family === 4 ? group4Of(settings) : GROUP_IPV6;
  const source = parseAddress((family === 4 ? settings.source_address : settings.source_address6) ?? '')!;
  return createFrame({
    destination_mac: to === undefined ? destinationMac(settings, family, group) : UNKNOWN_MAC,
    source_mac: sourceMac(settings, to !== undefined),
    source,
    destination: to === undefined ? group : parseAddress(to)!,
    tos: host.tos ?? (family === 4 ? LOW_DELAY : 0),
    id: MARK,
  });
}

function destinationMac(settings: VhidSettings, family: Family, group: Uint8Array): Uint8Array {
  if (settings.broadcast) return BROADCAST_MAC;
  if (family === 6) return GROUP_MAC_IPV6;
  return settings.multicast_address === undefined ? GROUP_MAC_IPV4 : groupMac(group);
}

/** A unicast frame is the kernel's, which builds it with the interface's own MAC. */
function sourceMac(settings: VhidSettings, unicast: boolean): Uint8Array {
  const mac = settings.advert_mac ?? (settings.mac === 'virtual' ? 'kernel' : 'interface');
  return mac === 'interface' || unicast ? settings.interface_mac : virtualMac(mac, settings.vhid);
}

function sourceOf(settings: VhidSettings, family: Family): Uint8Array {
  const text = family === 4 ? settings.source_address : settings.source_address6;
  const bytes = parseAddress(text ?? '');
  if (bytes?.length !== (family === 4 ? 4 : 16)) throw new RangeError(`no IPv${family} source address: ${text}`);
  return toMapped(bytes);
}

function group4Of(settings: VhidSettings): Uint8Array {
  return settings.multicast_address === undefined ? GROUP_IPV4 : bytesOf(settings.multicast_address, 'a group');
}

function bytesOf(text: string, what: string): Uint8Array {
  const bytes = parseAddress(text);
  if (!bytes) throw new RangeError(`not the address of ${what}: ${text}`);
  return bytes;
}

function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}
