/**
 * The up and down scripts of vhids, outside the protocol: nothing waits for them. Of one vhid only one runs at a
 * time, in order; of those that wait only the latest is kept, because only the last state counts.
 */
import { spawn } from 'node:child_process';
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

/** `log` hears of every end that was not exit status 0. */
export function createScriptRunner(log: (text: string) => void): ScriptRunner {
  const running = new Set<number>();
  const waiting = new Map<number, ScriptCall>();

  const start = (call: ScriptCall): void => {
    running.add(call.index);
    const child = spawn(call.path, call.arguments, { stdio: ['ignore', 'inherit', 'inherit'] });
    const limit = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
    const ended = (problem: string | undefined): void => {
      clearTimeout(limit);
      if (!running.delete(call.index)) return;
      if (problem !== undefined) log(`${call.which} script ${call.path} ${problem}`);
      const next = waiting.get(call.index);
      waiting.delete(call.index);
      if (next !== undefined) start(next);
    };
    child.once('error', (error: NodeJS.ErrnoException) => ended(`could not be started: ${error.code}`));
    child.once('exit', (code, signal) => {
      if (code === 0) ended(undefined);
      else ended(code === null ? `was ended by ${signal}` : `ended with exit status ${code}`);
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
