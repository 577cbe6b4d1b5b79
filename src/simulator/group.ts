/** The members of one vhid on one segment, and what the world (not the program) knows of each. */
import { parseAddress } from '../carp/address.ts';
import { breakTie, DEMOTION_LIMIT, demotedSkew, interval_us } from '../carp/election.ts';
import type { Family } from '../carp/events.ts';
import type { Host } from './host.ts';
import { type Program, vhidSettings } from './program.ts';
import type { Configured, Kind } from './scenario.ts';
import type { Segment } from './segment.ts';

export class Member {
  readonly host: Host;
  readonly index: number;
  readonly group: Group;
  readonly source: Uint8Array;
  /** Transitions so far: a condition over a state may not outlive one. */
  moves = 0;
  /** Since when it was BACKUP last. */
  backup_since_ns = 0;
  /** How many there were when it woke from a stall that was too long to go on as MASTER; -1: it may go on. */
  moves_when_held_up = -1;
  readonly #seen = [-1, -1, -1, -1];

  constructor(host: Host, index: number, group: Group) {
    this.host = host;
    this.index = index;
    this.group = group;
    this.source = parseAddress(vhidSettings(host.settings.members[index], host.number).source_address!)!;
  }

  get name(): string {
    return this.host.name;
  }

  get kind(): Kind {
    return this.host.settings.kind;
  }

  get settings(): Configured {
    return this.host.configured[this.index];
  }

  /** It adverts over each of them. */
  get families(): readonly Family[] {
    const { families = 4 } = this.settings;
    return families === 46 ? [4, 6] : [families];
  }

  /** It tells its demotion in byte 4, not in its interval, and heeds the others'. */
  get speaksOfDemotion(): boolean {
    return this.kind === 'openbsd' || this.settings.demote_byte === 'yes';
  }

  /** Whether it takes what `from` signs. */
  accepts(from: Member): boolean {
    const { secret, also, shared } = this.settings;
    const theirs = digestOf(from.settings.secret, shared);
    return theirs === digestOf(secret, shared) || theirs === digestOf(also, shared);
  }

  get state() {
    return this.host.state(this.index);
  }

  /** MASTER, and able to act on it. */
  get isMaster(): boolean {
    return this.host.running && this.state === 'MASTER';
  }

  get isBackup(): boolean {
    return this.host.running && this.state === 'BACKUP';
  }

  /** Nothing keeps it from taking part. */
  isEligible(now_ns: number): boolean {
    const { segment, absent } = this.settings;
    return this.host.running && !absent && this.host.ready_ns <= now_ns && this.host.isLinkUp(segment);
  }

  /**
   * 0..240: what was demoted by hand or by a link that is down, whatever the program thinks; only where sending failed
   * it is asked, because what it demotes itself by then ends with its adverts.
   */
  get demotion(): number {
    const members = this.host.configured.filter(({ absent }) => !absent);
    if (this.kind === 'openbsd' && this.group.goesByDemotion) return this.host.program?.demotion(this.index) ?? 0;
    if (this.kind === 'ucarp' || this.kind === 'openbsd') return 0;
    const full = this.kind === 'freebsd9' || this.kind === 'netbsd';
    let sum = members.some(({ segment }) => !this.host.isLinkUp(segment)) ? DEMOTION_LIMIT : 0;
    for (const amount of this.host.demotions.values()) sum += amount;
    if (this.host.had_send_errors) sum = Math.max(sum, this.host.program?.demotion(this.index) ?? 0);
    // theirs is a switch
    return full && sum > 0 ? DEMOTION_LIMIT : Math.min(sum, DEMOTION_LIMIT);
  }

  get interval_us(): number {
    const { advbase, advskew } = this.settings;
    if (this.speaksOfDemotion) return interval_us(advbase, advskew);
    const freebsd = this.kind === 'freebsd' ? Math.min(advskew + this.demotion, DEMOTION_LIMIT) : undefined;
    return interval_us(advbase, freebsd ?? demotedSkew(advskew, this.demotion));
  }

