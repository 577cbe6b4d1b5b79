/** What soaking came to, as the part of RESULTS-failover.md that `--soak --write` replaces. */
import { describeMachine } from '../machine.ts';
import { table } from '../report.ts';
import type { SoakResult, Transition } from './soak.ts';

export const SOAK_HEADING = '## Soak: a busy pair that nothing is done to';
/** So that a very bad run can still be read. */
const MOST_SHOWN = 40;

export function formatSoak(results: readonly SoakResult[], others_share: number): string {
  const { date, cores, kernel, versions } = describeMachine([]);
  const shown = results.flatMap(({ advskews, transitions }) => transitions.map((one) => row(advskews, one)));
  return `${SOAK_HEADING}

${date}, ${cores} cores, Linux ${kernel}; ${versions.join('; ')}. Both nodes balance, are asked for \`show stat\` or \`status\` every 10 ms and
reload every 10 s. Beside them a program on each CPU does nothing but sleep until each next millisecond, in real-time
scheduling. A transition is the machine's when such a program was late, too, by half of what a BACKUP waits. Programs outside the
bench used ${(others_share * 100).toFixed(0)} % of the machine meanwhile.

${table(['advskew', 'time', 'requests/s', 'failed', 'questions', 'reloads', 'transitions', 'of them ours', 'longest stall, carp threads', 'sleepers 2 ms late or more', 'longest'], results.map(summary))}
${shown.length === 0 ? '' : `\n${table(['advskew', 'after', 'node', 'move', 'reason', 'sleepers late'], shown.slice(0, MOST_SHOWN))}\n`}`;
}

function summary(result: SoakResult): string[] {
  const { advskews, seconds, reached_per_s, failed, asked, reloads, transitions, longest_stall_ms, late } = result;
  const ours = transitions.filter((one) => one.ours).length;
  return [
    advskews.join('/'),
    `${seconds} s`,
    reached_per_s.toFixed(0),
    String(failed),
    String(asked),
    String(reloads),
    String(transitions.length),
    ours === 0 ? '0' : `**${ours}**`,
    longest_stall_ms.map((ms) => `${ms} ms`).join(', '),
    String(late),
    `${result.longest_late_ms.toFixed(1)} ms`,
  ];
}

function row(advskews: readonly number[], { at_s, node, move, reason, machine_ms, ours }: Transition): string[] {
  const machine = `${machine_ms.toFixed(1)} ms`;
  return [advskews.join('/'), `${at_s.toFixed(3)} s`, node, move, reason, ours ? `**${machine}**` : machine];
}
