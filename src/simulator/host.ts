/**
 * One machine: a kernel that holds leased addresses and queues frames, a clock that drifts, and a program that may run,
 * stand still or be dead. It feeds the program as the carp thread does: after a stall first the stall itself, then what
 * the kernel tells, then frames, then messages, then timers; addresses change before frames leave.
 */
import type { AddressEffect, Effect, Event, State } from '../carp/events.ts';
import { mayRunTimers, shortestInterval_ns, tellStallFrom_ns } from '../carp/stall.ts';
import type { Program, Start } from './program.ts';
import { carpoolVhids, interfaceOf } from './program.ts';
import { between, type Random, seedWords } from './random.ts';
import type { Configured, HostSettings, MemberSettings } from './scenario.ts';

/** A ready program's timers fire this much late at most. */
export const WAKE_NS = 5e5;
/** From the start of a program to its `ready`. */
export const READY_NS = 5e8;
/** From SIGKILL to the guardian's work. */
const GUARDIAN_NS = 1e8;
/** The kernel ends a lease this much early at most. */
const LEASE_EARLY_NS = 1e8;
const BEAT_NS = 200e6;
const INBOX_MAX = 1024;

/** What a host does to the world. */
export type Outside = {
  readonly now_ns: number;
  readonly random: Random;
  plan(at_ns: number, act: () => void): void;
  /** `to`: the address of the one host that shall get it. */
  transmit(host: Host, index: number, frame: Uint8Array, to: string | undefined): void;
  answered(host: Host): void;
  /** It stood still for `stalled_ns` and has not stepped since. */
  resumed(host: Host, stalled_ns: number): void;
  announced(host: Host, index: number): void;
  moved(host: Host, index: number, from: State, to: State, reason: string): void;
  /** After every pass: the place where invariants look. */
  stepped(host: Host): void;
  leaseEnded(host: Host, index: number): void;
};

/** Of one member. `lapsed`: the kernel ended it, nobody else. */
export type Lease = {
  readonly addresses: Set<string>;
  held: boolean;
  lapsed: boolean;
  expires_ns: number;
  serial: number;
};

export class Host {
  readonly settings: HostSettings;
  readonly number: number;
  readonly leases: readonly Lease[];
  readonly demotions = new Map<string, number>();
  /** What its program runs by, and what the file says that the next one reads. */
  configured: readonly Configured[];
  #filed: readonly Configured[];
  readonly #reloads = new Map<Event, readonly Configured[]>();
  /** Changes whenever its program, its speed, its links or its demotion do. */
  epoch = 0;
  program: Program | undefined;
  stalled = false;
  sendable = true;
  /** In this life sending has failed, so that the program may demote itself. */
  had_send_errors = false;
  /** In this life a link was down. */
  had_link_down = false;
  /** When it last went on after a stall. */
  resumed_ns = Number.NEGATIVE_INFINITY;
  /** Since when the program is ready to take part; Infinity before. */
  ready_ns = Number.POSITIVE_INFINITY;
  readonly #outside: Outside;
  readonly #load: (start: Start) => Program;
  readonly #down = new Set<number>();
  readonly #rate: number;
  readonly #frames: { segment: number; bytes: Uint8Array }[] = [];
  readonly #kernel_news: Event[] = [];
  readonly #messages: Event[] = [];
  #boot_ns = 0;
  #clock_at_boot_ns = 0;
  #stalled_ns = 0;
  /** The next pass stops between reading and its timers. */
  #stalls_in_pass = false;
  /** Of the pass that stopped there: since when it has read, and whether timers were due then. */
  #stopped_pass: { readonly from_ns: number; readonly due: boolean } | undefined;
  #wake_ns = Number.POSITIVE_INFINITY;

  readonly #hosts: number;

  constructor(
    settings: HostSettings,
    number: number,
    hosts: number,
    outside: Outside,
    load: (start: Start) => Program,
  ) {
    this.#hosts = hosts;
    this.settings = settings;
    this.number = number;
    this.leases = settings.members.map(() => ({
      addresses: new Set(),
      held: false,
      lapsed: false,
      expires_ns: 0,
      serial: 0,
    }));
    this.configured = settings.members.map((member) => ({ ...member, secret: 0, also: -1, absent: false }));
    this.#filed = this.configured;
    this.#rate = 1 + settings.drift_ppm / 1e6;
    this.#outside = outside;
    this.#load = load;
  }

