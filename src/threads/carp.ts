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
import { interval_us } from '../carp/election.ts';
import { badSources, createEngine, nextDeadline_ns, status, step } from '../carp/engine.ts';
import type { Event, VhidSettings } from '../carp/events.ts';
import { mayRunTimers, SHORT_STALL_NS, shortestInterval_ns, tellStallFrom_ns } from '../carp/stall.ts';
import { now_ns, toMs31 } from '../system/clock.ts';
import { ConnectionReset } from '../system/connection-reset.ts';
import { SystemError } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import { lockProgram } from '../system/locked-memory.ts';
import { FRAMES_AT_ONCE, type PacketSocket } from '../system/packet-socket.ts';
import { PollSet } from '../system/poll-set.ts';
import { dropPrivileges } from '../system/privileges.ts';
import { useRealTimeScheduling } from '../system/scheduling.ts';
import { bequeath, type Outcomes, outcomeText, type Performer, perform, removeEntries } from './carp-effects.ts';
import { GuardianPipe } from './carp-guardian.ts';
import { ThreadHealth } from './carp-health.ts';
import type { CarpSettings, CarpVhidStatus, FromCarp, ToCarp } from './carp-messages.ts';
import { CarpNetwork } from './carp-network.ts';
import { isVirtual } from './carp-virtual-links.ts';
import * as memory from './shared-memory.ts';

const BEAT_NS = 500e6;
/** Shorter ones happen on busy machines and are no news. */
const LOGGED_STALL_NS = 1e9;
/** Frames of one interface, or messages, taken in one pass. */
const MAX_DRAIN = 1024;
/** Sent frames after one event: one or two for every vhid of a host. */
const MAX_OUTCOMES = 4096;

/** Adverts this close together need a thread that nothing holds up. */
const TIGHT_ADVSKEW = 8;

/** An event whose fields the shell writes again and again. */
type Reused<K extends Event['kind']> = {
  -readonly [F in keyof Extract<Event, { kind: K }>]: Extract<Event, { kind: K }>[F];
};

/** A socket that frames come in by, and its place in the poll set. */
type Ear = { readonly interface: string; readonly socket: PacketSocket; readonly place: number };

class CarpThread {
  readonly #settings: CarpSettings;
  readonly #shared: memory.SharedMemory;
  readonly #network: CarpNetwork;
  readonly #performer: Performer;
  readonly #health: ThreadHealth;
  readonly #outcomes: Outcomes = { vhids: [], families: [], errors: [] };
  readonly #wake_buffer = libc.allocatePinned(8);
  readonly #scheduling: 'SCHED_RR' | 'SCHED_OTHER';
  readonly #frame: Reused<'frame'> = { kind: 'frame', interface: '', bytes: new Uint8Array(0), length: 0 };
  readonly #sent: Reused<'sent'> = { kind: 'sent', index: 0, error: null, family: 4 };
  readonly #timer: Event = { kind: 'timer' };
  readonly #stalled: Reused<'stall'> = { kind: 'stall', late_ns: 0 };
  #poll = new PollSet(2);
  #ears: readonly Ear[] = [];
  /** A pass that begins so much later than it was to is a stall. */
  #stall_ns = Number.POSITIVE_INFINITY;
  /** The shortest of all vhids; a stall of less is no news. */
  #interval_ns = Number.POSITIVE_INFINITY;
  /** The longest sleep: where adverts are so close that a short stall loses several, one in mid-silence must be seen. */
  #longest_sleep_ns = Number.POSITIVE_INFINITY;
  #wake_place = 0;
  #events_place = 0;
  #beat_ns = 0;
  /** The engine's next deadline; -1: to be asked. */
  #next_ns = -1;
  #stalls = 0;
  #longest_stall_ms = 0;
  #last_stall_ns = 0;
  #stopping = false;

