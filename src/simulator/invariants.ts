/**
 * What must hold, looked at after every step. Some things must never be; others may be for a while: such a condition is
 * watched from when it begins, and broken when it outlives its bound (bounds.ts). A condition's key names everything
 * that it depends on, so that it begins anew when a path, a host or an interval changes under it.
 *
 *   one master      once the faults have stopped (settle)
 *   two masters     that can hear each other: the worse one yields (hear)
 *   nobody          a BACKUP that no MASTER reaches, over each of its families, becomes one (takeover)
 *   preempt         a preferred BACKUP with preempt takes over from whom it hears (preempt)
 *   demoted         a MASTER that is demoted yields when a better peer hears its bow-out, or its byte 4 (hand-over)
 *   bow-out         after a graceful stop somebody is MASTER (hand-over)
 *   lease           who runs holds its addresses exactly while MASTER, and never lets a lease end
 *   held up         after a long stall a MASTER listens before it says anything
 *   stuck           everybody acts or waits for something
 *   too early       a BACKUP with a preempt delay waits for it
 *   preferred       in the end the preferred one of those that preempt is MASTER, if all are carpools
 *   balance         of a shared address exactly one host answers each client
 *   announced       in the end clients send to the MASTER, not to one that has yielded to it
 */
import type { State } from '../carp/events.ts';
import { ADD_AGAIN_NS, CLOCKS, handOver_ns, hear_ns, late_ns, preempt_ns, takeover_ns } from './bounds.ts';
import { compare, type Group, isPreferred, type Member } from './group.ts';
import type { Host } from './host.ts';

export type Violation = { readonly invariant: string; readonly at_ns: number; readonly text: string };

type Watch = {
  readonly since_ns: number;
  readonly limit_ns: number;
  readonly invariant: string;
  readonly text: string;
};
type Expectation = { readonly due_ns: number; isOff(): boolean; isKept(): boolean; invariant: string; text: string };

/** More MASTERs than this at once are compared with their neighbours in rank only. */
const PAIRS_MAX = 8;

