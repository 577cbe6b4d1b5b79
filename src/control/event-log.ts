/**
 * What happened to this daemon, in order: the last events are remembered, new ones go to whoever follows
 * (`carpool events`) and, as a line for people, to the log.
 */
import { wallTime } from './clock.ts';

export type Level = 'info' | 'notice' | 'warning' | 'error';

/** `at_ns` is CLOCK_MONOTONIC, so that events of several daemons on one machine compare. */
export type DaemonEvent = { readonly at_ns: number } & (
  | { readonly kind: 'start'; readonly pid: number; readonly version: string }
  /** The listeners accept and every check has run once. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'transition';
      /** The section's name. */
      readonly name: string;
      readonly vhid: number;
      readonly interface: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'server';
      readonly backend: string;
      readonly server: string;
      readonly up: boolean;
      readonly reason: string;
    }
  /** A rule of the configuration begins (amount > 0) or ends (amount 0) to demote a vhid. */
  | {
      readonly kind: 'demotion';
      readonly name: string;
      readonly vhid: number;
      readonly owner: string;
      readonly amount: number;
      readonly reason: string;
    }
  | { readonly kind: 'log'; readonly level: Level; readonly text: string }
  | { readonly kind: 'stop'; readonly reason: string }
);

const MAX_REMEMBERED = 256;

export type EventLog = {
  /** `printed` false: remembered and told to followers, but not in the log. */
  record(event: DaemonEvent, printed?: boolean): void;
  /** Hands over what is remembered, then every new event, until the returned function is called. */
  follow(listener: (line: string) => void): () => void;
};

/** `print` gets one line for people per event, as `format` writes it. */
export function createEventLog(
  print: (line: string, level: Level, event: DaemonEvent) => void,
  format: (event: DaemonEvent) => string = formatEvent,
): EventLog {
  const remembered: string[] = [];
  const listeners = new Set<(line: string) => void>();
  return {
    record(event, printed = true) {
      const line = JSON.stringify(event);
      remembered.push(line);
      if (remembered.length > MAX_REMEMBERED) remembered.shift();
      for (const listener of listeners) listener(line);
      if (!printed || event.kind === 'demotion') return; // the carp thread logs every demotion, these too
      print(format(event), eventLevel(event), event);
    },
    follow(listener) {
      for (const line of remembered) listener(line);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** When, what, and why. */
export function formatEvent(event: DaemonEvent): string {
  return `${wallTime(event.at_ns).toISOString()} ${describeEvent(event)}`;
}

/** One line: what, and why. */
export function describeEvent(event: DaemonEvent): string {
  switch (event.kind) {
    case 'start':
      return `carpool ${event.version} starts, pid ${event.pid}`;
    case 'ready':
      return 'ready';
    case 'transition':
      return `carp ${event.name}: ${event.from} -> ${event.to}: ${event.reason}`;
    case 'server':
      return `server ${event.backend}/${event.server} is ${event.up ? 'up' : 'down'}: ${event.reason}`;
    case 'demotion':
      return `demotion of carp ${event.name} by ${event.amount}: ${event.reason} (${event.owner})`;
    case 'log':
      return isMarked(event) ? event.text : `${event.level}: ${event.text}`;
    case 'stop':
      return `stopping: ${event.reason}`;
  }
}

/** A diagnostic says its severity itself: first, or behind its place (`haproxy.cfg:12:2: warning: …`). */
function isMarked({ level, text }: { readonly level: Level; readonly text: string }): boolean {
  return level === 'info' || level === 'notice' || MARKED.exec(text)?.[1] === level;
}

const MARKED = /^(?:[^ ]+:\d+:\d+: )?(warning|error): /;

export function eventLevel(event: DaemonEvent): Level {
  if (event.kind === 'log') return event.level;
  if (event.kind === 'start' || event.kind === 'ready') return 'info';
  return event.kind === 'server' && !event.up ? 'warning' : 'notice';
}
