/**
 * FreeBSD's rc.conf, as far as it makes CARP interfaces (releases up to 9):
 *
 *     cloned_interfaces="carp0"
 *     ifconfig_carp0="vhid 1 pass s3cret 10.10.0.1/16"
 *     ifconfig_carp0_alias0="inet 10.10.0.2/16"
 *
 * What else a rc.conf sets is no business of ours and is passed over.
 */
import type { Carp } from '../model.ts';
import { carpWith } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { editDistance } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { type CarpInterface, newCarpInterface, parseIfconfig } from './ifconfig.ts';
import { type Assignment, type Command, readShell } from './shell.ts';

export function parseRcConf(sources: readonly { file: string; text: string }[], report: Reporter): Carp[] {
  const statements = sources.flatMap(({ file, text }) => readShell(file, text, report));
  const assignments = lastOfEachName(statements, report);
  const interfaces = new Map<string, CarpInterface>();
  // the interface's own line comes before its aliases, wherever they stand
  for (const assignment of [...assignments.values()].sort(byName)) readAssignment(assignment, interfaces, report);
  const commands = statements.filter((statement) => statement.kind === 'command');
  for (const command of commands) readCommand(command, interfaces, report);
  const created = commands.flatMap(({ words }) => (isCreate(words) ? [words[1]] : []));
  checkCloned([...(assignments.get('cloned_interfaces')?.value.words ?? []), ...created], interfaces, report);
  return [...interfaces.values()].flatMap((each) => finishInterface(each, report) ?? []);
}

/** As in the shell the last assignment wins; for our names that is worth a word. */
function lastOfEachName(statements: readonly (Assignment | Command)[], report: Reporter): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  for (const statement of statements) {
    if (statement.kind !== 'assignment') continue;
    const { name } = statement;
    const earlier = assignments.get(name.text);
    if (earlier !== undefined && isOurs(name.text)) {
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

function isOurs(name: string): boolean {
  return name === 'cloned_interfaces' || /^ifconfig_carp\d+(_alias\d+)?$/.test(name);
}

function byName(a: Assignment, b: Assignment): number {
  return a.name.text < b.name.text ? -1 : a.name.text > b.name.text ? 1 : 0;
}

function readAssignment(
  { name, value }: Assignment,
  interfaces: Map<string, CarpInterface>,
  report: Reporter,
): undefined {
  const carp = /^ifconfig_(carp\d+)(?:_alias\d+)?$/.exec(name.text)?.[1];
  if (carp === undefined) return reportNearMiss(name, value.words, report);
  if (value.is_dynamic)
    return report.error(
      value.span,
      'unsupported-expansion',
      `The value of \`${name.text}\` holds a \`$\` or a backquote, which only a shell can expand.`,
      'Write the value itself.',
    );
  const draft = interfaces.get(carp) ?? newCarpInterface(carp, name.span);
  interfaces.set(carp, draft);
  parseIfconfig(draft, value.words, report);
}

/** Names that look as if CARP was meant. */
function reportNearMiss(name: Word, words: readonly Word[], report: Reporter): undefined {
  const isNear = name.text !== 'cloned_interfaces' && editDistance(name.text.slice(0, 64), 'cloned_interfaces') <= 2;
  const interfaceName = /^ifconfig_([a-z]+\d+)(_alias\d+|_aliases)?$/.exec(name.text)?.[1];
  if (isNear)
    report.warning(
      name.span,
      'unknown-keyword',
      `rc.conf has no variable \`${name.text}\`.`,
      'Did you mean `cloned_interfaces`?',
    );
  else if (interfaceName !== undefined && editDistance(interfaceName, 'carp0') === 1)
    report.warning(
      name.span,
      'unknown-keyword',
      `\`${name.text}\` is not about a CARP interface.`,
      'Did you mean `ifconfig_carp0`?',
    );
  else if (interfaceName !== undefined && words.some(({ text }) => text === 'vhid'))
    report.error(
      name.span,
      'unsupported-keyword',
      `A vhid on \`${interfaceName}\` itself (FreeBSD 10 and later) is not supported yet.`,
      `Write a carp section with \`interface ${interfaceName}\` in haproxy.cfg.`,
    );
}

/** An `ifconfig` line pasted into the file is read as if it was run; other commands are nothing that we could run. */
function readCommand({ words }: Command, interfaces: Map<string, CarpInterface>, report: Reporter): undefined {
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
    return reportNoInterface(command, words, report);
  if (!/^carp\d+$/.test(target.text))
    return report.error(
      target.span,
      'unsupported-keyword',
      `\`ifconfig ${target.text}\` is not read; only carpN interfaces are.`,
      'Write the name of a CARP interface, such as `carp0`.',
    );
  if (isCreate(words)) return;
  const draft = interfaces.get(target.text) ?? newCarpInterface(target.text, spanOf(words));
  interfaces.set(target.text, draft);
  parseIfconfig(draft, rest, report);
}

function reportNoInterface(command: Word, words: readonly Word[], report: Reporter): undefined {
  // the other mistakes of the line are worth telling too
  parseIfconfig(newCarpInterface('carp0', command.span), words.slice(1), report);
  const rest = words.slice(1).map(({ text }) => text);
  const mend = `Name the interface first: \`${['ifconfig carp0', ...rest].join(' ')}\`.`;
  return report.error(
    command.span,
    'ifconfig-without-interface',
    '`ifconfig` needs the name of an interface before anything else.',
    mend,
  );
}

/** `ifconfig carp0 create` and nothing more. */
function isCreate(words: readonly Word[]): boolean {
  return words.length === 3 && words[0].text === 'ifconfig' && words[2].text === 'create';
}

function checkCloned(names: readonly Word[], interfaces: ReadonlyMap<string, CarpInterface>, report: Reporter): void {
  for (const carp of interfaces.values()) {
    if (names.some(({ text }) => text === carp.name)) continue;
    const all = [...names.map(({ text }) => text), carp.name].join(' ');
    report.warning(
      carp.span,
      'interface-not-cloned',
      `\`${carp.name}\` is not in cloned_interfaces, so FreeBSD would never create it.`,
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

/** Undefined, and reported, when something is missing without which no advert can be sent. */
function finishInterface(carp: CarpInterface, report: Reporter): Carp | undefined {
  reportMissing(carp, report);
  const { vhid, pass, ...rest } = carp;
  if (vhid === undefined || rest.addresses.length === 0) return undefined;
  return carpWith({ ...rest, dialect: 'freebsd9', vhid, pass: pass ?? '' });
}

/** What was written and is wrong has a span, and was reported already. */
function reportMissing({ name, vhid, pass, advskew, span, spans }: CarpInterface, report: Reporter): void {
  const skew = advskew > 0 ? ` advskew ${advskew}` : '';
  const line = `\`ifconfig_${name}="vhid ${vhid ?? 1}${skew} pass ${pass ?? '…'} 10.10.0.1/16"\``;
  if (spans['vhid'] === undefined) {
    report.error(span, 'vhid-missing', `\`${name}\` has no vhid.`, `Write for example ${line}.`);
  }
  if (spans['addresses'] === undefined) {
    const message = `\`${name}\` has no address, so there is nothing to share.`;
    report.error(span, 'carp-without-address', message, `Put the virtual address last, for example ${line}.`);
  }
  if (spans['pass'] === undefined) {
    const message = `\`${name}\` has no password, so any host of the segment can take its address.`;
    report.warning(span, 'pass-missing', message, 'Add `pass` and a password, the same on every node.');
  }
}
