/** How long a test waits for what must come. It only ends what hangs: no test says with it how quick something is. */
export const PATIENCE_MS = 60_000;
