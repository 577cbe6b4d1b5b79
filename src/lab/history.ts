/**
 * What happened in a run, as far as we know it: plain data that grows, and the questions that expectations ask of it.
 * All times are milliseconds since the run began.
 */
import { GapFinder, longestOutage, type ProbeResult, type Window } from './outages.ts';
import type { Condition, State } from './scenario.ts';

export type Action = { readonly at_ms: number; readonly text: string };

export type Transition = {
  readonly at_ms: number;
  readonly node: string;
  readonly vhid: number;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
};

export type RequestResult = {
  readonly sent_ms: number;
  /** When it was answered or had failed. */
  readonly ended_ms: number;
  /** undefined when it was answered with 200, else what went wrong: `timeout`, `ECONNRESET`, `503` … */
  readonly failure: string | undefined;
  /** Which web server answered. */
  readonly by: string | undefined;
};

export type Outage = { readonly cause: string; readonly vip: string; readonly outage_ms: number };

export class History {
  readonly actions: Action[] = [];
  readonly transitions: Transition[] = [];
  readonly requests: RequestResult[] = [];
  readonly probes = new Map<string, GapFinder>();
  /** `node-a 1` -> its state and since when. */
  readonly #states = new Map<string, { state: State; at_ms: number }>();
  /** `node-a 10.10.0.1` -> whether the address is on the node, and since when. */
  readonly #addresses = new Map<string, { present: boolean; at_ms: number }>();
  readonly #ended = new Map<string, number>();

  noteAction(action: Action): void {
    this.actions.push(action);
  }

  noteTransition(transition: Transition): void {
    this.transitions.push(transition);
    const { node, vhid, to, at_ms } = transition;
    this.#states.set(`${node} ${vhid}`, { state: to as State, at_ms });
  }

  noteAddress(node: string, vip: string, present: boolean, at_ms: number): void {
    this.#addresses.set(`${node} ${vip}`, { present, at_ms });
  }

  noteStart(node: string): void {
    this.#ended.delete(node);
  }

  /** A process that ended has no state any more. */
  noteEnd(node: string, at_ms: number): void {
    this.#ended.set(node, at_ms);
    for (const key of this.#states.keys()) if (key.startsWith(`${node} `)) this.#states.delete(key);
  }

  /** A host that crashed has nothing any more. */
  noteCrash(node: string): void {
    for (const key of this.#addresses.keys()) if (key.startsWith(`${node} `)) this.#addresses.delete(key);
  }

  /** Returns the length of the gap that this probe ended. */
  noteProbe(vip: string, probe: ProbeResult): number | undefined {
    const finder = this.probesOf(vip);
    const gap = finder.add(probe);
    return gap?.until_ms === undefined ? undefined : gap.until_ms - gap.from_ms;
  }

  probesOf(vip: string): GapFinder {
    let finder = this.probes.get(vip);
    if (!finder) this.probes.set(vip, (finder = new GapFinder()));
    return finder;
  }

  noteRequest(request: RequestResult): void {
    this.requests.push(request);
  }

  /** Since when the condition holds; undefined while it does not. */
  since(condition: Condition): number | undefined {
    if (condition.kind === 'ended') return this.#ended.get(condition.node);
    if (condition.kind === 'answers') return this.#answersSince(condition.vip);
    if (condition.kind === 'silent') return this.probes.get(condition.vip)?.silent_since_ms;
    if (condition.kind === 'state') {
      const known = this.#states.get(`${condition.node} ${condition.vhid}`);
      return known?.state === condition.state ? known.at_ms : undefined;
    }
    const known = this.#addresses.get(`${condition.node} ${condition.vip}`) ?? { present: false, at_ms: 0 };
    return known.present === condition.present ? known.at_ms : undefined;
  }

  /** Probes are told late: only one that was sent after the last action says anything about what came of it. */
  #answersSince(vip: string): number | undefined {
    const finder = this.probes.get(vip);
    const is_news = (finder?.last_answered_ms ?? -1) >= this.lastActionAt();
    return is_news ? finder?.answering_since_ms : undefined;
  }

  /** When the last action was, 0 before the first. */
  lastActionAt(): number {
    return this.actions.at(-1)?.at_ms ?? 0;
  }

  /** From that action (by its place in the list) to the next one. */
  windowOf(action: number): Window {
    return {
      from_ms: this.actions[action]?.at_ms ?? 0,
      until_ms: this.actions[action + 1]?.at_ms ?? Number.POSITIVE_INFINITY,
    };
  }

  outageOf(vip: string, action: number, end_ms: number): number {
    return longestOutage(this.probes.get(vip)?.all() ?? [], this.windowOf(action), end_ms);
  }

  /** Each action with each VIP that had answered before it, outages of 0 ms too. */
  outages(end_ms: number): Outage[] {
    return this.actions.flatMap((action, index) =>
      [...this.probes]
        .filter(([, finder]) => finder.first_answered_ms !== undefined && finder.first_answered_ms < action.at_ms)
        .map(([vip]) => ({ cause: action.text, vip, outage_ms: Math.round(this.outageOf(vip, index, end_ms)) })),
    );
  }

  /** How many requests failed after each action and before the next; actions without any are left out. */
  failuresByCause(): Map<string, number> {
    const failed = this.requests.filter((request) => request.failure !== undefined);
    const counts = this.actions.map((action, index): [string, number] => {
      const { from_ms, until_ms } = this.windowOf(index);
      return [action.text, failed.filter(({ ended_ms }) => ended_ms >= from_ms && ended_ms < until_ms).length];
    });
    return new Map(counts.filter(([, count]) => count > 0));
  }

  countRequests(): { sent: number; answered: number; failed: number } {
    const failed = this.requests.filter((request) => request.failure !== undefined).length;
    return { sent: this.requests.length, answered: this.requests.length - failed, failed };
  }
}
