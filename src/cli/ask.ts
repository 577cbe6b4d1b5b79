/** `carpool status`, `carpool events`: asks the running daemon and prints its answer. */

import { ask } from '../control/control-client.ts';
import { socketPaths } from '../control/socket-path.ts';
import { complain } from './complain.ts';

const NO_DAEMON = 3;
/** Bringing the shared address of a ucarp stanza up, before any daemon runs, starts one. */
const UCARP_LABEL = /^ifconfig (?<link>[^ :"]+):ucarp (?<verb>up|down)$/;

/** Resolves to the exit status: 0, 1 when the daemon may not be asked or fails to answer, 3 when there is none. */
export async function runAsk(line: string, socket: string | undefined): Promise<number> {
  const paths = socketPaths(socket, process.env);
  process.stdout.on('error', () => process.exit(0)); // whoever read this has seen enough (`carpool events | head -1`)
  const result = await ask(paths, line, (text) => process.stdout.write(text));
  switch (result.kind) {
    case 'answered':
      return 0;
    case 'absent': {
      const asked = UCARP_LABEL.exec(line);
      if (asked?.groups !== undefined)
        return (await import('./debian.ts')).runDebian([asked.groups['verb']!, asked.groups['link']!]);
      const start = line.startsWith('ifconfig') ? ' "carpool run" starts one without vhids, for ifconfig to fill.' : '';
      const nobody = `No carpool daemon is running here: nobody answers on ${paths.candidates.join(' or ')}.`;
      return complain(nobody + start, NO_DAEMON);
    }
    case 'refused':
      return complain(result.sentence);
    case 'forbidden':
      return complain(`This user may not talk to the daemon on ${result.path}; try it with sudo.`);
    case 'failed':
      return complain(`The daemon on ${result.path} did not answer (${result.reason}).`);
  }
}
