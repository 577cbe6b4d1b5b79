/** What a run was measured on, and whether it had the machine to itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export type Machine = {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_mib: number;
  readonly kernel: string;
  /** Program and version, one line each. */
  readonly versions: readonly string[];
};

/**
 * From now on: which share of the machine's CPU time went to programs that are not ours. Ask when our own have ended and
 * been waited for, because only then the kernel counts them as this process's children.
 */
export function watchOtherPrograms(): () => number {
  const before = readTicks();
  return () => {
    const after = readTicks();
    const others = after.busy - before.busy - (after.ours - before.ours);
    return Math.max(0, others / (after.all - before.all));
  };
}

/** proc(5), in clock ticks: /proc/stat's first line, and fields 14 to 17 of /proc/self/stat (children included). */
function readTicks(): { all: number; busy: number; ours: number } {
  const times = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/ +/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0] = times;
  const all = times.reduce((sum, time) => sum + time, 0);
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ours = fields.slice(11, 15).reduce((sum, time) => sum + Number(time), 0);
  return { all, busy: all - idle - waiting, ours };
}

/** `peers`: the versions of what carpool is compared with. */
export function describeMachine(peers = [firstLine('haproxy', ['-v']), nginxVersion()]): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: cpus().length,
    memory_mib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    versions: [`carpool ${packageVersion()} on Node ${process.versions.node}`, ...peers],
  };
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

function nginxVersion(): string {
  // nginx writes its version to stderr.
  return firstLine('sh', ['-c', 'PATH=$PATH:/usr/sbin nginx -v 2>&1']).replace(/^nginx version: /, '');
}

export function firstLine(command: string, args: string[]): string {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  return execFileSync(command, args, { encoding: 'utf8', env }).split('\n')[0]!;
}
