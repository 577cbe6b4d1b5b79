/** The vhids of a node: what they share, how they advert, what demotes them. */
import type { Span } from './diagnostic.ts';
import type { Endpoint, Spans } from './model.ts';
import type { CheckMethod, ServerCheck } from './model-checks.ts';
import type { Disjunction, IntegerRange } from './model-rules.ts';

/** One vhid on one interface. */
export type Carp = {
  /** The section's name, or the BSD interface name (`carp0`), or that and the vhid (`em0:1`), or the VIP. */
  readonly name: string;
  readonly dialect: CarpDialect;
  /** `ifconfig carp0 down`: configured, but neither heard nor seen. */
  readonly disabled: boolean;
  /** Undefined: find the one interface whose subnet holds the first address (old FreeBSD's rule). */
  readonly interface: string | undefined;
  readonly vhid: number;
  /** At most 19 bytes of UTF-8; '' is the all-zero key that the BSDs use without `pass`. */
  readonly pass: string;
  readonly addresses: readonly VirtualAddress[];
  /** Whole seconds, 0..255; 0 with advskew > 0. */
  readonly advbase: number;
  /** 1/256 s, 0..254 (255 for ucarp). */
  readonly advskew: number;
  readonly preempt: boolean;
  /** master-down = deadratio × advbase + advskew / 256 (ucarp -r; 3 everywhere else). */
  readonly deadratio: number;
  readonly demotions: readonly DemoteRule[];
  /** IPv4 to send adverts from; undefined: the interface's primary address. */
  readonly source_address: string | undefined;
  /** Send adverts to these nodes (IPv4 or IPv6) and not to the group; empty: multicast. */
  readonly peers: readonly string[];
  /** Who answers for the addresses: the interface's MAC, or 00:00:5e:00:01:VHID on a link of its own. */
  readonly mac: 'real' | 'virtual';
  readonly advert_mac: AdvertMac;
  /** At most 4. */
  readonly also_accept: readonly AlsoAccept[];
  /** How long only less preferred masters must have been heard before this node preempts. */
  readonly preempt_delay_ms: number;
  /** Add IPv6 addresses without duplicate address detection. */
  readonly nodad: boolean;
  /** `arp`: the vhids that share these addresses share the clients, too. */
  readonly balancing: 'none' | 'arp';
  /** Whether link-local addresses are in the digest that is sent; OpenBSD leaves them out. Both are accepted. */
  readonly hash_link_locals: boolean;
  /** Send the demotion in byte 4, as OpenBSD does, and heed it. */
  readonly openbsd_demote_byte: boolean;
  /** The IPv4 group of the adverts; undefined: 224.0.0.18 (ucarp --mcast). */
  readonly multicast_address: string | undefined;
  /** Ethernet broadcast instead of multicast (ucarp -M). */
  readonly broadcast: boolean;
  /** Take the link for up whatever the kernel says of its carrier (ucarp -S). */
  readonly ignore_link_state: boolean;
  /** Services that are not ours; at most 16. */
  readonly tracks: readonly Track[];
  readonly scripts: Scripts | undefined;
  readonly span: Span;
  readonly spans: Spans;
};

/** One virtual address, IPv4 or IPv6 (as RFC 5952 writes it, without a zone), and how many bits its written prefix had. */
export type VirtualAddress = {
  readonly address: string;
  readonly prefix_length: number;
  readonly span: Span;
};

/** Whose words a vhid was written in: the form that `carpool ifconfig` shows it in. */
export type CarpDialect = 'native' | 'freebsd9' | 'freebsd10' | 'openbsd' | 'ucarp' | 'debian';

/** The MAC that adverts are sent from: the interface's own, or the virtual one as kernels or as ucarp build it. */
export type AdvertMac = 'interface' | 'kernel' | 'ucarp';

/** What another node may use while a change is under way: this password, these addresses, or the vhid's own. */
export type AlsoAccept = { readonly pass: string | undefined; readonly addresses: readonly string[] | undefined };

/** `track http://127.0.0.1/health`: while its checks fail, the vhid is demoted. */
export type Track = {
  /** The service as written: `http://127.0.0.1/health`, `tcp 127.0.0.1:80`. */
  readonly text: string;
  /** As written; `endpoint.address` is '' when it is a name, which is resolved at the start. */
  readonly host: string;
  readonly endpoint: Endpoint;
  readonly method: CheckMethod;
  readonly check: TrackCheck;
  /** 1..255 */
  readonly amount: number;
  readonly span: Span;
};

export type TrackCheck = Pick<ServerCheck, 'inter_ms' | 'fastinter_ms' | 'downinter_ms' | 'rise' | 'fall'>;

/** ucarp's -u, -d, -x, -z and -n: `script INTERFACE VIP [XPARAM]`. */
export type Scripts = {
  readonly up: string | undefined;
  readonly down: string | undefined;
  readonly xparam: string | undefined;
  readonly down_at_exit: boolean;
  /** Do not run the down script at the first INIT -> BACKUP. */
  readonly neutral: boolean;
};

/** `demote 240 unless { nbsrv(servers) ge 1 }` */
export type DemoteRule = {
  /** 1..255 */
  readonly amount: number;
  readonly polarity: 'if' | 'unless';
  readonly condition: Condition;
  /** The condition as written, for the reason that the user reads. */
  readonly text: string;
  readonly span: Span;
};

export type Condition = Disjunction<Test>;

export type Term = Condition[number][number];

export type Test =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'nbsrv'; readonly backend: string; readonly ranges: readonly IntegerRange[] }
  | { readonly kind: 'srv_is_up'; readonly backend: string; readonly server: string };

/** net.inet.carp.* of the BSDs. */
export type CarpHost = {
  /** False: no CARP at all; every vhid is in INIT. */
  readonly allow: boolean;
  /** For every vhid of the host, beside those that say it themselves. */
  readonly preempt: boolean;
  /** 0: nothing, 1: changes of state, 2: bad adverts as well. */
  readonly log: number;
  /** Added to the demotion while adverts cannot be sent. */
  readonly senderr_demotion_factor: number;
  /** Added to the demotion while a link is down. */
  readonly ifdown_demotion_factor: number;
  /** Of the whole host, from the start on; -255..255. */
  readonly demotion: number;
  /** `balancing arp` for every vhid whose addresses another vhid has too. */
  readonly arpbalance: boolean;
  /** DSCP of the adverts, 0..63; undefined: low delay (TOS 0x10), as all but FreeBSD 14 send. */
  readonly dscp: number | undefined;
  readonly spans: Spans;
};

/** A name that a file of another system uses, and the link of this host that it stands for. */
export type InterfaceName = { readonly name: string; readonly link: string; readonly span: Span };
