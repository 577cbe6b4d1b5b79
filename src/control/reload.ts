/**
 * A new configuration without a break: SIGHUP, SIGUSR2 or `carpool reload`.
 *
 *   files ──▶ parse, check, resolve, open what is new ──▶ next generation ──▶ checks, data threads, carp
 *                     └── refused: everything stays as it is, and the log says why
 *
 * Listeners that stay are never closed. A client between two requests goes on with the new configuration; one that is being
 * served is served to the end by the one it began with.
 */
import { type Diagnostic, formatDiagnostic, formatDiagnostics, hasErrors } from '../config/diagnostic.ts';
import type { Loaded } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { withTrackedBackends } from '../config/tracked-backends.ts';
import { now_ns } from '../system/clock.ts';
import * as libc from '../system/libc.ts';
import { notifyServiceManager } from '../system/sd-notify.ts';
import { MOST_DATA_THREADS } from '../threads/shared-memory.ts';
import { type Daemon, type Fail, logLine } from './daemon-state.ts';
import { createGeneration } from './generation.ts';
import { globalLog } from './global-log.ts';
import { reviveGuardian } from './keep-guardian.ts';
import { plain } from './plain.ts';
import { postDemotion } from './post-demotion.ts';
import { type PreparedNext, prepareNext } from './prepare.ts';
import type { Reloaded } from './reloaded.ts';
import { configureChecks } from './run-checks.ts';
import { configureDataThreads, watchDraining } from './run-data.ts';
import { startResolvers } from './run-resolvers.ts';

const REFUSED = 'the configuration is not accepted';
/** Errors that who asked for the reload is told; the log has all. */
const MOST_TOLD = 10;

/** `load` reads and checks the files again. */
export async function reload(daemon: Daemon, load: () => Loaded, fail: Fail): Promise<Reloaded> {
  if (daemon.stopping) return refuse(daemon, 'the daemon is stopping');
  if (daemon.reloading) return refuse(daemon, 'another reload is under way');
  daemon.reloading = true;
  try {
    notifyServiceManager(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(now_ns() / 1e3)}`, process.env);
    return await change(daemon, load, fail);
  } finally {
    daemon.reloading = false;
    notifyServiceManager('READY=1', process.env);
  }
}

async function change(daemon: Daemon, load: () => Loaded, fail: Fail): Promise<Reloaded> {
  const { config, diagnostics } = load();
  const said = [...diagnostics];
  const prepared = config && (await prepareNext(withTrackedBackends(config), daemon, (more) => said.push(...more)));
  const stats_sockets = prepared && (await daemon.stats_sockets.change(prepared.config.global));
  said.push(...(stats_sockets?.diagnostics ?? []));
  for (const { severity, text } of formatDiagnostics(said)) logLine(daemon.events, severity, text);
  if (prepared === undefined || stats_sockets === undefined) return refuse(daemon, REFUSED, said);
  const giveBack = () => {
    for (const fd of prepared.listeners.opened) libc.close(fd);
  };
  const threads = Math.max(daemon.data.length, prepared.listeners.by_thread.length) + daemon.leaving.length;
  if (threads > 2 * MOST_DATA_THREADS) {
    giveBack();
    stats_sockets.cancel();
    return refuse(daemon, `${daemon.leaving.length} data threads still serve clients of earlier configurations`);
  }
  if (hasErrors(stats_sockets.diagnostics)) {
    giveBack();
    return refuse(daemon, REFUSED, said);
  }
  const complaints = changeVhids(daemon, prepared.config);
  for (const diagnostic of complaints) {
    if (said.some(({ message }) => message === diagnostic.message)) continue;
    logLine(daemon.events, diagnostic.severity, formatDiagnostic(diagnostic));
  }
  if (hasErrors(complaints)) {
    giveBack();
    stats_sockets.cancel();
    return refuse(daemon, REFUSED, complaints);
  }
  stats_sockets.commit();
  return adopt(daemon, prepared, fail);
}

/** From here on nothing is refused any more. */
async function adopt(daemon: Daemon, prepared: PreparedNext, fail: Fail): Promise<Reloaded> {
  const previous = daemon.generation;
  if (prepared.memory_notice !== undefined) logLine(daemon.events, 'notice', prepared.memory_notice);
  const started_ns = now_ns();
  const next = createGeneration({
    config: prepared.config,
    origins: prepared.origins,
    buffers: prepared.buffers,
    listeners: prepared.listeners,
    threads: prepared.listeners.by_thread.length,
    started_ns,
    previous,
    onDemotion: (demotion) => postDemotion(daemon, demotion),
  });
  previous.replaced_ns = started_ns;
  daemon.generation = next;
  daemon.draining.push(previous);
  watchDraining(daemon);
  globalLog.configure(next.config);
  configureChecks(daemon, fail);
  const complete = await configureDataThreads(daemon, fail);
  startResolvers(daemon);
  reviveGuardian(daemon);
  next.demoter.evaluate();
  logLine(daemon.events, 'notice', `configuration ${next.number} holds: ${next.config.files.join(' ')}`);
  if (!complete) logLine(daemon.events, 'warning', 'a data thread has not taken the new configuration yet');
  return { done: true, generation: next.number };
}

/** Vhids that stay as they are do not notice; what people changed at run time stays when the files say what they said. */
function changeVhids(daemon: Daemon, config: Config): readonly Diagnostic[] {
  const before = daemon.generation.config;
  const parts = ({ carps, carp_host, interface_names }: Config) => plain([carps, carp_host, interface_names]);
  if (parts(config) === parts(before)) return [];
  return daemon.node.load(config);
}

function refuse(daemon: Daemon, why: string, diagnostics: readonly Diagnostic[] = []): Reloaded {
  logLine(daemon.events, 'error', `no reload: ${why}; everything stays as it is`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').slice(0, MOST_TOLD);
  return { done: false, why, errors: formatDiagnostics(errors).map(({ text }) => text) };
}
