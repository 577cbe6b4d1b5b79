/**
 * The vhids of the running node and its net.inet.carp.*, as configured and as people changed them since. What is changed
 * is checked like a file, against the host as well, and handed to the carp thread as a whole.
 *
 *   ifconfig, sysctl ──> drafts, host ──> checks ──> vhids with slots ──> carp thread
 *
 * A slot is a vhid's number in the carp thread. One that stays keeps its slot, a new one gets the lowest that was free.
 */
import type { HostSettings, VhidSettings } from '../carp/events.ts';
import { type CarpDraft, closeCarp, reopen } from '../config/carp-draft.ts';
import { checkCarps } from '../config/check/carps.ts';
import { type Diagnostic, hasErrors } from '../config/diagnostic.ts';
import { renameInterfaces } from '../config/load.ts';
import type { Carp, CarpHost, Config, InterfaceName } from '../config/model.ts';
import { Reporter } from '../config/reporter.ts';
import { checkCarpHost } from '../system/carp-host.ts';
import { hostSettings } from '../system/vhid-settings.ts';

export type NodeSettings = {
  readonly drafts: readonly CarpDraft[];
  readonly host: CarpHost;
  readonly interface_names: readonly InterfaceName[];
};

export type CarpNode = NodeSettings & {
  /** The configuration with what people changed. */
  readonly config: Config;
  /** The vhid in each slot. */
  readonly slots: readonly (Carp | undefined)[];
  slotOf(name: string): number | undefined;
  /** What is wrong with the change; when there are errors, nothing was changed. */
  change(settings: NodeSettings): readonly Diagnostic[];
  /** The vhids of another configuration from now on; what people changed is over. As `change` says. */
  load(config: Config): readonly Diagnostic[];
};

/** Hands the vhids, with the slot of each, to the carp thread, which runs already or is started for them. */
export type Configure = (vhids: readonly VhidSettings[], host: HostSettings, slots: readonly number[]) => void;

export type Slot = { readonly key: string; readonly carp: Carp } | undefined;

/** `vhids` are those of `config.carps`, in the same order. */
export function createCarpNode(config: Config, vhids: readonly VhidSettings[], configure: Configure): CarpNode {
  let current = config;
  let settings = settingsOf(config);
  let slots: readonly Slot[] = vhids.map((vhid, i) => ({ key: keyOf(vhid), carp: config.carps[i]! }));
  return {
    get drafts() {
      return settings.drafts;
    },
    get host() {
      return settings.host;
    },
    get interface_names() {
      return settings.interface_names;
    },
    get config() {
      return current;
    },
    get slots() {
      return slots.map((slot) => slot?.carp);
    },
    slotOf(name) {
      const found = slots.findIndex((slot) => slot?.carp.name === name);
      return found < 0 ? undefined : found;
    },
    change: (wanted) => {
      const examined = examine(configOf(current, wanted), current);
      if (!hasErrors(examined.diagnostics)) take(wanted, examined);
      return examined.diagnostics;
    },
    load(wanted) {
      const examined = examine(wanted, current);
      if (!hasErrors(examined.diagnostics)) take(settingsOf(wanted), examined);
      return examined.diagnostics;
    },
  };

  function take(wanted: NodeSettings, { config: next, vhids: found }: Examined): void {
    slots = assignSlots(slots, found, next.carps);
    settings = wanted;
    current = next;
    const slotOfVhid = (vhid: VhidSettings): number => slots.findIndex((slot) => slot?.key === keyOf(vhid));
    configure(found, hostSettings(wanted.host), found.map(slotOfVhid));
  }
}

function settingsOf({ carps, carp_host, interface_names }: Config): NodeSettings {
  return { drafts: carps.map(reopen), host: carp_host, interface_names };
}

type Examined = {
  readonly config: Config;
  readonly vhids: readonly VhidSettings[];
  readonly diagnostics: readonly Diagnostic[];
};

/** What is wrong with `config` that was not said of `before` as well. */
function examine(config: Config, before: Config): Examined {
  const report = new Reporter();
  checkCarps(config, report);
  const checked = report.hasErrors ? { diagnostics: [], vhids: [] } : checkCarpHost(config);
  const known = new Set(complaintsOf(before));
  const diagnostics = [...report.diagnostics, ...checked.diagnostics].filter(
    ({ severity, message }) => severity === 'error' || !known.has(message),
  );
  return { config, vhids: checked.vhids, diagnostics };
}

function configOf(config: Config, { drafts, host, interface_names }: NodeSettings): Config {
  const carps = renameInterfaces(
    drafts.flatMap((draft) => closeCarp(draft) ?? []),
    interface_names,
  );
  return { ...config, carps, carp_host: host, interface_names };
}

/** What was to be said before, too, is not said again. */
function complaintsOf(config: Config): string[] {
  const report = new Reporter();
  checkCarps(config, report);
  return report.diagnostics.map(({ message }) => message);
}

/** The engine's rule (carp/events.ts), so that nobody has to wait for its answer. `carps` belong to `vhids`. */
export function assignSlots(before: readonly Slot[], vhids: readonly VhidSettings[], carps: readonly Carp[]): Slot[] {
  const next = new Map(vhids.map((vhid, i) => [keyOf(vhid), carps[i]!]));
  const after: Slot[] = before.map((slot) => {
    const carp = slot && next.get(slot.key);
    return carp && { key: slot.key, carp };
  });
  const held = new Set(before.map((slot) => slot?.key));
  let free = 0;
  for (const [key, carp] of next) {
    if (held.has(key)) continue;
    while (before[free] !== undefined) free++;
    after[free++] = { key, carp };
  }
  return after;
}

function keyOf(vhid: VhidSettings): string {
  return `${vhid.vhid}@${vhid.interface}`;
}
