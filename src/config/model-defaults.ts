/** What holds where nobody wrote anything. */
import type { Carp, CarpHost, Config } from './model.ts';

/** FreeBSD's own. */
export const CARP_HOST_DEFAULTS: CarpHost = {
  allow: true,
  preempt: false,
  log: 1,
  senderr_demotion_factor: 240,
  ifdown_demotion_factor: 240,
  demotion: 0,
  arpbalance: false,
  dscp: undefined,
  spans: {},
};

/** The Config of an empty file. */
export function emptyConfig(files: readonly string[]): Config {
  return {
    files,
    global: { nbthread: undefined, maxconn: undefined, daemon: false, log_targets: [], spans: {} },
    frontends: [],
    backends: [],
    carps: [],
    carp_host: CARP_HOST_DEFAULTS,
    interface_names: [],
  };
}

type Required = 'name' | 'vhid' | 'addresses' | 'span' | 'spans';

/** A vhid with the defaults that all dialects share. */
export function carpWith(written: Pick<Carp, Required> & Partial<Carp>): Carp {
  return { ...CARP_DEFAULTS, ...written };
}

export const CARP_DEFAULTS: Omit<Carp, Required> = {
  dialect: 'native',
  disabled: false,
  interface: undefined,
  pass: '',
  advbase: 1,
  advskew: 0,
  preempt: false,
  deadratio: 3,
  demotions: [],
  source_address: undefined,
  peers: [],
  mac: 'real',
  advert_mac: 'interface',
  also_accept: [],
  preempt_delay_ms: 0,
  nodad: true,
  balancing: 'none',
  hash_link_locals: true,
  openbsd_demote_byte: false,
  multicast_address: undefined,
  broadcast: false,
  ignore_link_state: false,
  tracks: [],
  scripts: undefined,
};
