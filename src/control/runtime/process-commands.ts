/** Frontends, limits and counters. */

import type { Frontend } from '../../config/model.ts';
import { HIGHEST_RATE } from '../../config/model-defaults.ts';
import { DEFAULT_MAXCONN } from '../../proxy/client-limit.ts';
import * as shared from '../../threads/shared-memory.ts';
import { viewOf } from '../stats/view.ts';
import { DENIED, mayUse, type RuntimeCommand, type RuntimeDaemon } from './command.ts';
import { findFrontend } from './lookup.ts';

export const PROCESS_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['clear', 'counters'],
    usage: 'clear counters [all]',
    help: 'set the maxima back, or (all) every counter',
    level: 'operator',
    run: ([all], daemon, session) => {
      if (all === 'all' && !mayUse('admin', session)) return DENIED;
      daemon.generation().tally.clear(all === 'all');
      return '';
    },
  },
  {
    words: ['set', 'maxconn', 'frontend'],
    usage: 'set maxconn frontend <frontend> <number>',
    help: 'change how many clients a frontend takes at once',
    level: 'admin',
    run: ([name, number], daemon) =>
      ofFrontend(daemon, name, (at, words) => {
        if (isNegative(number)) return 'Value out of range.\n';
        if (!isCount(number)) return 'Integer value expected.\n';
        Atomics.store(words, at + shared.FRONTEND_SET_MAXCONN, Number(number));
        return '';
      }),
  },
  {
    words: ['set', 'maxconn', 'global'],
    usage: 'set maxconn global <number>',
    help: 'change how many clients the process takes at once',
    level: 'admin',
    run: ([number], daemon) => {
      if (!isCount(number)) return 'Expects an integer value.\n';
      const { memory, config } = daemon.generation();
      if (Number(number) > (config.global.maxconn ?? DEFAULT_MAXCONN)) return 'Value out of range.\n';
      Atomics.store(memory.words, shared.SET_MAXCONN, Number(number));
      wake(daemon);
      return '';
    },
  },
  {
    words: ['set', 'rate-limit'],
    usage: 'set rate-limit connections|sessions global <number>',
    help: 'change how many new clients the process takes in a second (0: any number)',
    level: 'admin',
    run: setRate,
  },
  {
    words: ['shutdown', 'frontend'],
    usage: 'shutdown frontend <frontend>',
    help: 'close its ports for good: the next reload brings them back',
    level: 'admin',
    run: async ([name], daemon) => {
      if (name === undefined) return 'A frontend name is expected.\n';
      const found = findFrontend(viewOf(daemon.generation()).proxies, name)?.frontend;
      if (!found) return 'No such frontend.\n';
      if (isShut(found.config)) return 'Frontend was already shut down.\n';
      const why = await daemon.shutFrontend(found.config.name);
      return why === undefined ? '' : `Failed to shut down frontend: ${why}.\n`;
    },
  },
  {
    words: ['disable', 'frontend'],
    usage: 'disable frontend <frontend>',
    help: 'accept nobody any more; who is there may stay',
    level: 'admin',
    run: ([name], daemon) => switchFrontend(daemon, name, true),
  },
  {
    words: ['enable', 'frontend'],
    usage: 'enable frontend <frontend>',
    help: 'accept clients again',
    level: 'admin',
    run: ([name], daemon) => switchFrontend(daemon, name, false),
  },
];

function switchFrontend(daemon: RuntimeDaemon, name: string | undefined, stop: boolean): string {
  return ofFrontend(daemon, name, (at, words, { config }) => {
    if (isShut(config)) return `Frontend was previously shut down, cannot ${stop ? 'disable' : 'enable'}.\n`;
    const before = Atomics.exchange(words, at + shared.FRONTEND_STOPPED, stop ? 1 : 0);
    if (before !== (stop ? 1 : 0)) {
      daemon.log(`frontend ${name} ${stop ? 'accepts nobody any more' : 'accepts clients again'} (runtime command)`);
      return '';
    }
    return stop ? 'All sockets are already disabled.\n' : 'All sockets are already enabled.\n';
  });
}

function ofFrontend(
  daemon: RuntimeDaemon,
  name: string | undefined,
  act: (at: number, words: Int32Array, found: { readonly config: Frontend }) => string,
): string {
  if (name === undefined) return 'A frontend name is expected.\n';
  const { memory } = daemon.generation();
  const found = findFrontend(viewOf(daemon.generation()).proxies, name);
  if (!found?.frontend) return 'No such frontend.\n';
  const answer = act(shared.frontendAt(memory, found.frontend.number), memory.words, found.frontend);
  wake(daemon);
  return answer;
}

const RATES: ReadonlyMap<string, number> = new Map([
  ['connections', shared.SET_CONNECTION_RATE],
  ['sessions', shared.SET_SESSION_RATE],
]);
const RATE_USAGE = `'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s
`;

/** Until the next reload. */
function setRate([what = '', scope, number]: readonly string[], daemon: RuntimeDaemon): string {
  const word = RATES.get(what);
  const is_known = word !== undefined || what === 'ssl-sessions' || what === 'http-compression';
  if (!is_known || scope !== 'global') return RATE_USAGE;
  if (isNegative(number)) return 'Value out of range.\n';
  if (!isCount(number)) return 'Expects an integer value.\n';
  if (word === undefined) return ''; // of what there is none, no number is too many
  if (Number(number) > HIGHEST_RATE) return 'Value out of range.\n';
  Atomics.store(daemon.generation().memory.words, word, Number(number) + 1);
  wake(daemon);
  return '';
}

function wake(daemon: RuntimeDaemon): void {
  for (const handle of daemon.data()) handle.wake();
}

function isNegative(text: string | undefined): boolean {
  return text !== undefined && /^-\d+$/.test(text);
}

function isCount(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,9}$/.test(text);
}

/** Only `shutdown frontend` leaves one without listeners. */
function isShut({ binds }: Frontend): boolean {
  return binds.length === 0;
}
