/**
 * The up and down scripts of vhids, outside the protocol: nothing waits for them. Of one vhid only one runs at a
 * time, in order; of those that wait only the latest is kept, because only the last state counts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';

export type ScriptCall = {
  /** The vhid's position in the configuration. */
  readonly index: number;
  readonly which: 'up' | 'down';
  readonly path: string;
  /** INTERFACE VIP [XPARAM] */
  readonly arguments: readonly string[];
};

export type ScriptRunner = {
  run(call: ScriptCall): void;
  /** Whether something runs or waits. */
  readonly busy: boolean;
};

const TIME_LIMIT_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;

export type ScriptSettings = {
  /** What the scripts print goes to where this process prints, or nowhere. */
  readonly output?: 'inherit' | 'ignore' | undefined;
  readonly time_limit_ms?: number;
  /** A script of that vhid has ended and no other waits; called after `log`. */
  readonly onIdle?: (index: number) => void;
};

/** `log` hears how every script ended. */
export function createScriptRunner(
  log: (text: string, level: 'info' | 'warning') => void,
  { output = 'inherit', time_limit_ms = TIME_LIMIT_MS, onIdle }: ScriptSettings = {},
): ScriptRunner {
  const running = new Set<number>();
  const waiting = new Map<number, ScriptCall>();

  const start = (call: ScriptCall): void => {
    running.add(call.index);
    const began_ms = performance.now();
    // a process group of its own, so that the time limit also ends what the script has started
    const child = spawn(call.path, call.arguments, { stdio: ['ignore', output, output], detached: true });
    let overdue = '';
    const limit = setTimeout(() => {
      overdue = ', because it took too long';
      endGroup(child);
    }, time_limit_ms);
    const ended = (how: string, level: 'info' | 'warning'): void => {
      clearTimeout(limit);
      if (!running.delete(call.index)) return;
      const after_s = (performance.now() - began_ms) / 1000;
      log(`${call.which} script ${call.path} ${how} (${after_s.toFixed(2)} s)`, level);
      const next = waiting.get(call.index);
      waiting.delete(call.index);
      if (next !== undefined) start(next);
      else onIdle?.(call.index);
    };
    child.once('error', (error: NodeJS.ErrnoException) => ended(`could not be started (${error.code})`, 'warning'));
    child.once('exit', (code, signal) => {
      if (code === null) ended(`was ended by ${signal}${overdue}`, 'warning');
      else ended(`ended with exit status ${code}`, code === 0 ? 'info' : 'warning');
    });
  };

  return {
    run(call) {
      if (running.has(call.index)) waiting.set(call.index, call);
      else start(call);
    },
    get busy() {
      return running.size > 0;
    },
  };
}

/** SIGTERM, so that it may clean up, and a little later SIGKILL. */
function endGroup(child: ChildProcess): void {
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // all of it has ended
    }
  };
  send('SIGTERM');
  const timer = setTimeout(send, GRACE_MS, 'SIGKILL');
  child.once('exit', () => clearTimeout(timer));
}

/** Scripts that could not be started now: better told at once than when the address has to move. */
export function checkScripts(config: Config): Diagnostic[] {
  return config.carps.flatMap(({ scripts, span, spans }) =>
    (['up', 'down'] as const).flatMap((which): Diagnostic[] => {
      const path = scripts?.[which];
      const problem = path && whyNotRunnable(path);
      if (!problem) return [];
      const message = `The ${which} script ${path} cannot be run: ${problem}.`;
      const mend = 'Give the path of an executable file.';
      return [
        { severity: 'warning', code: 'script-not-runnable', message, mend, span: spans[`${which}script`] ?? span },
      ];
    }),
  );
}

function whyNotRunnable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : 'it is no file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'there is no such file';
    return code === 'EACCES' ? 'it is not executable for this user' : code;
  }
}
