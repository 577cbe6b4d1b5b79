/**
 * The checks of one server (or its agent), one after the other: an object that is made once and allocates nothing from check
 * to check. What is said and expected is the conversation's matter (health/conversation.ts); here are timers and sockets.
 *
 *   WAITING ──▶ QUEUED ──▶ CONNECTING ⇄ TALKING ──▶ CLOSING ──▶ WAITING
 *    timer:      (a place   timer:        timer:       no timer    timer:
 *    next check   in flight) no connection  no answer                next check
 *
 * A verdict counts at once; the interval to the next check is measured from there. Connections end with RST, so that
 * neither side keeps a TIME_WAIT, unless a rule or a protocol wants a clean end.
 */
import type { Endpoint } from '../config/model.ts';
import { CONNECT, type Conversation, DONE, FLUSH, type Need, RECEIVE, SEND } from '../health/conversation.ts';
import { nextInterval_ms } from '../health/fold.ts';
import type { CheckPlan } from '../health/plan.ts';
import { connectionBroke, type Verdict } from '../health/verdict.ts';
import { NO_BUFFER, SMALL_BYTES } from '../reactor/buffers.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { Socket, SocketOwner } from '../reactor/socket.ts';
import { Timer } from '../reactor/timers.ts';
import { EMFILE, ENFILE, ENOBUFS, ENOMEM } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { encodeSocketAddress, type PinnedAddress } from '../system/socket-address.ts';
import { setSource } from '../system/tcp-options.ts';
import { proxyLine } from './checks-proxy-line.ts';
import type { CheckedServer } from './checks-subject.ts';

/** What the checks of all servers share. */
export interface CheckRound {
  readonly reactor: Reactor;
  /** `begin` is called when few enough others are in flight: at once, perhaps. */
  queue(check: Check): void;
  /** The connection or program is gone: a place in flight is free. */
  landed(check: Check): void;
  /** Where bytes that are always the same lie ready; NO_BUFFER for others. */
  bufferOf(bytes: Uint8Array): number;
  /** 0 is exactly the interval, -1 and 1 are as far off it as may be. */
  spread(): number;
  /** 0 to 1. */
  random(): number;
  /** A check is done. `verdict` is undefined when maintenance made it unnecessary. */
  record(check: Check, verdict: Verdict | undefined, duration_ms: number): void;
  /** This host had nothing left to make a connection with, so nothing is learnt about the server. */
  recordExhausted(check: Check, error: number): void;
}

/** What is queued for a place in flight: a check over a connection, or one by a program. */
export interface Check {
  readonly plan: CheckPlan;
  readonly server: CheckedServer;
  /** At least one check is done (or was not needed). */
  done_once: boolean;
  /** Behind this one in the queue. */
  next_queued: Check | null;
  start(): void;
  /** Its turn has come. False: there is nothing to wait for. */
  begin(): boolean;
  /** The next check comes after `fastinter`, if that is sooner. */
  hurry(): void;
  /** Its server has another address, perhaps the first one. */
  onMove(): void;
  /** Ends the check that runs, without a verdict. `landed` follows if one ran. */
  stop(): void;
}

const WAITING = 0;
const QUEUED = 1;
const CONNECTING = 2;
/** A PROXY line must have left before anything is said, or found out. */
const INTRODUCING = 3;
const TALKING = 4;
/** One connection closes before the next one is made. */
const BETWEEN = 5;
const CLOSING = 6;
const OVERDUE = 7;

/** Later than this behind a deadline is a stall (SIGSTOP, a paused VM, a starved machine), and what a check gets then. */
const STALL_MS = 100;
const GRACE_MS = 250;

export class ServerCheck implements Check, SocketOwner {
  readonly plan: CheckPlan;
  readonly server: CheckedServer;
  done_once = false;
  next_queued: Check | null = null;
  private readonly round: CheckRound;
  private readonly conversation: Conversation;
  private readonly is_agent: boolean;
  private readonly prepare: ((fd: number) => boolean) | null;
  private readonly timer = new Timer(() => this.onTimer());
  private stage = WAITING;
  private socket: Socket | null = null;
  /** Where the server was when it was last asked, ready for the kernel. */
  private known_endpoint: Endpoint | null = null;
  private known_address: PinnedAddress | null = null;
  private in_maintenance = false;
  private begun_ms = 0;
  private deadline_ms = 0;
  private forgiven = false;

  constructor(plan: CheckPlan, server: CheckedServer, conversation: Conversation, round: CheckRound) {
    this.plan = plan;
    this.server = server;
    this.conversation = conversation;
    this.round = round;
    const { source } = plan;
    this.prepare = source === undefined ? null : (fd) => setSource(fd, source);
    this.is_agent = plan.method.kind === 'agent';
  }

