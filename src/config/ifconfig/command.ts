/**
 * One ifconfig command against the vhids of the running daemon, as a function: vhids before it -> vhids after it.
 *
 *   ifconfig carp0 create                      FreeBSD up to 9, OpenBSD, NetBSD, DragonFly
 *   ifconfig carp0 vhid 1 pass x 10.10.0.1/16
 *   ifconfig em0 vhid 1 state backup           FreeBSD from 10 on
 *   ifconfig -g carp [carpdemote 50]           OpenBSD
 *   ifconfig eth0 name em0                     from now on em0 is eth0
 *   ifconfig eth0:ucarp up                     the vhids of Debian's ucarp stanzas of eth0
 *   ifconfig [-a | NAME]                       shows
 *
 * An interface may be set up in several steps, so vhids without a number or an address are kept, too.
 */
import { type CarpDraft, newCarp, reopen } from '../carp-draft.ts';
import type { Span } from '../diagnostic.ts';
import type { InterfaceName } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { applyLine } from './apply.ts';
import { type IfconfigLine, readIfconfigLine } from './line.ts';
import { findNamed, interfaceOf } from './shown-names.ts';
import { isVhidLine, newVhid, readVhidLine, vhidAddresses, vhidName } from './vhid-line.ts';

/** What a command finds. The vhids are in the order in which they were made. */
export type IfconfigBefore = {
  readonly drafts: readonly CarpDraft[];
  readonly interface_names: readonly InterfaceName[];
};

export type IfconfigAfter = IfconfigBefore & {
  /** Show these vhids, or all. */
  readonly shows?: { readonly names: readonly string[] | undefined };
  /** Put these vhids (names) into that state. */
  readonly state?: { readonly names: readonly string[]; readonly to: 'MASTER' | 'BACKUP' };
  /** Show how much the group `carp`, that is the host, is demoted. */
  readonly shows_group?: true;
  /** Added to net.inet.carp.demotion. */
  readonly demotes_by?: number;
  /** What FreeBSD's ifconfig prints of itself. */
  readonly prints?: string;
};

/** Words about one interface, and the vhids that are known under its name. */
type Order = {
  readonly target: Word;
  readonly words: readonly Word[];
  readonly known: readonly CarpDraft[];
  readonly before: IfconfigBefore;
  readonly report: Reporter;
};

const MOST_VHIDS = 255;

/** Undefined after an error; then nothing is to be changed. */
export function runIfconfig(
  words: readonly Word[],
  before: IfconfigBefore,
  report: Reporter,
): IfconfigAfter | undefined {
  const [first, ...rest] = words;
  if (first === undefined || (first.text === '-a' && rest.length === 0))
    return { ...before, shows: { names: undefined } };
  if (first.text === '-g') return runGroup(rest, before, report);
  const after = runOnInterface(first, rest, before, report);
  if (report.hasErrors || after === undefined) return undefined;
  if (after.drafts.length <= MOST_VHIDS) return after;
  return report.error(first.span, 'too-many', `There are at most ${MOST_VHIDS} vhids.`);
}

function runOnInterface(
  target: Word,
  words: readonly Word[],
  before: IfconfigBefore,
  report: Reporter,
): IfconfigAfter | undefined {
  const [verb] = words;
  const name = target.text;
  const known = findNamed(name, before.drafts);
  const order = { target, words, known, before, report };
  if (/^(vhid|advskew|advbase|pass)$/.test(name)) return reportNoInterface(target, words, report);
  if (name === 'carp' && verb?.text === 'create') return createNext(order);
  if (verb === undefined) return show(order);
  if (verb.text === 'name' || verb.text === 'destroy' || verb.text === 'create') {
    if (verb.text === 'name') return rename(order);
    if (verb.text === 'destroy') return destroy(order);
    return create({ ...order, words: words.slice(1) });
  }
  if (known.length > 0 && known[0].dialect !== 'freebsd10') return change(order);
  if (isVhidLine(words)) return changeVhid(order);
  if (known.length > 0) return changeAddresses(order);
  return reportUnknown(target, before, report);
}

function createNext(order: Order): IfconfigAfter | undefined {
  const { target, before, report } = order;
  for (let number = 0; number < MOST_VHIDS; number++) {
    const name = `carp${number}`;
    if (findNamed(name, before.drafts).length > 0) continue;
    const after = create({ ...order, target: { text: name, span: target.span }, words: [], known: [] });
    return after && { ...after, prints: name };
  }
  return report.error(target.span, 'too-many', `There are at most ${MOST_VHIDS} vhids.`);
}

