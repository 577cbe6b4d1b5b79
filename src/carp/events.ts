/**
 * What goes into the engine and what comes out of it, as plain data.
 *
 *   event ──> step(engine, event, now_ns) ──> effects
 *
 * All times are CLOCK_MONOTONIC nanoseconds in a Number (exact for 104 days of uptime, off by less than a
 * microsecond for centuries after).
 *
 * `index` is a vhid's slot: its position in `EngineSettings.vhids`, and for one that a `configure` event brings the
 * lowest slot that was free before that event. A vhid keeps its slot as long as it is configured; the slot of one that
 * went is used again by a later `configure` at the earliest. So slots stay below twice the most vhids there ever were.
 */

export type State = 'INIT' | 'BACKUP' | 'MASTER';

/** The MAC that adverts are sent from: the interface's own, or the virtual one as kernels or as ucarp build it. */
export type AdvertMac = 'interface' | 'kernel' | 'ucarp';

/** How the addresses are put into the digest. `sorted` everywhere but FreeBSD of 2005/06 (`list`). */
export type AddressOrder = 'sorted' | 'list';

/**
 * Which group of nodes shares which addresses. A vhid with IPv4 addresses adverts over IPv4, one with IPv6 addresses over
 * IPv6, one with both over both.
 */
export type VhidSettings = {
  readonly interface: string;
  /** 1..255 */
  readonly vhid: number;
  /** The password's bytes, at most 20 (19 from every configuration language); empty: the all-zero key. */
  readonly key: Uint8Array;
  /** IPv4 in dotted form and IPv6 as text, in any order; at least one address. */
  readonly addresses: readonly string[];
  /** 0..255 s */
  readonly advbase: number;
  /** 0..255, in 1/256 s; advbase 0 and advskew 0 are 1/256 s (OpenBSD). */
  readonly advskew: number;
  readonly preempt: boolean;
  /** How long a BACKUP must have heard slower masters only before it preempts. Default 0. */
  readonly preempt_delay_ns?: number;
  /** master-down = deadratio × advbase + advskew / 256; with advbase 0 deadratio × advskew / 256 */
  readonly deadratio: number;
  /** The interface's primary IPv4, which adverts leave from; needed with IPv4 addresses. */
  readonly source_address?: string;
  /** The interface's IPv6, link-local or global; needed with IPv6 addresses. */
  readonly source_address6?: string;
  /** Unicast instead of multicast: for IPv4 when there is an IPv4 among them, for IPv6 likewise. */
  readonly peers?: readonly string[];
  /** The interface's own MAC, 6 bytes. */
  readonly interface_mac: Uint8Array;
  /** Send and listen whatever the kernel says of the link, if every vhid of the interface says so. Default false. */
  readonly ignore_link_state?: boolean;
  /** What neighbours are told: the interface's own MAC, or 00:00:5e:00:01:VHID. Default 'real'. */
  readonly mac?: 'real' | 'virtual';
  /** Default 'interface', with `mac` 'virtual' 'kernel': so switches keep learning where the virtual MAC is. */
  readonly advert_mac?: AdvertMac;
  /** Default 'sorted'. */
  readonly address_order?: AddressOrder;
  /** Whether link-local addresses are in the digest that is sent; OpenBSD leaves them out. Both are accepted. Default true. */
  readonly hash_link_locals?: boolean;
  /** Accepted on receipt beside the own password and addresses, while they are being changed; at most 4. */
  readonly also_accept?: readonly AlsoAccept[];
  /**
   * `arp`: this vhid shares its addresses with others of the interface, and clients are spread over them. Needs the
   * virtual MAC; the host's kernel must not answer for these addresses, the engine does. Default 'none'.
   */
  readonly balancing?: 'none' | 'arp';
  /** As OpenBSD: the demotion goes into byte 4 and not into the advskew, and who is less demoted wins. Default false. */
  readonly openbsd_demote_byte?: boolean;
  /** The IPv4 group instead of 224.0.0.18, for sending and receiving (ucarp --mcastip). */
  readonly multicast_address?: string;
  /** Ethernet broadcast frames; the IP destination stays the group (ucarp -M). */
  readonly broadcast?: boolean;
  /** Let the kernel look for duplicates before it uses an IPv6 address. Default false: CARP decided who has it. */
  readonly dad?: boolean;
  /** This host forwards IPv6: neighbour advertisements say so. Default false. */
  readonly ipv6_router?: boolean;
  /** Configured, but `ifconfig carp0 down`: INIT. Default false. */
  readonly disabled?: boolean;
  readonly scripts?: {
    readonly up: string | undefined;
    readonly down: string | undefined;
    readonly xparam: string | undefined;
    readonly down_at_exit: boolean;
    readonly neutral: boolean;
  };
};

