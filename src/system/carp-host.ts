/**
 * Whether this host can run the configured vhids, found out before anything starts: interfaces and their addresses
 * exist, packet sockets are allowed. What people can cause comes back as diagnostics.
 */
import type { VhidSettings } from '../carp/events.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';

export type CarpHostCheck = {
  readonly diagnostics: readonly Diagnostic[];
  /** One per `config.carps`, in order, resolved against this host. Empty when there are errors. */
  readonly vhids: readonly VhidSettings[];
};

/** Throws only for what is our mistake. Opens sockets and closes them again; changes nothing. */
export function checkCarpHost(_config: Config): CarpHostCheck {
  return { diagnostics: [], vhids: [] };
}
