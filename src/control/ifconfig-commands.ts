/** `ifconfig` and `sysctl` as on the BSDs, against this daemon. */
import type { CarpDraft } from '../config/carp-draft.ts';
import { type Diagnostic, formatDiagnostic, hasErrors } from '../config/diagnostic.ts';
import { runSysctl, type SysctlFacts } from '../config/freebsd/sysctl-command.ts';
import { type IfconfigAfter, runIfconfig } from '../config/ifconfig/command.ts';
import { shownNames } from '../config/ifconfig/shown-names.ts';
import type { CarpHost } from '../config/model.ts';
import { Reporter } from '../config/reporter.ts';
import type { Word } from '../config/word.ts';
import type { CommandContext, ControlCommand, Reply } from './commands.ts';
import { type IfconfigForm, type IfconfigVhid, renderIfconfig } from './status-ifconfig.ts';
import { SYSCTL_OWNER } from './sysctl-owner.ts';

export const IFCONFIG_COMMANDS: readonly ControlCommand[] = [
  {
    name: 'ifconfig',
    usage: 'ifconfig [NAME [WORD …]]',
    help: "show or change vhids in the words of the BSDs' ifconfig",
    prepare: (words) => ({ run: (context, reply) => answerIfconfig(toWords(words, 'ifconfig'), context, reply) }),
  },
  {
    name: 'sysctl',
    usage: 'sysctl [-a] [net.inet.carp[.NAME[=VALUE]]]',
    help: "show or change CARP's settings of the whole host, in the BSDs' words",
    prepare: (words) => ({ run: (context, reply) => answerSysctl(toWords(words, 'sysctl'), context, reply) }),
  },
];

/** No place in a file: what was typed stands above the answer. */
function toWords(words: readonly string[], file: string): Word[] {
  return words.map((text) => ({ text, span: { file, line: 0, column: 0, end_column: 0 } }));
}

async function answerIfconfig(words: readonly Word[], context: CommandContext, reply: Reply): Promise<void> {
  const { node } = context;
  const report = new Reporter();
  const after = runIfconfig(words, node, report);
  if (after === undefined) return refuse(report.diagnostics, reply);
  if (after.shows !== undefined) return reply.send(await showIfconfig(context, after.shows));
  if (after.shows_group) return reply.send(`carp: carp demote count ${(await factsOf(context)).demotion}\n`);
  const incomplete = after.drafts.filter((draft) => !node.drafts.includes(draft));
  const { drafts, interface_names } = after;
  const found = node.change({ drafts, interface_names, host: hostAfter(after, context) });
  if (hasErrors(found)) return refuse(found, reply);
  for (const draft of incomplete) warnOfMissing(draft, words, report);
  if (after.state !== undefined) {
    for (const name of after.state.names) context.setState(name, after.state.to);
  }
  reply.send((after.prints === undefined ? '' : `${after.prints}\n`) + sayAll([...report.diagnostics, ...found]));
}

function hostAfter({ demotes_by = 0 }: IfconfigAfter, { node }: CommandContext): CarpHost {
  return demotes_by === 0 ? node.host : { ...node.host, demotion: node.host.demotion + demotes_by };
}

/** An interface may be set up in steps; until the last one nothing is shared, which is worth a word. */
function warnOfMissing({ name, vhid, pass, addresses }: CarpDraft, words: readonly Word[], report: Reporter): void {
  const isCreation = words.length === 2;
  if (isCreation) return;
  const { span } = words[0];
  // a vhid of a link, in FreeBSD's words from 10 on
  if (name.includes(':')) {
    if (addresses.length > 0) return;
    const message = `Vhid ${vhid} of \`${words[0].text}\` has no address yet, so there is nothing to share.`;
    const mend = `Give it one: \`ifconfig ${words[0].text} vhid ${vhid} alias 10.10.0.1/32\`.`;
    report.warning(span, 'carp-without-address', message, mend);
    return;
  }
  if (vhid === undefined)
    report.warning(
      span,
      'vhid-missing',
      `\`${name}\` has no vhid yet, so nothing is shared.`,
      `Give it one: \`ifconfig ${name} vhid 1\`.`,
    );
  else if (addresses.length === 0)
    report.warning(
      span,
      'carp-without-address',
      `\`${name}\` has no address yet, so there is nothing to share.`,
      `Give it one: \`ifconfig ${name} 10.10.0.1/16\`.`,
    );
  else if (pass === undefined)
    report.warning(
      span,
      'pass-missing',
      `\`${name}\` has no password, so any host of the segment can take its address.`,
      `Give it one, the same on every node: \`ifconfig ${name} pass …\`.`,
    );
}

/** `names` undefined: every vhid. `form` undefined: each in its own. */
export async function showIfconfig(
  context: CommandContext,
  { names, form }: { names?: readonly string[] | undefined; form?: IfconfigForm | undefined },
): Promise<string> {
  const { node } = context;
  const statuses = (await context.carp())?.vhids ?? [];
  const shown = shownNames(node.drafts);
  const vhids = node.drafts
    .map((draft, position): IfconfigVhid => {
      const status = statuses.find(({ index }) => index === node.slotOf(draft.name));
      const link = status?.interface ?? draft.interface;
      const called = node.interface_names.find((one) => one.link === link)?.name ?? link;
      return { ...draft, state: status?.state ?? 'INIT', interface: called, shown: shown[position]! };
    })
    .filter(({ name }) => names === undefined || names.includes(name));
  return renderIfconfig(vhids, form);
}

async function answerSysctl(words: readonly Word[], context: CommandContext, reply: Reply): Promise<void> {
  const { node } = context;
  const report = new Reporter();
  const outcome = runSysctl(words, node.host, await factsOf(context), report);
  if (outcome === undefined) return refuse(report.diagnostics, reply);
  const found = outcome.host === node.host ? [] : changeHost(outcome.host, context);
  if (hasErrors(found)) return refuse(found, reply);
  reply.send(outcome.text + sayAll([...report.diagnostics, ...found]));
}

function changeHost(host: CarpHost, { node }: CommandContext): readonly Diagnostic[] {
  return node.change({ drafts: node.drafts, interface_names: node.interface_names, host });
}

/** Owners that demote every vhid are the host's; FreeBSD knows no others. */
async function factsOf(context: CommandContext): Promise<SysctlFacts> {
  const vhids = (await context.carp())?.vhids ?? [];
  const [first, ...others] = vhids.map(({ demotions }) => demotions);
  const common = (first ?? []).filter(({ owner }) => others.every((list) => list.some((one) => one.owner === owner)));
  const ours = common.filter(({ owner }) => owner !== SYSCTL_OWNER);
  const demotion = ours.reduce((sum, { amount }) => sum + amount, context.node.host.demotion);
  return { demotion, suppress_preempt: ours.length, vhids: context.node.config.carps };
}

function refuse(diagnostics: readonly Diagnostic[], reply: Reply): void {
  reply.refuse(sayAll(diagnostics).trimEnd());
}

function sayAll(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join('');
}