/** Another password or other addresses; what is missing is the vhid's own. */
export type AlsoAccept = { readonly key?: Uint8Array; readonly addresses?: readonly string[] };

/** What concerns all vhids of the host: net.inet.carp.*. */
export type HostSettings = {
  /** False: every vhid is in INIT. Default true. */
  readonly allow?: boolean;
  /** What three send errors in a row demote the host by; 0: nothing. Default 240. */
  readonly senderr_demotion_factor?: number;
  /** What a link that is down demotes the host by. Default 240. */
  readonly ifdown_demotion_factor?: number;
  /** Tell of what is dropped, of each sender once a second at most. Default false. */
  readonly log_bad_adverts?: boolean;
  /** The TOS or traffic class of adverts, 0..255. Default 0x10 on IPv4 and 0 on IPv6; FreeBSD 14 sends 0xe0. */
  readonly tos?: number;
};

export type EngineSettings = HostSettings & {
  readonly vhids: readonly VhidSettings[];
  /** Four 32-bit words of real randomness, not all 0: the counters of adverts grow from them. */
  readonly seed: Uint32Array;
  /** The kernel lifetime of an address, whole seconds; renewed three times in that time. */
  readonly lease_s: number;
  /** Keep every vhid in INIT until `ready` (or 10 s after `start`). */
  readonly wait_for_ready: boolean;
  /** Interfaces whose link is down at the start. */
  readonly links_down?: readonly string[];
};

export type Event =
  | { readonly kind: 'start' }
  /** The listeners accept and every check ran once. `undemote` of owner `starting` is the same. */
  | { readonly kind: 'ready' }
  /**
   * A received Ethernet frame; only `bytes[0 .. length)` counts and nothing of it is kept. The shell may reuse one
   * event object and one buffer for all frames. Outgoing copies (pkttype 4) are the shell's to skip. Protocol 112 over
   * IPv4 and IPv6; where a vhid has `balancing` 'arp' also ARP requests and neighbour solicitations.
   */
  | { readonly kind: 'frame'; readonly interface: string; readonly bytes: Uint8Array; readonly length: number }
  /** `nextDeadline_ns` has passed. All received frames must have been stepped first. */
  | { readonly kind: 'timer' }
  /**
   * Carrier and administrative state together: `up` means that frames can leave. `reason` says all of it in words, such
   * as "interface eth0 was removed"; without it "link of eth0 is up" or "… is down" is said.
   */
  | { readonly kind: 'link'; readonly interface: string; readonly up: boolean; readonly reason?: string }
  /**
   * The whole process beats, or does not. While it does not, every vhid is in INIT (a MASTER bows out first); the lease
   * is for the case that this thread hangs, too.
   */
  | { readonly kind: 'health'; readonly healthy: boolean; readonly reason: string }
  /** People take a vhid out of service (a MASTER bows out first), or bring it back: `reason` undefined. */
  | { readonly kind: 'maintenance'; readonly index: number; readonly reason: string | undefined }
  /**
   * The kernel says that an address is gone. The engine tells a ran-out lease from a foreign hand by the time of its
   * last renewal, and ignores addresses that no MASTER vhid holds (so the echo of an own removal may be passed on).
   * `duplicate`: the kernel itself removed it, as its duplicate detection found another node that has it.
   */
  | {
      readonly kind: 'address-removed';
      readonly interface: string;
      readonly address: string;
      readonly duplicate?: boolean;
    }
  /**
   * A whole number, below 0 too (net.inet.carp.demotion takes it back that way); the sum counts from 0 to 240. `index`
   * undefined: every vhid of the host. The same owner again replaces its amount.
   */
  | {
      readonly kind: 'demote';
      readonly owner: string;
      readonly amount: number;
      readonly reason: string;
      readonly index?: number;
    }
  | { readonly kind: 'undemote'; readonly owner: string; readonly index?: number }
  /**
   * This thread ran `late_ns` behind its deadline. Step it before the frames that waited meanwhile. Harmless when
   * short: a MASTER only steps back to listening when peers may have missed it, or its lease may have run out.
   */
  | { readonly kind: 'stall'; readonly late_ns: number }
  /** The outcome of a `send` effect: `error` is null or what the kernel said (`ENOBUFS`). `family` default 4. */
  | { readonly kind: 'sent'; readonly index: number; readonly error: string | null; readonly family?: Family }
  /**
   * These vhids from now on, and with `host` these settings of the host. A vhid is the one with the same interface and
   * number. One that stays keeps its state, without any transition: added and removed addresses become effects, and a
   * MASTER that changed adverts at once. One that is gone bows out; a new one starts in INIT or BACKUP.
   */
  | {
      readonly kind: 'configure';
      readonly vhids: readonly VhidSettings[];
      readonly host?: HostSettings;
      /** Of interfaces that no vhid was on: whose link is down. */
      readonly links_down?: readonly string[];
    }
  /**
   * `ifconfig em0 vhid 1 state backup|master`. BACKUP is `yield` of one vhid; MASTER takes
   * over at once, which a preferred peer does not accept for long. No effect on a vhid in INIT.
   */
  | {
      readonly kind: 'set-state';
      readonly index: number;
      readonly state: 'BACKUP' | 'MASTER';
      readonly reason?: string;
    }
  /** Every MASTER announces its addresses again. */
  | { readonly kind: 'reannounce' }
  /**
   * A person wants this vhid (`index` undefined: every one) to be BACKUP: a MASTER bows out and then waits for others as
   * long as after a start, without preempting anybody meanwhile. Nothing happens in another state.
   */
  | { readonly kind: 'yield'; readonly index?: number; readonly reason: string }
  /**
   * Give everything up: bow out, remove the addresses, INIT for good. But the vhids in the slots `leaves` go on in another
   * process of this host: nothing is sent and nothing removed.
   */
  | { readonly kind: 'stop'; readonly reason: string; readonly leaves?: readonly number[] };

