/** What runs: the one value that the parts of the daemon share. */
import { now_ns } from '../system/clock.ts';
import type { CarpHandle } from '../threads/carp-handle.ts';
import type { ChecksHandle } from '../threads/checks-handle.ts';
import type { DataHandle } from '../threads/data-handle.ts';
import type { SharedMemory } from '../threads/shared-memory.ts';
import type { CarpNode } from './carp-node.ts';
import type { Confinement } from './confine.ts';
import type { ControlSocket } from './control-socket.ts';
import type { EventLog, Level } from './event-log.ts';
import type { Generation } from './generation.ts';
import type { Guardian } from './guardian.ts';
import type { LostLines } from './lost-lines.ts';
import type { MemoryLimits } from './memory-limits.ts';
import type { MemoryWatch } from './memory-watch.ts';
import type { Orders } from './orders.ts';
import type { RunningResolvers } from './run-resolvers.ts';
import type { ScriptRunner } from './scripts.ts';
import type { RunningThread } from './shutdown.ts';
import type { StatsSockets } from './stats-sockets.ts';

export type Daemon = {
  readonly version: string;
  /** The configuration that holds. */
  generation: Generation;
  /** The vhids and net.inet.carp.*, with what people changed since. */
  readonly node: CarpNode;
  /** Earlier ones that still serve somebody, the oldest first. */
  readonly draining: Generation[];
  readonly started_ns: number;
  /** Heartbeats and the stop word. */
  readonly memory: SharedMemory;
  readonly events: EventLog;
  readonly scripts: ScriptRunner;
  readonly socket: ControlSocket | undefined;
  readonly stats_sockets: StatsSockets;
  readonly confinement: Confinement;
  /** It has given up being root, or seeing the whole file system. */
  confined: boolean;
  readonly beat: NodeJS.Timeout;
  /** While there are earlier generations. */
  draining_watch: NodeJS.Timeout | undefined;
  /** As they were at the start. */
  readonly memory_limits: MemoryLimits;
  readonly memory_watch: MemoryWatch | undefined;
  readonly lost_lines: LostLines;
  guardian: Guardian | undefined;
  /** For one that gives up being root. */
  spare_guardian: Guardian | undefined;
  carp: CarpHandle | undefined;
  checks: ChecksHandle | undefined;
  orders: Orders | undefined;
  /** Looks names up for the configuration that holds. */
  resolvers: RunningResolvers | undefined;
  /** Of the configuration that holds, by number. */
  readonly data: DataHandle[];
  /** They have no number in it and serve whom they have to the end. */
  readonly leaving: DataHandle[];
  /** Data threads and checks; not the carp thread, which is asked to stop before them. */
  readonly threads: RunningThread[];
  /** What must happen before the vhids may rise: `carp` opens its sockets, every check runs once, data threads accept. */
  readonly waits_for: Set<string>;
  ready: boolean;
  stopping: boolean;
  /** A process that goes on with the vhids (succession.ts). */
  successor: 'none' | 'coming' | 'in place';
  reloading: boolean;
};

/** Ends the daemon with exit status 1. */
export type Fail = (reason: string) => void;

export function logLine(events: EventLog, level: Level, text: string): void {
  events.record({ kind: 'log', at_ns: now_ns(), level, text });
}
