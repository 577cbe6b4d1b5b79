/**
 * The one wiring file: Config -> threads.
 *
 *   prepare   checks of this host, control socket, listeners; what is refused is a diagnostic
 *   start     checks, data threads, guardian, carp thread (INIT, demoted by `starting`)
 *   ready     listeners accept, every check has run: `starting` ends and the vhids may rise
 *   reload    on SIGHUP or SIGUSR2: the next generation of the configuration (control/reload.ts)
 *   stop      on a signal or a failure: drain, bow out, then the others, every wait bounded, then the hard way
 */
import type { Diagnostic } from './config/diagnostic.ts';
import type { Loaded } from './config/load.ts';
import type { Config } from './config/model.ts';
import { withTrackedBackends } from './config/tracked-backends.ts';
import { createCarpNode } from './control/carp-node.ts';
import { wallTime } from './control/clock.ts';
import type { CommandContext } from './control/commands.ts';
import { type Confinement, confine, dropGroups } from './control/confine.ts';
import { type Daemon, type Fail, logLine } from './control/daemon-state.ts';
import { carpStatus, statusOf } from './control/daemon-status.ts';
import { describeError, watchForEnd } from './control/end.ts';
import { createEventLog, type DaemonEvent, type Level } from './control/event-log.ts';
import { createGeneration } from './control/generation.ts';
import { type Replacement, relieve } from './control/hand-over.ts';
import { LostLines } from './control/lost-lines.ts';
import { CARPOOL_MANNERS, type Manners } from './control/manners.ts';
import { watchMemory } from './control/memory-watch.ts';
import { orderFileOf, readOrders, writeOrders } from './control/order-file.ts';
import { createOrders, type Orders, type OrdersOptions } from './control/orders.ts';
import { keepOutside } from './control/outside.ts';
import { postDemotion } from './control/post-demotion.ts';
import { countDataThreads, type Prepared, prepare } from './control/prepare.ts';
import { reload } from './control/reload.ts';
import { configureCarp, demoteHost, startCarp } from './control/run-carp.ts';
import { startChecks } from './control/run-checks.ts';
import { startDataThreads } from './control/run-data.ts';
import { startResolvers } from './control/run-resolvers.ts';
import { runtimeOf, tickStatistics } from './control/run-statistics.ts';
import { createScriptRunner } from './control/scripts.ts';
import { exitNow, waitUntil } from './control/shutdown.ts';
import type { SocketPaths } from './control/socket-path.ts';
import { STOP_MS, stopDaemon } from './control/stop-daemon.ts';
import { goOn, offerVhids, standBy } from './control/succession.ts';
import { obeyUcarpSignals, type UcarpDaemon } from './control/ucarp-signals.ts';
import { describeWorkers } from './control/workers.ts';
import { now_ms31, now_ns } from './system/clock.ts';
import { notifyServiceManager } from './system/sd-notify.ts';
import { beginCollecting, collectYoungAlone } from './threads/garbage.ts';
import {
  createProcessMemory,
  THREAD_BEAT_MS,
  THREAD_CONTROL,
  THREAD_STATE,
  threadAt,
} from './threads/shared-memory.ts';

export type DaemonOptions = {
  readonly config: Config;
  readonly version: string;
  readonly socket: SocketPaths;
  /** One line of the log, with the event that it is about, where it is one. */
  readonly print: (line: string, level: Level, event?: DaemonEvent) => void;
  readonly report: (diagnostics: readonly Diagnostic[]) => void;
  /** The processes whose place it takes. */
  readonly replaces?: Replacement | undefined;
  /** Reads and checks the configuration again, for a reload; left out: there is nothing to read. */
  readonly load?: (() => Loaded) | undefined;
  /** Whose place it takes; carpool's own when left out. */
  readonly manners?: Manners;
  /** Prints what happens on the wire, too. */
  readonly debug?: boolean;
  /** What scripts print: to where the log goes, or nowhere. */
  readonly script_output?: 'inherit' | 'ignore';
  /** Called once, when everything is open and the vhids may rise. */
  readonly onReady?: () => void;
};

/** An idle process wakes as seldom as that. */
const BEAT_MS = 1_000;
const RUNNING = 1;
/** As long as the carp thread itself waits for the end of `starting`. */
const READY_MS = 10_000;
/** After the start: the vhids have risen and told of it. */
const SETTLED_MS = 10_000;

