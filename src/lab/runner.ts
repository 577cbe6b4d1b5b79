/** Plays a scenario on real namespaces, step by step, and judges its expectations. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cables } from './cables.ts';
import { History } from './history.ts';
import { judgeAtEnd, type Pending } from './judge.ts';
import { Machine, PAST } from './machine.ts';
import { Network } from './network.ts';
import { makeReport, NOT_REACHED, type Report, type Verdict } from './report.ts';
import {
  type Condition,
  type Expectation,
  isOfCables,
  type Scenario,
  type Step,
  type SwitchChange,
} from './scenario.ts';
import { elapsed_ms, type Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

/** Between looks at the addresses and conditions. */
const TICK_MS = 5;
/** News of an event may come that much later than the event (a lost probe is told after 350 ms). */
const NEWS_MS = 500;
/** The client's own bound for its last answers is 1 s. */
const FINISH_MS = 2500;

/** Steps that times `within` count from. */
const ACTIONS: readonly Step['does']['kind'][] = ['act', 'tell', 'switch'];

export type Played = {
  readonly report: Report;
  /** The last lines that each node wrote. */
  readonly output: ReadonlyMap<string, readonly string[]>;
};

/** Throws a SystemError (EPERM) where the system refuses the network, and what `stop_signal` was aborted with. */
export async function playScenario(
  scenario: Scenario,
  timeline: Timeline,
  directory: string,
  stop_signal: AbortSignal,
): Promise<Played> {
  const cables = await slowCables(scenario, directory, () => {
    timeline.event(elapsed_ms(stage), 'switch', 'too many frames are on their way: some are lost');
  });
  const network = new Network(scenario.network, cables);
  const start_ns = Number(process.hrtime.bigint());
  const stage: Stage = { network, directory, history: new History(), timeline, start_ns };
  const machines = new Map(scenario.hosts.map((host) => [host.name, new Machine(stage, host)]));
  const ticker = setInterval(() => {
    for (const machine of machines.values()) machine.readAddresses();
    timeline.flush(elapsed_ms(stage) - NEWS_MS);
  }, TICK_MS);
  try {
    const run = new Run(scenario, stage, machines, stop_signal);
    const expectations = await run.play();
    cables?.check();
    const report = makeReport(scenario.name, stage.history, expectations, run.end_ms);
    const nodes = [...machines.values()].filter((machine) => machine.host.kind === 'node');
    const output = new Map(nodes.map((machine) => [machine.host.name, machine.output]));
    return { report, output };
  } finally {
    clearInterval(ticker);
    timeline.flush(Number.POSITIVE_INFINITY);
    for (const machine of machines.values()) machine.killAll();
    cables?.kill();
  }
}

/** Only who asks for them has them: without, nothing but the kernel is between the hosts. */
async function slowCables(scenario: Scenario, directory: string, onFull: () => void): Promise<Cables | undefined> {
  const asked = scenario.steps.some(({ does }) => does.kind === 'switch' && isOfCables(does.change));
  return asked ? Cables.start(scenario.seed, directory, onFull) : undefined;
}

class Run {
  end_ms = 0;
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #stop_signal: AbortSignal;
  readonly #pending: Pending[] = [];

