/** What holds where nobody wrote anything. */
import type { Carp, Config } from './model.ts';

/** The Config of an empty file. */
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

type Required = 'name' | 'vhid' | 'addresses' | 'span' | 'spans';

/** A vhid with the defaults that all dialects share. */
export function carpWith(written: Pick<Carp, Required> & Partial<Carp>): Carp {
  return { ...CARP_DEFAULTS, ...written };
}

const CARP_DEFAULTS: Omit<Carp, Required> = {
  interface: undefined,
  pass: '',
  advbase: 1,
  advskew: 0,
  preempt: false,
  deadratio: 3,
  demotions: [],
  source_address: undefined,
  scripts: undefined,
};
