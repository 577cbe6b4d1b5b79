/**
 * A mistake in somebody's configuration, as a value: where, what, and how to mend it.
 * Parsers and checks return these; nothing that a person wrote is reported by an exception.
 */

/** Where a value stands in its file. Lines and columns count from 1; `end_column` is exclusive. */
export type Span = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly end_column: number;
};

/** For values that no file gave: a default, or the command line. */
export const NOWHERE: Span = { file: '', line: 0, column: 0, end_column: 0 };

export type Severity = 'error' | 'warning';

export type Diagnostic = {
  readonly severity: Severity;
  /** Stable, kebab-case, searchable: `unknown-keyword`, `password-too-long`. */
  readonly code: string;
  /** One sentence that says what is wrong. */
  readonly message: string;
  /** What to write instead, where we can know: one sentence or a line to paste. */
  readonly mend?: string;
  readonly span: Span;
};

/**
 * `file:line:column: error: sentence [code]` and, on its own line, the mend. Control characters that a file brought along
 * become `?`, so that no file can play with the terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { span, severity, message, code, mend } = diagnostic;
  const place = span.line > 0 ? `${span.file}:${span.line}:${span.column}: ` : span.file ? `${span.file}: ` : '';
  const lines = [`${place}${severity}: ${message} [${code}]`, ...(mend ? [`    ${mend}`] : [])];
  return lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n');
}

/** What stands behind a sentence that holds for several lines of a file. */
const MOST_LINES = 8;

/** As they are told to people, in their order: what is the same on many lines is said once, with the lines. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): { severity: Severity; text: string }[] {
  const groups = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const { severity, code, message, mend, span } = diagnostic;
    const key = JSON.stringify([severity, code, message, mend, span.file]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [diagnostic]);
    else group.push(diagnostic);
  }
  return [...groups.values()].map(([first, ...more]) => ({
    severity: first.severity,
    text: `${formatDiagnostic(first)}${linesOf(first, more)}`,
  }));
}

function linesOf(first: Diagnostic, more: readonly Diagnostic[]): string {
  const lines = [...new Set(more.map(({ span }) => span.line))].filter((line) => line !== first.span.line);
  if (lines.length === 0) return '';
  const shown = lines.length > MOST_LINES ? lines.slice(0, MOST_LINES - 1) : lines;
  const left = lines.length - shown.length;
  const listed = left > 0 ? `${shown.join(', ')} and ${left} others` : shown.join(', ').replace(/, (\d+)$/, ' and $1');
  return `\n    The same on line${lines.length > 1 ? 's' : ''} ${listed}.`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
