/** When and why the daemon ends: the first signal or failure counts. */

export type End = {
  /** One line: statuses, scripts and the peer's log show it. */
  readonly reason: string;
  /** Of a mistake of ours, as one line, where an error had one. */
  readonly stack?: string;
  readonly status: number;
  /** By SIGUSR1, which lets clients finish. */
  readonly soft: boolean;
};

export type EndWatch = {
  readonly reached: Promise<End>;
  /** A failure: exit status 1. Lines after the first are its stack. */
  because(text: string): void;
  /** A second signal came: shorten the waits. */
  hurried(): boolean;
};

/** From here on no signal and no error of ours ends the process by itself. */
export function watchForEnd(ending_signals: readonly NodeJS.Signals[]): EndWatch {
  let signals = 0;
  let resolveEnd: (end: End) => void;
  const reached = new Promise<End>((resolve) => {
    resolveEnd = resolve;
  });
  const because = (text: string) => {
    const [reason = '', ...calls] = text.split('\n').map((line) => line.trim());
    resolveEnd({ reason, stack: calls.join(' '), status: 1, soft: false });
  };
  for (const signal of ending_signals) {
    process.on(signal, () => {
      signals++;
      resolveEnd({ reason: `asked to stop (${signal})`, status: 0, soft: signal === 'SIGUSR1' });
    });
  }
  const onError = (error: unknown) => because(`an error of carpool itself: ${describeError(error)}`);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return { reached, because, hurried: () => signals > 1 };
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
