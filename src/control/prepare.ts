/**
 * Everything that this host may refuse, found out before anything is changed. The control socket comes last of the
 * checks, because it refuses a second daemon; then the listeners, because a port may have been taken meanwhile.
 */
import { availableParallelism } from 'node:os';
import type { VhidSettings } from '../carp/events.ts';
import { type Diagnostic, hasErrors, NOWHERE } from '../config/diagnostic.ts';
import type { Bind, Config } from '../config/model.ts';
import type { BufferCounts } from '../reactor/buffers.ts';
import { refusalOfRing } from '../reactor/choose.ts';
import { checkCarpHost } from '../system/carp-host.ts';
import { SystemError } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import { type ListenerSet, openListeners, placeOf } from '../threads/listeners.ts';
import { MOST_DATA_THREADS } from '../threads/shared-memory.ts';
import { answerClient } from './answer-client.ts';
import { type CommandContext, ERROR } from './commands.ts';
import { type Confinement, planConfinement } from './confine.ts';
import { type AnswerClient, type ControlSocket, openControlSocket } from './control-socket.ts';
import type { Daemon } from './daemon-state.ts';
import { checkDescriptorLimit } from './descriptor-limit.ts';
import { withErrorFiles } from './error-files.ts';
import { type Replacement, takeListeners } from './hand-over.ts';
import { probeLogs } from './log-probe.ts';
import { findMemoryLimits, type MemoryLimits } from './memory-limits.ts';
import { sizeToMemory } from './memory-sizes.ts';
import { outside } from './outside.ts';
import { probePasswords } from './password-probe.ts';
import { writePidfile } from './pidfile.ts';
import { plain } from './plain.ts';
import { probeBinds } from './port-probe.ts';
import { resolveCheckNames } from './resolve-check-names.ts';
import { resolveServers } from './resolve-servers.ts';
import { refusalOfThreads } from './run-data.ts';
import { answerRuntime } from './runtime/answer.ts';
import type { Answer } from './runtime/conversation.ts';
import { checkScripts } from './scripts.ts';
import { loadServerStates } from './server-states.ts';
import type { KnownServers, Origins } from './server-table.ts';
import { openShared } from './shared-listeners.ts';
import type { SocketPaths } from './socket-path.ts';
import { StatsSockets } from './stats-sockets.ts';
import { holdVhids } from './vhid-locks.ts';

export type Prepared = {
  /** With the servers' names resolved. */
  readonly config: Config;
  readonly origins: Origins;
  /** From the server state files. */
  readonly known: KnownServers;
  /** One per `config.carps`. */
  readonly vhids: readonly VhidSettings[];
  readonly listeners: ListenerSet;
  /** Of each data thread. */
  readonly buffers: BufferCounts;
  readonly memory_limits: MemoryLimits;
  /** What it takes less than it would, and why. */
  readonly memory_notice: string | undefined;
  readonly socket: ControlSocket | undefined;
  readonly stats_sockets: StatsSockets;
  readonly confinement: Confinement;
  /** Until then clients hear that the daemon is starting. */
  answerWith(context: CommandContext): void;
};

/** What a reload needs of it. */
export type PreparedNext = Pick<Prepared, 'config' | 'origins' | 'listeners' | 'buffers' | 'memory_notice'>;

type Report = (diagnostics: readonly Diagnostic[]) => void;

