/** argv -> a command, as a value. Pure: nothing is read and nothing is printed here. */
import { suggest } from '../config/suggest.ts';
import { joinWords } from '../control/command-words.ts';
import { COMMANDS as DAEMON_COMMANDS, parseCommandLine } from '../control/commands.ts';
import type { Replacement } from '../control/hand-over.ts';

export type RunArguments = {
  readonly kind: 'run';
  /** Files and directories, in the order written; none: a node without vhids and proxies. */
  readonly files: readonly string[];
  readonly check_only: boolean;
  /** `-D`: the background was asked for. `-db`: the foreground, whatever the file says. */
  readonly background: boolean;
  readonly foreground: boolean;
  readonly quiet: boolean;
  /** `-W`, `-Ws`: its exit status is a master's, 128 and the signal's number. */
  readonly master: boolean;
  readonly maxconn: number | undefined;
  /** `-m`: megabytes. */
  readonly memory_max_mb: number | undefined;
  readonly socket: string | undefined;
  readonly pidfile: string | undefined;
  /** `-S`: where HAProxy's master would answer. */
  readonly master_socket: string | undefined;
  /** `-C`: where relative paths begin. */
  readonly directory: string | undefined;
  /** `-x SOCKET`, `-sf PID …`, `-st PID …`: whose place it takes. */
  readonly replaces: Replacement | undefined;
};

export type Command =
  | RunArguments
  /** A command of the daemon's table, to be asked over its socket. */
  | { readonly kind: 'ask'; readonly line: string; readonly socket: string | undefined }
  /** A command that looks at its words itself. */
  | { readonly kind: WordCommand; readonly words: readonly string[] }
  /** Of one command, or of all. */
  | { readonly kind: 'help'; readonly of?: string }
  | { readonly kind: 'version'; readonly features: boolean }
  /** `-cc`: the exit status tells whether it holds. */
  | { readonly kind: 'condition'; readonly text: string }
  /** One sentence for the person who typed it. */
  | { readonly kind: 'mistake'; readonly message: string };

const WORD_COMMANDS = ['lab', 'ucarp', 'debian', 'doctor', 'init', 'diff', 'convert'] as const;
export type WordCommand = (typeof WORD_COMMANDS)[number];

/** `argv` without the interpreter and the script. */
export function parseArguments(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h') return { kind: 'help' };
  if (first === 'help') return COMMANDS.includes(rest[0] ?? '') ? { kind: 'help', of: rest[0]! } : { kind: 'help' };
  if (first === 'version' || first === '--version' || first === '-v') return { kind: 'version', features: false };
  if (first === '-vv') return { kind: 'version', features: true };
  if (rest.includes('--help') && COMMANDS.includes(first) && first !== 'ucarp') return { kind: 'help', of: first };
  if (first === '-cc') return parseCondition(rest);
  if (first === 'run') return parseRun(rest, true);
  const command = WORD_COMMANDS.find((name) => name === first);
  if (command !== undefined) return { kind: command, words: rest };
  if (first.startsWith('-')) return parseRun(argv, false);
  if (DAEMON_COMMANDS.some((command) => command.name === first)) return parseAsk(argv);
  if (/[./]/.test(first))
    return mistake(`There is no command "${first}"; a file stands after -f: carpool -f ${first}.`);
  return mistake(`There is no command "${first}"${didYouMean(first, COMMANDS)}; "carpool --help" lists them all.`);
}

function parseCondition([text, ...more]: readonly string[]): Command {
  if (text === undefined || more.length > 0)
    return mistake('-cc wants one condition after it, such as "version_atleast(2.4)".');
  return { kind: 'condition', text };
}

const COMMANDS: readonly string[] = ['run', ...WORD_COMMANDS, ...DAEMON_COMMANDS.map((command) => command.name)];