/** Runs until a signal or a failure ends it. Resolves to the exit status when it never came to run. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  collectYoungAlone();
  const { replaces } = options;
  const succession = replaces?.socket === undefined ? undefined : await standBy(replaces.socket);
  const prepared = await prepare(withTrackedBackends(options.config), options.socket, options.report, replaces);
  const manners = mannersOf(options);
  if (prepared === undefined) return manners.refused_status;
  const end = watchForEnd(manners.ending_signals);
  try {
    const daemon = start(options, prepared, end.because);
    const relief = async () => {
      if (replaces === undefined) return;
      if (succession) await goOn(daemon, succession, replaces.pids[0] ?? 0);
      succession?.close();
      await relieve(daemon, replaces);
      if (!succession) daemon.carp?.post({ kind: 'take-over', adopts: [] });
    };
    const { onReady } = options;
    void becomeReady(daemon, { plan: prepared.confinement, relief, onReady, fail: end.because });
    const { reason, stack, status, soft } = await end.reached;
    if (stack) logLine(daemon.events, 'error', `stack of the failure: ${stack}`);
    // a soft stop waits for its clients as long as hard-stop-after says
    if (!soft) setTimeout(exitNow, STOP_MS, 1, 'carpool: stopping took too long, so it was cut short').unref();
    return await stopDaemon(daemon, { reason, status, soft, hurried: end.hurried });
  } catch (error) {
    // threads may block in the kernel, so that only this way out is certain; the guardian takes the addresses
    prepared.socket?.close();
    exitNow(1, `carpool: an error of carpool itself: ${describeError(error)}`);
  }
}

function start(options: DaemonOptions, prepared: Prepared, fail: Fail): Daemon {
  const daemon = createDaemon(options, prepared, fail);
  const { events, started_ns } = daemon;
  beat(daemon);
  Atomics.store(daemon.memory.words, threadAt(daemon.memory, THREAD_CONTROL) + THREAD_STATE, RUNNING);
  events.record({ kind: 'start', at_ns: started_ns, pid: process.pid, version: options.version });
  if (prepared.memory_notice !== undefined) logLine(events, 'notice', prepared.memory_notice);
  dropGroups(prepared.confinement);
  startChecks(daemon, fail);
  startDataThreads(daemon, fail);
  startResolvers(daemon);
  if (prepared.vhids.length > 0) startCarp(daemon, prepared.vhids, fail, options.replaces !== undefined);
  if (daemon.node.host.demotion !== 0) demoteHost(daemon);
  daemon.orders = keepOrders(daemon);
  prepared.answerWith(commandContext(daemon, daemon.orders, options.load, fail));
  obeySignals(daemon, options, fail);
  return daemon;
}

/** Its state before any thread runs. */
function createDaemon(options: DaemonOptions, prepared: Prepared, fail: Fail): Daemon {
  const { config, listeners } = prepared;
  const events = createEventLog(options.print, mannersOf(options).format);
  const started_ns = now_ns();
  const generation = createGeneration({
    config,
    origins: prepared.origins,
    buffers: prepared.buffers,
    listeners,
    threads: countDataThreads(config),
    started_ns,
    previous: undefined,
    known: prepared.known,
    onDemotion: (change) => postDemotion(daemon, change),
  });
  const daemon: Daemon = {
    version: options.version,
    generation,
    node: createCarpNode(config, prepared.vhids, (vhids, host, slots) =>
      configureCarp(daemon, vhids, host, slots, fail),
    ),
    draining: [],
    started_ns,
    memory: createProcessMemory(),
    events,
    scripts: createScriptRunner((text, level) => logLine(events, level, text), {
      output: options.script_output,
      // it may have added the address late, when this node was MASTER no longer
      onIdle: (index) => daemon.carp?.post({ kind: 'remove-entries', index }),
    }),
    socket: prepared.socket,
    stats_sockets: prepared.stats_sockets,
    confinement: prepared.confinement,
    confined: false,
    beat: setInterval(() => beat(daemon), BEAT_MS),
    draining_watch: undefined,
    memory_limits: prepared.memory_limits,
    memory_watch: watchMemory(prepared.memory_limits.memory),
    lost_lines: new LostLines(),
    guardian: undefined,
    spare_guardian: undefined,
    carp: undefined,
    checks: undefined,
    orders: undefined,
    resolvers: undefined,
    data: [],
    leaving: [],
    threads: [],
    waits_for: new Set(),
    ready: false,
    stopping: false,
    successor: 'none',
    reloading: false,
  };
  return daemon;
}

