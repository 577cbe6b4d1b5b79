/** What the engine runs, out of what is configured and what this host is. */
import type { HostSettings, VhidSettings } from '../carp/events.ts';
import type { AdvertMac, AlsoAccept, Carp, CarpHost } from '../config/model.ts';

/** What only the host knows. */
export type HostFacts = {
  readonly interface: string;
  /** 6 bytes. */
  readonly mac: Uint8Array;
  readonly source_address: string | undefined;
  readonly source_address6: string | undefined;
};

/** `balances`: the host's `arpbalance` holds for this vhid, or its own `balancing arp`. */
export function vhidSettings(carp: Carp, host: CarpHost, facts: HostFacts, balances: boolean): VhidSettings {
  return {
    interface: facts.interface,
    vhid: carp.vhid,
    key: encode(carp.pass),
    addresses: carp.addresses.map(({ address }) => address),
    advbase: carp.advbase,
    advskew: carp.advskew,
    preempt: carp.preempt || host.preempt,
    preempt_delay_ns: carp.preempt_delay_ms * 1e6,
    deadratio: carp.deadratio,
    ...(facts.source_address === undefined ? {} : { source_address: facts.source_address }),
    ...(facts.source_address6 === undefined ? {} : { source_address6: facts.source_address6 }),
    interface_mac: facts.mac,
    ignore_link_state: carp.ignore_link_state,
    peers: carp.peers,
    mac: balances ? 'virtual' : carp.mac,
    advert_mac: advertMac(carp, balances || carp.mac === 'virtual'),
    hash_link_locals: carp.hash_link_locals,
    also_accept: carp.also_accept.map(alsoAccept),
    balancing: balances ? 'arp' : 'none',
    openbsd_demote_byte: carp.openbsd_demote_byte,
    broadcast: carp.broadcast,
    dad: !carp.nodad,
    disabled: carp.disabled,
    ...(carp.multicast_address === undefined ? {} : { multicast_address: carp.multicast_address }),
    ...(carp.scripts ? { scripts: carp.scripts } : {}),
  };
}

/** Unless it was written it follows the MAC of the addresses: so switches keep learning where a virtual one is. */
function advertMac(carp: Carp, virtual: boolean): AdvertMac {
  return virtual && carp.advert_mac === 'interface' && !carp.spans['advert_mac'] ? 'kernel' : carp.advert_mac;
}

/** Whether the vhid shares its clients: it says so, or net.inet.carp.arpbalance does and another vhid has its address. */
export function isBalanced(carp: Carp, carps: readonly Carp[], host: CarpHost): boolean {
  if (carp.balancing === 'arp' || !host.arpbalance) return carp.balancing === 'arp';
  const own = new Set(carp.addresses.map(({ address }) => address));
  return carps.some((other) => other !== carp && other.addresses.some(({ address }) => own.has(address)));
}

export function hostSettings(host: CarpHost): HostSettings {
  const { allow, log, senderr_demotion_factor, ifdown_demotion_factor, dscp } = host;
  const tos = dscp === undefined ? {} : { tos: dscp << 2 };
  return { allow, log_bad_adverts: log > 1, senderr_demotion_factor, ifdown_demotion_factor, ...tos };
}

function alsoAccept({ pass, addresses }: AlsoAccept): { key?: Uint8Array; addresses?: readonly string[] } {
  return { ...(pass === undefined ? {} : { key: encode(pass) }), ...(addresses === undefined ? {} : { addresses }) };
}

function encode(pass: string): Uint8Array {
  return new TextEncoder().encode(pass);
}
