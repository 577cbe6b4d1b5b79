/**
 * FreeBSD 10 and later, and OpenBSD 1.370: CARP in a kernel. Both yield to an equal and say nothing when they yield.
 *
 *                     FreeBSD                                    OpenBSD
 *   adverts each      advbase + min(advskew + demotion, 240)     advbase + advskew; the demotion is in byte 4
 *   master-down       3 advbase + advskew                        3 (advbase + advskew)
 *   BACKUP preempts   the slower, with preempt                   the slower and not less demoted, with preempt;
 *                                                                the more demoted always
 *   MASTER yields     to the faster or equal                     to the faster or equal that is not more demoted,
 *                                                                and to the less demoted
 *   link down         INIT, demotion + 240 for each vhid         INIT, demotion + 1
 *   stop              without a word                             bow-out
 *
 * FreeBSD 5.4 to 9 and NetBSD are as FreeBSD, but: a demotion is a switch, which makes the advskew 240; a stop bows out;
 * and FreeBSD becomes MASTER at its start at once if it preempts and nothing demotes it. DragonFly is as FreeBSD 9.
 *
 * Send errors are not modelled.
 */
import { DEMOTION_LIMIT, interval_us, masterDown_us } from '../../carp/election.ts';
import type { Event } from '../../carp/events.ts';
import { type Program, type Start, vhidSettings } from '../program.ts';
import { type Advert, Speaker } from './speaker.ts';

export type Rules = 'freebsd' | 'openbsd' | 'freebsd9' | 'netbsd';

const BOW_OUT = 255;

export function kernelProgram(rules: Rules, { host, number, seed, links_down }: Start): Program {
  const speakers = host.members.map(
    (member, index) => new Speaker(vhidSettings(member, number), index, seed, 'kernel'),
  );
  const kernel = new Kernel(rules, speakers, links_down);
  return {
    handle: (event, now_ns) => {
      kernel.handle(event, now_ns);
      return kernel.vhids.flatMap((vhid) => vhid.speaker.take());
    },
    nextDeadline_ns: () => Math.min(...kernel.vhids.map((vhid) => vhid.due_ns)),
    addresses: (index) => kernel.vhids[index].speaker.settings.addresses,
    state: (index) => kernel.vhids[index].speaker.state,
    demotion: () => kernel.demotion,
    stuck: (index) => {
      const { speaker, due_ns } = kernel.vhids[index];
      return speaker.state === 'INIT' || Number.isFinite(due_ns)
        ? undefined
        : `a ${speaker.state} that waits for nothing`;
    },
  };
}

/** `due_ns` is the next advert of a MASTER, and when a BACKUP's patience ends. */
type KernelVhid = { readonly speaker: Speaker; due_ns: number };

class Kernel {
  readonly vhids: readonly KernelVhid[];
  readonly #rules: Rules;
  readonly #down: Set<string>;
  readonly #demotions = new Map<string, number>();

  constructor(rules: Rules, speakers: readonly Speaker[], links_down: readonly string[]) {
    this.vhids = speakers.map((speaker) => ({ speaker, due_ns: Number.POSITIVE_INFINITY }));
    this.#rules = rules;
    this.#down = new Set(links_down);
  }

