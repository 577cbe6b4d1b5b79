/**
 * rc.conf, as far as it is about CARP. FreeBSD up to 9 (NetBSD and DragonFly alike) has interfaces of its own for it,
 * FreeBSD from 10 on has vhids on the addresses of real ones:
 *
 *     cloned_interfaces="carp0"                                     ifconfig_em0_alias0="inet vhid 1 pass x alias 10.10.0.1/32"
 *     ifconfig_carp0="vhid 1 pass s3cret 10.10.0.1/16"              ifconfig_em0_aliases="inet vhid 1 pass x 10.10.0.1/32 inet …"
 *     ifconfig_carp0_alias0="inet 10.10.0.2/16"                     ifconfig_em0_ipv6="inet6 vhid 1 pass x 2001:db8::1/128"
 *
 * What else a rc.conf sets is no business of ours and is passed over.
 */
import { newCarp } from '../carp-draft.ts';
import { applyLine } from '../ifconfig/apply.ts';
import { type BsdInterface, finishInterface, reportState } from '../ifconfig/interface.ts';
import { readIfconfigLine } from '../ifconfig/line.ts';
import { addVhidLine, isVhidLine } from '../ifconfig/vhid-line.ts';
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { editDistance } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { type Assignment, type Command, readShell } from './shell.ts';

/** `ifconfig_em0`, `ifconfig_em0_alias3`, `ifconfig_em0_aliases`, `ifconfig_em0_ipv6`, of a link renamed `ifconfig_wan`. */
const VARIABLE = /^ifconfig_([a-zA-Z]\w*?)(?:_(alias\d+|aliases|ipv6))?$/;
const BY_NUMBER = new Intl.Collator('en', { numeric: true });

export function parseRcConf(sources: readonly { file: string; text: string }[], report: Reporter): Carp[] {
  const statements = sources.flatMap(({ file, text }) => readShell(file, text, report));
  const assignments = lastOfEachName(statements, report);
  const interfaces = new Map<string, BsdInterface>();
  // the interface's own line comes before its aliases, wherever they stand
  for (const assignment of [...assignments.values()].sort(byName)) readAssignment(assignment, interfaces, report);
  const commands = statements.filter((statement) => statement.kind === 'command');
  for (const command of commands) readCommand(command, interfaces, report);
  const created = commands.flatMap(({ words }) => (isCreate(words) ? [words[1]] : []));
  checkCloned([...(assignments.get('cloned_interfaces')?.value.words ?? []), ...created], interfaces, report);
  return [...interfaces.values()].flatMap((each) => finishInterface(each, exampleFor(each), report));
}

function exampleFor({ draft }: BsdInterface): (words: string) => string {
  if (draft.dialect === 'freebsd10')
    return (words) => `ifconfig_${draft.interface}_alias0="inet ${words} alias 10.10.0.1/32"`;
  return (words) => `ifconfig_${draft.name}="${words} 10.10.0.1/16"`;
}

/** As in the shell the last assignment wins; for our names that is worth a word. */
function lastOfEachName(statements: readonly (Assignment | Command)[], report: Reporter): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  for (const statement of statements) {
    if (statement.kind !== 'assignment') continue;
    const { name, value } = statement;
    const earlier = assignments.get(name.text);
    if (earlier !== undefined && isOurs(name.text, value.words)) {
      report.warning(
        name.span,
        'assigned-twice',
        `\`${name.text}\` was assigned in line ${earlier.name.span.line} already; only this last one counts.`,
        'Remove one of them.',
      );
    }
    assignments.set(name.text, statement);
  }
  return assignments;
}

function isOurs(name: string, words: readonly Word[]): boolean {
  return (
    name === 'cloned_interfaces' || /^ifconfig_carp\d+(_|$)/.test(name) || (VARIABLE.test(name) && isVhidLine(words))
  );
}

/** alias10 comes after alias9. */
function byName(a: Assignment, b: Assignment): number {
  return BY_NUMBER.compare(a.name.text, b.name.text);
}

function readAssignment(
  { name, value }: Assignment,
  interfaces: Map<string, BsdInterface>,
  report: Reporter,
): undefined {
  const [, target] = VARIABLE.exec(name.text) ?? [];
  const isCarp = target !== undefined && /^carp\d+$/.test(target);
  const isVhid = target !== undefined && isVhidLine(value.words);
  if (reportNearMiss(name, value.words, report)) return;
  if (target === undefined || (!isCarp && !isVhid)) return;
  if (value.is_dynamic)
    return report.error(
      value.span,
      'unsupported-expansion',
      `The value of \`${name.text}\` holds a \`$\` or a backquote, which only a shell can expand.`,
      'Write the value itself.',
    );
  for (const words of name.text.endsWith('_aliases') ? splitAliases(value.words) : [value.words]) {
    if (isCarp) addCarpLine(target, words, name, interfaces, report);
    else if (isVhidLine(words)) addVhidLine(linkOf(target), words, interfaces, report);
  }
}