export type Effect =
  | SendEffect
  /**
   * An answer to an ARP request or a neighbour solicitation (`balancing` 'arp'), to be sent as it is; a buffer that the
   * next step may write again. No `sent` event.
   */
  | { readonly kind: 'answer'; readonly index: number; readonly interface: string; readonly frame: Uint8Array }
  /** Gratuitous ARP (request and reply form) or an unsolicited neighbour advertisement for each address. */
  | {
      readonly kind: 'announce';
      readonly index: number;
      readonly interface: string;
      readonly frames: readonly Uint8Array[];
    }
  | AddressEffect
  | {
      readonly kind: 'script';
      readonly index: number;
      readonly which: 'up' | 'down';
      readonly path: string;
      /** INTERFACE VIP [XPARAM] */
      readonly arguments: readonly string[];
    }
  | TransitionEffect
  | { readonly kind: 'log'; readonly level: 'info' | 'notice' | 'warning' | 'error'; readonly text: string };

/**
 * Send these bytes as they are; a whole Ethernet frame. They live in a buffer of the vhid that is written again in a
 * later step, so send (or copy) before that. Answer with a `sent` event.
 */
export type SendEffect = {
  readonly kind: 'send';
  readonly index: number;
  readonly interface: string;
  readonly what: 'advert' | 'bow-out';
  readonly family: Family;
  readonly frame: Uint8Array;
  /**
   * A unicast peer. The frame's destination MAC is then zero: send what follows the 14 bytes of Ethernet through a raw
   * IP socket (header included), so that the kernel finds the way, or fill in the MAC from its neighbour table.
   */
  readonly to?: string;
};

export type Family = 4 | 6;

/**
 * Add as /32 or /128 (noprefixroute, nodad but for `dad`) for `lease_s`; `renew` sets the lifetime anew; `remove` forgets it. Only
 * `addresses` are meant: after a `configure` those that came or went, and of addresses that several vhids share
 * (`balancing`) never one that another MASTER still needs.
 */
export type AddressEffect = {
  readonly kind: 'add-addresses' | 'renew-addresses' | 'remove-addresses';
  readonly index: number;
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly lease_s: number;
};

export type TransitionEffect = {
  readonly kind: 'transition';
  readonly index: number;
  readonly vhid: number;
  readonly interface: string;
  readonly from: State;
  readonly to: State;
  /** The sentence that the user reads. */
  readonly reason: string;
  readonly at_ns: number;
};

export type DemotionEntry = { readonly owner: string; readonly amount: number; readonly reason: string };

