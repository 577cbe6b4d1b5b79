/**
 * The sysctl command on `net.inet.carp`:
 *
 *   sysctl net.inet.carp                  the five that every FreeBSD has had, one a line
 *   sysctl -a                             all of them
 *   sysctl net.inet.carp.preempt=1        net.inet.carp.preempt: 0 -> 1
 *
 * `preempt` may stand in sections as well, which no BSD has: it is 1 when every vhid preempts, whatever makes it so.
 */
import { NOWHERE } from '../diagnostic.ts';
import type { CarpHost } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import {
  applySysctls,
  readSysctl,
  SYSCTL_NAMES,
  SYSCTL_PREFIX,
  SYSCTLS,
  type SysctlName,
  type SysctlSetting,
} from './sysctl.ts';

/** What only the running daemon knows. */
export type SysctlFacts = {
  /** The demotion of the whole host, whoever asked for it. */
  readonly demotion: number;
  /** How many things are wrong: links down, adverts that cannot be sent. */
  readonly suppress_preempt: number;
  /** What each vhid's own section says; the host's switch turns it on for all. */
  readonly vhids: readonly { readonly name: string; readonly preempt: boolean }[];
};

export type SysctlOutcome = { readonly host: CarpHost; readonly text: string };

/** In the order in which older FreeBSD prints them. */
const FIRST: readonly SysctlName[] = ['allow', 'preempt', 'log', 'arpbalance', 'suppress_preempt'];
const FLAGS = ['-a', '-n', '-e', '-w', '-q', '-i', '-A'];
const EVERYTHING: Word = { text: SYSCTL_PREFIX, span: NOWHERE };
const PREEMPT = `${SYSCTL_PREFIX}.preempt`;
/** Low delay, TOS 0x10, as a DSCP. */
const USUAL_DSCP = 4;

/** Undefined after an error; then nothing is to be changed. */
export function runSysctl(
  words: readonly Word[],
  host: CarpHost,
  facts: SysctlFacts,
  report: Reporter,
): SysctlOutcome | undefined {
  const flags = new Set(words.filter(({ text }) => text.startsWith('-')).map(({ text }) => text));
  const unknown = words.find(({ text }) => text.startsWith('-') && !FLAGS.includes(text));
  if (unknown !== undefined)
    return report.error(
      unknown.span,
      'unknown-option',
      `sysctl has no option \`${unknown.text}\` here.`,
      didYouMean(unknown.text, FLAGS),
    );
  const names = words.filter(({ text }) => !text.startsWith('-'));
  const style: Style = flags.has('-n') ? 'value' : flags.has('-e') ? 'assignment' : 'line';
  let current: Now = { host, facts };
  let text = '';
  const all = flags.has('-a') || names.length === 0;
  for (const word of names.length === 0 ? [EVERYTHING] : names) {
    const outcome = runOne(word, current, { style, all }, report);
    if (outcome === undefined) return undefined;
    current = outcome;
    text += outcome.text;
  }
  warnOfSections(text, current, report);
  return { host: current.host, text };
}

type Style = 'line' | 'value' | 'assignment';
type Now = { readonly host: CarpHost; readonly facts: SysctlFacts };
type How = { readonly style: Style; readonly all: boolean };

function runOne(
  { text, span }: Word,
  { host, facts }: Now,
  { style, all }: How,
  report: Reporter,
): (Now & { text: string }) | undefined {
  const [, name = '', separator, value] = /^([^=]*?)(=(.*))?$/s.exec(text) ?? [];
  if (separator === undefined) {
    const wanted = select(name.replace(/[.:]$/, ''), all);
    if (wanted.length > 0) return { host, facts, text: list(wanted, host, facts, style) };
    const mend = didYouMean(name, [SYSCTL_PREFIX, ...SYSCTL_NAMES]);
    return report.error(span, 'unknown-keyword', `There is no sysctl \`${name}\` here.`, mend);
  }
  if (name === '' || value === undefined || value === '')
    return report.error(
      span,
      'bad-sysctl',
      `\`${text}\` is no name, \`=\` and value without spaces.`,
      `Write for example \`sysctl ${SYSCTL_PREFIX}.preempt=1\`.`,
    );
  const setting = readSysctl({ text: name, span }, { text: value, span }, report);
  return setting && write(setting, { host, facts }, style);
}

/** `net.inet.carp.preempt: 0 -> 1` */
function write(setting: SysctlSetting, { host, facts }: Now, style: Style): Now & { text: string } {
  const changed = applySysctls(host, [setting]);
  const delta = setting.name === 'demotion' ? setting.value : 0;
  const next = { host: changed, facts: { ...facts, demotion: facts.demotion + delta } };
  const old = currentValue(setting.name, host, facts);
  const label = labelOf(setting.name, style);
  return { ...next, text: `${label}${old} -> ${currentValue(setting.name, next.host, next.facts)}\n` };
}

function select(name: string, all: boolean): SysctlName[] {
  if (SYSCTL_PREFIX === name) return all ? (Object.keys(SYSCTLS) as SysctlName[]) : [...FIRST];
  if (`${SYSCTL_PREFIX}.`.startsWith(`${name}.`)) return Object.keys(SYSCTLS) as SysctlName[];
  return (Object.keys(SYSCTLS) as SysctlName[]).filter((each) => `${SYSCTL_PREFIX}.${each}` === name);
}

function list(names: readonly SysctlName[], host: CarpHost, facts: SysctlFacts, style: Style): string {
  return names.map((name) => `${labelOf(name, style)}${currentValue(name, host, facts)}\n`).join('');
}

function labelOf(name: SysctlName, style: Style): string {
  if (style === 'value') return '';
  return `${SYSCTL_PREFIX}.${name}${style === 'assignment' ? '=' : ': '}`;
}

function currentValue(name: SysctlName, host: CarpHost, facts: SysctlFacts): number {
  if (name === 'suppress_preempt' || name === 'demotion') return facts[name];
  if (name === 'dscp') return host.dscp ?? USUAL_DSCP;
  if (name === 'preempt') return Number(host.preempt || allPreempt(facts));
  return Number(host[name]);
}

function allPreempt({ vhids }: SysctlFacts): boolean {
  return vhids.length > 0 && vhids.every(({ preempt }) => preempt);
}

/** What the one number does not tell: it is 0 and some vhids preempt all the same, or it was set to 0 and stays 1. */
function warnOfSections(text: string, { host, facts }: Now, report: Reporter): void {
  const preempting = facts.vhids.filter(({ preempt }) => preempt);
  if (host.preempt || preempting.length === 0 || !text.includes(`${PREEMPT}: `)) return;
  if (allPreempt(facts) && !text.includes(`${PREEMPT}: 1 -> `)) return;
  const names = preempting.map(({ name }) => `\`${name}\``).join(', ');
  const message = `${preempting.length} of ${facts.vhids.length} vhids preempt because their sections say so: ${names}.`;
  const mend = `Take \`preempt\` out of the sections and reload to turn it off, or write \`sysctl ${PREEMPT}=1\` for all.`;
  report.warning(NOWHERE, 'preempt-in-sections', message, mend);
}
