/** Scenario after scenario, each of a seed of its own, until one breaks an invariant; that one is shrunk. */
import fc from 'fast-check';
import { CARPOOL, type Core } from '#src/simulator/program.js';
import { formatScenario, type Scenario } from '#src/simulator/scenario.js';
import { simulate } from '#src/simulator/world.js';
import { type Scope, scenarios } from './arbitrary.js';

const SHRINK_MS = 10_000;

export type Options = Scope & {
  /** The first; run n has seed + n. */
  readonly seed: number;
  readonly runs: number;
  /** No new run begins after this time. */
  readonly time_ms?: number;
  readonly core?: Core;
  /** Whether to look for a smaller scenario that breaks, too. */
  readonly shrink?: boolean;
};

export type Finding = {
  readonly runs: number;
  /** The smallest scenario that breaks, and what it breaks; undefined when everything held. */
  readonly broken: { readonly scenario: Scenario; readonly seed: number; readonly invariant: string } | undefined;
  /** All of it, for people. */
  readonly text: string;
};

export function explore(options: Options): Finding {
  const { seed, runs, core = CARPOOL, time_ms = Number.POSITIVE_INFINITY, shrink = true } = options;
  const manner = { numRuns: 1, endOnFailure: !shrink, interruptAfterTimeLimit: SHRINK_MS };
  const property = fc.property(scenarios(options), (scenario) => simulate(scenario, core).violation === undefined);
  const end_ms = Date.now() + time_ms;
  for (let run = 0; run < runs; run++) {
    if (Date.now() > end_ms) return { runs: run, broken: undefined, text: `${run} runs from seed ${seed}: all held` };
    const { counterexample } = fc.check(property, { ...manner, seed: seed + run });
    if (counterexample) return { runs: run + 1, ...describe(counterexample[0], seed + run, core) };
  }
  return { runs, broken: undefined, text: `${runs} runs from seed ${seed}: all held` };
}

/** The scenario of a seed; when it breaks, the smallest that does. `carpool lab --seed` plays it. */
export function scenarioOf(seed: number): Scenario {
  let drawn: Scenario | undefined;
  const keep = fc.property(scenarios(), (scenario) => {
    drawn ??= scenario;
  });
  fc.check(keep, { numRuns: 1, seed });
  return explore({ seed, runs: 1 }).broken?.scenario ?? { ...drawn!, seed };
}

/** What happens in a scenario, as text that replays it. */
export function describe(scenario: Scenario, seed: number, core: Core = CARPOOL): Pick<Finding, 'broken' | 'text'> {
  const { violation, log } = simulate(scenario, core);
  const verdict = violation
    ? `seed ${seed} breaks "${violation.invariant}" at ${(violation.at_ns / 1e9).toFixed(4)} s: ${violation.text}`
    : `seed ${seed}: all held`;
  const text = [verdict, '', formatScenario(scenario), ...log].join('\n');
  return { broken: violation && { scenario, seed, invariant: violation.invariant }, text };
}
