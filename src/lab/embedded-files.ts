/** The mistakes in the configuration files that a scenario holds, at their places in the scenario. Pure. */
import type { Diagnostic } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import type { Node } from './scenario.ts';

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
