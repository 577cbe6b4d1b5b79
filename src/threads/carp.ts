/**
 * The carp thread: the shell around the CARP engine. It sleeps in one ppoll until a frame, a change of a link or an
 * address, a word from control, or the engine's next deadline, and owns nothing that can make it wait longer.
 *
 *        packet sockets ─┐                      ┌─> netlink: add / renew / remove addresses
 *   netlink link, address├─> CarpThread ─> engine ─> packet sockets: adverts, announcements
 *     eventfd + messages ┘        │             └─> control: transitions, logs, scripts
 *                                 └─ beats in shared memory, watches the other threads' beats
 *
 * One pass: was I late? then read everything that waits, then let the engine's timers run, then judge the threads.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createEngine, nextDeadline_ns, status, step } from '../carp/engine.ts';
import type { Event, VhidSettings } from '../carp/events.ts';
import { changeInterfaceMac } from '../carp/interface-mac.ts';
import { now_ns, toMs31 } from '../system/clock.ts';
import * as libc from '../system/libc.ts';
import {
  decodeAddress,
  decodeLink,
  GROUP_IPV4_ADDRESS,
  GROUP_IPV6_ADDRESS,
  GROUP_LINK,
  Netlink,
  NetlinkEvents,
} from '../system/netlink.ts';
import { type Message, RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR } from '../system/netlink-message.ts';
import { PollSet } from '../system/poll-set.ts';
import { dropPrivileges } from '../system/privileges.ts';
import { useRealTimeScheduling } from '../system/scheduling.ts';
import { CarpAddresses } from './carp-addresses.ts';
import { bequeath, type Outcomes, outcomeText, type Performer, perform } from './carp-effects.ts';
import { GuardianPipe } from './carp-guardian.ts';
import { ThreadHealth } from './carp-health.ts';
import { CarpInterfaces, type LinkChange } from './carp-interfaces.ts';
import type { CarpSettings, CarpVhidStatus, FromCarp, ToCarp } from './carp-messages.ts';
import * as memory from './shared-memory.ts';

const BEAT_NS = 200e6;
/** A stall (SIGSTOP, a paused VM, a starved machine) is to be an advert interval behind a deadline, and never less than: */
const SHORTEST_STALL_NS = 100e6;
/** Shorter ones happen on busy machines and are no news. */
const LOGGED_STALL_NS = 1e9;
/** Frames of one interface, or messages, taken in one pass. */
const MAX_DRAIN = 1024;
const STATE_WORDS = { INIT: 0, BACKUP: 1, MASTER: 2 } as const;
/** Sent frames after one event: one or two for every vhid of a host. */
const MAX_OUTCOMES = 4096;

/** An event whose fields the shell writes again and again. */
type Reused<K extends Event['kind']> = {
  -readonly [F in keyof Extract<Event, { kind: K }>]: Extract<Event, { kind: K }>[F];
};

export class CarpThread {
  readonly #settings: CarpSettings;
  readonly #shared: memory.SharedMemory;
  readonly #netlink = new Netlink();
  readonly #events = new NetlinkEvents(GROUP_LINK | GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS, [RTM_NEWADDR]);
  readonly #poll: PollSet;
  readonly #performer: Performer;
  readonly #health: ThreadHealth;
  readonly #outcomes: Outcomes = { vhids: [], errors: [] };
  readonly #wake_buffer = libc.allocatePinned(8);
  readonly #stall_ns: number;
  readonly #scheduling: 'SCHED_RR' | 'SCHED_OTHER';
  readonly #frame: Reused<'frame'> = { kind: 'frame', interface: '', bytes: new Uint8Array(0), length: 0 };
  readonly #sent: Reused<'sent'> = { kind: 'sent', index: 0, error: null };
  readonly #timer: Event = { kind: 'timer' };
  #wake_place = 0;
  #events_place = 0;
  #beat_ns = 0;
  #stopping = false;

