/** Expectations about outages and requests, judged when the run is over: before that nobody knows. Pure. */
import type { History, RequestResult } from './history.ts';
import type { Verdict } from './report.ts';
import type { Expectation } from './scenario.ts';

/** Either judged already, or an expectation with the place in the run that it is about. */
export type Pending =
  | Verdict
  | {
      readonly text: string;
      readonly expectation: Exclude<Expectation, { kind: 'becomes' | 'stays' }>;
      /** Place of the last action before it in the history, -1 without one. */
      readonly action: number;
      readonly from_ms: number;
    };

/** A request sent so shortly before the next action may still be under way, and fail by that action. */
const UNDER_WAY_MS = 250;

export function judgeAtEnd(pending: Pending, history: History, end_ms: number): Verdict {
  if ('held' in pending) return pending;
  const { text, expectation, action, from_ms } = pending;
  const requests = history.requests;
  switch (expectation.kind) {
    case 'outage': {
      const outage_ms = history.outageOf(expectation.vip, action, end_ms);
      const measured = history.probes.get(expectation.vip)?.first_answered_ms !== undefined;
      const seen = outage_ms === 0 ? 'no probe lost' : `${Math.round(outage_ms)} ms`;
      const detail = measured ? seen : 'it never answered';
      return { text, held: measured && outage_ms <= expectation.at_most_ms, detail };
    }
    case 'failed': {
      const { failed, sent } = history.countRequests();
      return { text, held: sent > 0 && failed <= expectation.at_most, detail: `${failed} of ${sent}` };
    }
    case 'answered': {
      const { by, at_least } = expectation;
      const answered = requests.filter((each) => each.failure === undefined && (by === undefined || each.by === by));
      return { text, held: answered.length >= at_least, detail: String(answered.length) };
    }
    case 'all-answered': {
      const until_ms = from_ms + expectation.for_ms;
      const sent = requests.filter(({ sent_ms }) => sent_ms >= from_ms && sent_ms < until_ms);
      const next_ms = history.windowOf(action).until_ms;
      const isExcused = (each: RequestResult) => each.sent_ms >= until_ms - UNDER_WAY_MS && each.ended_ms >= next_ms;
      const failed = sent.filter((each) => each.failure !== undefined && !isExcused(each)).length;
      return { text, held: sent.length > 0 && failed === 0, detail: `${failed} of ${sent.length}` };
    }
  }
}
