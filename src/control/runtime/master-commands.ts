/** What HAProxy's master answers (management manual, 9.4). Here it is the process that does the work, too. */
import { now_ns } from '../../system/clock.ts';
import type { RuntimeCommand } from './command.ts';

export const MASTER_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['show', 'proc'],
    usage: 'show proc',
    help: 'the process and its configuration, as HAProxy lists a master and its workers',
    level: 'operator',
    run: (_args, daemon) => {
      const { version, started_ms } = daemon.facts();
      const generation = daemon.generation();
      const reloads = generation.number - 1;
      const since_start_s = now_ns() / 1e9 - started_ms / 1000;
      const since_reload_s = (now_ns() - generation.started_ns) / 1e9;
      return [
        row('#<PID>', '<type>', '<reloads>', '<uptime>', '<version>'),
        row(String(process.pid), 'master', `${reloads} [failed: 0]`, formatUptime(since_start_s), version),
        '# workers',
        row(String(process.pid), 'worker', '0', formatUptime(since_reload_s), version),
        '# programs',
        '',
      ].join('\n');
    },
  },
];

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => (index === cells.length - 1 ? cell : cell.padEnd(16))).join('');
}

/** `0d00h02m07s` */
function formatUptime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number: number) => String(number).padStart(2, '0');
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  return `${days}d${two(hours)}h${two(minutes)}m${two(whole % 60)}s`;
}