/** What the commands of the control socket and of stats sockets work on. */
function commandContext(daemon: Daemon, orders: Orders, load: DaemonOptions['load'], fail: Fail): CommandContext {
  return {
    version: daemon.version,
    events: daemon.events,
    orders,
    status: () => statusOf(daemon),
    carp: () => carpStatus(daemon),
    names: () => slotNames(daemon),
    runtime: runtimeOf(daemon, fail),
    node: daemon.node,
    setState(name, state) {
      const index = daemon.node.slotOf(name);
      if (index !== undefined) daemon.carp?.post({ kind: 'set-state', index, state });
    },
    listeners: () => daemon.generation.listeners.sockets,
    offerVhids: (write) => offerVhids(daemon, write),
    workers: () => describeWorkers(daemon),
    reload: load && (() => reload(daemon, load, fail)),
  };
}

function obeySignals(daemon: Daemon, options: DaemonOptions, fail: Fail): void {
  const { load } = options;
  const manners = mannersOf(options);
  if (manners.ucarp_signals) obeyUcarpSignals(asUcarp(daemon, options), options.debug ?? false);
  else if (load) for (const signal of manners.reload_signals) process.on(signal, () => void reload(daemon, load, fail));
}

function mannersOf({ manners = CARPOOL_MANNERS }: DaemonOptions): Manners {
  return manners;
}

type Readiness = {
  readonly plan: Confinement;
  /** Ends the process before and takes its vhids. */
  readonly relief: () => Promise<void>;
  readonly onReady: (() => void) | undefined;
  readonly fail: Fail;
};

/** Waits for the listeners and the first checks, a bounded time, then lets the vhids rise. */
async function becomeReady(daemon: Daemon, { plan, relief, onReady, fail }: Readiness): Promise<void> {
  const served = await waitUntil(() => daemon.stopping || daemon.waits_for.size === 0, READY_MS);
  if (!daemon.stopping) await relief();
  const complete = served && (await waitUntil(() => daemon.stopping || daemon.waits_for.size === 0, READY_MS));
  if (daemon.stopping) return;
  if (!complete) {
    const missing = [...daemon.waits_for].join(' and ');
    logLine(daemon.events, 'warning', `waited ${READY_MS / 1000} s for ${missing}; going on without`);
  }
  notifyServiceManager('STATUS=starting', process.env); // its socket is found while its path is to be seen
  try {
    if (plan.chroot !== undefined) keepOutside();
    confine(plan);
    daemon.confined = plan.uid !== undefined || plan.chroot !== undefined;
  } catch (error) {
    return fail(`it cannot give up what it should: ${describeError(error)}`);
  }
  daemon.generation.demoter.evaluate();
  daemon.ready = true;
  daemon.events.record({ kind: 'ready', at_ns: now_ns() });
  daemon.carp?.post({ kind: 'undemote', owner: 'starting' });
  notifyServiceManager(`READY=1\nMAINPID=${process.pid}`, process.env);
  onReady?.();
  setTimeout(beginCollecting, SETTLED_MS).unref();
}

/** Names by the carp thread's numbers. */
function slotNames({ node }: Daemon): string[] {
  return node.slots.map((carp) => carp?.name ?? '');
}

/** What people ordered, in this run or an earlier one. */
function keepOrders(daemon: Daemon): Orders {
  const { events, socket, started_ns } = daemon;
  const file = socket === undefined ? undefined : orderFileOf(socket.path);
  const started_ms = wallTime(started_ns).getTime();
  const options: OrdersOptions = {
    names: () => slotNames(daemon),
    post: (message) => daemon.carp?.post(message),
    log: (text) => logLine(events, 'notice', text),
    store(orders) {
      const error = file === undefined ? undefined : writeOrders(file, orders);
      if (error !== undefined)
        logLine(events, 'warning', `${file} cannot be written (${error}): a restart forgets the orders`);
    },
    // a clock that is set does not move the end of an order
    now_ms: () => Math.round(started_ms + (now_ns() - started_ns) / 1e6),
  };
  return createOrders(options, file === undefined ? [] : readOrders(file));
}

function asUcarp(daemon: Daemon, { print }: DaemonOptions): UcarpDaemon {
  const yieldAll = (reason: string) => daemon.carp?.post({ kind: 'yield', reason });
  return { status: () => statusOf(daemon), yieldAll, print };
}

function beat(daemon: Daemon): void {
  const { memory } = daemon;
  Atomics.store(memory.words, threadAt(memory, THREAD_CONTROL) + THREAD_BEAT_MS, now_ms31());
  tickStatistics(daemon);
  daemon.memory_watch?.look(daemon);
  daemon.lost_lines.say(now_ns() / 1e6, (text) => logLine(daemon.events, 'warning', text));
}
