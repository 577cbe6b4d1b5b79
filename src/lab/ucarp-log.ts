/**
 * Reads ucarp's log: `[WARNING] Switching to state: MASTER`. ucarp starts in INIT and says BACKUP first.
 * A line just before it, when it is no switch, tells why.
 */
import type { Node } from './scenario.ts';
import { elapsed_ms, type Stage } from './stage.ts';

/** A line that is older than that is about something else. */
const SAME_MS = 100;

/** A function that takes each line and notes the transitions. */
export function followUcarp(stage: Stage, node: Node): (line: string) => void {
  const vhid_at = node.ucarp_arguments.indexOf('-v');
  const vhid = Number(node.ucarp_arguments[vhid_at + 1]);
  let state = 'INIT';
  let reason = { text: '', at_ms: 0 };
  return (line) => {
    const at_ms = elapsed_ms(stage);
    const to = /Switching to state: (MASTER|BACKUP|INIT)/.exec(line)?.[1];
    if (to === undefined) {
      if (!line.includes('Spawning')) reason = { text: line.replace(/^.*?\[\w+\]\s*/, '').trim(), at_ms };
      return;
    }
    const why = at_ms - reason.at_ms <= SAME_MS ? reason.text : '';
    const transition = { at_ms, node: node.name, vhid, from: state, to, reason: why };
    state = to;
    stage.history.noteTransition(transition);
    stage.timeline.transition(transition);
  };
}
