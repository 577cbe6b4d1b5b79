/** `net.inet.carp.*`: the names and bounds, and sysctl.conf, of which everything else is passed over. */
import type { Span } from '../diagnostic.ts';
import type { CarpHost } from '../model.ts';
import { CARP_HOST_DEFAULTS } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean, editDistance } from '../suggest.ts';
import type { Word } from '../word.ts';

/** One value that somebody set. */
export type SysctlSetting = { readonly name: SysctlName; readonly value: number; readonly span: Span };

export type SysctlName = Exclude<keyof CarpHost, 'spans'> | 'suppress_preempt';

type Bounds = { readonly min: number; readonly max: number; readonly is_flag?: true };

/** In the order in which `sysctl -a` prints them: first those that FreeBSD has had from the beginning. */
export const SYSCTLS: Readonly<Record<SysctlName, Bounds>> = {
  allow: { min: 0, max: 1, is_flag: true },
  preempt: { min: 0, max: 1, is_flag: true },
  log: { min: 0, max: 7 },
  arpbalance: { min: 0, max: 1, is_flag: true },
  suppress_preempt: { min: 0, max: 0 },
  demotion: { min: -255, max: 255 },
  senderr_demotion_factor: { min: 0, max: 255 },
  ifdown_demotion_factor: { min: 0, max: 255 },
  dscp: { min: 0, max: 63 },
};

export const SYSCTL_PREFIX = 'net.inet.carp';
export const SYSCTL_NAMES = (Object.keys(SYSCTLS) as SysctlName[]).map((name) => `${SYSCTL_PREFIX}.${name}`);

/** The host's settings after these, in order. Written to `demotion` is what is added to it. */
export function applySysctls(host: CarpHost, settings: readonly SysctlSetting[]): CarpHost {
  const spans = { ...host.spans };
  const changed = { ...host, spans };
  for (const { name, value, span } of settings) {
    spans[name] = span;
    if (name === 'demotion') changed.demotion += value;
    else Object.assign(changed, { [name]: SYSCTLS[name].is_flag ? value === 1 : value });
  }
  return changed;
}

/** Undefined after a report. */
export function readSysctl(name: Word, value: Word, report: Reporter): SysctlSetting | undefined {
  const known = (Object.keys(SYSCTLS) as SysctlName[]).find((each) => name.text === `${SYSCTL_PREFIX}.${each}`);
  if (known === undefined)
    return report.error(
      name.span,
      'unknown-keyword',
      `There is no sysctl \`${name.text}\`.`,
      didYouMean(name.text, SYSCTL_NAMES),
    );
  if (known === 'suppress_preempt')
    return report.error(
      name.span,
      'read-only',
      `\`${name.text}\` is read only: it counts what is wrong on this host.`,
      `Write to \`${SYSCTL_PREFIX}.demotion\` to demote the host by hand.`,
    );
  const { min, max } = SYSCTLS[known];
  const number = /^-?\d{1,9}$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (number >= min && number <= max) return { name: known, value: number, span: value.span };
  const code = Number.isNaN(number) ? 'not-a-number' : 'out-of-range';
  const problem = Number.isNaN(number) ? 'is not a whole number' : 'is out of range';
  const message = `${name.text} \`${value.text}\` ${problem}.`;
  return report.error(value.span, code, message, `Write a number from ${min} to ${max}.`);
}

export function parseSysctlConf(sources: readonly { file: string; text: string }[], report: Reporter): CarpHost {
  const settings = sources.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => readLine(file, index + 1, line, report) ?? []),
  );
  return applySysctls(CARP_HOST_DEFAULTS, settings);
}

/** `name=value`; undefined for comments, for what is not about CARP, and after a report. */
function readLine(file: string, line: number, text: string, report: Reporter): SysctlSetting | undefined {
  const match = /^(\s*)(sysctl\s+(?:-w\s+)?)?([A-Za-z_][\w.]*)(\s*)([=:]?)(\s*)([^#]*)/.exec(text);
  if (match === null) return undefined;
  const [, indent, command = '', nameText, before, separator, after, rest] = match;
  const column = indent.length + command.length + 1;
  const name = { text: nameText, span: { file, line, column, end_column: column + nameText.length } };
  if (!isAboutCarp(name.text)) return undefined;
  const valueText = rest.trim();
  const valueColumn = name.span.end_column + before.length + separator.length + after.length;
  const value = {
    text: valueText.replace(/^"(.*)"$/, '$1'),
    span: { file, line, column: valueColumn, end_column: valueColumn + valueText.length },
  };
  const isClean = command === '' && separator === '=' && valueText !== '';
  if (isClean) return readSysctl(name, value, report);
  const wanted = /(-?\d+)\s*$/.exec(valueText)?.[1] ?? '1';
  return report.error(
    name.span,
    'bad-sysctl',
    'A line of sysctl.conf is a name, `=` and a value, and nothing else.',
    `Write \`${name.text}=${wanted}\`.`,
  );
}

/** `net.inet.carp` and one slip of it. */
function isAboutCarp(name: string): boolean {
  const family = /^net\.inet6?\.(\w{1,8})(\.|$)/.exec(name)?.[1];
  return family !== undefined && editDistance(family, 'carp') <= 1;
}