/** One vhid as `carpool status` and `carpool explain` show it. */
export type VhidStatus = {
  readonly index: number;
  readonly interface: string;
  readonly vhid: number;
  readonly addresses: readonly string[];
  readonly state: State;
  readonly since_ns: number;
  /** Why it is in this state. */
  readonly reason: string;
  /** Who is MASTER as far as this node knows: its own source address, the last advert's source, or undefined. */
  readonly master: string | undefined;
  readonly advbase: number;
  /** As configured; `advertised_advskew` has the demotion in it. */
  readonly advskew: number;
  readonly advertised_advskew: number;
  readonly preempt: boolean;
  /** 0..240 */
  readonly demotion: number;
  readonly demotions: readonly DemotionEntry[];
  readonly last_heard_ns: number | undefined;
  /** How often this node adverts, or would as MASTER. */
  readonly interval_ns: number;
  /** How long this node waits for an advert as BACKUP. */
  readonly master_down_ns: number;
  /** The last advert that authenticated. */
  readonly heard: HeardAdvert | undefined;
  /** What would move this vhid next, soonest first. */
  readonly outlook: readonly Prospect[];
  /** What is wrong on the segment, in sentences; each was seen in the last minute. */
  readonly troubles: readonly Trouble[];
  readonly sent: number;
  /** Adverts that authenticated; `counters` has all. */
  readonly received: number;
  /** Adverts of this vhid that did not authenticate: another password or other addresses. */
  readonly refused: number;
  readonly counters: Counters;
};

export type HeardAdvert = {
  readonly source: string;
  /** What people know the sender by: its IPv4 source, also when it adverts over both families. */
  readonly node: string;
  readonly mac: string;
  /** By its source MAC. */
  readonly kind: 'kernel' | 'ucarp' | 'carpool';
  readonly family: Family;
  readonly advbase: number;
  readonly advskew: number;
  /** OpenBSD's byte 4. */
  readonly demote: number;
  readonly interval_ns: number;
  readonly at_ns: number;
};

/**
 * One thing that would move a vhid to `to`:
 * `silence`: nothing heard until `at_ns` (of that family). `preempt`: the next advert of the slower master, from `at_ns`
 * on. `slower-master`: hearing a master slower than `interval_ns`. `faster-master`: hearing one that adverts more often
 * than `interval_ns` (or as often, and wins the tie). `bow-out`: the master's. `obstacle`: `what` ends.
 */
export type Prospect = {
  readonly when: 'silence' | 'preempt' | 'slower-master' | 'faster-master' | 'bow-out' | 'obstacle';
  readonly to: State;
  readonly at_ns?: number;
  readonly family?: Family;
  readonly interval_ns?: number;
  readonly what?: string;
};

/**
 * `clash`: adverts for this vhid that do not authenticate. `vrrp`: VRRP uses the same id. `equal`: a peer with equal
 * settings. `deaf`: a slower MASTER goes on although we advert: it does not hear us. `one-family`: a peer is heard over
 * one family only. `flapping`: the link goes up and down. `removed`: somebody takes an address away. `duplicate`: another
 * node has an address of this MASTER.
 */
export type Trouble = {
  readonly kind: 'clash' | 'vrrp' | 'equal' | 'deaf' | 'one-family' | 'flapping' | 'removed' | 'duplicate';
  readonly text: string;
  /** When it was seen last. */
  readonly at_ns: number;
};

/** Who sent what was dropped; at most 64 of the whole host, the one that was not seen for longest goes first. */
export type BadSource = {
  readonly interface: string;
  readonly source: string;
  readonly mac: string;
  /** The advert's vhid as far as it could be read. */
  readonly vhid: number | undefined;
  readonly why: Drop;
  readonly count: number;
  readonly first_ns: number;
  readonly last_ns: number;
};

/**
 * Adverts of the whole host, or those of one vhid as far as they could be told apart, by family and by the rung of the
 * ladder that dropped them. netstat.ts has the BSDs' names for them.
 */
export type Counters = {
  received: number;
  received4: number;
  received6: number;
  sent: number;
  sent4: number;
  sent6: number;
  send_errors: number;
  transitions_to_master: number;
  dropped_length: number;
  dropped_not_carp: number;
  /** VRRP, which has the same protocol number. */
  dropped_vrrp: number;
  dropped_ttl: number;
  dropped_version: number;
  dropped_vhid: number;
  dropped_checksum: number;
  dropped_digest: number;
  /** To another multicast group than this vhid's. */
  dropped_group: number;
  /** Own adverts that came back. */
  dropped_own: number;
  /** Own adverts that somebody else sent again. */
  dropped_replay: number;
};

export type Drop = Extract<keyof Counters, `dropped_${string}`>;
