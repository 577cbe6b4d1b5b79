/**
 * One run: hosts on segments under a virtual clock, the scenario's faults, and the invariants over all of it.
 *
 *   agenda ──► host.receive / wake / fault ──► program ──► effects ──► segment ──► agenda
 *                                                 └──► invariants look at every group that was touched
 */

import { DEMOTION_LIMIT } from '../carp/election.ts';
import type { Family, State } from '../carp/events.ts';
import { Agenda } from './agenda.ts';
import { handOver_ns, late_ns, patience_ns, settle_ns } from './bounds.ts';
import { arpRequest } from './client.ts';
import { compare, Group, Member } from './group.ts';
import { Host, type Outside } from './host.ts';
import { Invariants, type Violation } from './invariants.ts';
import { kernelProgram } from './peers/kernel.ts';
import { ucarpProgram } from './peers/ucarp.ts';
import {
  CARPOOL,
  type Core,
  carpoolProgram,
  type Program,
  type Start,
  sharedAddress,
  source4,
  source6,
} from './program.ts';
import { between, createRandom, type Random } from './random.ts';
import type { Fault, Scenario } from './scenario.ts';
import { CALM_DELAY_NS, Segment } from './segment.ts';

/** After everything must have settled it is watched for this long. */
const WATCHED_NS = 10e9;
const STEPS_MAX = 5_000_000;
const LOG_MAX = 2000;
const ETHERTYPE_AT = 12;
/** Hosts start one after the other within this time. */
const START_NS = 1e9;
const ASK_EVERY_NS = 7e8;

export type Outcome = {
  readonly violation: Violation | undefined;
  /** Faults and transitions, in order of time; the latest 2000. */
  readonly log: readonly string[];
  readonly steps: number;
  readonly simulated_s: number;
};

export function simulate(scenario: Scenario, core: Core = CARPOOL): Outcome {
  return new World(scenario, core).run();
}

/** A member just before a fault. */
type Standing = {
  readonly member: Member;
  readonly group: Group;
  /** BACKUPs that hear it and are heard. */
  readonly peers: readonly Member[];
  readonly demotion: number;
  /** A MASTER whose next word cannot be overtaken by an older one. */
  readonly fit: boolean;
};

class World implements Outside {
  now_ns = 0;
  readonly random: Random;
  readonly #scenario: Scenario;
  readonly #agenda = new Agenda();
  readonly #hosts: readonly Host[];
  readonly #segments: Segment[] = [];
  /** By segment: the hosts on it. */
  readonly #attending: Set<Host>[] = [];
  readonly #groups: Group[] = [];
  readonly #members = new Map<Host, Member[]>();
  readonly #groupOf = new Map<Member, Group>();
  readonly #invariants: Invariants;
  readonly #touched = new Set<Group>();
  readonly #log: string[] = [];
  #steps = 0;
  #answers = 0;