export class Invariants {
  violation: Violation | undefined;
  readonly #groups: readonly Group[];
  readonly #watches = new Map<Group, Map<string, Watch>>();
  #expectations: Expectation[] = [];
  #now_ns = 0;
  /** When the first watched condition outlives its bound. */
  #next_ns = Number.POSITIVE_INFINITY;
  /** From when on there is one master; Infinity while faults go on. */
  readonly #settled_ns = new Map<Group, number>();

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
    for (const group of groups) this.#watches.set(group, new Map());
  }

  /** Before time moves on: everything stays as it is until `next_ns`. */
  before(next_ns: number): void {
    if (this.#next_ns < next_ns) this.#breakOverdue(next_ns);
    this.#meet(next_ns);
    this.#now_ns = next_ns;
  }

  #breakOverdue(next_ns: number): void {
    for (const [group, watches] of this.#watches)
      for (const { since_ns, limit_ns, invariant, text } of watches.values())
        if (since_ns + limit_ns < next_ns) this.#break(invariant, `${group.name}: ${text}`, since_ns + limit_ns);
  }

  #meet(next_ns: number): void {
    if (this.#expectations.length === 0) return;
    const due = this.#expectations.filter((one) => one.due_ns < next_ns || one.isOff());
    for (const one of due) if (!one.isOff() && !one.isKept()) this.#break(one.invariant, one.text, one.due_ns);
    this.#expectations = this.#expectations.filter((one) => !due.includes(one));
  }

  /** From `at_ns` on there is one MASTER. */
  settle(group: Group, at_ns: number): void {
    this.#settled_ns.set(group, at_ns);
  }

  /** Something changed in this group. */
  look(group: Group): void {
    const old = this.#watches.get(group)!;
    const watches = new Map<string, Watch>();
    const watch = (key: string, limit_ns: number, invariant: string, text: string) =>
      watches.set(key, old.get(key) ?? { since_ns: this.#now_ns, limit_ns, invariant, text });
    const masters = group.masters();
    this.#lookAtMasters(group, masters, watch);
    for (const member of group.members) {
      if (member.isBackup && member.host.isLinkUp(member.settings.segment)) lookAtBackup(group, member, masters, watch);
      this.lookAtMember(member);
      if (isBare(member))
        watch(
          `bare ${member.epoch}`,
          ADD_AGAIN_NS,
          'lease',
          `${member.name} is MASTER with other addresses than its own`,
        );
    }
    this.#watches.set(group, watches);
    this.#next_ns = Number.POSITIVE_INFINITY;
    for (const all of this.#watches.values())
      for (const { since_ns, limit_ns } of all.values()) this.#next_ns = Math.min(this.#next_ns, since_ns + limit_ns);
  }

  moved(group: Group, member: Member, from: State, reason: string): void {
    this.#lookAtDelay(group, member, from, reason);
    if (member.state !== 'MASTER' || this.#now_ns <= (this.#settled_ns.get(group) ?? Number.POSITIVE_INFINITY)) return;
    if (isHopeless(group)) return;
    const better = group.masters().find((other) => other !== member && !other.isOdd && isPreferred(other, member));
    if (better) this.#break('one master', `${group.name}: ${member.name} moves though ${better.name} is better`);
  }

  /** After all has settled. */
  answered(group: Group, count: number): void {
    const able = group.members.some((member) => member.isEligible(this.#now_ns));
    if (able && count !== 1) this.#break('balance', `${group.name}: ${count} hosts answer a client`);
  }

  #lookAtDelay(group: Group, member: Member, from: State, reason: string): void {
    if (member.state === 'BACKUP') member.backup_since_ns = this.#now_ns;
    const { delay_ms = 0 } = member.settings;
    const early = this.#now_ns - member.backup_since_ns < (delay_ms * 1e6) / CLOCKS;
    // a more demoted master is no matter of preempting
    const preempts = reason.startsWith('preempting') && !reason.includes('is demoted by');
    if (from === 'BACKUP' && preempts && early)
      this.#break('too early', `${group.name}: ${member.name} preempts before its delay is over`);
  }

  spokeTooEarly(group: Group, member: Member): void {
    this.#break('held up', `${group.name}: ${member.name} stood still for too long, and speaks before it has listened`);
  }

  leaseEnded(host: Host, index: number): void {
    if (host.settings.kind === 'carpool' && host.running)
      this.#break('lease', `${host.name} runs, and the lease of its vhid ${host.settings.members[index].vhid} ended`);
  }

  /** Within `limit_ns` something must come true, unless `isOff`. */
  expect(limit_ns: number, one: Omit<Expectation, 'due_ns'>): void {
    this.#expectations.push({ ...one, due_ns: this.#now_ns + limit_ns });
  }

  atEnd(): void {
    for (const group of this.#groups) {
      const [master] = group.masters();
      this.#lookAtPreferred(group, master);
      if (group.members.some(({ settings }) => settings.shared)) continue; // adverts tell where its MAC is
      if (!master || group.members.some(({ kind }) => kind !== 'carpool')) continue;
      if (!group.announced) this.#break('announced', `${group.name}: ${master.name} is MASTER, nobody announced it`);
      const { host, program } = group.announcer ?? { host: master.host };
      // of one that died behind a partition nobody can know what it announced
      if (host !== master.host && host.program === program)
        this.#break('announced', `${group.name}: ${master.name} is MASTER, clients know ${host.name}`);
    }
  }

  #lookAtPreferred(group: Group, master: Member | undefined): void {
    if (!master || group.members.some(({ kind }) => kind !== 'carpool')) return;
    // whose demotion for send errors has just ended may still be on its way (preempt watches it)
    const able = group.members.filter((one) => one.isEligible(this.#now_ns) && !one.host.had_send_errors);
    const better = able.find((one) => one.settings.preempt && compare(one, master) < 0);
    if (better) this.#break('preferred', `${group.name}: ${master.name} is MASTER in the end, not ${better.name}`);
  }

  #lookAtMasters(group: Group, masters: Member[], watch: WatchFor): void {
    const settled = this.#now_ns >= (this.#settled_ns.get(group) ?? Number.POSITIVE_INFINITY);
    if (
      settled &&
      !isHopeless(group) &&
      masters.length !== 1 &&
      group.members.some((member) => member.isEligible(this.#now_ns))
    ) {
      const names = masters.map((member) => member.name).join(', ') || 'nobody';
      watch(
        'one master',
        2 * handOver_ns(group) + Math.max(...group.members.map(late_ns)),
        'one master',
        `after all has settled MASTER is ${names}`,
      );
    }
    if (masters.length < 2) return;
    masters.sort((a, b) => (isPreferred(a, b) ? -1 : 1));
    for (const [position, worse] of masters.entries()) {
      const betters = masters.slice(masters.length > PAIRS_MAX ? Math.max(position - 1, 0) : 0, position);
      for (const better of betters.filter((one) => group.isClear(one, worse) && !one.isOdd && !worse.isOdd))
        watch(
          `two ${better.epoch} ${worse.epoch} ${group.segment.epoch}`,
          hear_ns(group, better, worse),
          'two masters',
          `${worse.name} hears ${better.name}, which is preferred, and stays MASTER`,
        );
    }
  }

  /** What must hold after every step of this member's program, whatever the others do. */
  lookAtMember(member: Member): void {
    const { host, index, state } = member;
    if (!host.running) return;
    const stuck = host.program?.stuck(index);
    if (stuck) this.#break('stuck', `${host.name}: ${stuck}`);
    const link = host.isLinkUp(member.settings.segment);
    if (state === 'INIT' && member.isEligible(this.#now_ns)) this.#break('stuck', `${host.name}: INIT without a cause`);
    if (state !== 'INIT' && !link && member.kind !== 'ucarp')
      this.#break('stuck', `${host.name}: ${state} on a link that is down`);
    if (member.kind !== 'carpool') return;
    const { held, expires_ns } = host.leases[index];
    if (held && state !== 'MASTER') this.#break('lease', `${host.name} is ${state} and holds the address`);
    if (held && expires_ns < this.#now_ns) this.#break('lease', `${host.name} holds an address beyond its lease`);
  }

  #break(invariant: string, text: string, at_ns = this.#now_ns): void {
    this.violation ??= { invariant, at_ns, text };
  }
}

/** Equal or demoted, a kernel yields to ucarp, which hears it a second later and yields as well: by their rules, for ever. */
function isHopeless({ members }: Group): boolean {
  return members.some((one) => one.isKernel) && members.some((one) => one.kind === 'ucarp');
}

/** A foreign hand took an address, or a reload left one out or over. */
function isBare(member: Member): boolean {
  if (!member.isMaster || member.kind !== 'carpool') return false;
  const { addresses } = member.host.leases[member.index];
  const wanted = member.host.program!.addresses(member.index);
  return addresses.size !== wanted.length || !wanted.every((address) => addresses.has(address));
}

/** By a BACKUP that is preferred: if that preempts, or is less demoted where demotions are told. */
function isToBeReplaced(master: Member, backup: Member): boolean {
  const less_demoted = backup.group.goesByDemotion && backup.demotion < master.demotion;
  return (backup.settings.preempt || less_demoted) && compare(backup, master) < 0;
}

type WatchFor = (key: string, limit_ns: number, invariant: string, text: string) => void;

function lookAtBackup(group: Group, backup: Member, masters: readonly Member[], watch: WatchFor): void {
  for (const family of backup.families)
    if (!masters.some((master) => group.reaches(master, backup, [family])))
      watch(
        `nobody ${family} ${backup.epoch} ${group.segment.epoch} ${group.yields}`,
        takeover_ns(group, backup),
        'nobody',
        `no MASTER reaches ${backup.name} over IPv${family}, which stays BACKUP`,
      );
  const givesWay = masters.some((one) => compare(one, backup) <= 0 && group.reaches(one, backup));
  if (backup.isOdd || givesWay) return;
  for (const master of masters.filter((one) => isToBeReplaced(one, backup)))
    if (!master.isOdd && group.isClear(master, backup))
      watch(
        `preempt ${backup.epoch} ${master.epoch} ${group.segment.epoch}`,
        preempt_ns(group, backup, master),
        'preempt',
        `${backup.name} hears ${master.name}, which is slower, and does not preempt it`,
      );
}