  /** All of it, of every owner. */
  get demotion(): number {
    let sum = 0;
    for (const amount of this.#demotions.values()) sum += amount;
    for (const { speaker } of this.vhids)
      if (this.#down.has(speaker.settings.interface)) sum += this.#rules === 'openbsd' ? 1 : DEMOTION_LIMIT;
    return sum;
  }

  handle(event: Event, now_ns: number): void {
    if (event.kind === 'demote') this.#demotions.set(event.owner, event.amount);
    if (event.kind === 'undemote') this.#demotions.delete(event.owner);
    if (event.kind === 'link') {
      if (event.up) this.#down.delete(event.interface);
      else this.#down.add(event.interface);
    }
    for (const vhid of this.vhids) this.#handle(vhid, event, now_ns);
  }

  #handle(vhid: KernelVhid, event: Event, now_ns: number): void {
    const { speaker } = vhid;
    const { interface: name } = speaker.settings;
    if (event.kind === 'start' && !this.#down.has(name)) this.#start(vhid, now_ns);
    if (event.kind === 'timer' && vhid.due_ns <= now_ns) this.#onTimer(vhid, now_ns);
    if (event.kind === 'stop' && speaker.state !== 'INIT') this.#stop(vhid, event.reason, now_ns);
    if (event.kind === 'link' && event.interface === name) {
      if (event.up && speaker.state === 'INIT') this.#enterBackup(vhid, 'hardware interface up', now_ns);
      if (!event.up && speaker.state !== 'INIT') this.#enterInit(vhid, 'hardware interface down', now_ns);
    }
    if (event.kind === 'frame' && event.interface === name && speaker.state !== 'INIT') {
      const advert = speaker.read(event.bytes);
      if (advert) this.#hear(vhid, advert, now_ns);
    }
  }

  #hear(vhid: KernelVhid, advert: Advert, now_ns: number): void {
    if (vhid.speaker.state === 'MASTER') {
      if (this.#yields(vhid, advert)) this.#enterBackup(vhid, 'more frequent advertisement received', now_ns);
    } else if (this.#takesOver(vhid, advert)) {
      this.#enterMaster(vhid, 'preempting a slower master', now_ns);
    } else {
      this.#listen(vhid, now_ns);
    }
  }

  #yields(vhid: KernelVhid, { interval_us: remote_us, demote }: Advert): boolean {
    const slower_or_equal = this.#interval_us(vhid) >= remote_us;
    if (this.#rules !== 'openbsd') return slower_or_equal;
    return (slower_or_equal && demote <= this.demotion) || demote < this.demotion;
  }

  #takesOver(vhid: KernelVhid, { interval_us: remote_us, demote }: Advert): boolean {
    const { preempt, advbase, advskew, deadratio } = vhid.speaker.settings;
    const preempts = preempt && this.#interval_us(vhid) < remote_us;
    if (this.#rules !== 'openbsd') return preempts || interval_us(deadratio * advbase, advskew) < remote_us;
    if (demote > this.demotion || (preempts && demote >= this.demotion)) return true;
    return advbase !== 0 && interval_us(deadratio * advbase, 0) < remote_us;
  }

  #start(vhid: KernelVhid, now_ns: number): void {
    if (this.#rules === 'freebsd9' && vhid.speaker.settings.preempt && this.demotion === 0)
      this.#enterMaster(vhid, 'initialization complete', now_ns);
    else this.#enterBackup(vhid, 'initialization complete', now_ns);
  }

  #onTimer(vhid: KernelVhid, now_ns: number): void {
    if (vhid.speaker.state === 'MASTER') this.#advert(vhid, now_ns);
    else this.#enterMaster(vhid, 'master timed out', now_ns);
  }

  #enterInit(vhid: KernelVhid, reason: string, now_ns: number): void {
    vhid.due_ns = Number.POSITIVE_INFINITY;
    vhid.speaker.change('INIT', reason, now_ns);
  }

  #enterBackup(vhid: KernelVhid, reason: string, now_ns: number): void {
    vhid.speaker.change('BACKUP', reason, now_ns);
    this.#listen(vhid, now_ns);
  }

  #enterMaster(vhid: KernelVhid, reason: string, now_ns: number): void {
    vhid.speaker.change('MASTER', reason, now_ns);
    this.#advert(vhid, now_ns);
    vhid.speaker.announce();
  }

  #stop(vhid: KernelVhid, reason: string, now_ns: number): void {
    if (this.#rules !== 'freebsd' && vhid.speaker.state === 'MASTER')
      vhid.speaker.send(BOW_OUT, BOW_OUT, this.#demote());
    this.#enterInit(vhid, reason, now_ns);
  }

  #advert(vhid: KernelVhid, now_ns: number): void {
    vhid.speaker.send(vhid.speaker.settings.advbase, this.#skew(vhid), this.#demote());
    vhid.due_ns = now_ns + 1000 * this.#interval_us(vhid);
  }

  #listen(vhid: KernelVhid, now_ns: number): void {
    const { deadratio, advbase, advskew } = vhid.speaker.settings;
    const freebsd_us = masterDown_us(deadratio, advbase, advskew);
    vhid.due_ns = now_ns + 1000 * (this.#rules === 'openbsd' ? deadratio * this.#interval_us(vhid) : freebsd_us);
  }

  #interval_us(vhid: KernelVhid): number {
    return interval_us(vhid.speaker.settings.advbase, this.#skew(vhid));
  }

  #skew({ speaker }: KernelVhid): number {
    const { advskew } = speaker.settings;
    if (this.#rules === 'openbsd') return advskew;
    if (this.#rules === 'freebsd') return Math.min(advskew + this.demotion, DEMOTION_LIMIT);
    return this.demotion > 0 && advskew <= DEMOTION_LIMIT ? DEMOTION_LIMIT : advskew;
  }

  /** Byte 4. */
  #demote(): number {
    return this.#rules === 'openbsd' ? Math.min(this.demotion, 255) : 0;
  }
}
