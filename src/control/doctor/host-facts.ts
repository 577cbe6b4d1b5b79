/** What this host's kernel says: links, addresses, settings and rights. */
import { readFileSync } from 'node:fs';
import { refusalOfRing } from '../../reactor/choose.ts';
import type { InterfaceAddress, Link } from '../../system/netlink.ts';
import type { HostFacts, LinkFacts } from './facts.ts';
import { formatMac } from './read-frame.ts';
import { findRivals } from './rivals.ts';

const IFF_MULTICAST = 0x1000;
const ALL = '/proc/sys/net/ipv4/conf/all';

export function gatherHostFacts(links: readonly Link[], addresses: readonly InterfaceAddress[]): HostFacts {
  return {
    links: links.map((link) => linkFacts(link, links)),
    arp_ignore_all: Number(read(`${ALL}/arp_ignore`) ?? 0),
    addresses: addresses.map(({ address, prefix_length, index }) => ({
      address,
      prefix_length,
      link: links.find((link) => link.index === index)?.name ?? '',
    })),
    no_ring: refusalOfRing(),
    real_time: mayHaveRealTime(),
    nonlocal_bind: (['ipv4', 'ipv6'] as const).filter(
      (family) => read(`/proc/sys/net/${family}/ip_nonlocal_bind`) === '1',
    ),
    rivals: findRivals(),
  };
}

function linkFacts(link: Link, links: readonly Link[]): LinkFacts {
  const all = (name: string) => Number(read(`${ALL}/${name}`) ?? 0);
  const bridge = links.find(({ index }) => index === link.master && index !== 0) ?? link;
  return {
    name: link.name,
    mac: formatMac(link.mac),
    up: link.up && link.running,
    multicast: (link.flags & IFF_MULTICAST) !== 0,
    parent: links.find(({ index }) => index === link.parent && index !== 0)?.name,
    arp_ignore: Math.max(link.ipv4_conf.arp_ignore, all('arp_ignore')),
    rp_filter: Math.max(link.ipv4_conf.rp_filter, all('rp_filter')),
    ipv6: read(`/proc/sys/net/ipv6/conf/${link.name}/disable_ipv6`) === '0',
    snooping_bridge: bridge.bridge?.snoops && !bridge.bridge.queries ? bridge.name : undefined,
  };
}

/** CAP_SYS_NICE (bit 23), or a limit of its own (proc(5)). */
function mayHaveRealTime(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status') ?? '')?.[1] ?? '0';
  const limit = /^Max realtime priority\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1] ?? '0';
  return ((BigInt(`0x${capabilities}`) >> 23n) & 1n) === 1n || Number(limit) > 0;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