  /** It is demoted and goes by that first, which not all of the others see: no interval says who is preferred. */
  get isOdd(): boolean {
    if (!this.speaksOfDemotion || this.group.goesByDemotion) return false;
    return (this.host.program?.demotion(this.index) ?? 0) > 0;
  }

  get isKernel(): boolean {
    return this.kind !== 'carpool' && this.kind !== 'ucarp';
  }

  /** Whether anything that conditions are made of differs from the last time that this was asked. */
  hasChanged(): boolean {
    const { host, index, moves } = this;
    const now = [host.epoch, moves, host.leases[index].held ? 1 : 0, host.program?.demotion(index) ?? 0];
    let changed = false;
    for (const [position, value] of now.entries()) {
      if (this.#seen[position] === value) continue;
      this.#seen[position] = value;
      changed = true;
    }
    return changed;
  }

  /** Changes with everything that a watched condition over this member may not outlive. */
  get epoch(): string {
    const demotion = this.group.goesByDemotion ? this.demotion : 0;
    return `${this.name}.${this.host.epoch}.${this.moves}.${this.interval_us}.${demotion}`;
  }
}

export class Group {
  readonly segment: Segment;
  readonly vhid: number;
  readonly members: Member[] = [];
  /** When a member last sent. */
  sent_ns = Number.NEGATIVE_INFINITY;
  /** How often a MASTER gave up: its last advert makes every BACKUP wait anew. */
  yields = 0;
  /** Somebody announced the VIP once. */
  announced = false;
  /** Who announced the VIP last, in which life: where clients send. Undefined when the MASTER could not know of it. */
  announcer: { readonly host: Host; readonly program: Program | undefined } | undefined;

  #goes_by_demotion: boolean | undefined;

  constructor(segment: Segment, vhid: number) {
    this.segment = segment;
    this.vhid = vhid;
  }

  /** All of them speak OpenBSD's way: the less demoted is preferred, then the faster. Asked when all are there. */
  get goesByDemotion(): boolean {
    this.#goes_by_demotion ??= this.members.every(({ speaksOfDemotion }) => speaksOfDemotion);
    return this.#goes_by_demotion;
  }

  get name(): string {
    return `vhid ${this.vhid} on segment ${this.segment.number}`;
  }

  masters(): Member[] {
    return this.members.filter((member) => member.isMaster);
  }

  /** Whether every advert of `from` reaches `to`, which attends to it: over one family at least. */
  isClear(from: Member, to: Member): boolean {
    return this.segment.loss_percent === 0 && this.reaches(from, to);
  }

  /** Whether an advert of `from` may reach `to` over one of these families. */
  reaches(from: Member, to: Member, families: readonly Family[] = from.families): boolean {
    const { number } = this.segment;
    const able = from.host.running && from.host.sendable && from.host.isLinkUp(number);
    if (!able || !to.host.running || !to.host.isLinkUp(number) || !to.accepts(from)) return false;
    return families.some((family) => !this.segment.isCut(from.name, to.name, family));
  }

  /** No advert that was sent before now is still on its way. */
  isQuiet(now_ns: number): boolean {
    return now_ns - this.sent_ns > this.segment.worst_delay_ns;
  }
}

/** Secrets that sign alike have the same number; a shared address does not change. */
function digestOf(secret: number, shared: 'yes' | undefined): number {
  return shared && secret === 2 ? 0 : secret;
}

/** Below 0: `a` is preferred, by the smaller demotion where that counts, else by the shorter interval. 0: equals. */
export function compare(a: Member, b: Member): number {
  const demotion = a.group.goesByDemotion ? a.demotion - b.demotion : 0;
  return demotion === 0 ? a.interval_us - b.interval_us : demotion;
}

/** Whether `a` is preferred to `b` when both are MASTER; of equals by the tie-break. */
export function isPreferred(a: Member, b: Member): boolean {
  const difference = compare(a, b);
  return difference < 0 || (difference === 0 && breakTie('carpool', b.source, a.source) === 'yield');
}
