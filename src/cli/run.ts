/** `carpool -f FILE …`: reads and checks the configuration, and runs the daemon with it. */
import { resolve } from 'node:path';
import { type Diagnostic, formatDiagnostics, hasErrors, NOWHERE } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import { parseMasterSocket } from '../config/haproxy/stats-socket.ts';
import type { Loaded } from '../config/load.ts';
import type { Config, StatsSocket } from '../config/model.ts';
import { emptyConfig } from '../config/model-defaults.ts';
import { Reporter } from '../config/reporter.ts';
import { withErrorFiles } from '../control/error-files.ts';
import type { Level } from '../control/event-log.ts';
import { globalLog } from '../control/global-log.ts';
import type { Replacement } from '../control/hand-over.ts';
import { linePrinter } from '../control/line-printer.ts';
import { outside } from '../control/outside.ts';
import { balancerSocketPaths, type SocketPaths, socketPaths } from '../control/socket-path.ts';
import { runDaemon } from '../daemon.ts';
import type { RunArguments } from './arguments.ts';
import { isInBackground, runInBackground, tellStarted } from './background.ts';
import { readVersion } from './version.ts';

const NOTHING_YET = { config: emptyConfig([]), diagnostics: [] };

/** Resolves to the exit status: 1 when something is wrong with the files or this host refuses them. */
export async function runRun(words: RunArguments): Promise<number> {
  const in_background = isInBackground(process.env);
  // the background's current directory is the one that its parent had changed to
  if (words.directory !== undefined && !in_background && !changeDirectory(words.directory)) return 1;
  const { config, diagnostics } = words.files.length === 0 ? NOTHING_YET : loadFiles(words.files, { env: process.env });
  const report = new Reporter();
  const master =
    words.master_socket === undefined ? undefined : parseMasterSocket(words.master_socket, process.env, report);
  if (!in_background) reportDiagnostics([...diagnostics, ...report.diagnostics], words.quiet);
  if (report.hasErrors) return 1;
  if (config === undefined) return 1;
  if (words.check_only) {
    const replies = withErrorFiles(config).diagnostics;
    reportDiagnostics(replies, words.quiet);
    if (hasErrors(replies)) return 1;
    if (!words.quiet) process.stdout.write('Configuration file is valid\n');
    return 0;
  }
  const background = !words.foreground && (words.background || config.global.daemon);
  if (background && !in_background)
    return runInBackground(process.argv.slice(1), process.env, inheritedBy(withOptions(config, words, master)));
  const own = socketPaths(words.socket, process.env);
  const may_be_several = config.frontends.length > 0 && config.carps.length === 0;
  const at = may_be_several ? balancerSocketPaths(own, process.pid) : own;
  const paths = { ...at, replaces: words.replaces !== undefined };
  // without -x the old process is asked where it would be asked for its status
  const replaces = words.replaces && { ...words.replaces, socket: words.replaces.socket ?? own.candidates[0] };
  const env = { ...process.env };
  const files = words.files.map((file) => resolve(file)); // another directory may be the current one by then
  const load = () => {
    if (files.length === 0) return NOTHING_TO_READ;
    const loaded = outside((root) => loadFiles(files, { env, root }));
    return { ...loaded, config: loaded.config && withOptions(loaded.config, words, master) };
  };
  const signalled = words.master ? lastSignal() : () => 0;
  const status = await startDaemon(withOptions(config, words, master), {
    paths,
    quiet: words.quiet,
    load,
    in_background,
    replaces,
  });
  return status === 0 ? signalled() : status;
}

/** Gives 128 and the number of the signal that came last; 0 when none did. */
function lastSignal(): () => number {
  let status = 0;
  for (const [name, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.on(name, () => (status = 128 + number));
  return () => status;
}

/** The descriptors that the configuration takes from whoever started us (`fd@N`). */
function inheritedBy({ frontends, global }: Config): readonly number[] {
  const binds = frontends.flatMap((frontend) => frontend.binds.map(({ inherited_fd }) => inherited_fd));
  const sockets = global.stats_sockets.map(({ to }) => (to.kind === 'inherited' ? to.fd : undefined));
  return [...binds, ...sockets].filter((fd) => fd !== undefined);
}

function changeDirectory(directory: string): boolean {
  try {
    process.chdir(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    process.stderr.write(`carpool: the directory ${directory} cannot be entered (${code}).\n`);
    return false;
  }
}

/** A reload of a node that `carpool ifconfig` has filled. */
const NOTHING_TO_READ: Loaded = {
  config: undefined,
  diagnostics: [
    {
      severity: 'error',
      code: 'no-file',
      message: 'This node was started without a file, so there is nothing to read again.',
      span: NOWHERE,
    },
  ],
};

type Voice = {
  readonly paths: SocketPaths;
  readonly quiet: boolean;
  readonly load: () => Loaded;
  readonly in_background: boolean;
  readonly replaces: Replacement | undefined;
};

/** Runs a checked configuration until a signal ends it. In the background its log goes to the targets of the global section. */
function startDaemon(config: Config, { paths, quiet, load, in_background, replaces }: Voice): Promise<number> {
  // a log that nobody reads any more is no reason to stop
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  globalLog.configure(config);
  let started = false;
  return runDaemon({
    config,
    version: readVersion(),
    socket: paths,
    load,
    replaces,
    print(line, level, event) {
      if (event?.kind !== 'server') globalLog.say(line, level); // those are said in HAProxy's words, with their proxy's
      // until it has started somebody waits to be told what hinders it
      if (in_background && (started || level === 'info' || level === 'notice')) return;
      printLine(line, level, quiet);
    },
    report: (diagnostics) => reportDiagnostics(diagnostics, quiet),
    onReady() {
      started = true;
      if (in_background) tellStarted(process.env);
    },
    script_output: in_background ? 'ignore' : 'inherit',
  });
}

/** `-q` leaves only what is wrong. */
function printLine(line: string, level: Level, quiet: boolean): void {
  const wrong = level === 'warning' || level === 'error';
  if (wrong || !quiet) linePrinter(2).print(Buffer.from(`${line}\n`));
}

export function reportDiagnostics(diagnostics: readonly Diagnostic[], quiet: boolean): void {
  const told = quiet ? diagnostics.filter(({ severity }) => severity === 'error') : diagnostics;
  for (const { text } of formatDiagnostics(told)) process.stderr.write(`${text}\n`);
}

/** What the command line says instead of the global section. */
function withOptions(
  config: Config,
  { maxconn, memory_max_mb, pidfile }: RunArguments,
  master: StatsSocket | undefined,
): Config {
  const { global } = config;
  const stats_sockets = master === undefined ? global.stats_sockets : [...global.stats_sockets, master];
  const said = { maxconn: maxconn ?? global.maxconn, pidfile: pidfile ?? global.pidfile, memory_max_mb, stats_sockets };
  return { ...config, global: { ...global, ...said } };
}
