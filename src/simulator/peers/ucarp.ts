/**
 * ucarp 1.5.2, one process for each vhid, as measured: it hears in batches (its capture waits up to 1 s), looks at its
 * timers only when it wakes, which without frames is once an interval, never bows out, and knows neither demotion nor
 * leases. While the link is down it sleeps 10 s at a time.
 *
 *   frame ──► batch, up to 1 s ──► wake ──► link? ──► adverts of the batch ──► master-down? ──► advert
 *                    interval ──────┘
 */
import { breakTie, interval_us, masterDown_us } from '../../carp/election.ts';
import type { Event } from '../../carp/events.ts';
import type { Program, Start } from '../program.ts';
import { vhidSettings } from '../program.ts';
import { type Advert, Speaker } from './speaker.ts';

export const UCARP_BATCH_NS = 1e9;
export const UCARP_SLEEP_NS = 10e9;

export function ucarpProgram({ host, number, seed, links_down }: Start): Program {
  const all = host.members.map(
    (member, index) => new Ucarp(new Speaker(vhidSettings(member, number), index, seed, 'ucarp')),
  );
  for (const one of all) one.linked = !links_down.includes(one.speaker.settings.interface);
  return {
    handle: (event, now_ns) => {
      for (const one of all) one.handle(event, now_ns);
      return all.flatMap((one) => one.speaker.take());
    },
    nextDeadline_ns: () => Math.min(...all.map((one) => one.deadline_ns)),
    addresses: (index) => all[index].speaker.settings.addresses,
    state: (index) => all[index].speaker.state,
    demotion: () => 0,
    stuck: (index) => (Number.isFinite(all[index].deadline_ns) ? undefined : 'a ucarp that never wakes'),
  };
}

class Ucarp {
  readonly speaker: Speaker;
  linked = true;
  readonly #interval_us: number;
  #wake_ns = Number.POSITIVE_INFINITY;
  #batch_ns = Number.POSITIVE_INFINITY;
  #down_ns = Number.POSITIVE_INFINITY;
  #advert_ns = Number.POSITIVE_INFINITY;
  #asleep = false;
  readonly #batch: Advert[] = [];

  constructor(speaker: Speaker) {
    this.speaker = speaker;
    this.#interval_us = interval_us(speaker.settings.advbase, speaker.settings.advskew);
  }

  get deadline_ns(): number {
    return this.#asleep ? this.#wake_ns : Math.min(this.#wake_ns, this.#batch_ns);
  }

  handle(event: Event, now_ns: number): void {
    const { speaker } = this;
    switch (event.kind) {
      case 'start':
        this.#enterBackup('start', now_ns);
        this.#wake(now_ns);
        break;
      case 'frame':
        if (event.interface === speaker.settings.interface) this.#collect(speaker.read(event.bytes), now_ns);
        break;
      case 'link':
        if (event.interface === speaker.settings.interface) this.linked = event.up;
        break;
      case 'timer':
        if (this.deadline_ns <= now_ns) this.#wake(now_ns);
        break;
      case 'stop':
        if (speaker.state === 'MASTER') speaker.change('INIT', event.reason, now_ns);
        break;
    }
  }

  #collect(advert: Advert | undefined, now_ns: number): void {
    if (!advert || this.#asleep) return;
    this.#batch.push(advert);
    this.#batch_ns = Math.min(this.#batch_ns, now_ns + UCARP_BATCH_NS);
  }

  #wake(now_ns: number): void {
    this.#asleep = !this.linked;
    this.#wake_ns = now_ns + (this.linked ? 1000 * this.#interval_us : UCARP_SLEEP_NS);
    if (!this.linked) {
      if (this.speaker.state === 'MASTER') this.#enterBackup('the link is down', now_ns);
      this.#down_ns = now_ns + this.#patience_ns();
      return;
    }
    if (this.#batch_ns <= now_ns) {
      this.#batch_ns = Number.POSITIVE_INFINITY;
      for (const advert of this.#batch.splice(0)) this.#hear(advert, now_ns);
    }
    if (this.#down_ns <= now_ns) this.#enterMaster('master timed out', now_ns);
    else if (this.#advert_ns <= now_ns) this.#advert(now_ns);
    if (this.#advert_ns < this.#wake_ns) this.#wake_ns = this.#advert_ns;
  }

  #hear(advert: Advert, now_ns: number): void {
    const { speaker } = this;
    const difference = advert.interval_us - this.#interval_us;
    if (speaker.state === 'MASTER') {
      if (difference < 0 || (difference === 0 && breakTie('ucarp', speaker.source, advert.source) === 'yield')) {
        this.#advert(now_ns);
        this.#enterBackup('a preferred master', now_ns);
      } else {
        speaker.announce();
      }
    } else if (speaker.settings.preempt && difference > 0) {
      this.#enterMaster('preempting', now_ns);
    } else if (this.#patience_ns() < 1000 * advert.interval_us) {
      this.#enterMaster('master will time out', now_ns);
    } else {
      this.#down_ns = now_ns + this.#patience_ns();
    }
  }

  #enterBackup(reason: string, now_ns: number): void {
    this.#advert_ns = Number.POSITIVE_INFINITY;
    this.#down_ns = now_ns + this.#patience_ns();
    this.speaker.change('BACKUP', reason, now_ns);
  }

  #enterMaster(reason: string, now_ns: number): void {
    this.#down_ns = Number.POSITIVE_INFINITY;
    this.speaker.change('MASTER', reason, now_ns);
    this.speaker.announce();
    this.#advert(now_ns);
  }

  #advert(now_ns: number): void {
    const { advbase, advskew } = this.speaker.settings;
    this.speaker.send(advbase, advskew);
    this.#advert_ns = now_ns + 1000 * this.#interval_us;
  }

  /** With whole seconds only: what it does below one second it cannot do. */
  #patience_ns(): number {
    const { deadratio, advbase, advskew } = this.speaker.settings;
    return 1000 * masterDown_us(deadratio, advbase, advskew);
  }
}
