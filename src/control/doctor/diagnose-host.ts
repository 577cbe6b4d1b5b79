/** What this host's own settings tell. Pure. */
import type { DoctorFacts, DoctorVhid, HostFacts, LinkFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** The interface of one vhid, and where its addresses are. */
export function diagnosePlace(
  vhid: DoctorVhid,
  all: readonly DoctorVhid[],
  host: HostFacts,
  removed: readonly string[],
): Finding[] {
  const link = host.links.find(({ name }) => name === vhid.interface);
  if (link === undefined) {
    const message = `There is no interface ${vhid.interface} on this host.`;
    const names = host.links.flatMap(({ name }) => (name === 'lo' ? [] : name));
    const mend = `This host has ${names.length === 0 ? 'no other' : names.join(', ')}.`;
    return [finding('error', 'interface-missing', vhid.name, message, mend)];
  }
  return [
    ...findLinkFaults(vhid, link),
    ...findSnooping(vhid, link),
    ...findArpSettings(vhid, link, host),
    ...findMisplaced(vhid, all, link, host, removed),
    ...findFlux(vhid, link, host),
  ];
}

function findLinkFaults({ name, unicast }: DoctorVhid, link: LinkFacts): Finding[] {
  const found: Finding[] = [];
  if (!link.up) {
    const mend = `Look at the cable, or run: ip link set ${link.name} up`;
    found.push(finding('error', 'link-down', name, `The link of ${link.name} is down.`, mend));
  }
  if (!link.multicast && !unicast) {
    const message = `${link.name} does not take multicast, so no advert is heard there.`;
    found.push(finding('error', 'multicast-off', name, message, `ip link set ${link.name} multicast on`));
  }
  return found;
}

/** What goes to 224.0.0.18 is flooded by every switch (RFC 4541); other groups live by memberships. */
function findSnooping({ name, unicast, group, addresses }: DoctorVhid, link: LinkFacts): Finding[] {
  const bridge = link.snooping_bridge;
  const groups = [group ?? [], addresses.some((vip) => vip.includes(':')) ? 'ff02::12' : []].flat();
  if (bridge === undefined || unicast || groups.length === 0) return [];
  const message = `The bridge ${bridge} snoops on multicast and asks nobody for memberships: a switch that forgets who is in ${groups.join(' and ')} keeps adverts from us.`;
  const mend = `ip link set ${bridge} type bridge mcast_querier 1 (or mcast_snooping 0)`;
  return [finding('hint', 'bridge-snoops', name, message, mend)];
}

/** arp_ignore 2 answers only where the asker's subnet fits, which a /32 never does; 8 answers nobody. */
function findArpSettings({ name, mac, live }: DoctorVhid, link: LinkFacts, host: HostFacts): Finding[] {
  const setting = sysctlName('ipv4', link.name, 'arp_ignore');
  if (mac === 'real') {
    if (link.arp_ignore !== 2 && link.arp_ignore < 4) return [];
    const all = host.arp_ignore_all > 1 ? 'net.ipv4.conf.all.arp_ignore=1 ' : '';
    const message = `${all === '' ? setting : 'net.ipv4.conf.all.arp_ignore'} is ${link.arp_ignore}: this host will not answer ARP for the address, so nobody finds it here.`;
    return [finding('error', 'arp-ignore', name, message, `sysctl -w ${all}${setting}=1`)];
  }
  if (live?.state !== 'MASTER') return [];
  const found: Finding[] = [];
  const macvlan = host.links.find((one) => one.parent === link.name && one.mac.startsWith('00:00:5e:00:01'));
  if (link.arp_ignore === 0) {
    const message = `${setting} is 0: ${link.name} answers for the address with its own MAC beside the virtual one.`;
    found.push(finding('error', 'arp-mode', name, message, `sysctl -w ${setting}=1`));
  }
  if (macvlan !== undefined && macvlan.rp_filter === 1) {
    const filter = sysctlName('ipv4', macvlan.name, 'rp_filter');
    const message = `${filter} is 1, which drops all traffic to the address on its virtual MAC.`;
    found.push(finding('error', 'rp-filter', name, message, `sysctl -w ${filter}=2`));
  }
  return found;
}

function findMisplaced(
  vhid: DoctorVhid,
  all: readonly DoctorVhid[],
  link: LinkFacts,
  host: HostFacts,
  removed: readonly string[],
): Finding[] {
  const { name, live, addresses } = vhid;
  const held = host.addresses.filter(({ address }) => addresses.includes(address));
  if (live?.state === 'MASTER') {
    const vips = live.addresses.map(plain);
    return findMissing(
      name,
      link,
      vips.filter((vip) => removed.includes(vip) || !held.some(({ address }) => address === vip)),
      removed,
    );
  }
  const masters = all.filter((other) => other.live?.state === 'MASTER');
  // of vhids that share an address the other one may be MASTER here
  const stray = held.filter(({ address }) => !masters.some((master) => master.addresses.includes(address)));
  if (stray.length === 0) return [];
  const why = live === undefined ? 'no daemon runs that could hold it' : `this node is ${live.state}`;
  const message = `${stray.map(({ address }) => address).join(' ')} is on this host although ${why}: two machines may hold it.`;
  const remove = stray.map((one) => `ip addr del ${one.address}/${one.prefix_length} dev ${one.link}`).join('; ');
  const mend = `Find who set it (ifupdown, systemd-networkd, NetworkManager), or run: ${remove}`;
  return [finding('error', 'address-without-mastership', name, message, mend)];
}

/** Of a MASTER. */
function findMissing(name: string, link: LinkFacts, vips: readonly string[], removed: readonly string[]): Finding[] {
  const without_ipv6 = link.ipv6 ? [] : vips.filter((vip) => vip.includes(':'));
  const others = vips.filter((vip) => !without_ipv6.includes(vip));
  const found: Finding[] = [];
  if (without_ipv6.length > 0) {
    const setting = sysctlName('ipv6', link.name, 'disable_ipv6');
    const message = `This node is MASTER, but ${without_ipv6.join(' ')} is not on any interface: ${setting} is 1.`;
    found.push(finding('error', 'mastership-without-address', name, message, `sysctl -w ${setting}=0`));
  }
  if (others.length > 0) {
    const times = removed.filter((vip) => others.includes(vip)).length;
    const seen = times > 0 ? `was removed ${times} times while the doctor listened` : 'is not on any interface';
    const message = `This node is MASTER, but ${others.join(' ')} ${seen}.`;
    const mend =
      'Something removes it again and again (systemd-networkd, NetworkManager, ifup): keep it from that interface. "ip monitor address" shows when.';
    found.push(finding('error', 'mastership-without-address', name, message, mend));
  }
  return found;
}

function plain(address: string): string {
  return address.split('/')[0]!;
}

/** A second link in the same subnet answers ARP for the addresses of the first. */
function findFlux({ name, addresses, mac }: DoctorVhid, link: LinkFacts, host: HostFacts): Finding[] {
  const others = host.addresses.filter(
    (own) => own.link !== link.name && own.prefix_length < 32 && addresses.some((vip) => isInside(vip, own)),
  );
  const loose = others.filter((own) => host.links.find((one) => one.name === own.link)?.arp_ignore === 0);
  if (loose.length === 0 || mac === 'virtual') return [];
  const other = loose[0]!.link;
  const message = `${other} is in the same subnet as ${link.name} and answers ARP for its addresses, with its own MAC.`;
  return [
    finding(
      'warning',
      'arp-flux',
      name,
      message,
      `sysctl -w ${sysctlName('ipv4', other, 'arp_ignore')}=1 ${sysctlName('ipv4', other, 'arp_announce')}=2`,
    ),
  ];
}

/** As sysctl(8) takes it, for whom a dot in the name of an interface is a slash: eth0.100, eth0/100. */
function sysctlName(family: 'ipv4' | 'ipv6', link: string, name: string): string {
  return `net.${family}.conf.${link.replaceAll('.', '/')}.${name}`;
}

function isInside(vip: string, own: { readonly address: string; readonly prefix_length: number }): boolean {
  if (vip.includes(':') || own.address.includes(':')) return false;
  const shift = 32 - own.prefix_length;
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return Math.floor(number(vip) / 2 ** shift) === Math.floor(number(own.address) / 2 ** shift);
}

/** What concerns all vhids. */
export function diagnoseHost({ host, daemon, vhids, segment }: DoctorFacts): Finding[] {
  const found: Finding[] = [];
  // a daemon knows better what it is allowed than this command, which may run elsewhere
  if (daemon === undefined && host.no_ring !== undefined) {
    const message = `io_uring cannot be used (${host.no_ring}): a balancer here would run on epoll, which costs more CPU.`;
    found.push(finding('hint', 'no-io-uring', undefined, message, RING_MEND));
  }
  if (daemon === undefined && !host.real_time && vhids.length > 0)
    found.push(finding('warning', 'no-real-time', undefined, NO_REAL_TIME, REAL_TIME_MEND));
  const families = new Set(
    vhids.flatMap(({ addresses }) => addresses.map((vip) => (vip.includes(':') ? 'ipv6' : 'ipv4'))),
  );
  const refusing = [...families].filter((family) => !host.nonlocal_bind.includes(family));
  if (daemon?.frontends.length === 0 && refusing.length > 0) {
    const names = refusing.map((family) => `net.${family}.ip_nonlocal_bind`);
    const message = `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} 0: a service that binds the address itself cannot start while this node is BACKUP.`;
    const mend = `Let it bind every address (0.0.0.0, ::), or run: sysctl -w ${names.map((name) => `${name}=1`).join(' ')} (carpool's own listeners need neither)`;
    found.push(finding('hint', 'nonlocal-bind', undefined, message, mend));
  }
  if (segment.late_ms >= LATE_MS) {
    const message = `This machine stood still for ${segment.late_ms} ms while the doctor listened.`;
    const mend =
      'Adverts come late then. Look at steal time, snapshots and memory pressure of the machine; give CARP real-time scheduling.';
    found.push(finding('warning', 'machine-stalls', undefined, message, mend));
  }
  return found;
}

const LATE_MS = 1000;
export const RING_MEND =
  'Look at "sysctl kernel.io_uring_disabled" (0: allowed), the seccomp filter of the container, and LimitMEMLOCK= of the unit; then restart the daemon.';
export const NO_REAL_TIME = 'CARP may not have real-time scheduling, so a busy machine can make adverts late.';
export const REAL_TIME_MEND = 'Give CAP_SYS_NICE, or LimitRTPRIO=10 in the systemd unit.';
