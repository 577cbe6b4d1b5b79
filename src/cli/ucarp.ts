/** `carpool ucarp …`: one vhid from ucarp's own arguments, in the foreground. */
import { loadUcarpCommand } from '../config/files.ts';
import { ucarpUsage } from '../config/ucarp/command.ts';
import { ucarpSocketPaths } from '../control/socket-path.ts';
import { foregroundOnly, reportDiagnostics, startDaemon } from './run.ts';

/** Resolves to the exit status; before the start those of ucarp: 0 after the usage, 2 for a password too long, else 1. */
export async function runUcarp(words: readonly string[]): Promise<number> {
  const { config, diagnostics, shows_usage, exit_status } = loadUcarpCommand(words);
  reportDiagnostics(diagnostics, false);
  if (shows_usage) process.stdout.write(ucarpUsage());
  if (config === undefined) return exit_status;
  if (config.global.daemon) reportDiagnostics([foregroundOnly('-B')], false);
  const { interface: link, vhid } = config.carps[0]!;
  return startDaemon(config, { paths: ucarpSocketPaths(`${link ?? 'any'}-${vhid}`, process.env), quiet: false });
}