/** A node without a file is for `carpool ifconfig` to fill. HAProxy's own form: single-dash words of several letters, and `--` before a list of files. */
function parseRun(words: readonly string[], may_be_empty: boolean): Command {
  const files: string[] = [];
  let flags: Flags = { master: false, check_only: false, background: false, foreground: false, quiet: false };
  let maxconn: number | undefined;
  let memory_max_mb: number | undefined;
  let socket: string | undefined;
  let pidfile: string | undefined;
  let directory: string | undefined;
  let master_socket: string | undefined;
  let replaces: Replacement | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') {
      files.push(...words.slice(i + 1));
      break;
    }
    if (word === '-sf' || word === '-st') {
      const pids: number[] = [];
      while (/^\d{1,9}$/.test(words[i + 1] ?? '')) pids.push(Number(words[++i]));
      replaces = { socket: replaces?.socket, pids, signal: word === '-sf' ? 'SIGUSR1' : 'SIGTERM' };
      continue;
    }
    if (FLAGS[word] !== undefined) {
      flags = { ...flags, ...FLAGS[word] };
      continue;
    }
    if (DEBUGGING.test(word)) continue;
    if (!TAKES_VALUE.includes(word)) return mistake(explainUnknownFlag(word));
    const value = words[++i];
    if (value === undefined || value === '') return mistake(`${word} wants ${VALUE_NAMES[word]} after it.`);
    if (word === '-f') files.push(value);
    else if (word === '--socket') socket = value;
    else if (word === '-p') pidfile = value;
    else if (word === '-C') directory = value;
    else if (word === '-S') master_socket = value;
    else if (word === '-x') replaces = { pids: [], signal: 'SIGUSR1', ...replaces, socket: value };
    else if (NAMES_ONLY.includes(word)) continue;
    else if (!/^[1-9]\d{0,8}$/.test(value))
      return mistake(`${word} wants ${VALUE_NAMES[word]}, 1 or more, and "${value}" is none.`);
    else if (word === '-m') memory_max_mb = Number(value);
    else maxconn = Number(value);
  }
  if (files.length === 0 && !may_be_empty) return mistake('No configuration file was named: carpool -f FILE.');
  return { kind: 'run', files, ...flags, maxconn, memory_max_mb, socket, pidfile, master_socket, directory, replaces };
}

type Flags = Pick<RunArguments, 'master' | 'check_only' | 'background' | 'foreground' | 'quiet'>;

const FLAGS: Readonly<Record<string, Partial<Flags>>> = {
  '-c': { check_only: true },
  '-D': { background: true },
  '-q': { quiet: true },
  '-V': { quiet: false },
  '-db': { foreground: true },
  '-d': { foreground: true },
  // there is one process, so a master's foreground is its own
  '-W': { master: true },
  '-Ws': { master: true, foreground: true },
};
/** Their values are for what carpool does not have (peers, a default of `maxconn`), so that nothing is lost without them. */
const NAMES_ONLY: readonly string[] = ['-L', '-N'];
/** They switch parts of HAProxy off, or its self-checks on (`-de`, `-dM`, `-dS` …). There is nothing here that they would change. */
const DEBUGGING = /^-d(?:[CDFGIKLMRSVWZ][\w,.-]*|[elprst])$/;
const TAKES_VALUE: readonly string[] = ['-f', '-n', '-m', '-p', '-x', '-C', '-S', ...NAMES_ONLY, '--socket'];
const VALUE_NAMES: Readonly<Record<string, string>> = {
  '-f': 'a file or a directory',
  '-n': 'a number of connections',
  '-C': 'a directory',
  '-S': 'the path or address of a socket',
  '-m': 'a number of megabytes',
  '-p': 'the path of a pidfile',
  '-x': 'the path of a stats or control socket',
  '-L': 'a name',
  '-N': 'a number',
  '--socket': 'the path of the control socket',
};

function explainUnknownFlag(word: string): string {
  if (!word.startsWith('-')) return `Put -f before the file: carpool -f ${word}.`;
  const known = [...Object.keys(FLAGS), ...TAKES_VALUE].filter((flag) => flag.length > 2);
  return `There is no option ${word}${didYouMean(word, known)}; "carpool --help" lists them all.`;
}

/** The daemon's own table checks the words, before anything is sent. */
function parseAsk(words: readonly string[]): Command {
  const { rest, socket, error } = takeSocket(words);
  if (error !== undefined) return mistake(error);
  const parsed = parseCommandLine(rest);
  return 'mistake' in parsed ? mistake(parsed.mistake) : { kind: 'ask', line: joinWords(rest), socket };
}

type Taken = { rest: readonly string[]; socket: string | undefined; error: string | undefined };

/** Takes `--socket PATH` (or `--socket=PATH`) out of the words. */
function takeSocket(words: readonly string[]): Taken {
  const rest = [...words];
  const joined = rest.findIndex((word) => word.startsWith('--socket='));
  if (joined >= 0) rest.splice(joined, 1, '--socket', rest[joined]!.slice('--socket='.length));
  const at = rest.indexOf('--socket');
  if (at < 0) return { rest, socket: undefined, error: undefined };
  const [, socket] = rest.splice(at, 2);
  const error = socket ? undefined : '--socket wants the path of the control socket after it.';
  return { rest, socket, error };
}

/** ` (did you mean "status"?)`, or nothing when no word is near. */
function didYouMean(word: string, known: readonly string[]): string {
  const nearest = suggest(word, known);
  return nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
}

function mistake(message: string): Command {
  return { kind: 'mistake', message };
}