  constructor(scenario: Scenario, stage: Stage, machines: ReadonlyMap<string, Machine>, stop_signal: AbortSignal) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#machines = machines;
    this.#stop_signal = stop_signal;
  }

  /** The verdicts in the order in which the expectations were written. */
  async play(): Promise<Verdict[]> {
    let goes_on = true;
    for (const step of this.#scenario.steps) {
      if (goes_on) goes_on = await this.#play(step);
      else if (step.does.kind === 'expect') {
        this.#pending.push({ text: this.#textOf(step), held: false, detail: NOT_REACHED });
      }
    }
    await this.#sleep(NEWS_MS);
    this.end_ms = elapsed_ms(this.#stage);
    for (const machine of this.#machines.values()) {
      if (machine.host.kind === 'client') await machine.finish(FINISH_MS);
    }
    return this.#pending.map((pending) => judgeAtEnd(pending, this.#stage.history, this.end_ms));
  }

  /** Returns false when the rest makes no sense any more. */
  async #play(step: Step): Promise<boolean> {
    if (step.at_ms !== undefined) await this.#sleep(step.at_ms - elapsed_ms(this.#stage));
    const { does } = step;
    if (does.kind === 'pause') await this.#sleep(does.for_ms);
    else if (does.kind === 'act') await this.#act(step, does);
    else if (does.kind === 'tell') await this.#tell(step, does);
    else if (does.kind === 'write') this.#write(does);
    else if (does.kind === 'switch') this.#changeSwitch(step, does.change);
    else if (does.kind === 'expect') await this.#expect(step, does.expectation);
    else if (!(await this.#wait(does.condition, elapsed_ms(this.#stage) + does.within_ms))) {
      this.#pending.push({ text: step.text, held: false, detail: 'in vain' });
      return false;
    }
    return true;
  }

  async #act(step: Step, does: Step['does'] & { kind: 'act' }): Promise<void> {
    const at_ms = elapsed_ms(this.#stage);
    this.#stage.history.noteAction({ at_ms, text: withoutTime(step.text) });
    for (const name of does.hosts) {
      this.#stage.timeline.action(elapsed_ms(this.#stage), name, PAST[does.verb]);
      await this.#machines.get(name)!.act(does.verb);
    }
  }

  async #tell(step: Step, { host, command }: Step['does'] & { kind: 'tell' }): Promise<void> {
    const at_ms = elapsed_ms(this.#stage);
    this.#stage.history.noteAction({ at_ms, text: withoutTime(step.text) });
    this.#stage.timeline.action(at_ms, host, `told: ${command}`);
    const refusal = await this.#machines.get(host)!.tell(command);
    if (refusal !== undefined) this.#stage.timeline.event(elapsed_ms(this.#stage), host, refusal);
  }

  /** Nobody reads it yet, so nothing comes of it: no action. */
  #write({ host, file }: Step['does'] & { kind: 'write' }): void {
    this.#stage.timeline.event(elapsed_ms(this.#stage), host, `gets a new ${file.name}`);
    this.#machines.get(host)!.write(file);
  }

  #changeSwitch(step: Step, change: SwitchChange): void {
    const text = withoutTime(step.text);
    this.#stage.history.noteAction({ at_ms: elapsed_ms(this.#stage), text });
    this.#stage.timeline.action(elapsed_ms(this.#stage), 'switch', text);
    this.#stage.network.change(change);
  }

  async #expect(step: Step, expectation: Expectation): Promise<void> {
    const text = this.#textOf(step);
    if (expectation.kind === 'becomes') this.#pending.push({ text, ...(await this.#becomes(expectation)) });
    else if (expectation.kind === 'stays') this.#pending.push({ text, ...(await this.#stays(expectation)) });
    else {
      const from_ms = elapsed_ms(this.#stage);
      if (expectation.kind === 'all-answered') await this.#sleep(expectation.for_ms);
      this.#pending.push({ text, expectation, action: this.#stage.history.actions.length - 1, from_ms });
    }
  }

  /** An expectation names the action that it is about: the last one above it. */
  #textOf(step: Step): string {
    const above = this.#scenario.steps.slice(0, this.#scenario.steps.indexOf(step));
    const action = above.findLast((each) => ACTIONS.includes(each.does.kind));
    const text = withoutTime(step.text).replace(/^expect /, '');
    return action ? `${text} (after ${withoutTime(action.text)})` : text;
  }

  async #becomes({ condition, within_ms }: Expectation & { kind: 'becomes' }): Promise<Outcome> {
    const action_ms = this.#stage.history.lastActionAt();
    const from_ms = within_ms === 0 ? elapsed_ms(this.#stage) : action_ms;
    await this.#wait(condition, from_ms + within_ms + NEWS_MS);
    const since_ms = this.#stage.history.since(condition);
    if (since_ms === undefined) return { held: false, detail: 'it did not' };
    const held = since_ms <= from_ms + within_ms;
    const is_news = within_ms > 0 && since_ms > action_ms;
    return { held, detail: is_news ? `after ${Math.round(since_ms - action_ms)} ms` : '' };
  }

  async #stays({ condition, for_ms }: Expectation & { kind: 'stays' }): Promise<Outcome> {
    const from_ms = elapsed_ms(this.#stage);
    while (elapsed_ms(this.#stage) < from_ms + for_ms) {
      const since_ms = this.#stage.history.since(condition);
      if (since_ms === undefined || since_ms > from_ms) {
        return { held: false, detail: `not after ${Math.round(elapsed_ms(this.#stage) - from_ms)} ms` };
      }
      await this.#sleep(TICK_MS);
    }
    return { held: true, detail: '' };
  }

  /** Whether the condition holds before the deadline. */
  async #wait(condition: Condition, deadline_ms: number): Promise<boolean> {
    while (this.#stage.history.since(condition) === undefined) {
      if (elapsed_ms(this.#stage) > deadline_ms || this.#isHopeless(condition)) return false;
      await this.#sleep(TICK_MS);
    }
    return true;
  }

  /** The state of a node whose process has ended does not change any more. */
  #isHopeless(condition: Condition): boolean {
    if (condition.kind !== 'state') return false;
    return this.#stage.history.since({ kind: 'ended', node: condition.node }) !== undefined;
  }

  async #sleep(for_ms: number): Promise<void> {
    this.#stop_signal.throwIfAborted();
    if (for_ms > 0) await sleep(for_ms, undefined, { signal: this.#stop_signal });
  }
}

/** The step without `at 12 s`. */
function withoutTime(text: string): string {
  return text.replace(/^at\s+[\d.]+\s*(ms|s|min)\s+/, '');
}

type Outcome = { readonly held: boolean; readonly detail: string };