function create(order: Order): IfconfigAfter | undefined {
  const { target, words, known, before, report } = order;
  if (!/^carp\d+$/.test(target.text)) {
    const mend = didYouMean(target.text, ['carp0']) ?? 'Write `carp` and a number, such as `carp0`.';
    return report.error(target.span, 'bad-interface', `\`${target.text}\` is no name for a CARP interface.`, mend);
  }
  if (known.length > 0)
    return report.error(target.span, 'interface-exists', `\`${target.text}\` exists already.`, 'Leave out `create`.');
  const draft = newCarp(target.text, target.span, 'freebsd9');
  const after = { ...before, drafts: [...before.drafts, draft] };
  return words.length === 0 ? after : change({ ...order, known: [draft], before: after });
}

function destroy({ target, known, before, report }: Order): IfconfigAfter | undefined {
  if (known.length === 0) return reportUnknown(target, before, report);
  if (known[0].dialect === 'freebsd10') {
    const mend = `Take the addresses away: \`ifconfig ${target.text} ${known[0].addresses[0]?.address} -alias\`.`;
    return report.error(target.span, 'not-cloned', `\`${target.text}\` was never created here.`, mend);
  }
  return { ...before, drafts: before.drafts.filter((draft) => !known.includes(draft)) };
}

/** What a line says is true of every vhid of the interface; a list of nodes makes them anew. */
function change({ words, known, before, report }: Order): IfconfigAfter | undefined {
  const line = readIfconfigLine(words, report);
  if (report.hasErrors) return undefined;
  if (known.length > 1 && line.vhid !== undefined && line.nodes === undefined)
    return report.error(line.spans['vhid'], 'several-nodes', 'This interface has several nodes.', 'Write `carpnodes`.');
  const changed = withNodes(
    known.map((draft) => changeDraft(draft, line)),
    line,
  );
  const drafts = before.drafts.flatMap((draft) => (draft === known[0] ? changed : known.includes(draft) ? [] : draft));
  return withState({ ...before, drafts }, changed, line, report);
}

function changeDraft(draft: CarpDraft, line: IfconfigLine): CarpDraft {
  const copy = copyDraft(draft);
  applyLine(copy, line, { is_command: true, addresses: line.addresses });
  // an address or `up` is what starts it, as on every BSD
  if (line.up === undefined && line.addresses.length > 0 && !line.removes) copy.disabled = false;
  return copy;
}

function withNodes(drafts: readonly CarpDraft[], { nodes }: IfconfigLine): CarpDraft[] {
  if (nodes === undefined) return [...drafts];
  const [first] = drafts;
  const base = interfaceOf(first);
  const isShared = nodes.length > 1;
  return nodes.map((node) => ({ ...copyDraft(first), ...node, name: isShared ? vhidName(base, node.vhid) : base }));
}

/** A vhid of a real interface: made by the first line about it, gone with its last address. */
function changeVhid({ target, words, before, report }: Order): IfconfigAfter | undefined {
  const line = readVhidLine(words, report);
  if (line?.vhid === undefined || report.hasErrors) return undefined;
  const name = vhidName(target.text, line.vhid);
  const known = before.drafts.find((draft) => draft.name === name);
  if (known === undefined && line.removes) return reportNoVhid(target, line.spans['vhid'], before, report);
  const draft = known === undefined ? newHere(target, line.vhid, before) : copyDraft(known);
  const hadAddresses = draft.addresses.length > 0;
  applyLine(draft, line, { is_command: false, addresses: vhidAddresses(line) });
  const isGone = hadAddresses && draft.addresses.length === 0;
  const others = before.drafts.filter((one) => one !== known);
  const position = known === undefined ? others.length : before.drafts.indexOf(known);
  const drafts = [...others.slice(0, position), ...(isGone ? [] : [draft]), ...others.slice(position)];
  return withState({ ...before, drafts }, [draft], line, report);
}

function newHere(target: Word, vhid: number, { interface_names }: IfconfigBefore): CarpDraft {
  const { draft } = newVhid(target.text, vhid, target.span);
  draft.interface = interface_names.find(({ name }) => name === target.text)?.link ?? target.text;
  return draft;
}

/** `ifconfig em0 10.10.0.1 -alias`: FreeBSD knows itself whose address that is. */
function changeAddresses({ target, words, known, before, report }: Order): IfconfigAfter | undefined {
  const line = readIfconfigLine(words, report);
  if (report.hasErrors) return undefined;
  if (!line.removes || line.addresses.length === 0) {
    const vhid = known[0].vhid ?? 1;
    const mend = `Say which vhid is meant: \`ifconfig ${target.text} vhid ${vhid} …\`; links are \`ip link\`'s.`;
    return report.error(target.span, 'vhid-missing', 'Without `vhid` this is not about CARP.', mend);
  }
  const drafts = before.drafts.flatMap((draft) => {
    if (!known.includes(draft)) return draft;
    const copy = changeDraft(draft, line);
    return copy.addresses.length === 0 ? [] : copy;
  });
  return { ...before, drafts };
}

