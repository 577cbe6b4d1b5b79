/**
 * The one wiring file: Config -> threads.
 *
 *   prepare   checks of this host, control socket, listeners; what is refused is a diagnostic
 *   start     checks, data threads, guardian, carp thread (INIT, demoted by `starting`)
 *   ready     listeners accept, every check has run: `starting` ends and the vhids may rise
 *   stop      on a signal or a failure: bow out first, then the others, every wait bounded, then the hard way
 */
import type { VhidSettings } from './carp/events.ts';
import type { Diagnostic } from './config/diagnostic.ts';
import type { Config } from './config/model.ts';
import { withTrackedBackends } from './config/tracked-backends.ts';
import { buildStatus } from './control/build-status.ts';
import type { CarpStatus } from './control/carp-status.ts';
import { wallTime } from './control/clock.ts';
import type { ControlSocket } from './control/control-socket.ts';
import { createDemoter, type Demoter } from './control/demoter.ts';
import { describeError, watchForEnd } from './control/end.ts';
import { createEventLog, type EventLog, type Level } from './control/event-log.ts';
import { type Guardian, startGuardian } from './control/guardian.ts';
import { linePrinter } from './control/line-printer.ts';
import { CARPOOL_MANNERS, type Manners } from './control/manners.ts';
import { orderFileOf, readOrders, writeOrders } from './control/order-file.ts';
import { createOrders, type Orders, type OrdersOptions } from './control/orders.ts';
import { countDataThreads, type Prepared, prepare } from './control/prepare.ts';
import { createScriptRunner, type ScriptRunner } from './control/scripts.ts';
import { createServerTable, type ServerTable } from './control/server-table.ts';
import { exitNow, noteStopped, type RunningThread, stopThreads, waitUntil } from './control/shutdown.ts';
import type { SocketPaths } from './control/socket-path.ts';
import { obeyUcarpSignals, type UcarpDaemon } from './control/ucarp-signals.ts';
import { isChecked } from './health/plan.ts';
import { now_ms31, now_ns } from './system/clock.ts';
import { notifyServiceManager } from './system/sd-notify.ts';
import { hostSettings } from './system/vhid-settings.ts';
import { type CarpHandle, startCarpThread } from './threads/carp-handle.ts';
import type { FromCarp } from './threads/carp-messages.ts';
import { startChecksThread } from './threads/checks-handle.ts';
import type { FromChecks } from './threads/checks-messages.ts';
import { startDataThread } from './threads/data-handle.ts';
import {
  createSharedMemory,
  type SharedMemory,
  STOP_HARD,
  STOP_SOFT,
  THREAD_BEAT_MS,
  THREAD_CARP,
  THREAD_CHECKS,
  THREAD_CONTROL,
  THREAD_DATA,
  threadAt,
} from './threads/shared-memory.ts';

export type DaemonOptions = {
  readonly config: Config;
  readonly version: string;
  readonly socket: SocketPaths;
  /** One line of the log. */
  readonly print: (line: string, level: Level) => void;
  readonly report: (diagnostics: readonly Diagnostic[]) => void;
  /** Whose place it takes; carpool's own when left out. */
  readonly manners?: Manners;
  /** Prints what happens on the wire, too. */
  readonly debug?: boolean;
  /** What scripts print: to where the log goes, or nowhere. */
  readonly script_output?: 'inherit' | 'ignore';
  /** Called once, when everything is open and the vhids may rise. */
  readonly onReady?: () => void;
};

const THE_CARP_THREAD = 'the carp thread';
const THE_FIRST_CHECKS = 'the first checks';

const BEAT_MS = 100;
const GUARDIAN_TRIES = 10;
/** As long as the carp thread itself waits for the end of `starting`. */
const READY_MS = 10_000;
const BOW_OUT_MS = 1_000;
/** How long those who are being served when we stop may go on. */
const DRAIN_MS = 1_500;
const SOFT_STOP_MS = 2_000;
const HARD_STOP_MS = 500;
const SCRIPTS_MS = 5_000;
/** The whole stop, whatever happens in it. */
const STOP_MS = 10_000;
const STATUS_MS = 1_000;