/** A variable's name has no dot, so that the VLAN `em0.100` is `em0_100` there. */
function linkOf(target: string): string {
  return target.replace(/(?<=\d)_(?=\d+$)/, '.');
}

/** `inet 10.0.0.1/32 inet6 2001:db8::1/128` is two lines. */
function splitAliases(words: readonly Word[]): Word[][] {
  const lines: Word[][] = [];
  for (const word of words) {
    if (word.text === 'inet' || word.text === 'inet6' || lines.length === 0) lines.push([]);
    lines[lines.length - 1].push(word);
  }
  return lines;
}

function addCarpLine(
  name: string,
  words: readonly Word[],
  at: Word,
  interfaces: Map<string, BsdInterface>,
  report: Reporter,
): void {
  const known = interfaces.get(name) ?? { draft: newCarp(name, at.span, 'freebsd9'), nodes: undefined };
  interfaces.set(name, known);
  const line = readIfconfigLine(words, report);
  reportState(line, report);
  known.nodes = line.nodes ?? known.nodes;
  applyLine(known.draft, line, { is_command: false, addresses: line.addresses });
}

/** Names that look as if CARP was meant. True when there was something to say. */
function reportNearMiss(name: Word, words: readonly Word[], report: Reporter): boolean {
  const isNear = name.text !== 'cloned_interfaces' && editDistance(name.text.slice(0, 64), 'cloned_interfaces') <= 2;
  const target = VARIABLE.exec(name.text)?.[1];
  const letters = target?.replace(/\d+$/, '') ?? '';
  if (isNear)
    report.warning(
      name.span,
      'unknown-keyword',
      `rc.conf has no variable \`${name.text}\`.`,
      'Did you mean `cloned_interfaces`?',
    );
  else if (editDistance(letters, 'carp') === 1 && isVhidLine(words))
    report.warning(
      name.span,
      'unknown-keyword',
      `\`${name.text}\` is not about a CARP interface.`,
      'Did you mean `ifconfig_carp0`?',
    );
  else return false;
  return true;
}

/** An `ifconfig` line pasted into the file is read as if it was run; other commands are nothing that we could run. */
function readCommand({ words }: Command, interfaces: Map<string, BsdInterface>, report: Reporter): void {
  const [command, target, ...rest] = words;
  if (/^net\.inet\.carp\./.test(command.text))
    return report.error(
      command.span,
      'sysctl-in-rc-conf',
      `\`${command.text}\` belongs to sysctl.conf.`,
      'Move the line to /etc/sysctl.conf and give that file with another -f.',
    );
  if (command.text !== 'ifconfig')
    return report.warning(
      command.span,
      'not-an-assignment',
      `Only assignments are read here; \`${command.text}\` is passed over.`,
      'Write `name="value"`, without spaces around the `=`.',
    );
  if (target === undefined || /^(vhid|advskew|advbase|pass)$/.test(target.text))
    return reportNoInterface(words, report);
  if (isCreate(words)) return;
  if (/^carp\d+$/.test(target.text))
    return addCarpLine(target.text, rest, { ...target, span: spanOf(words) }, interfaces, report);
  if (isVhidLine(rest)) return addVhidLine(target.text, rest, interfaces, report);
  return report.warning(
    target.span,
    'no-effect',
    `\`ifconfig ${target.text}\` is not about CARP and is passed over.`,
    'Only carpN interfaces and lines with `vhid` are read.',
  );
}

/** The beginner's slip: `ifconfig vhid 1 pass x 10.10.0.1/16`. */
function reportNoInterface(words: readonly Word[], report: Reporter): undefined {
  // the other mistakes of the line are worth telling too
  readIfconfigLine(words.slice(1), report);
  const rest = words.slice(1).map(({ text }) => text);
  const mend = `Name the interface first: \`${['ifconfig carp0', ...rest].join(' ')}\`.`;
  return report.error(
    words[0].span,
    'ifconfig-without-interface',
    '`ifconfig` needs the name of an interface before anything else.',
    mend,
  );
}

/** `ifconfig carp0 create` and nothing more. */
function isCreate(words: readonly Word[]): boolean {
  return words.length === 3 && words[0].text === 'ifconfig' && words[2].text === 'create';
}

function checkCloned(names: readonly Word[], interfaces: ReadonlyMap<string, BsdInterface>, report: Reporter): void {
  for (const { draft } of interfaces.values()) {
    if (draft.dialect === 'freebsd10' || names.some(({ text }) => text === draft.name)) continue;
    const all = [...names.map(({ text }) => text), draft.name].join(' ');
    report.warning(
      draft.span,
      'interface-not-cloned',
      `\`${draft.name}\` is not in cloned_interfaces, so FreeBSD would never create it.`,
      `Write \`cloned_interfaces="${all}"\`.`,
    );
  }
  for (const name of names) {
    if (!/^carp\d+$/.test(name.text) || interfaces.has(name.text)) continue;
    report.warning(
      name.span,
      'interface-without-settings',
      `\`${name.text}\` is created but nothing configures it.`,
      `Add \`ifconfig_${name.text}="vhid 1 pass … 10.10.0.1/16"\`.`,
    );
  }
}