  /** Opens everything. Throws a SystemError when the system refuses (`checkCarpHost` finds that out before). */
  constructor(settings: CarpSettings) {
    this.#settings = settings;
    this.#shared = memory.attachSharedMemory(settings.memory, settings.counts);
    this.#scheduling = useRealTimeScheduling() ? 'SCHED_RR' : 'SCHED_OTHER';
    lockProgram();
    const { vhids, seed, lease_s, wait_for_ready, host } = settings;
    const guardian = new GuardianPipe(settings.guardian_fd, () => this.#onGuardianLost());
    const onError = (text: string): void => this.#log('error', text);
    const network = new CarpNetwork({ vhids, lease_s, guardian, onError });
    const engine = createEngine({ ...host, vhids, seed, lease_s, wait_for_ready, links_down: network.links_down });
    this.#network = network;
    const { addresses, interfaces, virtual, netlink } = network;
    const parts = { addresses, interfaces, virtual, netlink, guardian, resets: openResets() };
    this.#performer = { ...parts, engine, slots: vhids, post: postToControl, outcomes: this.#outcomes };
    this.#health = new ThreadHealth(this.#shared, settings.watched, toMs31(now_ns()));
    this.#adjust(vhids);
    if (settings.run_as) dropPrivileges({ ...settings.run_as, keep: ['CAP_NET_RAW', 'CAP_NET_ADMIN'] });
  }

  /** Returns after `stop` or the stop word in shared memory. */
  run(): void {
    if (!this.#settings.waits_for_other) this.#prepare();
    this.#setThreadState(1);
    postToControl({ kind: 'started', at_ns: now_ns() });
    if (!this.#settings.waits_for_other) this.#step({ kind: 'start' });
    while (!this.#stopping) {
      const now = now_ns();
      const wake_ns = Math.min(this.#engineDeadline_ns(), this.#beat_ns + BEAT_NS, now + this.#longest_sleep_ns);
      this.#poll.wait(now, wake_ns);
      this.#pass(now_ns(), wake_ns);
    }
  }

  #prepare(adopts: readonly number[] = []): void {
    const removed = this.#network.prepare(this.#settings.vhids, adopts);
    if (removed.length > 0) this.#log('notice', `removed what an earlier run left: ${removed.join(', ')}`);
  }

  /** Whatever happened: nothing of this node stays on an interface. */
  close(): void {
    this.#network.close(now_ns());
    this.#performer.resets?.close();
    this.#poll.close();
    this.#setThreadState(2);
  }

  /** Bows out and ends the loop. */
  stop(reason: string, leaves: readonly number[] = []): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#network.leave(this.#slots(), leaves);
    this.#step({ kind: 'stop', reason, leaves });
  }

  /** Asked a few times in a pass, and the same until a step. */
  #engineDeadline_ns(): number {
    if (this.#next_ns < 0) this.#next_ns = nextDeadline_ns(this.#performer.engine);
    return this.#next_ns;
  }

  #pass(now: number, wake_ns: number): void {
    const late_ns = now - wake_ns;
    if (this.#beat_ns > 0 && late_ns > this.#stall_ns) this.#onStall(late_ns, now);
    if (this.#poll.isReady(this.#events_place)) this.#readNetwork();
    // Before a timer runs, look at all sockets again: a frame that came since ppoll returned was in time.
    const due = this.#engineDeadline_ns() <= now;
    this.#readFrames(due);
    this.#readMessages();
    if (this.#stopping) return;
    // As of the time before: this thread may stand still anywhere, and what comes meanwhile is not heard yet.
    if (due && mayRunTimers(now, now_ns(), this.#interval_ns)) this.#step(this.#timer, now);
    if (now - this.#beat_ns >= BEAT_NS) this.#beat(now);
  }

  #onStall(late_ns: number, now: number): void {
    if (late_ns >= this.#interval_ns) {
      this.#stalls++;
      this.#last_stall_ns = now;
      this.#longest_stall_ms = Math.max(this.#longest_stall_ms, Math.round(late_ns / 1e6));
    }
    if (late_ns > LOGGED_STALL_NS)
      this.#log('warning', `the carp thread stood still for ${Math.round(late_ns / 1e6)} ms`);
    if (late_ns > SHORT_STALL_NS) this.#health.forgive(toMs31(now));
    this.#stalled.late_ns = late_ns;
    this.#step(this.#stalled);
  }

  /** A few times a second, whatever else happens. */
  #beat(now: number): void {
    this.#beat_ns = now;
    const words = this.#shared.words;
    Atomics.store(words, memory.threadAt(this.#shared, memory.THREAD_CARP) + memory.THREAD_BEAT_MS, toMs31(now));
    const verdict = this.#health.judge(toMs31(now));
    if (verdict === 'stalled') this.#step({ kind: 'health', healthy: false, reason: this.#health.reason });
    else if (verdict === 'recovered') this.#step({ kind: 'health', healthy: true, reason: 'all threads move again' });
    const stop = Atomics.load(words, memory.STOP);
    if (stop !== 0) this.stop('the process is stopping');
  }

  /** Steps the engine, carries out what it wants, and tells it what became of its frames. */
  #step(event: Event, now = now_ns()): void {
    const { vhids, families, errors } = this.#outcomes;
    this.#next_ns = -1;
    const { engine } = this.#performer;
    const effects = step(engine, event, now);
    if (event.kind === 'configure') this.#takeSlots(now);
    perform(this.#performer, effects, now);
    if (event.kind === 'configure') this.#settleSlots();
    // An answer may send again, which appends: bounded all the same.
    for (let position = 0; position < vhids.length && position < MAX_OUTCOMES; position++) {
      this.#sent.index = vhids[position];
      this.#sent.family = families[position];
      this.#sent.error = outcomeText(errors[position]);
      perform(this.#performer, step(engine, this.#sent, now), now);
    }
    // Popping keeps the arrays' memory, `length = 0` would give it back.
    while (vhids.length > 0) vhids.pop();
    while (families.length > 0) families.pop();
    while (errors.length > 0) errors.pop();
  }

  /** The engine gave the vhids of a `configure` their slots. Those that went are needed until they are taken down. */
  #takeSlots(now: number): void {
    const before = this.#performer.slots;
    const slots = this.#slots();
    const length = Math.max(before.length, slots.length);
    this.#performer.slots = Array.from({ length }, (_, slot) => slots[slot] ?? before[slot]);
    for (const { state, settings } of this.#performer.engine.vhids)
      if (state === 'MASTER' && isVirtual(settings)) this.#network.virtual.set(settings, true);
    this.#network.addresses.configure(slots, now);
  }

  /** What went is taken down by now. */
  #settleSlots(): void {
    this.#performer.slots = this.#slots();
    this.#network.settle(this.#performer.slots);
    this.#bequeathAll();
  }

  #slots(): (VhidSettings | undefined)[] {
    return Array.from(this.#performer.engine.slots, (vhid) => vhid?.settings);
  }

  #readFrames(every_socket: boolean): void {
    for (const { interface: name, socket, place } of this.#ears) {
      if (!every_socket && !this.#poll.isReady(place)) continue;
      let now = 0;
      for (let count = 0; count < MAX_DRAIN; count++) {
        const length = socket.receive();
        if (length < 0) break;
        if (count % FRAMES_AT_ONCE === 0) now = now_ns();
        this.#frame.interface = name;
        this.#frame.bytes = socket.frame;
        this.#frame.length = length;
        this.#step(this.#frame, now);
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
      case 'set-state':
        this.#step(message);
        return;
      case 'take-over':
        this.#prepare(message.adopts);
        this.#step({ kind: 'start' });
        return;
      case 'configure':
        this.#configure(message);
        return;
      case 'remove-entries':
        if (this.#performer.engine.slots[message.index]?.state !== 'MASTER')
          removeEntries(this.#performer, message.index);
        return;
      case 'status':
        this.#answerStatus(message.id);
        return;
      case 'guardian':
        this.#onGuardian(message.fd);
        return;
      case 'stop':
        this.stop(message.reason, message.leaves);
    }
  }

  #readNetwork(): void {
    const { engine } = this.#performer;
    const new_sockets = this.#network.read(
      () => this.#slots(),
      engine,
      (event) => this.#step(event),
    );
    if (new_sockets) this.#arrangePoll();
  }

  /** New settings on a running node: what stays keeps its state. */
  #configure({ id, vhids, host, slots: expected }: Extract<ToCarp, { kind: 'configure' }>): void {
    this.#network.configure(vhids);
    const links_down = this.#network.links_down;
    this.#step({ kind: 'configure', vhids, links_down, ...(host ? { host } : {}) });
    const { slots } = this.#performer;
    this.#adjust(vhids);
    const places = vhids.map(({ interface: name, vhid }) =>
      slots.findIndex((one) => one?.interface === name && one.vhid === vhid),
    );
    if (expected && String(expected) !== String(places))
      throw new Error(`the vhids have the slots ${places}, and control takes them for ${expected}`);
    postToControl({ kind: 'configured', id, at_ns: now_ns(), slots: places });
  }

  /** To the vhids' sockets and how often they advert. */
  #adjust(vhids: readonly VhidSettings[]): void {
    this.#stall_ns = tellStallFrom_ns(vhids);
    this.#interval_ns = shortestInterval_ns(vhids);
    this.#longest_sleep_ns = this.#interval_ns < SHORT_STALL_NS ? this.#interval_ns : Number.POSITIVE_INFINITY;
    this.#arrangePoll();
    if (this.#scheduling === 'SCHED_RR') return;
    const tight = vhids.find((vhid) => vhid.advbase === 0 && vhid.advskew < TIGHT_ADVSKEW);
    if (!tight) return;
    const what = `vhid ${tight.vhid} on ${tight.interface} adverts every ${(interval_us(tight.advbase, tight.advskew) / 1000).toFixed(1)} ms`;
    const why = 'but the system refuses real-time scheduling, so a busy host may be late and lose its addresses';
    this.#log(
      'warning',
      `${what}, ${why}: allow it (LimitRTPRIO=10 in the unit) or use advskew ${TIGHT_ADVSKEW} or more`,
    );
  }

  #onGuardian(fd: number): void {
    this.#performer.guardian.replace(fd);
    this.#network.bequeathLinks();
    this.#bequeathAll();
  }

  /** The guardian learns what is held now, and the bow-outs that would be sent. */
  #bequeathAll(): void {
    for (const { state, index, settings } of this.#performer.engine.vhids)
      if (state === 'MASTER') bequeath(this.#performer, index, settings.interface);
  }

  #onGuardianLost(): void {
    postToControl({ kind: 'guardian-lost', at_ns: now_ns() });
  }

  #answerStatus(id: number): void {
    const { engine, addresses, interfaces, guardian } = this.#performer;
    const vhids = status(engine, now_ns()).map(
      (vhid): CarpVhidStatus => ({
        ...vhid,
        interval_ms: vhid.interval_ns / 1e6,
        heard_interval_ms: vhid.heard && vhid.heard.interval_ns / 1e6,
        link_up: interfaces.find(vhid.interface)?.up ?? false,
        leases: addresses.leases(vhid.index),
      }),
    );
    const counters = { ...engine.counters };
    const scheduling = this.#scheduling;
    postToControl({
      kind: 'status',
      id,
      at_ns: now_ns(),
      vhids,
      counters,
      bad_sources: badSources(engine),
      scheduling,
      stalls: this.#stalls,
      longest_stall_ms: this.#longest_stall_ms,
      last_stall_ns: this.#last_stall_ns,
      guardian: guardian.connected,
    });
  }

  #setThreadState(state: number): void {
    const at = memory.threadAt(this.#shared, memory.THREAD_CARP);
    Atomics.store(this.#shared.words, at + memory.THREAD_BEAT_MS, toMs31(now_ns()));
    Atomics.store(this.#shared.words, at + memory.THREAD_STATE, state);
  }

  #arrangePoll(): void {
    const sockets = this.#network.interfaces.list.flatMap((one) =>
      (one.sockets?.list ?? []).map((socket) => ({ interface: one.name, socket })),
    );
    this.#poll.close();
    this.#poll = new PollSet(sockets.length + 2);
    this.#wake_place = this.#poll.add(this.#settings.wake_fd);
    this.#events_place = this.#poll.add(this.#network.events_fd);
    this.#ears = sockets.map((ear) => ({ ...ear, place: this.#poll.add(ear.socket.fd) }));
  }

  #log(level: 'info' | 'notice' | 'warning' | 'error', text: string): void {
    postToControl({ kind: 'log', at_ns: now_ns(), level, text });
  }
}

/** Undefined where the kernel does not know such sockets. */
function openResets(): ConnectionReset | undefined {
  try {
    return new ConnectionReset(now_ns);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
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
