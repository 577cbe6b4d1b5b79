/**
 * What ifupdown hands to its hooks (if-up.d), read as the stanza that it came from: `IFACE`, and each option of the
 * stanza as `IF_` and its name in capitals with `_` for `-` (`IF_UCARP_VID`).
 */
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';
import { type InterfacesOptions, parseStanza } from './interfaces.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the stanza has what is needed; without it Debian's hook starts nothing, and neither do we. */
export function asksForUcarp(env: Environment): boolean {
  return Boolean(env['IF_UCARP_VID'] && env['IF_UCARP_VIP'] && env['IF_UCARP_PASSWORD']);
}

export function parseHookEnvironment(
  link: string,
  env: Environment,
  options: InterfacesOptions,
  report: Reporter,
): Carp | undefined {
  const variables = Object.keys(env).filter((name) => /^IF_(UCARP_\w+|ADDRESS)$/.test(name) && env[name] !== '');
  const stanza = {
    name: word('IFACE', link),
    family: env['ADDRFAM'] ?? 'inet',
    method: env['METHOD'] ?? '',
    options: variables.sort().map((variable) => ({
      name: word(variable, variable.slice('IF_'.length).toLowerCase().replaceAll('_', '-')),
      value: word(variable, env[variable]!),
    })),
  };
  return parseStanza(stanza, { stanzas: [stanza], homeless: [], started: [] }, options, report);
}

/** A variable has no line and column: its name stands for the place. */
function word(variable: string, text: string): Word {
  return { text, span: { file: variable, line: 0, column: 0, end_column: 0 } };
}
