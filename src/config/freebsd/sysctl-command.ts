/**
 * The sysctl command on `net.inet.carp`:
 *
 *   sysctl net.inet.carp                  the five that every FreeBSD has had, one a line
 *   sysctl -a                             all of them
 *   sysctl net.inet.carp.preempt=1        net.inet.carp.preempt: 0 -> 1
 */
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
};

export type SysctlOutcome = { readonly host: CarpHost; readonly text: string };

/** In the order in which older FreeBSD prints them. */
const FIRST: readonly SysctlName[] = ['allow', 'preempt', 'log', 'arpbalance', 'suppress_preempt'];
const FLAGS = ['-a', '-n', '-e', '-w', '-q', '-i', '-A'];
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
  if (names.length === 0) return { host, text: list(Object.keys(SYSCTLS) as SysctlName[], host, facts, style) };
  let current = { host, facts };
  let text = '';
  for (const word of names) {
    const outcome = runOne(word, current, { style, all: flags.has('-a') }, report);
    if (outcome === undefined) return undefined;
    current = outcome;
    text += outcome.text;
  }
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
  return Number(host[name]);
}
