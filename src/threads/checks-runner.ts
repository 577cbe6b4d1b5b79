/**
 * The checks of all servers on one reactor: who may begin, and what everybody is told.
 *
 *   timers ──▶ due checks ──▶ queue ──▶ at most `most_in_flight` at once ──▶ verdicts ──▶ CheckedServer
 */
import { Conversation } from '../health/conversation.ts';
import type { CheckPlan, Subject } from '../health/plan.ts';
import { programExited, programKilled, programNotStarted, programTimedOut, type Verdict } from '../health/verdict.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { now_ns } from '../system/clock.ts';
import * as libc from '../system/libc.ts';
import type { AddressChange } from './address-change.ts';
import type { FromChecks, ProgramEnd } from './checks-messages.ts';
import { ProgramCheck, type ProgramRunner } from './checks-program.ts';
import { Programs } from './checks-programs.ts';
import { type Check, type CheckRound, ServerCheck } from './checks-server.ts';
import { CheckedServer, type Surroundings } from './checks-subject.ts';
import type { SharedMemory } from './shared-memory.ts';

/** Connections at once; others wait their turn. */
export const MOST_IN_FLIGHT = 1000;
/** What the reactor must have beyond that: a check begins when it hears that another's connection is gone, just before that slot is free. */
export const SPARE_SOCKETS = 1;
/** Programs at once: each is a process. */
const MOST_PROGRAMS = 32;
const WARNING_INTERVAL_MS = 10_000;
/** From one look at the traffic of all observed servers to the next. */
const LOOK_MS = 10;

/** Counts through all configurations of this thread: the answer to an earlier one's question is nobody's. */
let last_run = 0;

export type RunnerOptions = {
  readonly reactor: Reactor;
  readonly plans: readonly CheckPlan[];
  readonly programs?: Programs;
  readonly memory: SharedMemory;
  readonly post: (message: FromChecks) => void;
  readonly most_in_flight?: number;
  /** Memory says what is known already. */
  readonly resumes?: boolean;
  readonly spread_percent?: number;
  readonly host_name?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** 0..1 */
  readonly random?: () => number;
};

export class ChecksRunner implements CheckRound, ProgramRunner {
  readonly reactor: Reactor;
  private readonly post: (message: FromChecks) => void;
  private readonly spread_share: number;
  readonly random: () => number;
  private readonly programs: Programs;
  private readonly servers = new Map<Subject, CheckedServer>();
  private readonly checks: readonly Check[];
  private readonly observed: readonly Check[];
  private readonly connections: Turns;
  private readonly processes = new Turns(MOST_PROGRAMS);
  private readonly runs = new Map<number, ProgramCheck>();
  private next_look_ms = 0;
  private first_left: number;
  private readonly resumes: boolean;
  private next_warning_ms = 0;

  constructor(options: RunnerOptions) {
    const { reactor, plans, post, programs = new Programs(plans), spread_percent = 0 } = options;
    this.reactor = reactor;
    this.post = post;
    this.spread_share = spread_percent / 100;
    this.random = options.random ?? Math.random;
    this.programs = programs;
    this.connections = new Turns(options.most_in_flight ?? MOST_IN_FLIGHT);
    this.resumes = options.resumes ?? false;
    programs.place(reactor);
    const around = surroundings(options);
    this.checks = plans.map((plan) => this.createCheck(plan, this.serverOf(plan.subject, around)));
    this.observed = this.checks.filter(({ plan }) => plan.subject.observe && plan.method.kind !== 'agent');
    this.first_left = plans.filter(({ method }) => method.kind !== 'agent').length;
  }

  start(): void {
    for (const check of this.checks) check.start();
    if (this.first_left === 0) this.post({ kind: 'checked-once', at_ns: now_ns() });
  }

  /** Ends what runs. Passes of the reactor are needed until `idle`; then everything is home. */
  stop(): void {
    this.connections.close();
    this.processes.close();
    for (const check of this.checks) check.stop();
    this.programs.release(this.reactor);
  }

  get idle(): boolean {
    return this.connections.in_use + this.processes.in_use === 0;
  }

  // ── turns ─────────────────────────────────────────────────────────────────────────────────────

  queue(check: Check): void {
    this.turnsOf(check).queue(check);
  }

  landed(check: Check): void {
    this.turnsOf(check).leave();
  }

  private turnsOf(check: Check): Turns {
    return check.plan.method.kind === 'external' ? this.processes : this.connections;
  }

  bufferOf(bytes: Uint8Array): number {
    return this.programs.bufferOf(bytes);
  }

