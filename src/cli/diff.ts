/** `carpool diff A B`: whether the files of two nodes fit each other. */
import { compareNodes, type Difference } from '../config/compare-nodes.ts';
import { formatDiagnostics } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import { complain } from './complain.ts';

const USAGE = 'carpool diff A B [--json]';

/** `words` are those behind `diff`. Returns the exit status: 0 when the two nodes fit. */
export function diff(words: readonly string[]): number {
  const unknown = words.find((word) => word.startsWith('-') && word !== '--json');
  if (unknown !== undefined) return complain(`There is no option ${unknown}: ${USAGE}`);
  const nodes = words.filter((word) => !word.startsWith('-'));
  if (nodes.length !== 2) return complain(`Name the files of two nodes: ${USAGE}`);
  const configs = nodes.map(load);
  const [a, b] = configs;
  if (a === undefined || b === undefined) return 1;
  const differences = compareNodes(a, b);
  process.stdout.write(
    words.includes('--json') ? `${JSON.stringify({ differences })}\n` : render(differences, nodes[0]!, nodes[1]!),
  );
  return differences.some(({ kind }) => kind !== 'different') ? 1 : 0;
}

/** Warnings are not shown: they are no matter of the two. */
function load(node: string): Config | undefined {
  const { config, diagnostics } = loadFiles(node.split(','), { env: process.env });
  if (config === undefined) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    for (const { text } of formatDiagnostics(errors)) process.stderr.write(`${text}\n`);
  }
  return config;
}

const HEADINGS = [
  ['must-be-equal', 'Must be equal and is not:'],
  ['must-differ', 'Must differ and does not:'],
  ['different', 'Different, which may be meant:'],
] as const;

function render(differences: readonly Difference[], a: string, b: string): string {
  const parts = HEADINGS.flatMap(([kind, heading]) => {
    const found = differences.filter((one) => one.kind === kind);
    if (found.length === 0) return [];
    return [`${heading}\n${found.map((one) => renderDifference(one, a, b)).join('')}`];
  });
  return parts.length === 0 ? 'The two fit, and nothing differs but what must.\n' : parts.join('\n');
}

function renderDifference({ what, a, b, sentence }: Difference, file_a: string, file_b: string): string {
  const values = a === undefined || b === undefined ? '' : `      ${a}  (${file_a})\n      ${b}  (${file_b})\n`;
  return `  ${what}: ${sentence}\n${values}`;
}
