/** How a daemon behaves towards the system around it, where the programs that it stands in for differ. */
import { type DaemonEvent, formatEvent } from './event-log.ts';
import { formatAsUcarp } from './ucarp-words.ts';

export type Manners = {
  /** The exit status when this host refuses the configuration. */
  readonly refused_status: number;
  /** Each of them ends it in order; a second one shortens the waits. */
  readonly ending_signals: readonly NodeJS.Signals[];
  /** Each of them reads the configuration again. */
  readonly reload_signals: readonly NodeJS.Signals[];
  /** USR1 reports, USR2 yields. */
  readonly ucarp_signals: boolean;
  /** One line of the log. */
  readonly format: (event: DaemonEvent) => string;
};

export const CARPOOL_MANNERS: Manners = {
  refused_status: 1,
  // without a handler of ours Node would open its debugger on SIGUSR1
  ending_signals: ['SIGTERM', 'SIGINT', 'SIGUSR1'],
  reload_signals: ['SIGHUP', 'SIGUSR2'],
  ucarp_signals: false,
  format: formatEvent,
};

export const UCARP_MANNERS: Manners = {
  refused_status: 2,
  ending_signals: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'],
  reload_signals: [],
  ucarp_signals: true,
  format: formatAsUcarp,
};
