/**
 * The checks of all servers on one reactor: who may begin, and what everybody is told.
 *
 *   timers ──▶ due checks ──▶ queue ──▶ at most `most_in_flight` connections ──▶ verdicts ──▶ shared memory, messages
 */
import { type Exchange, exchangeOf } from '../health/exchange.ts';
import type { CheckPlan } from '../health/plan.ts';
import type { Verdict } from '../health/verdict.ts';
import { NO_BUFFER, SMALL_BYTES } from '../reactor/buffers.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { now_ns } from '../system/clock.ts';
import * as libc from '../system/libc.ts';
import { encodeSocketAddress } from '../system/socket-address.ts';
import type { FromChecks } from './checks-messages.ts';
import { type CheckRound, type RequestPlace, ServerCheck } from './checks-server.ts';
import {
  ADMIN_MAINTENANCE,
  BACKEND_VERSION,
  backendAt,
  SERVER_ADMINISTRATIVE,
  SERVER_CHECKS_DONE,
  SERVER_DOWN,
  SERVER_HEALTH,
  SERVER_OPERATIONAL,
  SERVER_UP,
  type SharedMemory,
  serverAt,
} from './shared-memory.ts';

/** Connections at once; others wait their turn. */
export const MOST_IN_FLIGHT = 1000;
/** What the reactor must have beyond that: a check begins when it hears that another's connection is gone, just before that slot is free. */
export const SPARE_SOCKETS = 1;
const WARNING_INTERVAL_MS = 10_000;

export type RunnerOptions = {
  readonly reactor: Reactor;
  readonly plans: readonly CheckPlan[];
  readonly memory: SharedMemory;
  readonly post: (message: FromChecks) => void;
  readonly most_in_flight?: number;
};

export class ChecksRunner implements CheckRound {
  readonly reactor: Reactor;
  private readonly memory: SharedMemory;
  private readonly post: (message: FromChecks) => void;
  private readonly most_in_flight: number;
  private readonly checks: readonly ServerCheck[];
  /** Holds the bytes of all requests; they are sent from where they stand. */
  private readonly request_buffers: number[] = [];
  private queue_head: ServerCheck | null = null;
  private queue_tail: ServerCheck | null = null;
  private in_flight = 0;
  private first_left: number;
  private next_warning_ms = 0;
  private stopping = false;

  constructor({ reactor, plans, memory, post, most_in_flight = MOST_IN_FLIGHT }: RunnerOptions) {
    this.reactor = reactor;
    this.memory = memory;
    this.post = post;
    this.most_in_flight = most_in_flight;
    this.checks = this.createChecks(plans);
    this.first_left = plans.length;
  }

  /** The first check of each server begins within the first second. `resumes`: memory says what is known already. */
  start(resumes = false): void {
    for (const check of this.checks) {
      if (resumes) check.resume(this.load(check, SERVER_HEALTH));
      this.store(check, SERVER_HEALTH, check.health);
      check.start();
    }
    if (this.first_left === 0) this.post({ kind: 'checked-once', at_ns: now_ns() });
  }

  /** Ends what runs. Passes of the reactor are needed until `idle`; then everything is home. */
  stop(): void {
    this.stopping = true;
    this.queue_head = null;
    this.queue_tail = null;
    for (const check of this.checks) check.stop();
    for (const buffer of this.request_buffers.splice(0)) this.reactor.buffers.release(buffer);
  }

  get idle(): boolean {
    return this.in_flight === 0;
  }

  // ── turns ─────────────────────────────────────────────────────────────────────────────────────

  queue(check: ServerCheck): void {
    check.next_queued = null;
    if (this.queue_tail) this.queue_tail.next_queued = check;
    else this.queue_head = check;
    this.queue_tail = check;
    this.beginQueued();
  }

  landed(): void {
    this.in_flight--;
    this.beginQueued();
  }

