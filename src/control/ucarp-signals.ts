/**
 * ucarp's signals while a daemon stands in for it: USR1 says who is what, USR2 gives the addresses away. They are heard in
 * every state, a link that is down included.
 */
import type { Level } from './event-log.ts';
import type { StatusReport } from './status-report.ts';
import { detailsAsUcarp, statesAsUcarp } from './ucarp-words.ts';

export type UcarpDaemon = {
  status(): Promise<StatusReport>;
  /** Every MASTER becomes BACKUP. */
  yieldAll(reason: string): void;
  print(line: string, level: Level): void;
};

const DETAILS_EVERY_MS = 1000;

/** With `debug` the details are printed every second, too. */
export function obeyUcarpSignals(daemon: UcarpDaemon, debug: boolean): void {
  const print = async (describe: (report: StatusReport) => string[], level: Level) => {
    try {
      for (const line of describe(await daemon.status())) daemon.print(line, level);
    } catch {
      // it is stopping
    }
  };
  process.on('SIGUSR1', () => void print(statesAsUcarp, 'notice'));
  process.on('SIGUSR2', () => daemon.yieldAll('asked to give the address away (SIGUSR2)'));
  if (debug) setInterval(() => void print(detailsAsUcarp, 'info'), DETAILS_EVERY_MS).unref();
}
