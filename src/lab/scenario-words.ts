/**
 * The words of a scenario's lines, and a reader that takes them one after the other.
 * A reader notes the first mistake of its line as a Diagnostic; what it returns after that is undefined.
 */
import type { Diagnostic, Span } from '../config/diagnostic.ts';
import { suggest } from '../config/suggest.ts';

export type Word = { readonly text: string; readonly column: number };

export type Line = {
  /** Counts from 1. */
  readonly number: number;
  /** Characters of white space before the first word. */
  readonly indent: number;
  readonly raw: string;
  readonly words: readonly Word[];
};

/** Every line of the text, empty ones too. A word that begins with # begins a comment. */
export function splitLines(text: string): Line[] {
  return text.split('\n').map((raw, index) => {
    const words: Word[] = [];
    for (const match of raw.matchAll(/[^\s,]+|,/g)) {
      if (match[0].startsWith('#')) break;
      words.push({ text: match[0], column: match.index + 1 });
    }
    return { number: index + 1, indent: raw.length - raw.trimStart().length, raw: raw.trimEnd(), words };
  });
}

/** The line without its indentation and comment. */
export function lineText(line: Line): string {
  const last = line.words.at(-1);
  return last ? line.raw.slice(line.indent, last.column - 1 + last.text.length) : '';
}

export class LineReader {
  readonly line: Line;
  readonly file: string;
  readonly diagnostics: Diagnostic[];
  private position = 0;
  private failed = false;

  constructor(file: string, line: Line, diagnostics: Diagnostic[]) {
    this.file = file;
    this.line = line;
    this.diagnostics = diagnostics;
  }

  peek(): string | undefined {
    return this.line.words[this.position]?.text;
  }

  /** Takes the next words if they are these. */
  take(...texts: string[]): boolean {
    if (!texts.every((text, index) => this.line.words[this.position + index]?.text === text)) return false;
    this.position += texts.length;
    return true;
  }

  /** Takes these words or notes what is missing. */
  need(...texts: string[]): boolean {
    if (this.take(...texts)) return true;
    const found = this.peek();
    this.fail(found === undefined ? 'word-missing' : 'unexpected-word', `here should stand \`${texts.join(' ')}\``);
    return false;
  }

  /** The next word, whatever it is; `what` names it in the diagnostic when the line ends before it. */
  any(what: string): string | undefined {
    const word = this.peek();
    if (word === undefined) this.fail('word-missing', `${what} is missing at the end of the line`);
    else this.position += 1;
    return word;
  }

  /** The next word, which must be one of these. */
  oneOf<T extends string>(what: string, known: readonly T[], code = 'unknown-word'): T | undefined {
    const word = this.any(what);
    if (word === undefined) return undefined;
    if ((known as readonly string[]).includes(word)) return word as T;
    this.position -= 1;
    const near = suggest(word, known);
    const mend = near ? `did you mean \`${near}\`?` : `known here: ${known.join(', ') || 'nothing yet'}`;
    return this.fail(code, `\`${word}\` is not ${what}`, mend);
  }

  /** A whole number between min and max. */
  integer(what: string, min: number, max: number): number | undefined {
    const word = this.any(what);
    if (word === undefined) return undefined;
    const value = /^\d{1,10}$/.test(word) ? Number(word) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.position -= 1;
    return this.fail('bad-number', `${what} is a whole number from ${min} to ${max}, not \`${word}\``);
  }

  /** `50 ms`, `3.6 s` or `1 min`, with or without the space; in milliseconds, above 0 and at most 10 min. */
  duration(what = 'a time'): number | undefined {
    const number = this.any(`${what} (such as 50 ms or 3.6 s)`);
    if (number === undefined) return undefined;
    const match = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|min)?$/.exec(number);
    const unit = match?.[2] ?? (match ? this.any('the unit (ms, s or min)') : undefined);
    if (match && unit === undefined) return undefined;
    const scale = unit === 'ms' ? 1 : unit === 's' ? 1000 : unit === 'min' ? 60_000 : 0;
    const value = match && scale ? Number(match[1]) * scale : 0;
    if (value > 0 && value <= LONGEST_MS) return value;
    this.position -= 1;
    return this.fail(
      'bad-time',
      `${what} is a number with ms, s or min, above 0 and at most 10 min, not \`${number}\``,
      'write 50 ms, 3.6 s or 1 min',
    );
  }

  /** A dotted IPv4 address. */
  address(what: string): string | undefined {
    const word = this.any(what);
    if (word === undefined || isAddress(word)) return word;
    this.position -= 1;
    return this.fail('bad-address', `${what} is an IPv4 address such as 10.10.0.1, not \`${word}\``);
  }

  /** Notes words that nobody asked for; true when the line was read without a mistake. */
  end(): boolean {
    const rest = this.peek();
    if (rest !== undefined) this.fail('unexpected-word', `\`${rest}\` is one word too many`);
    return !this.failed;
  }

  /** Notes a mistake at the next word (or behind the last); only the first of a line is kept. */
  fail(code: string, message: string, mend?: string): undefined {
    if (this.failed) return undefined;
    this.failed = true;
    this.diagnostics.push(scenarioDiagnostic(code, message, this.span(), mend));
    return undefined;
  }

  /** Where the next word stands; behind the last word when there is none. */
  span(): Span {
    const word = this.line.words[this.position];
    const column = word?.column ?? this.line.raw.length + 1;
    const end_column = column + (word?.text.length ?? 1);
    return { file: this.file, line: this.line.number, column, end_column };
  }

  /** Where the whole line stands. */
  lineSpan(): Span {
    const column = this.line.indent + 1;
    return { file: this.file, line: this.line.number, column, end_column: column + lineText(this.line).length };
  }
}

/** In the style of all diagnostics: a sentence, and the mend as another one. */
export function scenarioDiagnostic(code: string, message: string, span: Span, mend?: string): Diagnostic {
  const diagnostic = { severity: 'error', code, message: sentence(message), span } as const;
  return mend === undefined ? diagnostic : { ...diagnostic, mend: sentence(mend) };
}

function sentence(text: string): string {
  const end = /[.?!:]$/.test(text) ? '' : '.';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

const LONGEST_MS = 600_000;

export function isAddress(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}