/** Undefined when something was refused; then it is reported, and nothing is left behind. */
export async function prepare(
  config: Config,
  paths: SocketPaths,
  report: Report,
  replaced?: Replacement,
): Promise<Prepared | undefined> {
  const taken = replaced?.socket === undefined ? undefined : takeListeners(replaced.socket);
  const held = new Set(taken?.sockets.map(({ place }) => place));
  // without its sockets the port of the process that is replaced is shared for a while
  const host = examineHost(config, (bind) => replaced === undefined && !held.has(placeOf(bind)));
  const servers = await findServers(host.config);
  const found = [...host.diagnostics, ...servers.diagnostics];
  report(found);
  if (hasErrors(found)) return undefined;

  const answers = new ClientAnswers();
  const opened = await openControlSocket(paths, answers.toClient);
  if (opened.diagnostic !== undefined) report([opened.diagnostic]);
  if (opened.diagnostic?.severity === 'error') return undefined;
  const listening = listen(servers.config, countDataThreads(servers.config), taken);
  if ('diagnostics' in listening) {
    report(listening.diagnostics);
    opened.socket?.close();
    return undefined;
  }
  const stats_sockets = new StatsSockets(answers.toRuntime);
  const stats = await stats_sockets.change(config.global);
  const late = [...stats.diagnostics, ...writePid(config)];
  report(late);
  if (hasErrors(late)) {
    opened.socket?.close();
    return undefined;
  }
  stats.commit();
  const others = holdVhids(host.vhids);
  if (replaced === undefined) report(others);
  closeUnused(taken, listening.listeners);
  return {
    config: listening.config,
    origins: servers.origins,
    known: servers.known,
    vhids: host.vhids,
    listeners: listening.listeners,
    buffers: host.buffers,
    memory_limits: host.memory_limits,
    memory_notice: host.memory_notice,
    socket: opened.socket,
    stats_sockets,
    confinement: host.confinement,
    answerWith: answers.begin,
  };
}

/** What this host allows, before anything is opened. */
function examineHost(config: Config, isFree: (bind: Bind) => boolean) {
  const carp = checkCarpHost(config);
  const memory_limits = findMemoryLimits(config.global.memory_max_mb);
  const sized = sizeToMemory(config, memory_limits, countDataThreads(config));
  const read = withErrorFiles(sized.config);
  const confinement = planConfinement(config);
  const diagnostics = [
    ...carp.diagnostics,
    ...checkScripts(config),
    ...probeBinds(config, isFree),
    ...probeLogs(config),
    ...probePasswords(config),
    ...read.diagnostics,
    ...confinement.diagnostics,
    ...checkReactorVariable(),
    ...checkDescriptorLimit(config),
    ...sized.diagnostics,
  ];
  return {
    config: read.config,
    vhids: carp.vhids,
    buffers: sized.buffers,
    memory_limits,
    memory_notice: sized.notice,
    confinement: confinement.plan,
    diagnostics,
  };
}

/** Where servers and their checks are, and how they were when the state files were written. */
async function findServers(config: Config) {
  const checks = await resolveCheckNames(config);
  const states = loadServerStates(checks.config);
  const resolved = await resolveServers(checks.config, states.known);
  const diagnostics = [...checks.diagnostics, ...states.diagnostics, ...resolved.diagnostics];
  return { config: resolved.config, origins: resolved.origins, known: states.known, diagnostics };
}

/** What clients of the sockets hear: until the daemon runs, that it is starting. */
class ClientAnswers {
  private context: CommandContext | undefined;

  readonly begin = (context: CommandContext): void => {
    this.context = context;
  };

  readonly toClient: AnswerClient = (line, client) => {
    if (this.context === undefined) client.end(`${ERROR}${STARTING}`);
    else void answerClient(line, client, this.context);
  };

  readonly toRuntime: Answer = (words, session, client) => {
    if (this.context === undefined) return Promise.resolve(STARTING);
    return answerRuntime(words, session, client, this.context);
  };
}

const STARTING = 'The daemon is starting; ask again in a moment.\n';

/** Of the process that is replaced, what this configuration does not listen on. */
function closeUnused(taken: ListenerSet | undefined, { sockets }: ListenerSet): void {
  const used = new Set(sockets.map(({ fd }) => fd));
  for (const { fd } of taken?.sockets ?? []) if (!used.has(fd)) libc.close(fd);
}

function writePid({ global: { pidfile, spans } }: Config): Diagnostic[] {
  return pidfile === undefined ? [] : writePidfile(pidfile, spans['pidfile']);
}

