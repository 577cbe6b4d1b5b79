/** What this host's own settings tell. Pure. */
import type { DoctorFacts, DoctorVhid, HostFacts, LinkFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** The interface of one vhid, and where its addresses are. */
export function diagnosePlace(vhid: DoctorVhid, host: HostFacts): Finding[] {
  const link = host.links.find(({ name }) => name === vhid.interface);
  if (link === undefined) {
    const message = `There is no interface ${vhid.interface} on this host.`;
    const names = host.links.map(({ name }) => name).join(', ');
    return [finding('error', 'interface-missing', vhid.name, message, `This host has ${names}.`)];
  }
  const held = vhid.addresses.filter((address) => host.addresses.some((one) => one.address === address));
  return [
    ...findLinkFaults(vhid, link),
    ...findArpSettings(vhid, link, host),
    ...findMisplaced(vhid, held),
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
  if (link.snoops && !unicast) {
    const message = `The bridge of ${link.name} snoops on multicast (IGMP) and nobody on this host asks for memberships.`;
    const mend =
      'Adverts to 224.0.0.18 are flooded all the same; for another group turn multicast_querier on, or multicast_snooping off.';
    found.push(finding('hint', 'bridge-snoops', name, message, mend));
  }
  return found;
}

/** arp_ignore 2 answers only where the asker's subnet fits, which a /32 never does; 8 answers nobody. */
function findArpSettings({ name, mac, live }: DoctorVhid, link: LinkFacts, host: HostFacts): Finding[] {
  const setting = `net.ipv4.conf.${link.name}.arp_ignore`;
  if (mac === 'real') {
    if (link.arp_ignore !== 2 && link.arp_ignore < 4) return [];
    const message = `${setting} is ${link.arp_ignore}: this host will not answer ARP for the address, so nobody finds it here.`;
    return [
      finding(
        'error',
        'arp-ignore',
        name,
        message,
        `sysctl -w ${setting}=1 (and net.ipv4.conf.all.arp_ignore, the greater counts)`,
      ),
    ];
  }
  if (live?.state !== 'MASTER') return [];
  const found: Finding[] = [];
  const macvlan = host.links.find((one) => one.parent === link.name && one.mac.startsWith('00:00:5e:00:01'));
  if (link.arp_ignore === 0) {
    const message = `${setting} is 0: ${link.name} answers for the address with its own MAC beside the virtual one.`;
    found.push(finding('error', 'arp-mode', name, message, `sysctl -w ${setting}=1`));
  }
  if (macvlan !== undefined && macvlan.rp_filter === 1) {
    const message = `net.ipv4.conf.${macvlan.name}.rp_filter is 1, which drops all traffic to the address on its virtual MAC.`;
    found.push(finding('error', 'rp-filter', name, message, `sysctl -w net.ipv4.conf.${macvlan.name}.rp_filter=2`));
  }
  return found;
}

function findMisplaced({ name, live, interface: link }: DoctorVhid, held: readonly string[]): Finding[] {
  const master = live?.state === 'MASTER';
  if (!master && held.length > 0) {
    const why = live === undefined ? 'no daemon runs that could hold it' : `this node is ${live.state}`;
    const message = `${held.join(' ')} is on this host although ${why}: two machines may hold it.`;
    const mend = `Find who set it (ifupdown, systemd-networkd, NetworkManager), or run: ip addr del ${held[0]} dev ${link}`;
    return [finding('error', 'address-without-mastership', name, message, mend)];
  }
  const missing = master ? (live?.addresses ?? []).map(plain).filter((address) => !held.includes(address)) : [];
  if (missing.length === 0) return [];
  const message = `This node is MASTER, but ${missing.join(' ')} is not on any interface.`;
  const mend =
    'Something removes it again and again (systemd-networkd, NetworkManager, ifup): keep it from that interface. "carpool events" shows when.';
  return [finding('error', 'mastership-without-address', name, message, mend)];
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
      `sysctl -w net.ipv4.conf.${other}.arp_ignore=1 net.ipv4.conf.${other}.arp_announce=2`,
    ),
  ];
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
  if (host.no_ring !== undefined) {
    const message = `io_uring cannot be used (${host.no_ring}); the balancer runs on epoll, which costs more CPU.`;
    const mend =
      'Look at "sysctl kernel.io_uring_disabled", the seccomp filter of the container, and LimitMEMLOCK= of the unit.';
    found.push(finding('hint', 'no-io-uring', undefined, message, mend));
  }
  if (daemon === undefined && !host.real_time && vhids.length > 0)
    found.push(finding('warning', 'no-real-time', undefined, NO_REAL_TIME, REAL_TIME_MEND));
  if (daemon?.frontends.length === 0 && vhids.length > 0 && !host.ip_nonlocal_bind) {
    const message =
      'net.ipv4.ip_nonlocal_bind is 0: a service that binds the address itself cannot start while this node is BACKUP.';
    const mend =
      "Let it bind 0.0.0.0, or run: sysctl -w net.ipv4.ip_nonlocal_bind=1 (carpool's own listeners need neither)";
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
export const NO_REAL_TIME = 'CARP may not have real-time scheduling, so a busy machine can make adverts late.';
export const REAL_TIME_MEND = 'Give CAP_SYS_NICE, or LimitRTPRIO=10 in the systemd unit.';
