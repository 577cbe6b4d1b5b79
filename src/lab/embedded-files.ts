/** The configuration files that a scenario holds: their texts, and their mistakes at their places in the scenario. Pure. */
import type { Diagnostic } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import type { ConfigurationFile, Node } from './scenario.ts';
import type { Line, LineReader } from './scenario-words.ts';

/** The block's text without the indentation of its first line; undefined where there is none, which is then a mistake of the line. */
export function readFile(words: LineReader, name: string, block: readonly Line[]): ConfigurationFile | undefined {
  const first = block.findIndex((line) => line.raw.trim() !== '');
  if (first < 0) return words.fail('empty-file', `the text of ${name} should follow, indented more than this line`);
  const { indent, number } = block[first]!;
  const lines = block.slice(first).map((line) => line.raw.slice(Math.min(indent, line.indent)));
  return { name, text: `${lines.join('\n').trimEnd()}\n`, first_line: number, indent };
}

/** Errors only: a warning is for who runs the configuration, and the node's own output has it. */
export function findMistakes(node: Node, scenario_file: string): Diagnostic[] {
  const sources = node.files.map(({ name, text }) => ({ file: name, text }));
  const errors = loadConfig(sources).diagnostics.filter(({ severity }) => severity === 'error');
  return errors.map((diagnostic) => {
    const file = node.files.find(({ name }) => name === diagnostic.span.file);
    if (!file) return { ...diagnostic, span: node.span };
    const { line, column, end_column } = diagnostic.span;
    const span = {
      file: scenario_file,
      line: Math.max(1, line) + file.first_line - 1,
      column: Math.max(1, column) + file.indent,
      end_column: Math.max(1, end_column) + file.indent,
    };
    return { ...diagnostic, span };
  });
}