/** Runs until a signal or a failure ends it. Resolves to the exit status when it never came to run. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const prepared = await prepare(withTrackedBackends(options.config), options.socket, options.report);
  const manners = options.manners ?? CARPOOL_MANNERS;
  if (prepared === undefined) return manners.refused_status;
  const end = watchForEnd(manners.ending_signals);
  try {
    const daemon = start(options, prepared, end.because);
    void becomeReady(daemon, options.onReady);
    const { reason, status } = await end.reached;
    setTimeout(exitNow, STOP_MS, 1, 'carpool: stopping took too long, so it was cut short').unref();
    return await stop(daemon, reason, status, end.hurried);
  } catch (error) {
    // threads may block in the kernel, so that only this way out is certain; the guardian takes the addresses
    prepared.socket?.close();
    exitNow(1, `carpool: an error of carpool itself: ${describeError(error)}`);
  }
}

type Daemon = {
  readonly config: Config;
  readonly started_ns: number;
  readonly memory: SharedMemory;
  readonly events: EventLog;
  readonly servers: ServerTable;
  readonly demoter: Demoter;
  readonly scripts: ScriptRunner;
  readonly socket: ControlSocket | undefined;
  readonly beat: NodeJS.Timeout;
  guardian: Guardian | undefined;
  carp: CarpHandle | undefined;
  orders: Orders | undefined;
  /** Data threads and checks; not the carp thread, which is asked to stop before them. */
  readonly threads: RunningThread[];
  /** What must happen before the vhids may rise: `carp` opens its sockets, every check runs once, data threads accept. */
  readonly waits_for: Set<string>;
  ready: boolean;
  stopping: boolean;
};

/** `fail` ends the daemon with exit status 1. */
type Fail = (reason: string) => void;

function start(options: DaemonOptions, prepared: Prepared, fail: Fail): Daemon {
  const { config } = prepared;
  const manners = options.manners ?? CARPOOL_MANNERS;
  const events = createEventLog(options.print, manners.format);
  const memory = createSharedMemory({
    threads: THREAD_DATA + countDataThreads(config),
    servers: config.backends.reduce((sum, backend) => sum + backend.servers.length, 0),
    backends: config.backends.length,
    frontends: config.frontends.length,
    vhids: config.carps.length,
  });
  const servers = createServerTable(config, memory);
  const daemon: Daemon = {
    config,
    started_ns: now_ns(),
    memory,
    events,
    servers,
    demoter: createDemoter(config, servers.serversOf, (change) => {
      const { index, owner, amount, reason } = change;
      const { name, vhid } = config.carps[index]!;
      daemon.carp?.post(
        amount > 0 ? { kind: 'demote', index, owner, amount, reason } : { kind: 'undemote', index, owner },
      );
      events.record({ kind: 'demotion', at_ns: now_ns(), name, vhid, owner, amount, reason });
    }),
    scripts: createScriptRunner((text, level) => logLine(events, level, text), {
      output: options.script_output,
      onIdle: (index) => daemon.carp?.post({ kind: 'remove-entries', index }),
    }),
    socket: prepared.socket,
    beat: setInterval(() => beat(memory), BEAT_MS),
    guardian: undefined,
    carp: undefined,
    orders: undefined,
    threads: [],
    waits_for: new Set(),
    ready: false,
    stopping: false,
  };
  beat(memory);
  events.record({ kind: 'start', at_ns: daemon.started_ns, pid: process.pid, version: options.version });
  const checked = config.backends.some((backend) => backend.servers.some(isChecked));
  if (checked) startChecks(daemon, fail);
  startDataThreads(daemon, prepared.listeners, fail);
  if (prepared.vhids.length > 0) startCarp(daemon, prepared.vhids, fail);
  daemon.orders = keepOrders(daemon);
  prepared.answerWith({
    version: options.version,
    events,
    orders: daemon.orders,
    status: () => report(daemon, options.version),
    carp: () => carpStatus(daemon),
    names: () => daemon.config.carps.map(({ name }) => name),
  });
  if (manners.ucarp_signals) obeyUcarpSignals(asUcarp(daemon, options), options.debug ?? false);
  else process.on('SIGHUP', () => logLine(events, 'notice', 'SIGHUP: this version cannot reload; restart it instead'));
  return daemon;
}

