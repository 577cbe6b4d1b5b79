/** The outcome of a run, for people (timeline.ts) and for programs (`--json`). */
import type { History, Outage, Transition } from './history.ts';

export type Verdict = {
  readonly text: string;
  readonly held: boolean;
  /** What was seen instead, or how near it was; '' when there is nothing to add. */
  readonly detail: string;
};

/** The detail of an expectation behind a `wait until` that waited in vain. */
export const NOT_REACHED = 'not reached';

export type Report = {
  readonly scenario: string;
  readonly passed: boolean;
  readonly expectations: readonly Verdict[];
  readonly transitions: readonly Transition[];
  readonly outages: readonly Outage[];
  readonly requests: { readonly sent: number; readonly answered: number; readonly failed: number };
  /** How many requests each web server answered, and how many failed for which reason. */
  readonly answered_by: ReadonlyMap<string, number>;
  readonly failed_by: ReadonlyMap<string, number>;
  /** How many requests failed after which action. */
  readonly failed_after: ReadonlyMap<string, number>;
};

export function makeReport(
  scenario: string,
  history: History,
  expectations: readonly Verdict[],
  end_ms: number,
): Report {
  return {
    scenario,
    passed: expectations.every((expectation) => expectation.held),
    expectations,
    transitions: history.transitions,
    outages: history.outages(end_ms),
    requests: history.countRequests(),
    answered_by: count(history.requests.flatMap((request) => request.by ?? [])),
    failed_by: count(history.requests.flatMap((request) => request.failure ?? [])),
    failed_after: history.failuresByCause(),
  };
}

function count(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return new Map([...counts].sort());
}

/** One line: the object that docs/reference/scenarios.md describes. */
export function formatJson(report: Report): string {
  const { scenario, passed, outages, requests } = report;
  const expectations = report.expectations.map(({ text, held }) => ({ text, held }));
  const transitions = report.transitions.map((transition) => ({ ...transition, at_ms: Math.round(transition.at_ms) }));
  return JSON.stringify({ scenario, passed, expectations, transitions, outages, requests });
}
