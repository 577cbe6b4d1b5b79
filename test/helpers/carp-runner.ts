/**
 * A process with nothing but the carp thread and its guardian, for tests of the two without a balancer.
 *
 *   node carp-runner.js '{"carps": [ … ], "guardian": true}'
 *
 * Every message of the thread is a line of JSON on stdout; a line of JSON on stdin is a message to the thread, or
 * {"kind": "hang"}: the control thread's beat ends though the process lives, until "unhang". SIGTERM stops it in order.
 */
import { createInterface } from 'node:readline';
import type { VhidSettings } from '#src/carp/events.js';
import { formatDiagnostic, hasErrors } from '#src/config/diagnostic.js';
import type { Carp, Config } from '#src/config/model.js';
import { carpWith, emptyConfig } from '#src/config/model-defaults.js';
import { startGuardian } from '#src/control/guardian.js';
import { createScriptRunner } from '#src/control/scripts.js';
import { checkCarpHost } from '#src/system/carp-host.js';
import { now_ms31 } from '#src/system/clock.js';
import { startCarpThread } from '#src/threads/carp-handle.js';
import type { FromCarp, RunAs, ToCarp } from '#src/threads/carp-messages.js';
import * as memory from '#src/threads/shared-memory.js';

const BEAT_MS = 100;

export type RunnerOptions = {
  readonly carps: readonly Carp[];
  readonly guardian: boolean;
  /** False: the system refuses real-time scheduling. */
  readonly real_time?: boolean;
  /** Whom the carp thread becomes. */
  readonly run_as?: RunAs;
};

/** What a test says to the runner itself. */
export type ToRunner =
  | { readonly kind: 'hang' }
  | { readonly kind: 'unhang' }
  /** Other vhids from now on, checked against this host. */
  | { readonly kind: 'carps'; readonly carps: readonly Carp[] };

/** One vhid with the given fields over plain defaults. */
export function carpOf(fields: Partial<Carp> & Pick<Carp, 'vhid' | 'addresses'>): Carp {
  const span = { file: '', line: 0, column: 0, end_column: 0 };
  return carpWith({ name: `vhid${fields.vhid}`, interface: 'eth0', pass: 'secret', span, spans: {}, ...fields });
}

/** A configuration of nothing but vhids. */
export function configOf(carps: readonly Carp[]): Config {
  const empty = emptyConfig([]);
  return { ...empty, global: { ...empty.global, nbthread: 1 }, carps };
}

function main(options: RunnerOptions): void {
  const vhids = checked(options.carps);
  const shared = memory.createSharedMemory({ threads: 3, servers: 0, backends: 0, frontends: 0, binds: 0 });
  const control = memory.threadAt(shared, memory.THREAD_CONTROL);
  const beat = (): void => {
    Atomics.store(shared.words, control + memory.THREAD_BEAT_MS, now_ms31());
  };
  beat();
  Atomics.store(shared.words, control + memory.THREAD_STATE, 1);
  let hanging = false;
  setInterval(() => hanging || beat(), BEAT_MS);

  const guard = (): number => {
    const guardian = startGuardian(() => carp.post({ kind: 'guardian', fd: guard() }));
    if (guardian) tell({ kind: 'guardian', pid: guardian.pid });
    return guardian?.fd ?? -1;
  };
  const scripts = createScriptRunner(() => {}, {
    output: 'ignore',
    onIdle: (index) => carp.post({ kind: 'remove-entries', index }),
  });
  const carp = startCarpThread({
    vhids,
    run_as: options.run_as,
    memory: shared,
    watched: [{ thread: memory.THREAD_CONTROL, name: 'control', patience_ms: 2000 }],
    guardian_fd: options.guardian ? guard() : -1,
    wait_for_ready: false,
    onMessage: (message: FromCarp) => {
      tell(message);
      if (message.kind === 'run-script') scripts.run(message);
      if (message.kind === 'stopped') setInterval(() => scripts.busy || process.exit(0), 5);
    },
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line) as ToCarp | ToRunner;
    if (message.kind === 'hang') hanging = true;
    else if (message.kind === 'unhang') hanging = false;
    else if (message.kind === 'carps') carp.post({ kind: 'configure', id: 0, vhids: checked(message.carps) });
    else carp.post(message);
  });
  process.on('SIGTERM', () => void carp.stop('SIGTERM', 2000));
}

/** As this host runs them. Ends the process when it cannot. */
function checked(carps: readonly Carp[]): readonly VhidSettings[] {
  const { diagnostics, vhids } = checkCarpHost(configOf(carps));
  for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (hasErrors(diagnostics)) process.exit(1);
  return vhids;
}

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

if (process.argv[1]?.endsWith('carp-runner.js') && process.argv[2]) main(JSON.parse(process.argv[2]) as RunnerOptions);
