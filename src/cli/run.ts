/** `carpool -f FILE …`: reads and checks the configuration, and runs the daemon with it. */
import { type Diagnostic, formatDiagnostic, NOWHERE, type Span } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import type { Loaded } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { emptyConfig } from '../config/model-defaults.ts';
import type { Level } from '../control/event-log.ts';
import { type SocketPaths, socketPaths } from '../control/socket-path.ts';
import { runDaemon } from '../daemon.ts';
import type { RunArguments } from './arguments.ts';
import { readVersion } from './version.ts';

const NOTHING_YET = { config: emptyConfig([]), diagnostics: [] };

/** Resolves to the exit status: 1 when something is wrong with the files or this host refuses them. */
export async function runRun(words: RunArguments): Promise<number> {
  const { config, diagnostics } = words.files.length === 0 ? NOTHING_YET : loadFiles(words.files, { env: process.env });
  reportDiagnostics(diagnostics, words.quiet);
  if (config === undefined) return 1;
  if (!words.foreground) reportDiagnostics(backgroundWanted(words, config), words.quiet);
  if (words.check_only) {
    if (!words.quiet) process.stdout.write('Configuration file is valid\n');
    return 0;
  }
  const paths = socketPaths(words.socket, process.env);
  const load = () => {
    const loaded = loadFiles(words.files, { env: process.env });
    return { ...loaded, config: loaded.config && withMaxconn(loaded.config, words.maxconn) };
  };
  return startDaemon(withMaxconn(config, words.maxconn), { paths, quiet: words.quiet, load });
}

type Voice = { readonly paths: SocketPaths; readonly quiet: boolean; readonly load: () => Loaded };

/** Runs a checked configuration in the foreground until a signal ends it. */
export function startDaemon(config: Config, { paths, quiet, load }: Voice): Promise<number> {
  // a log that nobody reads any more is no reason to stop
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return runDaemon({
    config,
    version: readVersion(),
    socket: paths,
    load,
    print: (line, level) => printLine(line, level, quiet),
    report: (diagnostics) => reportDiagnostics(diagnostics, quiet),
  });
}

/** `-q` leaves only what is wrong. */
function printLine(line: string, level: Level, quiet: boolean): void {
  const wrong = level === 'warning' || level === 'error';
  if (wrong || !quiet) process.stderr.write(`${line}\n`);
}

export function reportDiagnostics(diagnostics: readonly Diagnostic[], quiet: boolean): void {
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === 'error' || !quiet) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  }
}

function withMaxconn(config: Config, maxconn: number | undefined): Config {
  return maxconn === undefined ? config : { ...config, global: { ...config.global, maxconn } };
}

function backgroundWanted(words: RunArguments, config: Config): Diagnostic[] {
  if (words.background) return [foregroundOnly('-D')];
  return config.global.daemon ? [foregroundOnly('"daemon"', config.global.spans['daemon'])] : [];
}

/** `asked` is the option or keyword that asks for the background. */
export function foregroundOnly(asked: string, span: Span = NOWHERE): Diagnostic {
  return {
    severity: 'warning',
    code: 'no-background-yet',
    message: `${asked} asks for the background, which this version does not have: carpool stays in the foreground.`,
    mend: 'Run it under systemd, or with -db, which says that the foreground is what you want.',
    span,
  };
}
