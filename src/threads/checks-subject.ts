/**
 * A checked server: what its checks, its agent and its traffic add up to, and who is told. One object for the check and the
 * agent of a server.
 *
 *   verdicts ──▶ health/server-health.ts ──▶ shared memory (operational state, words for statistics) ──▶ messages
 */

import type { Endpoint } from '../config/model.ts';
import type { AgentReport } from '../health/agent.ts';
import type { ServerFacts, Value } from '../health/facts.ts';
import { describeCheck, describeReason, describeState } from '../health/log-line.ts';
import type { ServerPlace, Subject } from '../health/plan.ts';
import {
  firstServerHealth,
  foldAgent,
  foldLiveErrors,
  foldServerCheck,
  type Operational,
  operationalState,
  resumedHealth,
  type ServerHealth,
} from '../health/server-health.ts';
import { codeNumber, type Verdict, verdictOf } from '../health/verdict.ts';
import { now_ms31, now_ns } from '../system/clock.ts';
import { inherited, ordered } from './administrative.ts';
import type { FromChecks } from './checks-messages.ts';
import * as shared from './shared-memory.ts';

/** What all subjects share. */
export type Surroundings = {
  readonly memory: shared.SharedMemory;
  readonly post: (message: FromChecks) => void;
  readonly host_name: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Seconds since 1970. */
  readonly now_s: () => number;
  readonly process_variables: Map<string, Value>;
};

const WORD_OF: Readonly<Record<Operational, number>> = {
  DOWN: shared.SERVER_DOWN,
  UP: shared.SERVER_UP,
  STOPPING: shared.SERVER_STOPPING,
};

function stateOf(word: number): Operational {
  if (word === shared.SERVER_STOPPING) return 'STOPPING';
  return word === shared.SERVER_DOWN ? 'DOWN' : 'UP';
}

/** Where the last check and the last word of the agent are kept for statistics. */
const CHECK_WORDS = {
  code: shared.SERVER_CHECK_CODE,
  status: shared.SERVER_CHECK_STATUS,
  duration_ms: shared.SERVER_CHECK_DURATION_MS,
};
const AGENT_WORDS = {
  code: shared.SERVER_AGENT_CODE,
  status: shared.SERVER_AGENT_STATUS,
  duration_ms: shared.SERVER_AGENT_DURATION_MS,
};

/** HAProxy's: a weight is a byte and one. */
const MOST_WEIGHT = 256;

export class CheckedServer implements ServerFacts {
  readonly subject: Subject;
  readonly process_variables: Map<string, Value>;
  health: ServerHealth;
  /** Where it is now; the address is '' while its name does not resolve. */
  endpoint: Endpoint;
  private readonly around: Surroundings;
  private readonly at: number;
  private operational: Operational = 'UP';
  private last_check: Verdict | undefined;
  private last_agent: Verdict | undefined;
  /** Those of the traffic that were acted on. */
  private alarms = 0;

  /** `resumes`: shared memory says what an earlier configuration's checks have found. */
  constructor(subject: Subject, around: Surroundings, resumes: boolean) {
    this.subject = subject;
    this.around = around;
    this.process_variables = around.process_variables;
    this.endpoint = subject.endpoint;
    this.at = shared.serverAt(around.memory, subject.server_index);
    this.alarms = this.load(shared.SERVER_ALARMS);
    if (resumes) this.operational = stateOf(this.load(shared.SERVER_OPERATIONAL));
    this.health = resumes ? this.resumed() : firstServerHealth(subject.thresholds);
    this.store(shared.SERVER_HEALTH, this.health.check);
    this.store(shared.SERVER_AGENT_HEALTH, this.health.agent);
    for (const tracker of subject.trackers) this.change(tracker, shared.SERVER_OPERATIONAL, WORD_OF[this.operational]);
  }

  private resumed(): ServerHealth {
    const { has_agent, has_check, thresholds } = this.subject;
    const agent = has_agent ? this.load(shared.SERVER_AGENT_HEALTH) : undefined;
    if (!has_check) return { ...firstServerHealth(thresholds), agent: agent ?? 1 };
    return resumedHealth({ state: this.operational, check: this.load(shared.SERVER_HEALTH), agent }, thresholds);
  }

  get inMaintenance(): boolean {
    return (this.load(shared.SERVER_ADMINISTRATIVE) & shared.ADMIN_ANY_MAINTENANCE) !== 0;
  }

  // ── what is heard ─────────────────────────────────────────────────────────────────────────────

