/** Collects the diagnostics of one reading of the configuration. */
import { type Diagnostic, hasErrors, type Span } from './diagnostic.ts';

/** A file that is not a configuration at all would give one diagnostic per line. */
const LIMIT = 200;

export class Reporter {
  readonly diagnostics: Diagnostic[] = [];

  error(span: Span, code: string, message: string, mend?: string): undefined {
    this.#add({ severity: 'error', code, message, span, ...(mend === undefined ? {} : { mend }) });
  }

  warning(span: Span, code: string, message: string, mend?: string): undefined {
    this.#add({ severity: 'warning', code, message, span, ...(mend === undefined ? {} : { mend }) });
  }

  get hasErrors(): boolean {
    return hasErrors(this.diagnostics);
  }

  #add(diagnostic: Diagnostic): void {
    if (this.diagnostics.length < LIMIT) this.diagnostics.push(diagnostic);
    else if (this.diagnostics.length === LIMIT) this.diagnostics.push(tooMany(diagnostic.span));
  }
}

function tooMany(span: Span): Diagnostic {
  return {
    severity: 'error',
    code: 'too-many-diagnostics',
    message: `More than ${LIMIT} diagnostics; the rest is left out.`,
    span,
  };
}
