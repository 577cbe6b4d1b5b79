/**
 * Reads ucarp's log: `[WARNING] Switching to state: MASTER`. ucarp starts in INIT and says BACKUP first.
 * The line before it, when it is no switch, tells why.
 */
import type { Node } from './scenario.ts';
import { elapsed_ms, type Stage } from './stage.ts';

/** A function that takes each line and notes the transitions. */
export function followUcarp(stage: Stage, node: Node): (line: string) => void {
  const vhid_at = node.ucarp_arguments.indexOf('-v');
  const vhid = Number(node.ucarp_arguments[vhid_at + 1]);
  let state = 'INIT';
  let reason = '';
  return (line) => {
    const to = /Switching to state: (MASTER|BACKUP|INIT)/.exec(line)?.[1];
    if (to === undefined) {
      if (!line.includes('Spawning')) reason = line.replace(/^.*?\[\w+\]\s*/, '').trim();
      return;
    }
    const transition = { at_ms: elapsed_ms(stage), node: node.name, vhid, from: state, to, reason };
    [state, reason] = [to, ''];
    stage.history.noteTransition(transition);
    stage.timeline.transition(transition);
  };
}
