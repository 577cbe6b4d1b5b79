/** Starts the guardian: the small process that takes the addresses away when this one dies (system/guardian.ts). */

export type Guardian = {
  /** Where the carp thread writes this node's will. */
  readonly fd: number;
  readonly pid: number;
};

/** `onLost` is called when the guardian ends before `stopGuardian`. Undefined when it cannot be started. */
export function startGuardian(_onLost: () => void): Guardian | undefined {
  return undefined;
}