  start(): void {
    this.wakeIn(this.plan.first_delay_ms);
  }

  stop(): void {
    this.round.reactor.timers.remove(this.timer);
    this.stage = CLOSING;
    this.socket?.reset();
  }

  hurry(): void {
    const soon_ms = this.plan.intervals.fastinter_ms;
    if (soon_ms === undefined || (this.stage !== WAITING && this.stage !== CLOSING)) return;
    if (this.round.reactor.now_ms + soon_ms < this.deadline_ms) this.wakeIn(soon_ms);
  }

  onMove(): void {
    if (this.in_maintenance && this.stage === WAITING) this.wakeIn(0);
  }

  // ── when ──────────────────────────────────────────────────────────────────────────────────────

  private onTimer(): void {
    switch (this.stage) {
      case WAITING:
        this.becomeDue();
        return;
      case CLOSING:
        this.stage = OVERDUE; // the last connection is not gone yet; `onClosed` goes on
        this.socket?.reset();
        return;
      case QUEUED:
      case OVERDUE:
        return;
      default:
        if (!this.forgive()) this.finish(this.conversation.timedOut(this.timeout_ms));
    }
  }

  private get timeout_ms(): number {
    const { connect_timeout_ms, answer_timeout_ms } = this.plan;
    return this.conversation.need === CONNECT ? connect_timeout_ms : (answer_timeout_ms ?? connect_timeout_ms);
  }

  /** A deadline that is seen late says that this thread stood still, not that the server did: once, the answer gets a chance. */
  private forgive(): boolean {
    if (this.forgiven || this.round.reactor.now_ms - this.deadline_ms < STALL_MS) return false;
    this.forgiven = true;
    this.wakeIn(GRACE_MS);
    return true;
  }

  private becomeDue(): void {
    // an agent is asked in maintenance, too: it may be the one who ends it
    const no_address = this.server.endpoint.address === '';
    if (no_address || (!this.is_agent && this.server.inMaintenance)) this.skip();
    else {
      this.in_maintenance = false;
      this.server.heedOrders();
      this.stage = QUEUED;
      this.round.queue(this);
    }
  }

  /** Looked at again after an interval: maintenance may be over then. */
  private skip(): void {
    this.in_maintenance = true;
    this.wakeIn(this.plan.intervals.inter_ms);
    this.round.record(this, undefined, 0);
  }

  private wakeIn(delay_ms: number): void {
    const { reactor } = this.round;
    this.deadline_ms = reactor.now_ms + delay_ms;
    reactor.timers.arm(this.timer, this.deadline_ms);
  }

  // ── the course of one check ───────────────────────────────────────────────────────────────────

  begin(): boolean {
    this.begun_ms = this.round.reactor.now_ms;
    this.forgiven = false;
    this.wakeIn(this.plan.connect_timeout_ms);
    if (this.conversation.begin() === CONNECT) return this.connect();
    this.judge(this.conversation.verdict, WAITING);
    return false;
  }

  /**
   * False: it did not even begin. Where the server need not speak first, what is sent or the reset stands in for the last packet of
   * the handshake, as in HAProxy: a program that is only knocked at never hears of it.
   */
  private connect(): boolean {
    const { family, address, length } = this.targetAddress();
    const manner = this.conversation.server_speaks_first ? 'word' : 'knock';
    const socket = this.round.reactor.connect(this, family, address, length, manner, this.prepare);
    this.socket = socket;
    this.stage = CONNECTING;
    if (socket) return true;
    this.couldNotConnect(libc.errno());
    return false;
  }

  private targetAddress(): PinnedAddress {
    const { target_address, target_port } = this.conversation;
    if (target_address !== '' || target_port !== 0) return this.addressAt(target_address, target_port);
    const { endpoint } = this.server;
    if (this.known_endpoint !== endpoint) this.known_address = this.addressAt('', 0);
    this.known_endpoint = endpoint;
    return this.known_address!;
  }

  /** '' and 0 stand for where the server is checked. */
  private addressAt(target_address: string, target_port: number): PinnedAddress {
    const { elsewhere } = this.plan;
    const { address, port } = this.server.endpoint;
    return encodeSocketAddress({
      address: target_address || elsewhere.address || address,
      port: target_port || elsewhere.port || port,
    });
  }

  private couldNotConnect(error: number): void {
    if (!isExhaustion(error)) {
      this.judge(this.conversation.connectFailed(error), WAITING);
      return;
    }
    this.stage = WAITING;
    this.conversation.end();
    // not in step with those who took the last descriptors: they would take them each time
    this.wakeIn(Math.ceil(this.plan.intervals.inter_ms * (0.5 + this.round.random() / 2)));
    this.round.recordExhausted(this, error);
  }