  get name(): string {
    return this.settings.name;
  }

  /** Its program runs and does not stand still. */
  get running(): boolean {
    return this.program !== undefined && !this.stalled;
  }

  isLinkUp(segment: number): boolean {
    return !this.#down.has(segment);
  }

  state(index: number): State {
    return this.program?.state(index) ?? 'INIT';
  }

  boot(): void {
    if (this.program) return;
    const { random, now_ns } = this.#outside;
    this.#boot_ns = now_ns;
    this.#clock_at_boot_ns = between(random, 1, 1e6) * 1e6;
    this.#forgetQueues();
    // every program removes what an earlier one left
    for (const lease of this.leases) drop(lease);
    this.demotions.clear();
    this.had_send_errors = !this.sendable;
    this.had_link_down = this.#down.size > 0;
    const links_down = [...this.#down].map(interfaceOf);
    this.configured = this.#filed = this.#filed.map((member) => ({ ...member, absent: false }));
    const { settings: host, number, configured } = this;
    const seed = seedWords(random);
    this.program = this.#load({ host, number, seed, links_down, configured, hosts: this.#hosts });
    const program = this.program;
    this.epoch++;
    this.#pass({ kind: 'start' });
    this.#outside.plan(now_ns + between(random, 0, READY_NS), () => {
      if (this.program === program) this.#tell(this.#messages, { kind: 'ready' });
    });
  }

  /** The machine is gone, and its addresses with it. */
  crash(): void {
    this.#end();
    for (const lease of this.leases) drop(lease);
    this.#outside.stepped(this);
  }

  /** SIGKILL: the guardian takes the addresses away and bows out, if the program has one. */
  kill(): void {
    const program = this.program;
    if (!program) return;
    const wills = this.leases.map((lease, index) => (lease.held ? program.will?.(index) : undefined));
    this.#end();
    this.#outside.plan(this.#outside.now_ns + between(this.#outside.random, 1e7, GUARDIAN_NS), () => {
      if (this.program) return; // the new program has removed what the old one left
      for (const [index, frames] of wills.entries()) {
        if (!frames) continue;
        drop(this.leases[index]);
        for (const frame of frames) this.#transmit(index, frame);
      }
      this.#outside.stepped(this);
    });
  }

  /** SIGTERM. A program that stands still hears it when it goes on. */
  stop(): void {
    if (!this.program) return;
    this.#tell(this.#messages, { kind: 'stop', reason: 'SIGTERM' });
  }

  stall(): void {
    if (!this.running) return;
    this.stalled = true;
    this.#stalled_ns = this.#outside.now_ns;
    this.epoch++;
  }

  stallInNextPass(): void {
    if (this.running) this.#stalls_in_pass = true;
  }

  resume(): void {
    this.#stalls_in_pass = false;
    if (!this.stalled) return;
    this.stalled = false;
    this.resumed_ns = this.#outside.now_ns;
    this.epoch++;
    if (!this.program) return;
    this.#outside.resumed(this, this.#outside.now_ns - this.#stalled_ns);
    const stopped = this.#stopped_pass;
    this.#stopped_pass = undefined;
    if (stopped) this.#runTimers(stopped.from_ns, stopped.due);
    const deadline_ns = Math.min(this.program.nextDeadline_ns(), this.#clock(this.#stalled_ns) + BEAT_NS);
    const late_ns = this.#clock(this.#outside.now_ns) - deadline_ns;
    if (late_ns > tellStallFrom_ns(this.#running)) this.#step({ kind: 'stall', late_ns });
    this.#pass();
  }

  setLink(segment: number, up: boolean): void {
    if (this.isLinkUp(segment) === up) return;
    if (up) this.#down.delete(segment);
    else this.#down.add(segment);
    this.had_link_down = true;
    this.epoch++;
    this.#tell(this.#kernel_news, { kind: 'link', interface: interfaceOf(segment), up });
  }

  setSendable(sendable: boolean): void {
    this.sendable = sendable;
    if (!sendable) this.had_send_errors = true;
    this.epoch++;
  }

  demote(amount: number): void {
    if (!this.program) return;
    this.demotions.set('fault', amount);
    this.epoch++;
    this.#tell(this.#messages, { kind: 'demote', owner: 'fault', amount, reason: 'a fault' });
  }

  undemote(): void {
    if (!this.program || !this.demotions.delete('fault')) return;
    this.epoch++;
    this.#tell(this.#messages, { kind: 'undemote', owner: 'fault' });
  }

  /** The file changes, and the live program is told. */
  reload(change: (member: Configured, index: number) => Configured): void {
    if (this.settings.kind !== 'carpool') return;
    this.#filed = this.#filed.map(change);
    if (!this.program) return;
    const event: Event = { kind: 'configure', vhids: carpoolVhids(this.#filed, this.number, this.#hosts) };
    this.#reloads.set(event, this.#filed);
    this.#tell(this.#messages, event);
  }

  /** A foreign hand deletes every VIP. */
  strip(): void {
    for (const [index, lease] of this.leases.entries()) if (lease.held) this.#removed(index);
  }

  /** What it takes the length of a stall by, as the carp thread does after each reload. */
  get #running(): readonly Configured[] {
    return this.configured.filter(({ absent }) => !absent);
  }

  receive(segment: number, bytes: Uint8Array): void {
    if (!this.program || !this.isLinkUp(segment)) return;
    if (this.#frames.length < INBOX_MAX) this.#frames.push({ segment, bytes });
    if (!this.stalled) this.#pass();
  }

  #end(): void {
    this.program = undefined;
    this.stalled = false;
    this.#stalls_in_pass = false;
    this.#stopped_pass = undefined;
    this.ready_ns = Number.POSITIVE_INFINITY;
    this.#wake_ns = Number.POSITIVE_INFINITY;
    this.epoch++;
    this.#forgetQueues();
  }

  #forgetQueues(): void {
    for (const queue of [this.#frames, this.#kernel_news, this.#messages]) queue.length = 0;
    this.#reloads.clear();
  }

  #tell(queue: Event[], event: Event): void {
    if (!this.program) return;
    queue.push(event);
    if (!this.stalled) this.#pass();
  }

  /** One pass of the thread's loop, `first` before everything that waits. */
  #pass(first?: Event): void {
    if (first) this.#step(first);
    for (const event of this.#kernel_news.splice(0)) this.#step(event);
    const from_ns = this.#clock(this.#outside.now_ns);
    const due = (this.program?.nextDeadline_ns() ?? Number.POSITIVE_INFINITY) <= from_ns;
    for (const { segment, bytes } of this.#frames.splice(0))
      this.#step({ kind: 'frame', interface: interfaceOf(segment), bytes, length: bytes.length });
    for (const event of this.#messages.splice(0)) this.#step(event);
    if (this.program && this.#stalls_in_pass) {
      this.#stalls_in_pass = false;
      this.#stopped_pass = { from_ns, due };
      this.stall();
    } else if (this.program) {
      this.#runTimers(from_ns, due);
      this.#planWake(this.program);
    }
    this.#outside.stepped(this);
  }

  /** As the carp thread: as of the time from which it has read. */
  #runTimers(from_ns: number, due: boolean): void {
    const until_ns = this.#clock(this.#outside.now_ns);
    if (due && mayRunTimers(from_ns, until_ns, shortestInterval_ns(this.#running)))
      this.#step({ kind: 'timer' }, from_ns);
  }

  #planWake(program: Program): void {
    const deadline_ns = program.nextDeadline_ns();
    if (deadline_ns === Number.POSITIVE_INFINITY) return;
    const due_ns = this.#boot_ns + (deadline_ns - this.#clock_at_boot_ns) / this.#rate;
    const at_ns = Math.max(Math.ceil(due_ns) + 1, this.#outside.now_ns) + between(this.#outside.random, 0, WAKE_NS);
    this.#wake_ns = at_ns;
    this.#outside.plan(at_ns, () => {
      if (this.#wake_ns === at_ns && this.program === program && !this.stalled) this.#pass();
    });
  }

  #clock(world_ns: number): number {
    return this.#clock_at_boot_ns + (world_ns - this.#boot_ns) * this.#rate;
  }

  #step(event: Event, now_ns = this.#clock(this.#outside.now_ns)): void {
    const program = this.program;
    if (!program) return;
    const links_down = [...this.#down].map(interfaceOf);
    const told = event.kind === 'configure' ? { ...event, links_down } : event;
    const effects = program.handle(told, now_ns).map(kept);
    for (const effect of effects) this.#changeAddresses(effect);
    const sent: number[] = [];
    for (const effect of effects) this.#act(effect, sent);
    for (const index of sent) this.#step({ kind: 'sent', index, error: this.sendable ? null : 'ENOBUFS' });
    if (event.kind === 'configure') this.#reloaded(event);
    if (event.kind === 'stop') this.#end();
    if (event.kind === 'ready') {
      this.ready_ns = this.#outside.now_ns;
      this.epoch++;
    }
  }

  #reloaded(event: Event): void {
    this.configured = this.#reloads.get(event) ?? this.configured;
    this.#reloads.delete(event);
    this.epoch++;
  }

  #changeAddresses(effect: Effect): void {
    if (effect.kind === 'transition' && effect.to !== 'MASTER') this.#passOn(effect.index);
    if (effect.kind === 'remove-addresses') this.#letGo(effect);
    if (effect.kind === 'add-addresses') this.#hold(effect);
    if (effect.kind === 'renew-addresses' && this.leases[effect.index].held) this.#hold(effect);
  }

  /** A shared address goes for all vhids that need it no more. */
  #letGo({ index, addresses }: AddressEffect): void {
    const { segment, shared } = this.settings.members[index];
    for (const [at, other] of this.settings.members.entries()) {
      const too = shared && other.segment === segment && this.state(at) !== 'MASTER';
      if (at !== index && !too) continue;
      for (const address of addresses) this.leases[at].addresses.delete(address);
      if (this.leases[at].addresses.size === 0) drop(this.leases[at]);
    }
  }

  #hold({ index, lease_s, addresses }: AddressEffect): void {
    const lease = this.leases[index];
    for (const address of addresses) lease.addresses.add(address);
    const { now_ns, random } = this.#outside;
    lease.held = true;
    lease.lapsed = false;
    lease.expires_ns = now_ns + (lease_s * 1e9) / this.#rate - between(random, 0, LEASE_EARLY_NS);
    const serial = ++lease.serial;
    if (lease.expires_ns === Number.POSITIVE_INFINITY) return;
    this.#outside.plan(lease.expires_ns, () => {
      if (lease.serial !== serial || !lease.held) return;
      this.#outside.leaseEnded(this, index);
      this.#removed(index);
      lease.lapsed = true;
    });
  }

  /** A shared address stays for another vhid of this host that needs it. */
  #passOn(index: number): void {
    const { segment, shared } = this.settings.members[index];
    const isHeir = (other: MemberSettings, at: number) =>
      at !== index && other.segment === segment && this.leases[at].held && this.state(at) === 'MASTER';
    if (shared && this.settings.members.some(isHeir)) drop(this.leases[index]);
  }

  #removed(index: number): void {
    const { segment, shared } = this.settings.members[index];
    // one address in the kernel, however many vhids share it
    for (const [at, other] of this.settings.members.entries())
      if (at === index || (shared && other.segment === segment)) drop(this.leases[at]);
    const [address] = this.program?.addresses(index) ?? [];
    if (address === undefined) return;
    this.#tell(this.#kernel_news, { kind: 'address-removed', interface: interfaceOf(segment), address });
  }

  #act(effect: Effect, sent: number[]): void {
    if (effect.kind === 'send') {
      sent.push(effect.index);
      this.#transmit(effect.index, effect.frame, effect.to);
    } else if (effect.kind === 'answer') {
      this.#outside.answered(this);
    } else if (effect.kind === 'announce') {
      if (this.sendable && this.isLinkUp(this.settings.members[effect.index].segment))
        this.#outside.announced(this, effect.index);
    } else if (effect.kind === 'transition') {
      this.#outside.moved(this, effect.index, effect.from, effect.to, effect.reason);
    }
  }

  #transmit(index: number, frame: Uint8Array, to?: string): void {
    const { segment } = this.settings.members[index];
    if (this.sendable && this.isLinkUp(segment)) this.#outside.transmit(this, index, frame, to);
  }
}

function drop(lease: Lease): void {
  lease.addresses.clear();
  lease.held = false;
  lease.serial++;
}

/** The engine writes a frame's buffer again in its next step. */
function kept(effect: Effect): Effect {
  return effect.kind === 'send' ? { ...effect, frame: effect.frame.slice() } : effect;
}