  constructor(scenario: Scenario, core: Core) {
    this.#scenario = scenario;
    this.random = createRandom(scenario.seed);
    const load = (start: Start) => loadProgram(core, start);
    const { hosts } = scenario;
    this.#hosts = hosts.map((settings, position) => new Host(settings, position + 1, hosts.length, this, load));
    for (const host of this.#hosts) this.#enrol(host);
    this.#invariants = new Invariants(this.#groups);
  }

  run(): Outcome {
    for (const host of this.#hosts) this.plan(between(this.random, 0, START_NS), () => host.boot());
    for (const fault of this.#scenario.faults) this.plan(fault.at_ms * 1e6, () => this.#commit(fault));
    const calm_ns = this.#scenario.calm_ms * 1e6;
    this.plan(calm_ns, () => this.#calm());
    // known only then: the worst delay counts
    let end_ns = Number.POSITIVE_INFINITY;
    this.plan(calm_ns, () => {
      end_ns = calm_ns + Math.max(...this.#groups.map((group) => settle_ns(group, this.#sendErrors))) + WATCHED_NS;
    });
    while (this.#agenda.next_ns <= end_ns && !this.#invariants.violation && this.#steps++ < STEPS_MAX) this.#advance();
    if (this.#steps >= STEPS_MAX) throw new Error('the simulation never ends');
    if (!this.#invariants.violation) this.#invariants.before(end_ns);
    if (!this.#invariants.violation) this.#invariants.atEnd();
    const { violation } = this.#invariants;
    return { violation, log: this.#log, steps: this.#steps, simulated_s: this.now_ns / 1e9 };
  }

  plan(at_ns: number, act: () => void): void {
    this.#agenda.plan(at_ns, act);
  }

  transmit(from: Host, index: number, frame: Uint8Array, address: string | undefined): void {
    const member = this.#members.get(from)![index];
    const group = this.#groupOf.get(member)!;
    const { segment } = group;
    if (member.moves === member.moves_when_held_up) this.#invariants.spokeTooEarly(group, member);
    group.sent_ns = this.now_ns;
    for (const to of this.#attending[segment.number]) {
      if (to === from && !segment.echo) continue;
      if (address !== undefined && !isAt(to, segment.number, address)) continue;
      for (const delay_ns of segment.copies_ns(from.name, to.name, familyOf(frame), this.random))
        this.plan(this.now_ns + delay_ns, () => to.receive(segment.number, frame));
    }
  }

  /** A MASTER that stood still for longer than its peers wait has to listen before it says anything. */
  resumed(host: Host, stalled_ns: number): void {
    for (const member of this.#members.get(host)!) {
      const too_long =
        stalled_ns > patience_ns(member) || (member.state === 'MASTER' && host.leases[member.index].lapsed);
      member.moves_when_held_up =
        member.state === 'MASTER' && too_long && member.kind === 'carpool' ? member.moves : -1;
    }
  }

  answered(_host: Host): void {
    this.#answers++;
  }

  announced(host: Host, index: number): void {
    const group = this.#groupOf.get(this.#members.get(host)![index])!;
    group.announced = true;
    group.announcer = { host, program: host.program };
  }

  moved(host: Host, index: number, from: State, to: State, reason: string): void {
    const member = this.#members.get(host)![index];
    const group = this.#groupOf.get(member)!;
    member.moves++;
    if (from === 'MASTER') group.yields++;
    this.#note(`${host.name} ${group.name}: ${from} -> ${to}: ${reason}`);
    // one that steps back after a stall keeps silent
    const heard = to === 'BACKUP' && host.resumed_ns < this.now_ns;
    const told = heard && group.masters().some((master) => group.isClear(member, master));
    if (from === 'MASTER' && group.announcer?.host === host && !told) group.announcer = undefined;
    this.#invariants.moved(group, member, from, reason);
  }

  stepped(host: Host): void {
    for (const member of this.#members.get(host)!) {
      if (member.hasChanged()) this.#touched.add(this.#groupOf.get(member)!);
      else this.#invariants.lookAtMember(member);
    }
  }

  leaseEnded(host: Host, index: number): void {
    this.#invariants.leaseEnded(host, index);
  }

  get #sendErrors(): boolean {
    return this.#scenario.faults.some(({ kind }) => kind === 'unsendable');
  }

  #advance(): void {
    const { next_ns } = this.#agenda;
    this.#invariants.before(next_ns);
    this.now_ns = next_ns;
    this.#agenda.take()();
    for (const group of this.#touched) this.#invariants.look(group);
    this.#touched.clear();
  }

  #enrol(host: Host): void {
    const members = host.settings.members.map((settings, index) => {
      const segment = (this.#segments[settings.segment] ??= new Segment(settings.segment));
      (this.#attending[segment.number] ??= new Set()).add(host);
      let group = this.#groups.find((one) => one.segment === segment && one.vhid === settings.vhid);
      if (!group) this.#groups.push((group = new Group(segment, settings.vhid)));
      const member = new Member(host, index, group);
      group.members.push(member);
      this.#groupOf.set(member, group);
      return member;
    });
    this.#members.set(host, members);
  }

  #commit(fault: Fault): void {
    const { at_ms: _, kind, ...rest } = fault;
    this.#note(`* ${kind} ${Object.values(rest).join(' ')}`);
    const host = 'host' in fault ? this.#hosts.find(({ name }) => name === fault.host) : undefined;
    const before = host ? this.#members.get(host)!.map((member) => this.#standing(member)) : [];
    if ('segment' in fault) this.#strain(fault, this.#segments[fault.segment], host);
    else if (host) this.#harm(fault, host);
    for (const standing of before) this.#expectHandOver(fault, standing);
    for (const group of this.#groups) this.#touched.add(group);
  }

  #harm(fault: Fault, host: Host): void {
    switch (fault.kind) {
      case 'crash':
        return host.crash();
      case 'kill':
        return host.kill();
      case 'stop':
        return host.stop();
      case 'restart':
        return host.boot();
      case 'strip':
        return host.strip();
      case 'stall':
        host.stall();
        return this.plan(this.now_ns + fault.for_ms * 1e6, () => this.#resume(host));
      case 'stall-in-pass':
        host.stallInNextPass();
        return this.plan(this.now_ns + fault.for_ms * 1e6, () => this.#resume(host));
      case 'unsendable':
        host.setSendable(false);
        return this.plan(this.now_ns + fault.for_ms * 1e6, () => host.setSendable(true));
      case 'demote':
        return host.demote(fault.amount);
      case 'undemote':
        return host.undemote();
      case 'reload':
        return host.reload((member, index) => ({
          ...member,
          secret: fault.secret < 0 ? member.secret : fault.secret,
          also: fault.also,
          advskew: fault.advskew < 0 ? member.advskew : fault.advskew,
          absent: fault.absent === index,
        }));
    }
  }

  #resume(host: Host): void {
    host.resume();
    this.stepped(host);
  }

  #strain(fault: Fault, segment: Segment | undefined, host: Host | undefined): void {
    if (!segment) return;
    if (fault.kind === 'link') host?.setLink(segment.number, fault.up === 'yes');
    if (fault.kind === 'cut') segment.cut(fault.from, fault.to, fault.family);
    if (fault.kind === 'heal') segment.heal();
    if (fault.kind === 'echo') segment.echo = fault.on === 'yes';
    if (fault.kind === 'network') segment.setQuality(fault.loss_percent, fault.duplicate_percent, fault.delay_ms * 1e6);
    if (fault.kind === 'part') {
      segment.cut(fault.host, '*');
      segment.cut('*', fault.host);
    }
  }

  #calm(): void {
    this.#note('* calm');
    for (const segment of this.#segments) {
      segment?.heal();
      if (segment) segment.echo = false;
      segment?.setQuality(0, 0, CALM_DELAY_NS);
    }
    for (const host of this.#hosts) {
      host.setSendable(true);
      for (const { segment } of host.settings.members) host.setLink(segment, true);
      host.resume();
      if (this.#scenario.faults.some(({ kind }) => kind === 'reload'))
        host.reload((member) => ({ ...member, secret: 0, also: -1, absent: false }));
    }
    const settle = (group: Group) => this.now_ns + settle_ns(group, this.#sendErrors);
    const all_ns = Math.max(...this.#groups.map(settle));
    for (const group of this.#groups) {
      this.#touched.add(group);
      const settled_ns = settle(group);
      this.#invariants.settle(group, settled_ns);
      this.plan(settled_ns, () => this.#touched.add(group));
      if (group.members.some(({ settings }) => settings.shared)) this.#askLater(group, all_ns);
    }
  }

  /** Clients ask for the shared address again and again; each time exactly one host answers. */
  #askLater(group: Group, at_ns: number): void {
    this.plan(at_ns + ASK_EVERY_NS, () => {
      const { number } = group.segment;
      const asker = Uint8Array.of(10, number, 200, between(this.random, 1, 254));
      this.#answers = 0;
      for (const host of this.#attending[number]) host.receive(number, arpRequest(asker, sharedAddress(number)));
      this.#invariants.answered(group, this.#answers);
      this.#askLater(group, this.now_ns);
    });
  }

  /** What is known of a member before a fault, for what must follow from it. */
  #standing(member: Member): Standing {
    const group = this.#groupOf.get(member)!;
    const peers = group.members.filter(
      (peer) => peer.isBackup && group.isClear(member, peer) && group.isClear(peer, member),
    );
    return { member, group, peers, demotion: member.demotion, fit: member.isMaster && group.isQuiet(this.now_ns) };
  }

  /** A MASTER that stops, or becomes fully demoted, bows out: whoever hears it takes over. */
  #expectHandOver(fault: Fault, { member, group, peers, demotion, fit }: Standing): void {
    if (!fit || member.kind !== 'carpool') return;
    // a demoted OpenBSD and a slower carpool that both take over yield to each other
    if (group.members.some(({ isOdd }) => isOdd)) return;
    const able = peers.filter((peer) => peer.demotion < DEMOTION_LIMIT && compare(peer, member) < 0);
    const full = demotion < DEMOTION_LIMIT && member.demotion >= DEMOTION_LIMIT;
    const fell = group.goesByDemotion ? member.demotion > demotion : full;
    const leaves = fault.kind === 'stop' || (fault.kind === 'reload' && fault.absent === member.index);
    if (leaves && peers.length > 0)
      this.#expect(group, peers[0], member, 'bow-out', `nobody takes over from ${member.name}, which stopped`, () => {
        return group.masters().length > 0;
      });
    const linked = member.host.isLinkUp(group.segment.number);
    if (linked && fell && able.some((peer) => !group.goesByDemotion || peer.demotion < member.demotion))
      this.#expect(group, able[0], member, 'demoted', `${member.name} is demoted, ${able[0].name} is not`, () => {
        return !member.isMaster;
      });
  }

  #expect(group: Group, peer: Member, member: Member, invariant: string, text: string, isKept: () => boolean): void {
    const epochs = () => [group.segment.epoch, peer.host.epoch, member.host.epoch].join();
    const then = epochs();
    const isOff = () => epochs() !== then;
    this.#invariants.expect(handOver_ns(group) + late_ns(peer), {
      invariant,
      text: `${group.name}: ${text}`,
      isKept,
      isOff,
    });
  }

  #note(text: string): void {
    if (this.#log.length >= LOG_MAX) this.#log.shift();
    this.#log.push(`${(this.now_ns / 1e9).toFixed(4).padStart(9)} ${text}`);
  }
}

function familyOf(frame: Uint8Array): Family {
  return frame[ETHERTYPE_AT] === 0x86 ? 6 : 4;
}

function isAt(host: Host, segment: number, address: string): boolean {
  return address === source4(segment, host.number) || address === source6(segment, host.number);
}

function loadProgram(core: Core, start: Start): Program {
  switch (start.host.kind) {
    case 'ucarp':
      return ucarpProgram(start);
    case 'freebsd':
    case 'openbsd':
    case 'freebsd9':
    case 'netbsd':
      return kernelProgram(start.host.kind, start);
    case 'carpool':
      return carpoolProgram(core, start);
  }
}