  private beginQueued(): void {
    while (!this.stopping && this.queue_head && this.in_flight < this.most_in_flight) {
      const check = this.queue_head;
      this.queue_head = check.next_queued;
      if (!this.queue_head) this.queue_tail = null;
      if (check.begin()) this.in_flight++;
    }
  }

  // ── what is known ─────────────────────────────────────────────────────────────────────────────

  isInMaintenance({ plan }: ServerCheck): boolean {
    const { memory } = this;
    const set = Atomics.load(memory.words, serverAt(memory, plan.server_index) + SERVER_ADMINISTRATIVE);
    return (set & ADMIN_MAINTENANCE) !== 0;
  }

  record(check: ServerCheck, verdict: Verdict | undefined, changed: boolean): void {
    const { memory } = this;
    this.store(check, SERVER_HEALTH, check.health);
    if (changed) this.recordChange(check, verdict);
    if (verdict) Atomics.add(memory.words, serverAt(memory, check.plan.server_index) + SERVER_CHECKS_DONE, 1);
    if (check.done_once) return;
    check.done_once = true;
    if (--this.first_left === 0) this.post({ kind: 'checked-once', at_ns: now_ns() });
  }

  private recordChange({ plan, up }: ServerCheck, verdict: Verdict | undefined): void {
    const { memory } = this;
    const at = serverAt(memory, plan.server_index);
    Atomics.store(memory.words, at + SERVER_OPERATIONAL, up ? SERVER_UP : SERVER_DOWN);
    Atomics.add(memory.words, backendAt(memory, plan.backend_index) + BACKEND_VERSION, 1);
    const { backend, server } = plan;
    const reason = verdict?.reason ?? 'back from maintenance';
    this.post({ kind: 'server', at_ns: now_ns(), backend, server, up, reason, code: verdict?.code });
  }

  recordExhausted({ plan }: ServerCheck, error: number): void {
    if (this.reactor.now_ms < this.next_warning_ms) return;
    this.next_warning_ms = this.reactor.now_ms + WARNING_INTERVAL_MS;
    const text = `no descriptor or memory left to check ${plan.backend}/${plan.server} with: ${libc.errnoName(error)}`;
    this.post({ kind: 'log', at_ns: now_ns(), level: 'warning', text });
  }

  private load({ plan }: ServerCheck, word: number): number {
    return Atomics.load(this.memory.words, serverAt(this.memory, plan.server_index) + word);
  }

  private store({ plan }: ServerCheck, word: number, value: number): void {
    Atomics.store(this.memory.words, serverAt(this.memory, plan.server_index) + word, value);
  }

  // ── making ────────────────────────────────────────────────────────────────────────────────────

  private createChecks(plans: readonly CheckPlan[]): ServerCheck[] {
    const exchanges = new Map<string, { exchange: Exchange; request: RequestPlace }>();
    return plans.map((plan) => {
      const key = JSON.stringify(plan.method);
      let shared = exchanges.get(key);
      if (!shared) {
        const exchange = exchangeOf(plan.method);
        shared = { exchange, request: this.placeRequest(exchange.request) };
        exchanges.set(key, shared);
      }
      const { exchange, request } = shared;
      return new ServerCheck(plan, encodeSocketAddress(plan.endpoint), request, exchange.createAnswer(), this);
    });
  }

  /** One buffer for each different request: a backend has one, and many backends share one. */
  private placeRequest(bytes: Uint8Array): RequestPlace {
    if (bytes.length === 0) return { buffer: NO_BUFFER, offset: 0, length: 0 };
    if (bytes.length > SMALL_BYTES) throw new Error(`a check's request has ${bytes.length} bytes`);
    const buffer = this.reactor.buffers.takeSmall();
    if (buffer === NO_BUFFER) throw new Error('no buffer left for the requests of checks');
    this.request_buffers.push(buffer);
    const offset = this.reactor.buffers.offsetOf(buffer);
    this.reactor.buffers.bytes.set(bytes, offset);
    return { buffer, offset, length: bytes.length };
  }
}
