/** A process inside a host's network namespace, its lines of output, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { insideNetworkNamespace } from '../system/namespaces.ts';

export type ChildOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Every line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  readonly onEnd?: (how: string) => void;
};

/** Lines of output kept for the report of a failure. */
const KEPT_LINES = 200;
const LONGEST_LINE = 64 * 1024;

export class Child {
  readonly pid: number;
  /** The last lines of its output. */
  readonly output: string[] = [];
  /** `exit status 0`, `SIGKILL` …; undefined while it lives. */
  ended: string | undefined;
  /** It has answered the lab. */
  heard = false;
  /** The lab itself killed it. */
  killed = false;
  readonly #process: ChildProcess;

  constructor(namespace_fd: number, options: ChildOptions) {
    this.#process = insideNetworkNamespace(namespace_fd, () =>
      // a session of its own: the terminal's Ctrl-C goes to the lab, which ends its processes in order
      spawn(options.command, options.args, { cwd: options.directory, detached: true, stdio: 'pipe' }),
    );
    this.pid = this.#process.pid ?? 0;
    this.#process.once('error', (error) => this.#end(error.message, options));
    this.#process.once('exit', (status, signal) => this.#end(signal ?? `exit status ${status}`, options));
    this.#process.stdin!.on('error', () => {}); // it is closed only to say "stop"; who is gone has stopped
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      eachLine(stream, (line) => this.#line(line, options));
    }
  }

  signal(name: NodeJS.Signals): void {
    if (name === 'SIGKILL') this.killed = true;
    if (this.ended === undefined && this.pid > 0) this.#process.kill(name);
  }

  /** To its standard input. */
  write(text: string): void {
    this.#process.stdin!.write(text);
  }

  /** Closes its standard input: how our own tools are asked to finish. */
  finish(): void {
    this.#process.stdin!.end();
  }

  #line(line: string, options: ChildOptions): void {
    if (options.onLine) options.onLine(line);
    this.output.push(line);
    if (this.output.length > KEPT_LINES) this.output.shift();
  }

  #end(how: string, options: ChildOptions): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    options.onEnd?.(how);
  }
}

/** Calls back for each whole line; a line that grows beyond all reason is cut. */
export function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!.slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest) onLine(rest);
  });
}