/** The same for a configuration that is to follow another one: what is open stays open. */
export async function prepareNext(
  config: Config,
  { generation: previous, memory_limits }: Pick<Daemon, 'generation' | 'memory_limits'>,
  report: Report,
): Promise<PreparedNext | undefined> {
  const sized = sizeToMemory(config, memory_limits, countDataThreads(config));
  const held = new Set(previous.listeners.sockets.map(({ place }) => place));
  const read = outside((root) => withErrorFiles(sized.config, root));
  const early = [
    ...checkRestart(sized.config, previous.config),
    ...checkScripts(config),
    ...probeBinds(config, (bind) => !held.has(placeOf(bind))),
    ...probeLogs(config),
    ...probePasswords(config),
    ...read.diagnostics,
    ...checkDescriptorLimit(config),
    ...sized.diagnostics,
  ];
  const checks = await resolveCheckNames(read.config);
  const resolved = await resolveServers(checks.config, previous.servers);
  const names = [...checks.diagnostics, ...resolved.diagnostics];
  report([...early, ...names]);
  if (hasErrors([...early, ...names])) return undefined;
  const listening = listen(resolved.config, countDataThreads(resolved.config), previous.listeners);
  const { buffers, notice: memory_notice } = sized;
  if ('listeners' in listening) return { ...listening, origins: resolved.origins, buffers, memory_notice };
  report(listening.diagnostics);
  return undefined;
}

/** What only a restart can change: a word of it, where it differs. */
function checkRestart(config: Config, previous: Config): Diagnostic[] {
  const [now, before] = [config.global, previous.global];
  const mend = 'Restart carpool for that.';
  const diagnostics: Diagnostic[] = [];
  const threads = countDataThreads(config);
  const refusal = threads > countDataThreads(previous) ? refusalOfThreads() : undefined;
  if (refusal !== undefined) {
    const message = `This configuration wants ${threads} data threads, and carpool cannot read its own program any more to start more of them (${refusal}).`;
    const span = now.spans['nbthread'] ?? NOWHERE;
    diagnostics.push({ severity: 'error', code: 'needs-restart', message, mend, span });
  }
  for (const field of ['chroot', 'identity', 'pidfile', 'daemon'] as const) {
    if (plain(now[field]) === plain(before[field])) continue;
    const span = now.spans[field] ?? NOWHERE;
    const message = `A reload does not change \`${field.replace('_', ' ')}\`.`;
    diagnostics.push({ severity: 'warning', code: 'needs-restart', message, mend, span });
  }
  return diagnostics;
}

export function countDataThreads(config: Config): number {
  return config.frontends.length === 0
    ? 0
    : (config.global.nbthread ?? Math.min(availableParallelism(), MOST_DATA_THREADS));
}

function listen(
  config: Config,
  threads: number,
  earlier?: ListenerSet,
): { config: Config; listeners: ListenerSet } | { diagnostics: readonly Diagnostic[] } {
  const shared = openShared(config, new Set(earlier?.sockets.map(({ place }) => place)));
  try {
    if (shared.diagnostics.length > 0) return { diagnostics: shared.diagnostics };
    const listeners = openListeners(shared.config, threads, earlier, shared.descriptors);
    return { config: shared.config, listeners };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { diagnostics: [describeRefusal(error)] };
  } finally {
    shared.closeOwn();
  }
}

function describeRefusal(error: SystemError): Diagnostic {
  const base = { severity: 'error', code: 'cannot-listen', span: NOWHERE } as const;
  if (error.code !== 'EMFILE') return { ...base, message: `The system refuses a listener (${error.message}).` };
  const message = 'The limit on open files is too low for all listeners: each data thread needs one for each port.';
  return { ...base, message, mend: 'Raise it ("ulimit -n", LimitNOFILE of a systemd unit), or lower nbthread.' };
}

function checkReactorVariable(): Diagnostic[] {
  const value = process.env['CARPOOL_REACTOR'] ?? '';
  const base = { severity: 'error', span: NOWHERE } as const;
  if (!['', 'ring', 'epoll'].includes(value)) {
    const message = `CARPOOL_REACTOR is "${value}"; it may be "ring" or "epoll".`;
    return [{ ...base, code: 'unknown-reactor', message }];
  }
  const refusal = value === 'ring' ? refusalOfRing() : undefined;
  if (refusal === undefined) return [];
  const message = `CARPOOL_REACTOR asks for io_uring, which this system refuses (${refusal}).`;
  const mend =
    'Leave CARPOOL_REACTOR unset to run on epoll; "sysctl kernel.io_uring_disabled" or a seccomp filter decides.';
  return [{ ...base, code: 'no-io-uring', message, mend }];
}
