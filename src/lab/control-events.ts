/** Follows a carpool daemon through the `events` command of its control socket. */
import { connect } from 'node:net';
import { type Child, eachLine } from './child.ts';
import { type Stage, toElapsed_ms } from './stage.ts';

const RETRY_MS = 20;

/** Tries until the daemon's socket is there or the daemon has ended; what it says goes to history and timeline. */
export function followEvents(stage: Stage, node: string, socket_path: string, daemon: Child): void {
  const socket = connect(socket_path);
  socket.on('error', () => {
    if (daemon.ended === undefined) setTimeout(() => followEvents(stage, node, socket_path, daemon), RETRY_MS).unref();
  });
  socket.on('connect', () => {
    socket.write('events\n');
    eachLine(socket, (line) => {
      daemon.heard = true;
      noteEvent(stage, node, line);
    });
  });
  socket.unref();
}

/** The fields of the daemon's events that the lab reads. */
type Event = {
  readonly kind?: string;
  readonly at_ns?: number;
  readonly vhid?: number;
  readonly from?: string;
  readonly to?: string;
  readonly reason?: string;
  readonly backend?: string;
  readonly server?: string;
  readonly up?: boolean;
  readonly amount?: number;
};

function noteEvent(stage: Stage, node: string, line: string): void {
  const event = parseEvent(line);
  if (event?.at_ns === undefined) return;
  const at_ms = toElapsed_ms(stage, event.at_ns);
  const { kind, vhid, reason = '' } = event;
  if (kind === 'transition' && vhid !== undefined && event.from !== undefined && event.to !== undefined) {
    const transition = { at_ms, node, vhid, from: event.from, to: event.to, reason };
    stage.history.noteTransition(transition);
    stage.timeline.transition(transition);
  } else if (kind === 'server') {
    const state = event.up ? 'up' : 'down';
    stage.timeline.event(at_ms, node, `server ${event.backend}/${event.server} is ${state}: ${reason}`);
  } else if (kind === 'demotion') {
    const text = event.amount ? `demoted by ${event.amount}` : 'no longer demoted';
    stage.timeline.event(at_ms, node, `vhid ${vhid}: ${text}${reason ? `: ${reason}` : ''}`);
  }
}

function parseEvent(line: string): Event | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // an answer for people: this daemon does not know `events`
  }
}