function startChecks(daemon: Daemon, fail: Fail): void {
  const { config, memory, events } = daemon;
  daemon.waits_for.add(THE_FIRST_CHECKS);
  const onMessage = (message: FromChecks): void => {
    switch (message.kind) {
      case 'started':
        logLine(events, 'info', `checking ${message.checked} servers with ${message.reactor}: ${message.reason}`);
        return;
      case 'server': {
        const { at_ns, backend, server, up, reason } = message;
        daemon.servers.noteReason(backend, server, reason);
        events.record({ kind: 'server', at_ns, backend, server, up, reason });
        daemon.demoter.evaluate();
        return;
      }
      case 'checked-once':
        daemon.waits_for.delete(THE_FIRST_CHECKS);
        return;
      case 'log':
        events.record({ kind: 'log', at_ns: message.at_ns, level: message.level, text: message.text });
        return;
      case 'fatal':
        fail(`the checks thread failed: ${message.text}`);
        return;
      case 'stopped':
        if (!daemon.stopping) fail('the checks thread ended');
        return;
    }
  };
  const handle = startChecksThread({ config, memory, reactor: process.env['CARPOOL_REACTOR'] || undefined, onMessage });
  daemon.threads.push({ name: 'checks', thread: THREAD_CHECKS, wake: handle.wake });
}

function startDataThreads(daemon: Daemon, listeners: Prepared['listeners'], fail: Fail): void {
  const { config, memory, events } = daemon;
  listeners.forEach((own, number) => {
    const name = `data thread ${number}`;
    daemon.waits_for.add(name);
    const handle = startDataThread({
      number,
      config,
      memory,
      listeners: own,
      reactor: process.env['CARPOOL_REACTOR'] || undefined,
      drain_ms: DRAIN_MS,
      onRunning: (reactor, reason) => {
        daemon.waits_for.delete(name);
        logLine(events, 'info', `${name} runs on ${reactor}: ${reason}`);
      },
      onLines: (fd, lines) => linePrinter(fd).print(lines),
      onDropped: (lines) => logLine(events, 'warning', `${name} lost ${lines} log lines: a log target was too slow`),
      onError: (error) => {
        noteStopped(memory, THREAD_DATA + number); // it cannot say so itself any more
        fail(`${name} failed: ${describeError(error)}`);
      },
    });
    daemon.threads.push({ name, thread: handle.thread, wake: handle.wake });
  });
}

function startCarp(daemon: Daemon, vhids: readonly VhidSettings[], fail: Fail): void {
  daemon.guardian = startGuardian(() => replaceGuardian(daemon, GUARDIAN_TRIES));
  daemon.waits_for.add(THE_CARP_THREAD);
  daemon.carp = startCarpThread({
    vhids,
    host: hostSettings(daemon.config.carp_host),
    memory: daemon.memory,
    watched: [
      { thread: THREAD_CONTROL, name: 'control' },
      ...daemon.threads.map(({ thread, name }) => ({ thread, name })),
    ],
    guardian_fd: daemon.guardian?.fd ?? -1,
    wait_for_ready: true,
    onMessage: (message) => onCarpMessage(daemon, message, fail),
  });
}

/** A guardian that ended is replaced, but not for ever when none stays. */
function replaceGuardian(daemon: Daemon, tries: number): void {
  if (daemon.stopping) return;
  const next = tries > 0 ? 'starting another' : 'from now on only the leases guard the addresses';
  logLine(daemon.events, 'warning', `the guardian ended; ${next}`);
  if (tries === 0) return;
  daemon.guardian = startGuardian(() => replaceGuardian(daemon, tries - 1));
  daemon.carp?.post({ kind: 'guardian', fd: daemon.guardian?.fd ?? -1 });
}