  noteCheck(verdict: Verdict, duration_ms: number): void {
    this.heedOrders();
    const before = this.health;
    this.health = foldServerCheck(before, verdict, this.subject.thresholds);
    const counted = before.check !== this.health.check;
    Atomics.add(this.around.memory.words, this.at + shared.SERVER_CHECKS_DONE, 1);
    if (counted) this.store(shared.SERVER_HEALTH, this.health.check);
    if (!verdict.passed && before.check > 0) {
      Atomics.add(this.around.memory.words, this.at + shared.SERVER_CHECKS_FAILED, 1);
    }
    this.keep(CHECK_WORDS, verdict, duration_ms);
    if (verdict !== this.last_check || counted) {
      this.tell(false, verdict, this.last_check, counted, duration_ms);
      this.last_check = verdict;
    }
    this.decide(verdict, duration_ms);
  }

  /** Failing to reach an agent says nothing about the server. */
  noteAgent(verdict: Verdict, duration_ms: number): void {
    this.heedOrders();
    this.keep(AGENT_WORDS, verdict, duration_ms);
    const report = verdict.agent;
    if (report) this.obey(report);
    const before = this.health;
    if (report?.state !== undefined) {
      this.health = foldAgent(before, report.state);
      this.store(shared.SERVER_AGENT_HEALTH, this.health.agent);
    }
    this.tell(true, verdict, this.last_agent, before !== this.health, duration_ms);
    this.last_agent = verdict;
    if (report?.state !== undefined) this.decide(verdict, duration_ms);
  }

  /** Has the traffic failed too often in a row? Then a failed check is simulated, or worse. */
  heedTraffic(): boolean {
    const { observe, thresholds } = this.subject;
    const alarms = this.load(shared.SERVER_ALARMS);
    if (!observe || alarms === this.alarms) return false;
    this.alarms = alarms;
    this.heedOrders();
    const verdict = verdictOf('HANA', `${observe.error_limit} errors of the traffic in a row`);
    this.health = foldLiveErrors(this.health, observe.on_error, thresholds);
    this.store(shared.SERVER_HEALTH, this.health.check);
    this.store(shared.SERVER_CHECK_CODE, codeNumber(verdict.code));
    this.decide(verdict);
    return true;
  }

  /** Shared memory says something else than was found here: somebody ordered it, or ended a maintenance. That holds from here on. */
  heedOrders(): void {
    const { check, agent } = this.health;
    if (
      this.load(shared.SERVER_OPERATIONAL) === WORD_OF[this.operational] &&
      this.load(shared.SERVER_HEALTH) === check &&
      this.load(shared.SERVER_AGENT_HEALTH) === agent
    )
      return;
    this.operational = stateOf(this.load(shared.SERVER_OPERATIONAL));
    this.health = this.resumed();
  }

  // ── what it leads to ──────────────────────────────────────────────────────────────────────────

  private decide(verdict: Verdict, duration_ms?: number): void {
    const state = operationalState(this.health, this.subject.thresholds);
    if (state === this.operational) return;
    this.operational = state;
    if (state === 'DOWN') Atomics.add(this.around.memory.words, this.at + shared.SERVER_WENT_DOWN, 1);
    this.publish(this.subject, state, verdict, '', `, ${describeReason(verdict, duration_ms)}`);
    const own = `${this.subject.backend}/${this.subject.server}`;
    for (const tracker of this.subject.trackers)
      this.publish(tracker, state, verdict, `it tracks ${own}: `, ` via ${own}`);
  }

  private publish(place: ServerPlace, state: Operational, verdict: Verdict, because: string, why: string): void {
    const { memory, post } = this.around;
    const at = shared.serverAt(memory, place.server_index);
    const now_ms = now_ms31() || 1;
    if (Atomics.load(memory.words, at + shared.SERVER_OPERATIONAL) === shared.SERVER_DOWN) {
      Atomics.store(memory.words, at + shared.SERVER_UP_SINCE_MS, now_ms);
    }
    Atomics.store(memory.words, at + shared.SERVER_CHANGED_MS, now_ms);
    Atomics.store(memory.words, at + shared.SERVER_OPERATIONAL, WORD_OF[state]);
    Atomics.add(memory.words, shared.backendAt(memory, place.backend_index) + shared.BACKEND_VERSION, 1);
    const { backend, server } = place;
    const reason = because + verdict.reason;
    const up = state !== 'DOWN';
    post({ kind: 'server', at_ns: now_ns(), backend, server, up, state, reason, code: verdict.code, why });
  }