  spread(): number {
    return this.spread_share === 0 ? 0 : this.spread_share * (2 * this.random() - 1);
  }

  // ── programs of the system ────────────────────────────────────────────────────────────────────

  run(check: ProgramCheck, timeout_ms: number): number {
    const run = ++last_run;
    this.runs.set(run, check);
    const { backend, server } = check.plan.subject;
    this.post({ kind: 'run-program', run, backend, server, timeout_ms });
    return run;
  }

  forget(run: number): void {
    this.runs.delete(run);
  }

  programEnded(run: number, end: ProgramEnd): void {
    const check = this.runs.get(run);
    this.runs.delete(run);
    check?.onEnd(verdictOfProgram(end, check.timeout_ms));
  }

  // ── servers that move ─────────────────────────────────────────────────────────────────────────

  /** A connection that is being made goes on; the next check asks at the new address. */
  moveServers(changes: readonly AddressChange[]): void {
    const endpoints = new Map(changes.map(({ server, endpoint }) => [server, endpoint]));
    for (const server of this.servers.values()) {
      const endpoint = endpoints.get(server.subject.server_index);
      if (endpoint) server.endpoint = endpoint;
    }
    for (const check of this.checks) if (endpoints.has(check.plan.subject.server_index)) check.onMove();
  }

  // ── what is known ─────────────────────────────────────────────────────────────────────────────

  record(check: Check, verdict: Verdict | undefined, duration_ms: number): void {
    if (check.plan.method.kind === 'agent') {
      if (verdict) check.server.noteAgent(verdict, duration_ms);
      return;
    }
    if (verdict) check.server.noteCheck(verdict, duration_ms);
    if (check.done_once) return;
    check.done_once = true;
    if (--this.first_left === 0) this.post({ kind: 'checked-once', at_ns: now_ns() });
  }

  recordExhausted({ plan }: Check, error: number): void {
    if (this.reactor.now_ms < this.next_warning_ms) return;
    this.next_warning_ms = this.reactor.now_ms + WARNING_INTERVAL_MS;
    const { backend, server } = plan.subject;
    const text = `no descriptor or memory left to check ${backend}/${server} with: ${libc.errnoName(error)}`;
    this.post({ kind: 'log', at_ns: now_ns(), level: 'warning', text });
  }

  /** Called in every pass: has the traffic of a server failed too often? */
  lookAtTraffic(): void {
    if (this.observed.length === 0 || this.reactor.now_ms < this.next_look_ms) return;
    this.next_look_ms = this.reactor.now_ms + LOOK_MS;
    for (const check of this.observed) if (check.server.heedTraffic()) check.hurry();
  }

  // ── making ────────────────────────────────────────────────────────────────────────────────────

  private serverOf(subject: Subject, around: Surroundings): CheckedServer {
    const known = this.servers.get(subject);
    if (known) return known;
    const server = new CheckedServer(subject, around, this.resumes);
    this.servers.set(subject, server);
    return server;
  }

  private createCheck(plan: CheckPlan, server: CheckedServer): Check {
    const program = this.programs.find(plan.method);
    if (!program) return new ProgramCheck(plan, server, this, this);
    return new ServerCheck(plan, server, new Conversation(program, server), this);
  }
}

/** A number of places, and who waits for one, in order. */
class Turns {
  in_use = 0;
  private readonly places: number;
  private head: Check | null = null;
  private tail: Check | null = null;
  private closed = false;

  constructor(places: number) {
    this.places = places;
  }

  queue(check: Check): void {
    check.next_queued = null;
    if (this.tail) this.tail.next_queued = check;
    else this.head = check;
    this.tail = check;
    this.begin();
  }

  leave(): void {
    this.in_use--;
    this.begin();
  }

  close(): void {
    this.closed = true;
    this.head = null;
    this.tail = null;
  }

  private begin(): void {
    while (!this.closed && this.head && this.in_use < this.places) {
      const check = this.head;
      this.head = check.next_queued;
      if (!this.head) this.tail = null;
      if (check.begin()) this.in_use++;
    }
  }
}

function surroundings({ memory, post, host_name = '', environment = {} }: RunnerOptions): Surroundings {
  return {
    memory,
    post,
    host_name,
    environment,
    now_s: () => Math.floor(Date.now() / 1000),
    process_variables: new Map(),
  };
}

function verdictOfProgram(end: ProgramEnd, timeout_ms: number): Verdict {
  switch (end.kind) {
    case 'exited':
      return programExited(end.status);
    case 'killed':
      return end.timed_out ? programTimedOut(timeout_ms) : programKilled(end.signal);
    case 'not-started':
      return programNotStarted(end.problem);
  }
}