  /** Opens everything. Throws a SystemError when the system refuses (`checkCarpHost` finds that out before). */
  constructor(settings: CarpSettings) {
    this.#settings = settings;
    this.#shared = memory.attachSharedMemory(settings.memory, settings.counts);
    this.#scheduling = useRealTimeScheduling() ? 'SCHED_RR' : 'SCHED_OTHER';
    const interfaces = new CarpInterfaces(
      settings.vhids.map((vhid) => vhid.interface),
      this.#netlink.listLinks(),
    );
    const addresses = new CarpAddresses(settings.vhids, settings.lease_s, (text) => this.#log('error', text));
    for (const one of interfaces.list) addresses.setIndex(one.name, one.index);
    const guardian = new GuardianPipe(settings.guardian_fd, () => this.#onGuardianLost());
    const { vhids, seed, lease_s, wait_for_ready } = settings;
    const links_down = interfaces.list.filter((one) => !one.up).map((one) => one.name);
    const engine = createEngine({ vhids, seed, lease_s, wait_for_ready, links_down });
    this.#performer = { engine, addresses, interfaces, guardian, post: postToControl, outcomes: this.#outcomes };
    this.#health = new ThreadHealth(this.#shared, settings.watched, toMs31(now_ns()));
    this.#stall_ns = Math.max(SHORTEST_STALL_NS, Math.min(...vhids.map(interval_ns)));
    this.#poll = new PollSet(interfaces.list.length + 2);
    this.#arrangePoll();
    if (settings.run_as) dropPrivileges({ ...settings.run_as, keep: ['CAP_NET_RAW', 'CAP_NET_ADMIN'] });
  }

  /** Returns after `stop` or the stop word in shared memory. */
  run(): void {
    this.#removeLeftovers();
    this.#setThreadState(1);
    postToControl({ kind: 'started', at_ns: now_ns() });
    this.#step({ kind: 'start' });
    while (!this.#stopping) {
      this.#poll.wait(now_ns(), this.#deadline_ns());
      this.#pass(now_ns());
    }
  }

  /** Whatever happened: nothing of this node stays on an interface. */
  close(): void {
    const { addresses, interfaces, guardian } = this.#performer;
    for (const vhid of this.#settings.vhids.keys()) addresses.change(vhid, 'remove', now_ns());
    addresses.flush();
    guardian.close(!addresses.anyHeld);
    this.#writeRows();
    interfaces.close();
    addresses.close();
    this.#events.close();
    this.#netlink.close();
    this.#poll.close();
    this.#setThreadState(2);
  }

  /** Bows out and ends the loop. */
  stop(reason: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#step({ kind: 'stop', reason });
  }

  #deadline_ns(): number {
    return Math.min(nextDeadline_ns(this.#performer.engine), this.#beat_ns + BEAT_NS);
  }

  #pass(now: number): void {
    const late_ns = now - this.#deadline_ns();
    if (this.#beat_ns > 0 && late_ns > this.#stall_ns) this.#onStall(late_ns, now);
    this.#readNetlink();
    // Before a timer runs, look at the sockets again: a frame that came since ppoll returned was in time.
    this.#readFrames(nextDeadline_ns(this.#performer.engine) <= now);
    this.#readMessages();
    if (this.#stopping) return;
    if (nextDeadline_ns(this.#performer.engine) <= now) this.#step(this.#timer);
    if (now - this.#beat_ns >= BEAT_NS) this.#beat(now);
  }

  #onStall(late_ns: number, now: number): void {
    if (late_ns > LOGGED_STALL_NS)
      this.#log('warning', `the carp thread stood still for ${Math.round(late_ns / 1e6)} ms`);
    this.#health.forgive(toMs31(now));
    this.#step({ kind: 'stall', late_ns });
  }

  /** A few times a second, whatever else happens. */
  #beat(now: number): void {
    this.#beat_ns = now;
    const words = this.#shared.words;
    Atomics.store(words, memory.threadAt(this.#shared, memory.THREAD_CARP) + memory.THREAD_BEAT_MS, toMs31(now));
    const verdict = this.#health.judge(toMs31(now));
    if (verdict === 'stalled') this.#step({ kind: 'health', healthy: false, reason: this.#health.reason });
    else if (verdict === 'recovered') this.#step({ kind: 'health', healthy: true, reason: 'all threads move again' });
    this.#writeRows();
    const stop = Atomics.load(words, memory.STOP);
    if (stop !== 0) this.stop('the process is stopping');
  }

  /** Steps the engine, carries out what it wants, and tells it what became of its frames. */
  #step(event: Event): void {
    const { vhids, errors } = this.#outcomes;
    const now = now_ns();
    perform(this.#performer, step(this.#performer.engine, event, now), now);
    // An answer may send again, which appends: bounded all the same.
    for (let position = 0; position < vhids.length && position < MAX_OUTCOMES; position++) {
      this.#sent.index = vhids[position];
      this.#sent.error = outcomeText(errors[position]);
      perform(this.#performer, step(this.#performer.engine, this.#sent, now), now);
    }
    // Popping keeps the arrays' memory, `length = 0` would give it back.
    while (vhids.length > 0) vhids.pop();
    while (errors.length > 0) errors.pop();
  }

  #readFrames(every_socket: boolean): void {
    for (const one of this.#performer.interfaces.list) {
      if (!one.socket || !(every_socket || this.#poll.isReady(one.place))) continue;
      for (let count = 0; count < MAX_DRAIN; count++) {
        const length = one.socket.receive();
        if (length < 0) break;
        this.#frame.interface = one.name;
        this.#frame.bytes = one.socket.frame;
        this.#frame.length = length;
        this.#step(this.#frame);
      }
    }
  }

  #readMessages(): void {
    if (!this.#poll.isReady(this.#wake_place)) return;
    libc.read(this.#settings.wake_fd, this.#wake_buffer.address, 8);
    let count = 0;
    for (; count < MAX_DRAIN && !this.#stopping; count++) {
      const received = receiveMessageOnPort(parentPort!) as { message: ToCarp } | undefined;
      if (!received) break;
      this.#onMessage(received.message);
    }
    // There may be more: wake ourselves for the next pass.
    if (count === MAX_DRAIN) libc.write(this.#settings.wake_fd, this.#wake_buffer.address, 8);
    if (Atomics.load(this.#shared.words, memory.STOP) !== 0) this.stop('the process is stopping');
  }

  #onMessage(message: ToCarp): void {
    switch (message.kind) {
      case 'demote':
      case 'undemote':
      case 'yield':
      case 'maintenance':
        this.#step(message);
        return;
      case 'status':
        this.#answerStatus(message.id);
        return;
      case 'guardian':
        this.#onGuardian(message.fd);
        return;
      case 'stop':
        this.stop(message.reason);
    }
  }

  #readNetlink(): void {
    if (!this.#poll.isReady(this.#events_place)) return;
    this.#events.read({
      message: (message) => this.#onNetlink(message),
      lost: () => this.#resynchronize(),
    });
  }

  #onNetlink(message: Message): void {
    if (message.type === RTM_DELADDR) {
      const removed = decodeAddress(message);
      const vhid = removed ? this.#performer.addresses.onRemoved(removed) : -1;
      if (vhid >= 0) this.#onAddressRemoved(vhid, removed!.address);
      return;
    }
    const link = decodeLink(message);
    if (!link) return;
    const { interfaces } = this.#performer;
    this.#onLinkChange(message.type === RTM_DELLINK ? interfaces.onGone(link.index) : interfaces.onLink(link));
  }

  #onLinkChange(change: LinkChange | undefined): void {
    if (!change) return;
    const { changed, reason, new_socket } = change;
    if (new_socket) {
      this.#performer.addresses.setIndex(changed.name, changed.index);
      this.#arrangePoll();
    }
    if (changed.index > 0) changeInterfaceMac(this.#performer.engine, changed.name, changed.mac);
    this.#step({ kind: 'link', interface: changed.name, up: changed.up, reason });
  }

  #onAddressRemoved(vhid: number, address: string): void {
    this.#step({ kind: 'address-removed', interface: this.#settings.vhids[vhid].interface, address });
  }

  /** The kernel had more news than fitted its buffer: compare everything. */
  #resynchronize(): void {
    const { interfaces, addresses } = this.#performer;
    const links = this.#netlink.listLinks();
    for (const one of interfaces.list) {
      if (!links.some((link) => link.index === one.index)) this.#onLinkChange(interfaces.onGone(one.index));
    }
    for (const link of links) this.#onLinkChange(interfaces.onLink(link));
    const missing = addresses.findMissing(this.#netlink.listAddresses());
    for (const { vhid, address } of missing) this.#onAddressRemoved(vhid, address.text);
  }

  #removeLeftovers(): void {
    const removed = this.#performer.addresses.removeLeftovers(this.#netlink.listAddresses());
    if (removed.length > 0) this.#log('notice', `removed what an earlier run left: ${removed.join(', ')}`);
  }

  #onGuardian(fd: number): void {
    const { guardian, engine } = this.#performer;
    guardian.replace(fd);
    for (const vhid of status(engine)) {
      if (vhid.state === 'MASTER') bequeath(this.#performer, vhid.index, vhid.interface);
    }
  }

  #onGuardianLost(): void {
    postToControl({ kind: 'guardian-lost', at_ns: now_ns() });
  }

  #answerStatus(id: number): void {
    const { engine, addresses, interfaces, guardian } = this.#performer;
    const vhids = status(engine, now_ns()).map((vhid): CarpVhidStatus => {
      const { interval_us, peer } = engine.slots[vhid.index]!;
      return {
        ...vhid,
        interval_ms: interval_us / 1000,
        heard_interval_ms: peer.heard_ns < 0 ? undefined : peer.interval_us / 1000,
        link_up: interfaces.get(vhid.interface).up,
        leases: addresses.leases(vhid.index),
      };
    });
    const counters = { ...engine.counters };
    const scheduling = this.#scheduling;
    postToControl({
      kind: 'status',
      id,
      at_ns: now_ns(),
      vhids,
      counters,
      bad_sources: [],
      scheduling,
      guardian: guardian.connected,
    });
  }

  #writeRows(): void {
    for (const { index, state, peer, counters } of this.#performer.engine.vhids) {
      const at = memory.vhidAt(this.#shared, index);
      Atomics.store(this.#shared.words, at + memory.VHID_STATE, STATE_WORDS[state]);
      Atomics.store(this.#shared.words, at + memory.VHID_LAST_HEARD_MS, toMs31(Math.max(peer.heard_ns, 0)));
      Atomics.store(this.#shared.words, at + memory.VHID_RECEIVED, counters.received);
      Atomics.store(this.#shared.words, at + memory.VHID_SENT, counters.sent);
    }
  }

  #setThreadState(state: number): void {
    const at = memory.threadAt(this.#shared, memory.THREAD_CARP);
    Atomics.store(this.#shared.words, at + memory.THREAD_BEAT_MS, toMs31(now_ns()));
    Atomics.store(this.#shared.words, at + memory.THREAD_STATE, state);
  }

  #arrangePoll(): void {
    this.#poll.clear();
    this.#wake_place = this.#poll.add(this.#settings.wake_fd);
    this.#events_place = this.#poll.add(this.#events.fd);
    for (const one of this.#performer.interfaces.list) one.place = one.socket ? this.#poll.add(one.socket.fd) : -1;
  }

  #log(level: 'info' | 'notice' | 'warning' | 'error', text: string): void {
    postToControl({ kind: 'log', at_ns: now_ns(), level, text });
  }
}

/** How often a vhid adverts as MASTER, without demotion. */
function interval_ns({ advbase, advskew }: VhidSettings): number {
  return (advbase + advskew / 256) * 1e9;
}

function postToControl(message: FromCarp): void {
  parentPort!.postMessage(message);
}

/** The thread's life. An error of ours still takes the addresses down before it is told. */
function main(settings: CarpSettings): void {
  let thread: CarpThread | undefined;
  try {
    thread = new CarpThread(settings);
    thread.run();
  } catch (error) {
    try {
      thread?.stop('the carp thread failed');
    } catch {
      // the first error is the one to tell
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    postToControl({ kind: 'fatal', at_ns: now_ns(), text });
  }
  try {
    thread?.close();
  } finally {
    postToControl({ kind: 'stopped', at_ns: now_ns() });
  }
}

main(workerData as CarpSettings);
