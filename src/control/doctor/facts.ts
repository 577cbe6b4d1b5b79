/** What `carpool doctor` looks at. Gathered by listen.ts and host-facts.ts, judged by the diagnose-*.ts, which are pure. */
import type { Auth } from '../../carp/auth.ts';
import type { StatusReport, VhidReport } from '../status-report.ts';

export type DoctorFacts = {
  /** The running daemon's own report; undefined: none runs. */
  readonly daemon: StatusReport | undefined;
  readonly vhids: readonly DoctorVhid[];
  readonly host: HostFacts;
  readonly segment: SegmentFacts;
};

export type DoctorVhid = {
  readonly name: string;
  readonly vhid: number;
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly advbase: number;
  readonly advskew: number;
  readonly mac: 'real' | 'virtual';
  /** Adverts go to these nodes alone, not to everybody. */
  readonly unicast: boolean;
  /** The IPv4 group instead of 224.0.0.18. */
  readonly group: string | undefined;
  /** Undefined where the daemon's files may not be read: then no digest can be checked here. */
  readonly auth: Auth | undefined;
  /** As the daemon tells. */
  readonly live: VhidReport | undefined;
};

export type SegmentFacts = {
  /** False: this user may not open packet sockets. */
  readonly allowed: boolean;
  readonly listened_s: number;
  readonly frames: readonly HeardFrame[];
  /** The VIPs that were asked for. IPv6 ones are not where the interface has no IPv6 address to ask from. */
  readonly asked: readonly string[];
  /** Who answered. */
  readonly answers: readonly NeighbourAnswer[];
  /** VIPs that somebody took from this host meanwhile, once for each time. */
  readonly removed: readonly string[];
  /** The longest time that this process was late in that time. */
  readonly late_ms: number;
};

/** A frame of protocol 112 by somebody else. */
export type HeardFrame = {
  readonly interface: string;
  readonly source: string;
  readonly mac: string;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** VRRP has the same protocol number. */
  readonly protocol: 'carp' | 'vrrp' | 'garbage';
  readonly vhid: number;
  readonly advbase: number;
  readonly advskew: number;
  /** Whether the digest is right; undefined: no password is known here for that vhid. */
  readonly authentic: boolean | undefined;
};

/** To an ARP request or a neighbour solicitation. */
export type NeighbourAnswer = { readonly interface: string; readonly address: string; readonly mac: string };

export type HostFacts = {
  readonly links: readonly LinkFacts[];
  readonly addresses: readonly { readonly address: string; readonly prefix_length: number; readonly link: string }[];
  /** net.ipv4.conf.all.arp_ignore: the kernel takes the greater of this and a link's own. */
  readonly arp_ignore_all: number;
  /** Why io_uring cannot be used; undefined: it can. */
  readonly no_ring: string | undefined;
  /** Whether this user may have real-time scheduling. */
  readonly real_time: boolean;
  /** The address families whose ip_nonlocal_bind is 1. */
  readonly nonlocal_bind: readonly ('ipv4' | 'ipv6')[];
  readonly rivals: readonly Rival[];
};

/** A process of this host that runs a vhid. `name` as in `1@eth0`. */
export type Rival = { readonly name: string; readonly pid: number; readonly program: 'carpool' | 'ucarp' };

export type LinkFacts = {
  readonly name: string;
  readonly mac: string;
  readonly up: boolean;
  readonly multicast: boolean;
  /** The name of the link that this one stands on (a macvlan's parent). */
  readonly parent: string | undefined;
  /** What is in force: the greater of the link's own and that of `all`. */
  readonly arp_ignore: number;
  readonly rp_filter: number;
  /** net.ipv6.conf.NAME.disable_ipv6 is 0. */
  readonly ipv6: boolean;
  /** The bridge that this link is, or is a port of, if it snoops on multicast without asking who is a member. */
  readonly snooping_bridge: string | undefined;
};