  onConnect(socket: Socket, error: number): void {
    if (this.stage !== CONNECTING) return;
    if (error !== 0) {
      this.judge(this.conversation.connectFailed(error), CLOSING); // the socket closes itself
      return;
    }
    if (this.plan.answer_timeout_ms !== undefined) this.wakeIn(this.plan.answer_timeout_ms);
    const { as_server, send_proxy } = this.conversation.connecting!;
    if (!send_proxy && !(as_server && this.plan.send_proxy)) {
      this.stage = TALKING;
      this.goOn(this.conversation.onConnected());
      return;
    }
    this.stage = INTRODUCING;
    if (this.sendMade(socket, proxyLine(socket.fd))) socket.notify_drain = true;
    else this.finish(connectionBroke(ENOBUFS));
  }

  /** Does what the conversation needs until it must wait for something. */
  private goOn(need: Need): void {
    const { conversation, socket } = this;
    while (need === SEND && socket) {
      if (!this.send(socket, conversation.bytes)) {
        this.finish(connectionBroke(ENOBUFS));
        return;
      }
      need = conversation.onSent();
    }
    if (need === DONE) this.finish(conversation.verdict);
    else if (need === CONNECT) this.connectAnew();
    else if (need === RECEIVE) socket?.receive();
    else if (need === FLUSH) this.flush();
  }

  private flush(): void {
    const socket = this.socket!;
    if (socket.idle) this.goOn(this.conversation.onSent());
    else socket.notify_drain = true;
  }

  private connectAnew(): void {
    this.stage = BETWEEN;
    this.close();
  }

  /** False: no room for it. */
  private send(socket: Socket, bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    const { buffers } = this.round.reactor;
    const buffer = this.round.bufferOf(bytes);
    if (buffer === NO_BUFFER) return this.sendMade(socket, bytes);
    buffers.retain(buffer);
    return socket.send(buffer, buffers.offsetOf(buffer), bytes.length);
  }

  /** Bytes that were made for this one check. */
  private sendMade(socket: Socket, bytes: Uint8Array): boolean {
    const { buffers } = this.round.reactor;
    for (let at = 0; at < bytes.length; at += SMALL_BYTES) {
      const part = bytes.subarray(at, at + SMALL_BYTES);
      const buffer = buffers.takeSmall();
      if (buffer === NO_BUFFER) return false;
      const offset = buffers.offsetOf(buffer);
      buffers.bytes.set(part, offset);
      if (!socket.send(buffer, offset, part.length)) return false;
    }
    return true;
  }

  onData(_socket: Socket, buffer: number, offset: number, length: number): void {
    const { buffers } = this.round.reactor;
    const need = this.stage === TALKING ? this.conversation.onBytes(buffers.bytes, offset, length) : FLUSH;
    buffers.release(buffer);
    if (this.stage === TALKING && need !== FLUSH && need !== RECEIVE) this.goOn(need);
  }

  onEnd(): void {
    if (this.stage === TALKING && this.conversation.need === RECEIVE) this.goOn(this.conversation.onEnd());
  }

  onError(_socket: Socket, error: number): void {
    if (this.stage !== TALKING && this.stage !== INTRODUCING) return;
    this.judge(this.conversation.located(connectionBroke(error)), CLOSING);
  }

  onDrain(): void {
    if (this.stage === TALKING && this.conversation.need === FLUSH) this.goOn(this.conversation.onSent());
    else if (this.stage === INTRODUCING) {
      this.stage = TALKING;
      this.goOn(this.conversation.onConnected());
    }
  }

  onClosed(): void {
    this.socket = null;
    if (this.stage === BETWEEN) {
      if (this.plan.answer_timeout_ms !== undefined) this.wakeIn(this.plan.connect_timeout_ms);
      if (!this.connect()) this.round.landed(this);
      return;
    }
    const overdue = this.stage === OVERDUE;
    this.stage = WAITING;
    this.round.landed(this);
    if (overdue) this.becomeDue();
  }

  private finish(verdict: Verdict): void {
    this.judge(verdict, CLOSING);
    this.close();
  }

  private close(): void {
    const { socket, conversation } = this;
    if (conversation.connecting?.linger && socket?.flushed) socket.close();
    else socket?.reset();
  }

  private judge(verdict: Verdict, stage: number): void {
    const { round, plan, server } = this;
    this.stage = stage;
    this.conversation.end();
    round.record(this, verdict, round.reactor.now_ms - this.begun_ms);
    const { thresholds } = server.subject;
    const interval_ms = this.is_agent
      ? plan.intervals.inter_ms
      : nextInterval_ms(server.health.check, thresholds, plan.intervals);
    this.wakeIn(Math.round(interval_ms * (1 + round.spread())));
  }
}

function isExhaustion(error: number): boolean {
  return error === EMFILE || error === ENFILE || error === ENOMEM || error === ENOBUFS;
}
