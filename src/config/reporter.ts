/** Collects the diagnostics of one reading of the configuration. */
import { type Diagnostic, hasErrors, type Span } from './diagnostic.ts';

/** A file that is not a configuration at all would give one diagnostic per line; what is the same on many lines is one. */
const LIMIT = 200;
const MOST = 10 * LIMIT;

export class Reporter {
  readonly diagnostics: Diagnostic[] = [];
  readonly #messages = new Set<string>();
  #full = false;

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
    if (this.#full) return;
    this.#messages.add(diagnostic.message);
    this.#full = this.#messages.size > LIMIT || this.diagnostics.length === MOST;
    this.diagnostics.push(this.#full ? tooMany(diagnostic.span) : diagnostic);
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
