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

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
