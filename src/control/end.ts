/** When and why the daemon ends: the first signal or failure counts. */

/** `soft`: by SIGUSR1, which lets clients finish. */
export type End = { readonly reason: string; readonly status: number; readonly soft: boolean };

export type EndWatch = {
  readonly reached: Promise<End>;
  /** A failure: exit status 1. */
  because(reason: string): void;
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
  const because = (reason: string) => resolveEnd({ reason, status: 1, soft: false });
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