function withState(
  after: IfconfigBefore,
  changed: readonly CarpDraft[],
  line: IfconfigLine,
  report: Reporter,
): IfconfigAfter | undefined {
  if (line.state === undefined) return after;
  if (line.state === 'init')
    return report.error(
      line.spans['state'],
      'unknown-value',
      'Nobody can command INIT.',
      'Write `down` to take it out of service.',
    );
  return {
    ...after,
    state: { names: changed.map(({ name }) => name), to: line.state === 'master' ? 'MASTER' : 'BACKUP' },
  };
}

function show({ target, known, before, report }: Order): IfconfigAfter | undefined {
  if (known.length === 0 && target.text !== 'carp') return reportUnknown(target, before, report);
  return { ...before, shows: { names: target.text === 'carp' ? undefined : known.map(({ name }) => name) } };
}

/** FreeBSD's own word for giving a link another name. */
function rename({ target, words, before, report }: Order): IfconfigAfter | undefined {
  const [, name] = words;
  if (name === undefined)
    return report.error(
      target.span,
      'missing-value',
      '`name` needs the new name.',
      `Write \`ifconfig ${target.text} name em0\`.`,
    );
  const others = before.interface_names.filter((one) => one.name !== name.text);
  return { ...before, interface_names: [...others, { name: name.text, link: target.text, span: name.span }] };
}

/** `-g carp` shows the count, `-g carp [-]carpdemote [N]` changes it. */
function runGroup(words: readonly Word[], before: IfconfigBefore, report: Reporter): IfconfigAfter | undefined {
  const [group, verb, amount] = words;
  if (group?.text === 'carp' && verb === undefined) return { ...before, shows_group: true };
  if (group?.text !== 'carp' || !/^-?carpdemote$/.test(verb.text)) {
    const at = verb ?? group ?? { span: NOWHERE_IN_COMMAND };
    return report.error(
      at.span,
      'unknown-keyword',
      'Only the group `carp` exists here.',
      'Write `ifconfig -g carp carpdemote 50`.',
    );
  }
  const size = amount === undefined ? 1 : parseInteger(amount, { what: 'carpdemote', min: 1, max: 255 }, report);
  return size === undefined ? undefined : { ...before, demotes_by: verb.text.startsWith('-') ? -size : size };
}

const NOWHERE_IN_COMMAND: Span = { file: 'ifconfig', line: 0, column: 0, end_column: 0 };

function reportNoInterface(target: Word, words: readonly Word[], report: Reporter): undefined {
  // the other mistakes of the line are worth telling too
  readIfconfigLine([target, ...words], report);
  const mend = `Name the interface first: \`ifconfig carp0 ${[target, ...words].map(({ text }) => text).join(' ')}\`.`;
  const message = '`ifconfig` needs the name of an interface before anything else.';
  return report.error(target.span, 'ifconfig-without-interface', message, mend);
}

function reportNoVhid(target: Word, span: Span, before: IfconfigBefore, report: Reporter): undefined {
  const names = before.drafts.filter((draft) => interfaceOf(draft) === target.text).map(({ vhid }) => vhid);
  const mend = names.length === 0 ? undefined : `It has ${names.join(', ')}.`;
  return report.error(span, 'no-such-vhid', `\`${target.text}\` has no such vhid.`, mend);
}

function reportUnknown(target: Word, { drafts }: IfconfigBefore, report: Reporter): undefined {
  const message = `There is no CARP interface \`${target.text}\`.`;
  const label = /^(.+):ucarp$/.exec(target.text)?.[1];
  if (label !== undefined) {
    const stanza = `Give the stanza of ${label} its ucarp- options, and run it: \`carpool debian up ${label}\`.`;
    return report.error(target.span, 'interface-missing', message, stanza);
  }
  const mend = /^carp\d+$/.test(target.text)
    ? `Create it first: \`ifconfig ${target.text} create\`.`
    : (didYouMean(target.text, drafts.map(interfaceOf)) ??
      `For a vhid of a link write \`ifconfig ${target.text} vhid 1 pass … alias 10.10.0.1/32\`.`);
  return report.error(target.span, 'interface-missing', message, mend);
}

/** What a command changes is a copy, so that a refused one leaves nothing behind. */
function copyDraft(draft: CarpDraft): CarpDraft {
  return { ...reopen({ ...draft, vhid: draft.vhid ?? 0, pass: draft.pass ?? '' }), vhid: draft.vhid, pass: draft.pass };
}
