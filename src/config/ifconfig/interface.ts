/** One carpN interface, or one vhid of a real interface, while the lines about it are read. */
import { type CarpDraft, closeCarp } from '../carp-draft.ts';
import type { Carp } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import type { IfconfigLine } from './line.ts';

export type BsdInterface = {
  readonly draft: CarpDraft;
  /** OpenBSD's `carpnodes`: several vhids that share the addresses. */
  nodes: IfconfigLine['nodes'];
};

/** How the dialect writes one whole line, for the mends: `line('pass x')`. */
export type ExampleLine = (words: string) => string;

/** The vhids of the model; none after a report of what is missing. */
export function finishInterface({ draft, nodes }: BsdInterface, example: ExampleLine, report: Reporter): Carp[] {
  const [first, ...more] = nodes ?? [];
  if (first !== undefined) {
    Object.assign(draft, first);
    draft.spans['vhid'] ??= draft.spans['nodes'];
  }
  reportMissing(draft, example, report);
  if (more.length > 0 && draft.balancing !== 'arp' && draft.spans['balancing'] === undefined) {
    report.error(
      draft.spans['nodes'] ?? draft.span,
      'balancing-missing',
      'Several nodes share one address, but nothing says how.',
      'Add `balancing arp`.',
    );
  }
  if (more.length > 0) draft.balancing = 'arp';
  const carp = closeCarp(draft);
  if (carp === undefined) return [];
  if (more.length === 0) return [carp];
  return (nodes ?? []).map((node) => ({ ...carp, ...node, name: `${carp.name}:${node.vhid}` }));
}

/** What was written and is wrong has a span, and was reported already. */
function reportMissing(
  { name, vhid, pass, advskew, span, spans }: CarpDraft,
  example: ExampleLine,
  report: Reporter,
): void {
  const skew = advskew > 0 ? ` advskew ${advskew}` : '';
  const line = `\`${example(`vhid ${vhid ?? 1}${skew} pass ${pass ?? '…'}`)}\``;
  if (spans['vhid'] === undefined) {
    report.error(span, 'vhid-missing', `\`${name}\` has no vhid.`, `Write for example ${line}.`);
  }
  if (spans['addresses'] === undefined) {
    const message = `\`${name}\` has no address, so there is nothing to share.`;
    report.error(span, 'carp-without-address', message, `Write the virtual address, for example ${line}.`);
  }
  if (spans['pass'] === undefined) {
    const message = `\`${name}\` has no password, so any host of the segment can take its address.`;
    report.warning(span, 'pass-missing', message, 'Add `pass` and a password, the same on every node.');
  }
}

/** A file says how things are to be, and who is MASTER is not among that. */
export function reportState(line: IfconfigLine, report: Reporter): void {
  const span = line.spans['state'];
  if (span === undefined) return;
  const message = 'A state cannot be configured; the nodes find out among themselves.';
  report.warning(span, 'no-effect', message, 'Remove it; give the preferred node the lower `advskew`.');
}