  /** Weight, limit and administrative state, of this server and of those that track it. */
  private obey({ weight_percent, maxconn, administrative }: AgentReport): void {
    const { memory } = this.around;
    if (weight_percent !== undefined) {
      const weight = Math.min(MOST_WEIGHT, Math.floor((this.subject.weight * weight_percent) / 100));
      if (this.change(this.subject, shared.SERVER_WEIGHT, weight))
        this.around.post({
          kind: 'weight',
          at_ns: now_ns(),
          backend: this.backend,
          server: this.server,
          weight_percent,
        });
    }
    if (maxconn !== undefined) this.change(this.subject, shared.SERVER_AGENT_MAXCONN, maxconn);
    if (administrative === undefined) return;
    const wordOf = (server_index: number) =>
      Atomics.load(memory.words, shared.serverAt(memory, server_index) + shared.SERVER_ADMINISTRATIVE);
    const own = wordOf(this.subject.server_index);
    this.administer(this.subject, own, ordered(own, administrative));
    for (const tracker of this.subject.trackers) {
      const word = wordOf(tracker.server_index);
      this.administer(tracker, word, inherited(word, wordOf(tracker.tracks)));
    }
  }

  private administer(place: ServerPlace, before: number, after: number): void {
    const { backend, server } = place;
    if (this.change(place, shared.SERVER_ADMINISTRATIVE, after))
      this.around.post({ kind: 'administrative', at_ns: now_ns(), backend, server, before, after });
  }

  /** True when it was something else before. */
  private change({ server_index, backend_index }: ServerPlace, word: number, value: number): boolean {
    const { memory } = this.around;
    const before = Atomics.exchange(memory.words, shared.serverAt(memory, server_index) + word, value);
    if (before === value) return false;
    Atomics.add(memory.words, shared.backendAt(memory, backend_index) + shared.BACKEND_VERSION, 1);
    return true;
  }

  private keep(words: typeof CHECK_WORDS, verdict: Verdict, duration_ms: number): void {
    this.store(words.code, codeNumber(verdict.code));
    this.store(words.status, verdict.status);
    this.store(words.duration_ms, duration_ms);
  }

  /** Logs have a change of the code or of the counter, as HAProxy's; statistics have every change of what was said. */
  private tell(
    agent: boolean,
    verdict: Verdict,
    last: Verdict | undefined,
    counted: boolean,
    duration_ms: number,
  ): void {
    const { backend, server, backup, thresholds, log_changes } = this.subject;
    const logged = log_changes && (counted || verdict.code !== last?.code);
    if (!logged && !isNews(verdict, last)) return;
    const health = agent ? this.health.agent : this.health.check;
    const limits = agent ? { rise: 1, fall: 1 } : thresholds;
    const weight = this.load(shared.SERVER_WEIGHT);
    const checked = { backend, server, backup, agent, verdict, duration_ms, health, thresholds: limits, weight };
    const line = logged ? describeCheck(checked) : undefined;
    const { code, info } = verdict;
    this.around.post({ kind: 'check', at_ns: now_ns(), backend, server, agent, code, info, line });
  }

  private store(word: number, value: number): void {
    Atomics.store(this.around.memory.words, this.at + word, value);
  }

  private load(word: number): number {
    return Atomics.load(this.around.memory.words, this.at + word);
  }

  // ── what checks may ask ───────────────────────────────────────────────────────────────────────

  get backend(): string {
    return this.subject.backend;
  }

  get server(): string {
    return this.subject.server;
  }

  get address(): string {
    return this.endpoint.address;
  }

  get port(): number {
    return this.endpoint.port;
  }

  get host_name(): string {
    return this.around.host_name;
  }

  now_s(): number {
    return this.around.now_s();
  }

  environment(name: string): string | undefined {
    return this.around.environment[name];
  }

  isUp(): boolean {
    return this.operational !== 'DOWN';
  }

  state(): string {
    const { memory, host_name: node } = this.around;
    const { endpoint } = this;
    const { backend, server, thresholds, backend_index, first_server_index, server_count } = this.subject;
    let total_weight = 0;
    for (let index = first_server_index; index < first_server_index + server_count; index++) {
      const at = shared.serverAt(memory, index);
      const usable =
        Atomics.load(memory.words, at + shared.SERVER_OPERATIONAL) === shared.SERVER_UP &&
        Atomics.load(memory.words, at + shared.SERVER_ADMINISTRATIVE) === 0;
      if (usable) total_weight += Atomics.load(memory.words, at + shared.SERVER_WEIGHT);
    }
    const at_backend = shared.backendAt(memory, backend_index);
    return describeState({
      operational: this.operational,
      health: this.health.check,
      thresholds,
      backend,
      server,
      ...endpoint,
      node,
      weight: this.load(shared.SERVER_WEIGHT),
      total_weight,
      connections: this.load(shared.SERVER_CONNECTIONS),
      total_connections: Atomics.load(memory.words, at_backend + shared.BACKEND_CONNECTIONS),
      queued: this.load(shared.SERVER_QUEUED),
    });
  }
}

function isNews(verdict: Verdict, last: Verdict | undefined): boolean {
  return verdict.code !== last?.code || verdict.info !== last.info;
}
