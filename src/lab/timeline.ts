/**
 * What a person reads while a scenario runs and after it:
 *
 *     3.2 s  node-a   killed (SIGKILL)
 *     3.2 s  node-b   vhid 1: BACKUP -> MASTER  (10.10.0.11 bows out)
 *     3.3 s  client   outage of 10.10.0.1: 23 ms
 *
 * News come in out of order (a lost probe is known later than a transition): lines wait until they can be sorted.
 * Pure but for the `write` that it is given.
 */
import type { Transition } from './history.ts';
import { NOT_REACHED, type Report } from './report.ts';

export type Timeline = {
  /** What somebody did to a host. */
  action(at_ms: number, who: string, text: string): void;
  event(at_ms: number, who: string, text: string): void;
  transition(transition: Transition): void;
  outage(at_ms: number, client: string, vip: string, outage_ms: number): void;
  /** Writes what happened before that time, in order; news of it must be in. */
  flush(before_ms: number): void;
};

/** SGR codes of ECMA-48. */
const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Colour = keyof typeof COLOURS;
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_, text) => text;
export const coloured: Paint = (colour, text) => `\x1b[${COLOURS[colour]}m${text}\x1b[0m`;

/** `names` are those of all hosts: they give the width of their column. */
export function createTimeline(names: readonly string[], paint: Paint, write: (line: string) => void): Timeline {
  const width = Math.max(0, ...names.map((name) => name.length));
  let waiting: { at_ms: number; text: string }[] = [];
  const line = (at_ms: number, who: string, text: string) => {
    waiting.push({ at_ms, text: `${paint('dim', formatTime(at_ms))}  ${paint('cyan', who.padEnd(width))}  ${text}` });
  };
  return {
    action: (at_ms, who, text) => line(at_ms, who, paint('bold', text)),
    event: line,
    transition({ at_ms, node, vhid, from, to, reason }) {
      const colour = to === 'MASTER' ? 'green' : to === 'BACKUP' ? 'yellow' : 'dim';
      line(at_ms, node, `vhid ${vhid}: ${from} -> ${paint(colour, to)}${reason ? `  (${reason})` : ''}`);
    },
    outage: (at_ms, client, vip, outage_ms) =>
      line(at_ms, client, paint('red', `outage of ${vip}: ${Math.round(outage_ms)} ms`)),
    flush(before_ms) {
      const ready = waiting.filter((each) => each.at_ms < before_ms);
      waiting = waiting.filter((each) => each.at_ms >= before_ms);
      for (const { text } of ready.sort((a, b) => a.at_ms - b.at_ms)) write(text);
    },
  };
}

/** `  3.2 s`, seconds since the run began. */
function formatTime(at_ms: number): string {
  return `${(Math.max(0, at_ms) / 1000).toFixed(1).padStart(5)} s`;
}

/** The lines after the run: outages by cause, requests, expectations, the verdict. */
export function formatReport(report: Report, paint: Paint): string[] {
  return ['', ...formatOutages(report), ...formatRequests(report), '', ...formatExpectations(report, paint)];
}

function formatOutages(report: Report): string[] {
  if (report.outages.length === 0) return [];
  const width = Math.max(...report.outages.map((outage) => outage.cause.length));
  const vip_width = Math.max(...report.outages.map((outage) => outage.vip.length));
  let last = '';
  const lines = report.outages.map(({ cause, vip, outage_ms }) => {
    const shown = cause === last ? '' : cause;
    last = cause;
    const failed = shown ? report.failed_after.get(cause) : undefined;
    const remark = failed === undefined ? '' : `  and ${failed} failed ${failed === 1 ? 'request' : 'requests'}`;
    return `  ${shown.padEnd(width)}  ${vip.padEnd(vip_width)}  ${`${outage_ms} ms`.padStart(8)}${remark}`;
  });
  return ['Outages (longest gap between answered probes)', ...lines];
}

function formatRequests(report: Report): string[] {
  const { sent, answered, failed } = report.requests;
  if (sent === 0) return [];
  const list = (counts: ReadonlyMap<string, number>) =>
    counts.size === 0 ? '' : ` (${[...counts].map(([what, count]) => `${what} ${count}`).join(', ')})`;
  return [
    `Requests: ${sent} sent, ${answered} answered${list(report.answered_by)}, ${failed} failed${list(report.failed_by)}`,
  ];
}

function formatExpectations(report: Report, paint: Paint): string[] {
  const reached = report.expectations.filter((expectation) => expectation.detail !== NOT_REACHED);
  const lines = reached.map(({ text, held, detail }) => {
    const mark = held ? paint('green', '✓') : paint('red', '✗');
    return `  ${mark} ${text}${detail ? paint('dim', `  [${detail}]`) : ''}`;
  });
  const count = report.expectations.length;
  const unreached = count - reached.length;
  if (unreached > 0) lines.push(`  ${paint('red', '✗')} ${unreached} more were not reached`);
  const broken = report.expectations.filter((expectation) => !expectation.held).length;
  const verdict = report.passed
    ? paint('green', `${report.scenario}: ${count === 1 ? 'the expectation' : `all ${count} expectations`} held`)
    : paint('red', `${report.scenario}: ${broken} of ${count} expectations did not hold`);
  return [...lines, verdict];
}
