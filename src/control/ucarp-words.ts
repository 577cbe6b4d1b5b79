/** The log in the words that scripts which watch ucarp look for: `[WARNING] Switching to state: MASTER`. */

import { type DaemonEvent, describeEvent, eventLevel, type Level } from './event-log.ts';
import { formatAge } from './format-age.ts';
import type { StatusReport } from './status-report.ts';

const LEVELS: Readonly<Record<Level, string>> = {
  info: 'INFO',
  notice: 'INFO',
  warning: 'WARNING',
  error: 'ERROR',
};

export function formatAsUcarp(event: DaemonEvent): string {
  if (event.kind === 'transition') return `[WARNING] Switching to state: ${event.to} (${event.reason})`;
  const text = event.kind === 'log' ? event.text : describeEvent(event);
  return `[${LEVELS[eventLevel(event)]}] ${text}`;
}

/** What ucarp says on SIGUSR1: `[INFO] MASTER on eth0 id 21`; one line for each vhid. */
export function statesAsUcarp({ vhids }: Pick<StatusReport, 'vhids'>): string[] {
  return vhids.map(({ state, interface: link, vhid }) => `[INFO] ${state} on ${link} id ${vhid}`);
}

/** With `-D`, every second. */
export function detailsAsUcarp({ vhids }: Pick<StatusReport, 'vhids'>): string[] {
  return vhids.map((vhid) => {
    const { state, interface: link, last_heard_s, master } = vhid;
    const heard = last_heard_s === null ? 'none heard' : `the last one heard ${formatAge(last_heard_s)} ago`;
    const adverts = `${vhid.adverts_sent} adverts sent, ${vhid.adverts_received} received, ${heard}`;
    return `[DEBUG] ${state} on ${link} id ${vhid.vhid}: ${adverts}, master ${master ?? 'unknown'}`;
  });
}
