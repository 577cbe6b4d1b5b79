/** What a command of the runtime API is (management manual, 9.3), and what it may see. */
import type { Endpoint } from '../../config/model.ts';
import type { DataHandle } from '../../threads/data-handle.ts';
import type { Generation } from '../generation.ts';
import type { ResolverCounts } from '../resolver-counts.ts';
import type { ProcessFacts } from '../stats/info.ts';
import type { StatusReport } from '../status-report.ts';

export type Level = 'user' | 'operator' | 'admin';

const LEVELS: readonly Level[] = ['user', 'operator', 'admin'];

/** What commands do to the daemon. */
export type RuntimeDaemon = {
  generation(): Generation;
  status(): Promise<StatusReport>;
  /** Its ports are free afterwards. Undefined: done; else why not. */
  shutFrontend(name: string): Promise<string | undefined>;
  /** By section and nameserver; undefined: no name is looked up. */
  resolverCounts(): ReadonlyMap<string, ReadonlyMap<string, ResolverCounts>> | undefined;
  facts(): ProcessFacts;
  data(): readonly DataHandle[];
  /** When each data thread of the present configuration last passed its loop. */
  beats(): readonly number[];
  /** Paths or addresses of the stats sockets, with their levels. */
  sockets(): readonly { readonly name: string; readonly level: Level }[];
  /** Servers were changed: demotions are looked at again. `restart_checks`: what is asked, or where, changed too. */
  serversChanged(restart_checks: boolean): void;
  /** New connections and checks go there. */
  moveServer(backend: string, server: string, endpoint: Endpoint): void;
  /** `info`: not for log targets, they have it in other words; `notice` if left out. */
  log(text: string, level?: 'info' | 'notice'): void;
};

/** Of one client. */
export type Session = {
  level: Level;
  /** `prompt`: it types commands, and is asked for the next one. */
  interactive: boolean;
  idle_ms: number | undefined;
  /** On a master's socket: who is spoken with, which is the same process. */
  target: 'master' | 'worker' | undefined;
  /** `expert`, `experimental`: switched on. */
  readonly modes: Set<string>;
  /** `expose-fd listeners`: a new process may take the listening sockets over here. */
  readonly exposes_listeners: boolean;
};

export type RuntimeCommand = {
  /** `show stat` */
  readonly words: readonly string[];
  readonly usage: string;
  readonly help: string;
  readonly level: Level;
  /** The answer, each of its lines with its end; '' when there is nothing to say. `args` follow the words. */
  run(args: readonly string[], daemon: RuntimeDaemon, session: Session): Said | Promise<Said>;
};

/** An answer, or one that goes on: `follow` calls with each text from then on, until what it returns is called. */
export type Said = string | Followed;
export type Followed = { readonly begin: string; readonly follow: (write: (text: string) => void) => () => void };

/** Words that lead to an answer, or the sentence that says why not. */
export function mayUse(level: Level, session: Session): boolean {
  return LEVELS.indexOf(session.level) >= LEVELS.indexOf(level);
}

export const DENIED = 'Permission denied\n';
