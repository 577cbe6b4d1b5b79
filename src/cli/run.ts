/** `carpool -f FILE …`: reads and checks the configuration, and runs the daemon with it. */
import { type Diagnostic, formatDiagnostic, NOWHERE } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import type { Level } from '../control/event-log.ts';
import { socketPaths } from '../control/socket-path.ts';
import { runDaemon } from '../daemon.ts';
import type { RunArguments } from './arguments.ts';
import { readVersion } from './version.ts';

/** Resolves to the exit status: 1 when something is wrong with the files or this host refuses them. */
export async function runRun(words: RunArguments): Promise<number> {
  const { config, diagnostics } = loadFiles(words.files, { env: process.env });
  reportDiagnostics(diagnostics, words);
  if (config === undefined) return 1;
  if (words.check_only) {
    if (!words.quiet) process.stdout.write('Configuration file is valid\n');
    return 0;
  }
  const wants_background = words.background || config.global.daemon;
  if (wants_background && !words.foreground) reportDiagnostics([staysInForeground(words, config)], words);
  return startDaemon(withMaxconn(config, words.maxconn), words);
}

type Voice = Pick<RunArguments, 'quiet' | 'verbose' | 'socket'>;

/** Runs a checked configuration in the foreground until a signal ends it. */
export function startDaemon(config: Config, voice: Voice): Promise<number> {
  // a log that nobody reads any more is no reason to stop
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return runDaemon({
    config,
    version: readVersion(),
    socket: socketPaths(voice.socket, process.env),
    print: (line, level) => printLine(line, level, voice),
    report: (diagnostics) => reportDiagnostics(diagnostics, voice),
  });
}

/** `-q` leaves only what is wrong. */
function printLine(line: string, level: Level, voice: Voice): void {
  const wrong = level === 'warning' || level === 'error';
  if (wrong || !voice.quiet) process.stderr.write(`${line}\n`);
}

export function reportDiagnostics(diagnostics: readonly Diagnostic[], { quiet }: Pick<Voice, 'quiet'>): void {
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === 'error' || !quiet) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  }
}

function withMaxconn(config: Config, maxconn: number | undefined): Config {
  return maxconn === undefined ? config : { ...config, global: { ...config.global, maxconn } };
}

function staysInForeground(words: RunArguments, config: Config): Diagnostic {
  const asked = words.background ? '-D asks' : '"daemon" asks';
  return {
    severity: 'warning',
    code: 'no-background-yet',
    message: `${asked} for the background, which this version does not have: carpool stays in the foreground.`,
    mend: 'Run it under systemd, or add -db to say that the foreground is what you want.',
    span: words.background ? NOWHERE : (config.global.spans['daemon'] ?? NOWHERE),
  };
}
