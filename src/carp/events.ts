/**
 * What goes into the engine and what comes out of it, as plain data.
 *
 *   event ──> step(engine, event, now_ns) ──> effects
 *
 * All times are CLOCK_MONOTONIC nanoseconds in a Number (exact for 104 days of uptime, off by less than a
 * microsecond for centuries after). `index` is a vhid's position in `EngineSettings.vhids`.
 */

export type State = 'INIT' | 'BACKUP' | 'MASTER';

/** The MAC that adverts are sent from: the interface's own, or the virtual one as kernels or as ucarp build it. */
export type AdvertMac = 'interface' | 'kernel' | 'ucarp';

/** How the addresses are put into the digest. `sorted` everywhere but FreeBSD of 2005/06 (`list`). */
export type AddressOrder = 'sorted' | 'list';

export type VhidSettings = {
  readonly interface: string;
  /** 1..255 */
  readonly vhid: number;
  /** The password's bytes, at most 20 (19 from every configuration language); empty: the all-zero key. */
  readonly key: Uint8Array;
  /** IPv4 in dotted form, IPv6 as text; at least one address. */
  readonly addresses: readonly string[];
  /** 0..255 s */
  readonly advbase: number;
  /** 0..255, in 1/256 s */
  readonly advskew: number;
  readonly preempt: boolean;
  /** master-down = deadratio × advbase + advskew / 256 */
  readonly deadratio: number;
  /** The interface's primary IPv4; adverts leave from it. */
  readonly source_address: string;
  /** The interface's own MAC, 6 bytes: announcements carry it, adverts do unless `advert_mac` says otherwise. */
  readonly interface_mac: Uint8Array;
  /** Send and listen whatever the kernel says of the link, if every vhid of the interface says so. Default false. */
  readonly ignore_link_state?: boolean;
  /** Default 'interface'. */
  readonly advert_mac?: AdvertMac;
  /** Default 'sorted'. */
  readonly address_order?: AddressOrder;
  /** Whether link-local addresses are in the digest that is sent; OpenBSD leaves them out. Default true. */
  readonly hash_link_locals?: boolean;
  readonly scripts?: {
    readonly up: string | undefined;
    readonly down: string | undefined;
    readonly xparam: string | undefined;
    readonly down_at_exit: boolean;
    readonly neutral: boolean;
  };
};

export type EngineSettings = {
  readonly vhids: readonly VhidSettings[];
  /** Four 32-bit words of real randomness, not all 0: the counters of adverts grow from them. */
  readonly seed: Uint32Array;
  /** The kernel lifetime of an address, whole seconds; renewed four times in that time. */
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
   * event object and one buffer for all frames. Outgoing copies (pkttype 4) are the shell's to skip.
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
  /**
   * The kernel says that an address is gone. The engine tells a ran-out lease from a foreign hand by the time of its
   * last renewal, and ignores addresses that no MASTER vhid holds (so the echo of an own removal may be passed on).
   */
  | { readonly kind: 'address-removed'; readonly interface: string; readonly address: string }
  /** Amount 1..255. `index` undefined: every vhid of the host. The same owner again replaces its amount. */
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
  /** The outcome of a `send` effect: `error` is null or what the kernel said (`ENOBUFS`). */
  | { readonly kind: 'sent'; readonly index: number; readonly error: string | null }
  /**
   * A person wants this vhid (`index` undefined: every one) to be BACKUP: a MASTER bows out and then waits for others as
   * long as after a start, without preempting anybody meanwhile. Nothing happens in another state.
   */
  | { readonly kind: 'yield'; readonly index?: number; readonly reason: string }
  /** Give everything up: bow out, remove the addresses, INIT for good. */
  | { readonly kind: 'stop'; readonly reason: string };

export type Effect =
  /**
   * Send these bytes as they are; a whole Ethernet frame. They live in a buffer of the vhid that is written again in a
   * later step, so send (or copy) before that. Answer with a `sent` event.
   */
  | {
      readonly kind: 'send';
      readonly index: number;
      readonly interface: string;
      readonly what: 'advert' | 'bow-out';
      readonly frame: Uint8Array;
    }
  /** Gratuitous ARP (request and reply form) or unsolicited neighbour advertisement per address; never change. */
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

/** Add as /32 or /128 (noprefixroute, nodad) for `lease_s`; `renew` sets the lifetime anew; `remove` forgets it. */
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

/** One vhid as `carpool status` shows it. */
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
  readonly sent: number;
  readonly received: number;
  /** Adverts of this vhid that did not authenticate: another password or other addresses. */
  readonly refused: number;
};

/** Frames of protocol 112 that were dropped, by the rung of the ladder that dropped them. */
export type Counters = {
  received: number;
  sent: number;
  send_errors: number;
  dropped_length: number;
  dropped_not_carp: number;
  dropped_ttl: number;
  dropped_version: number;
  dropped_vhid: number;
  dropped_checksum: number;
  dropped_digest: number;
  dropped_own: number;
};