function onCarpMessage(daemon: Daemon, message: FromCarp, fail: Fail): void {
  switch (message.kind) {
    case 'started':
      daemon.waits_for.delete(THE_CARP_THREAD);
      return;
    case 'transition': {
      const { at_ns, index, vhid, from, to, reason } = message;
      const { name } = daemon.config.carps[index]!;
      daemon.events.record({ kind: 'transition', at_ns, name, vhid, interface: message.interface, from, to, reason });
      return;
    }
    case 'log':
      daemon.events.record({ kind: 'log', at_ns: message.at_ns, level: message.level, text: message.text });
      return;
    case 'run-script':
      daemon.scripts.run(message);
      return;
    case 'fatal':
      fail(`the carp thread failed: ${message.text}`);
      return;
    case 'stopped':
      if (!daemon.stopping) fail('the carp thread ended');
      return;
  }
}

/** Waits for the listeners and the first checks, a bounded time, then lets the vhids rise. */
async function becomeReady(daemon: Daemon, onReady: (() => void) | undefined): Promise<void> {
  const complete = await waitUntil(() => daemon.stopping || daemon.waits_for.size === 0, READY_MS);
  if (daemon.stopping) return;
  if (!complete) {
    const missing = [...daemon.waits_for].join(' and ');
    logLine(daemon.events, 'warning', `waited ${READY_MS / 1000} s for ${missing}; going on without`);
  }
  daemon.demoter.evaluate();
  daemon.ready = true;
  daemon.events.record({ kind: 'ready', at_ns: now_ns() });
  daemon.carp?.post({ kind: 'undemote', owner: 'starting' });
  notifyServiceManager('READY=1', process.env);
  onReady?.();
}

async function stop(daemon: Daemon, reason: string, status: number, hurried: () => boolean): Promise<number> {
  daemon.stopping = true;
  daemon.events.record({ kind: 'stop', at_ns: now_ns(), reason });
  notifyServiceManager('STOPPING=1', process.env);
  const bowed_out = (await daemon.carp?.stop(reason, BOW_OUT_MS)) ?? true;
  const carp = daemon.carp ? [{ name: 'carp', thread: THREAD_CARP, wake: daemon.carp.wake }] : [];
  const threads = [...carp, ...daemon.threads];
  const soft = await stopThreads(daemon.memory, threads, STOP_SOFT, { timeout_ms: SOFT_STOP_MS, hurried });
  const stopped = soft || (await stopThreads(daemon.memory, threads, STOP_HARD, { timeout_ms: HARD_STOP_MS }));
  await waitUntil(() => !daemon.scripts.busy || hurried(), SCRIPTS_MS);
  clearInterval(daemon.beat);
  daemon.orders?.close();
  daemon.socket?.close();
  if (!stopped || !bowed_out) exitNow(1, 'carpool: a thread did not stop in time and was left behind');
  return status;
}

/** What people ordered, in this run or an earlier one. */
function keepOrders(daemon: Daemon): Orders {
  const { config, events, socket, started_ns } = daemon;
  const file = socket === undefined ? undefined : orderFileOf(socket.path);
  const started_ms = wallTime(started_ns).getTime();
  const options: OrdersOptions = {
    names: () => config.carps.map(({ name }) => name),
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

async function carpStatus(daemon: Daemon): Promise<CarpStatus | undefined> {
  const answer = await daemon.carp?.status(STATUS_MS);
  if (daemon.carp !== undefined && answer === undefined) throw new Error('the carp thread gave no answer');
  return answer;
}

async function report(daemon: Daemon, version: string) {
  const answer = await carpStatus(daemon);
  return buildStatus({
    version,
    config: daemon.config,
    started_ns: daemon.started_ns,
    memory: daemon.memory,
    ready: daemon.ready,
    vhids: answer?.vhids ?? [],
    orders: daemon.orders?.report() ?? [],
    backends: daemon.servers.report(),
  });
}

function asUcarp(daemon: Daemon, { version, print }: DaemonOptions): UcarpDaemon {
  const yieldAll = (reason: string) => daemon.carp?.post({ kind: 'yield', reason });
  return { status: () => report(daemon, version), yieldAll, print };
}

function logLine(events: EventLog, level: Level, text: string): void {
  events.record({ kind: 'log', at_ns: now_ns(), level, text });
}

function beat(memory: SharedMemory): void {
  Atomics.store(memory.words, threadAt(memory, THREAD_CONTROL) + THREAD_BEAT_MS, now_ms31());
}
