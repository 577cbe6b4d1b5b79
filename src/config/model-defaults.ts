/** The Config of an empty file. */
import type { Config } from './model.ts';

export function emptyConfig(files: readonly string[]): Config {
  return {
    files,
    global: { nbthread: undefined, maxconn: undefined, daemon: false, log_targets: [], spans: {} },
    frontends: [],
    backends: [],
    carps: [],
    carp_host: { preempt: false, spans: {} },
  };
}
