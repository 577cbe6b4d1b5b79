/** `carpool ucarp …`, or a link named ucarp: one vhid from ucarp's own arguments, with its exit statuses and signals. */

import { loadUcarpCommand } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import { type UcarpProcess, ucarpUsage } from '../config/ucarp/command.ts';
import { UCARP_MANNERS } from '../control/manners.ts';
import { type SocketPaths, ucarpSocketPaths } from '../control/socket-path.ts';
import { openSyslog } from '../control/syslog.ts';
import { runDaemon } from '../daemon.ts';
import { isInBackground, runInBackground, tellStarted } from './background.ts';
import { reportDiagnostics } from './run.ts';
import { readVersion } from './version.ts';

/**
 * Resolves to the exit status: 0 after the usage or a signal, 1 for a mistake in the options, 2 when the password is too
 * long or this host refuses what is asked for.
 */
export async function runUcarp(words: readonly string[]): Promise<number> {
  const { config, process: wishes, diagnostics, shows_usage, exit_status } = loadUcarpCommand(words);
  const respawned = isInBackground(process.env);
  if (!respawned) reportDiagnostics(diagnostics, false);
  if (shows_usage) process.stdout.write(ucarpUsage());
  if (config === undefined) return exit_status;
  if (wishes.background && !respawned) return runInBackground(process.argv.slice(1), process.env);
  const { interface: link, vhid } = config.carps[0]!;
  return runAsUcarp(config, wishes, ucarpSocketPaths(`${link ?? 'any'}-${vhid}`, process.env));
}

/** Runs the configuration until a signal ends it, in the background when `runInBackground` started this process. */
export function runAsUcarp(config: Config, wishes: UcarpProcess, socket: SocketPaths): Promise<number> {
  // what `pidof ucarp` and `killall ucarp` look for; and the password is in no list of processes any more
  process.title = 'ucarp';
  // a log that nobody reads any more is no reason to stop
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const in_background = isInBackground(process.env);
  const syslog = wishes.facility === undefined ? undefined : openSyslog(wishes.facility, 'ucarp');
  let started = false;
  return runDaemon({
    config,
    version: readVersion(),
    socket,
    manners: UCARP_MANNERS,
    debug: wishes.debug,
    script_output: in_background ? 'ignore' : 'inherit',
    print(line, level) {
      syslog?.(line, level);
      // until it has started somebody waits to be told what hinders it
      if (in_background && (started || level === 'info' || level === 'notice')) return;
      const stream = /^\[(INFO|DEBUG)\]/.test(line) ? process.stdout : process.stderr;
      stream.write(`${line}\n`);
    },
    report: (diagnostics) => reportDiagnostics(diagnostics, false),
    onReady() {
      started = true;
      if (in_background) tellStarted(process.env);
    },
  });
}
