/**
 * Debian's /etc/network/interfaces with `ucarp-*` lines: recognised, not read yet. What it says is told back as the
 * `carpool ucarp` command that does the same, with what must be filled in.
 */
import type { Reporter } from '../reporter.ts';
import { isPlaceholder, reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';

const FLAGS: Readonly<Record<string, string>> = {
  'ucarp-vid': '-v',
  'ucarp-vip': '-a',
  'ucarp-password': '-p',
  'ucarp-advbase': '-b',
  'ucarp-advskew': '-k',
  'ucarp-upscript': '-u',
  'ucarp-downscript': '-d',
};

export function refuseInterfaces(sources: readonly { file: string; text: string }[], report: Reporter): void {
  for (const { file, text } of sources) {
    const lines = text.split('\n').map((line, index) => words(file, index + 1, line));
    const ucarp = lines.filter(([first]) => first?.text.startsWith('ucarp-'));
    const at = ucarp[0]?.[0].span ?? { file, line: 1, column: 1, end_column: 2 };
    report.error(
      at,
      'unsupported-dialect',
      "Debian's interfaces file is not supported yet.",
      `Run \`${commandFor(ucarp, lines)}\` instead.`,
    );
    reportOutsideStanza(lines, report);
    for (const [first, value] of lines) {
      if (value !== undefined && isPlaceholder(value.text)) reportPlaceholder(value, `value of ${first.text}`, report);
    }
  }
}

/** ifupdown takes options only below the `iface` line that they belong to. */
function reportOutsideStanza(lines: readonly Word[][], report: Reporter): void {
  const [first] = lines.find(([word]) => word !== undefined) ?? [];
  if (!first?.text.startsWith('ucarp-')) return;
  const message = `\`${first.text}\` stands before any \`iface\` line, so ifupdown cannot tell whose it is.`;
  report.error(first.span, 'outside-section', message, 'Put `iface eth0 inet static` and the own address above it.');
}

function commandFor(ucarp: readonly Word[][], lines: readonly Word[][]): string {
  const stanza = lines.find(([first, name]) => first?.text === 'iface' && name !== undefined);
  const settings = new Map(
    ucarp.flatMap(([name, value]) => (value && FLAGS[name.text] ? [[FLAGS[name.text], value.text] as const] : [])),
  );
  const link = stanza?.[1].text.replace(/:ucarp$/, '') ?? 'eth0';
  return [
    'carpool ucarp -z -i',
    link,
    '-s OWN_ADDRESS',
    ...[...settings].map(([flag, value]) => `${flag} ${value}`),
  ].join(' ');
}

function words(file: string, line: number, text: string): Word[] {
  if (text.trimStart().startsWith('#')) return [];
  return [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({
    text: word,
    span: { file, line, column: index + 1, end_column: index + 1 + word.length },
  }));
}
