/** `net.inet.carp.*` of sysctl.conf; what else the file sets is passed over. */
import type { CarpHost } from '../model.ts';
import { CARP_HOST_DEFAULTS } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean, editDistance } from '../suggest.ts';
import { parseInteger } from '../values.ts';
import type { Word } from '../word.ts';

const PREEMPT = 'net.inet.carp.preempt';

const NAMES = [
  'preempt',
  'allow',
  'log',
  'arpbalance',
  'suppress_preempt',
  'demotion',
  'senderr_demotion_factor',
  'ifdown_demotion_factor',
  'dscp',
].map((name) => `net.inet.carp.${name}`);

export function parseSysctlConf(sources: readonly { file: string; text: string }[], report: Reporter): CarpHost {
  let host: CarpHost = CARP_HOST_DEFAULTS;
  for (const { file, text } of sources) {
    for (const [index, line] of text.split('\n').entries()) {
      const setting = readSetting(file, index + 1, line, report);
      if (setting === undefined) continue;
      const preempt = readValue(setting, report);
      if (preempt !== undefined) host = { ...host, preempt, spans: { preempt: setting.value.span } };
    }
  }
  return host;
}

type Setting = { readonly name: Word; readonly value: Word };

/** `name=value`; undefined for comments, for what is not about CARP, and after a report. */
function readSetting(file: string, line: number, text: string, report: Reporter): Setting | undefined {
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
  if (isClean) return { name, value };
  const wanted = /(\d+)\s*$/.exec(valueText)?.[1] ?? '1';
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

/** The value of `preempt`; the others have no effect yet. */
function readValue({ name, value }: Setting, report: Reporter): boolean | undefined {
  if (!NAMES.includes(name.text))
    return report.error(
      name.span,
      'unknown-keyword',
      `There is no sysctl \`${name.text}\`.`,
      didYouMean(name.text, NAMES),
    );
  if (name.text !== PREEMPT) return report.warning(name.span, 'no-effect', `\`${name.text}\` has no effect yet.`);
  const number = parseInteger(value, { what: PREEMPT, min: 0, max: 1 }, report);
  return number === undefined ? undefined : number === 1;
}
