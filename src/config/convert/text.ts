/** What the writers of all dialects give back, and what they share. */
import type { Diagnostic } from '../diagnostic.ts';
import { SYSCTLS, type SysctlName } from '../freebsd/sysctl.ts';
import type { Carp, Config } from '../model.ts';
import { CARP_HOST_DEFAULTS } from '../model-defaults.ts';

export type WrittenFile = {
  /** Where the system looks for it; undefined for a command. */
  readonly name: string | undefined;
  readonly text: string;
};

export type Conversion = {
  readonly files: readonly WrittenFile[];
  /** What the dialect has no words for, each with the place where it was written. */
  readonly losses: readonly Diagnostic[];
};

/** `what` in the native words, `of` the section's name; `span` where it was written. */
export function loss(
  { name, span }: Pick<Carp, 'name' | 'span'>,
  what: string,
  system: string,
  why?: string,
): Diagnostic {
  const message = `\`${what}\` of \`${name}\` cannot be said ${system}${why === undefined ? '' : `: ${why}`}.`;
  return { severity: 'warning', code: 'not-expressible', message, span };
}

/** Those of the host's settings that are not as on a fresh system: `preempt` 1. */
export function hostSysctls({ carp_host, carps }: Config): { name: SysctlName; value: number }[] {
  const host = { ...carp_host, preempt: preemptsAll(carp_host.preempt, carps) };
  const names = Object.keys(CARP_HOST_DEFAULTS).filter((name) => name !== 'spans') as Exclude<
    SysctlName,
    'suppress_preempt'
  >[];
  return names
    .filter((name) => host[name] !== CARP_HOST_DEFAULTS[name])
    .flatMap((name) => (name === 'demotion' ? demotionSteps(host.demotion) : { name, value: Number(host[name]) }));
}

/** What is written to `demotion` is added to it, and one line adds so much at most. */
function demotionSteps(demotion: number): { name: SysctlName; value: number }[] {
  const { min, max } = SYSCTLS.demotion;
  const step = demotion < 0 ? min : max;
  const whole = Array.from({ length: Math.floor(demotion / step) }, () => step);
  const rest = demotion % step;
  return [...whole, ...(rest === 0 ? [] : [rest])].map((value) => ({ name: 'demotion', value }));
}

/** The systems have one switch for the whole host. */
function preemptsAll(preempt: boolean, carps: readonly Carp[]): boolean {
  return preempt || (carps.length > 0 && carps.every((carp) => carp.preempt));
}

/** Without an address of one link only there is nothing to sign or not to sign. */
export function isMoot({ addresses }: Carp, field: keyof Carp): boolean {
  return field === 'hash_link_locals' && !addresses.some(({ address }) => /^fe[89ab]/.test(address));
}

/** Passwords that a shell, rc.conf and a hostname file read alike without any quoting. */
export function isPlainWord(text: string): boolean {
  return /^[\w.,:@%+=!?^-]+$/.test(text) && !/^\d{1,3}(\.\d{1,3}){3}/.test(text);
}
