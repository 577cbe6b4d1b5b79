/**
 * haproxy.cfg's lines and words, without their meaning (manual 2.2 "Quoting and escaping", 2.3 "Environment variables").
 *
 *   plain     ends a word at space or tab; `#` starts a comment; `\` escapes
 *   "weak"    `\` escapes; "${NAME}", "$NAME" and "${NAME-default}" are replaced; "${NAME[*]}" makes a word of each of its words
 *   'strong'  everything stands for itself
 */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Line = readonly Word[];

/**
 * Lines that hold at least one word. A line with a mistake in its quoting is reported and left out. Each is read when it is asked
 * for, in the environment that the lines before it made.
 */
export function* tokenize(file: string, text: string, env: Environment, report: Reporter): Generator<Line> {
  for (const [index, line] of text.split('\n').entries()) {
    const words = new LineReader(file, index + 1, line.replace(/\r$/, ''), env, report).words();
    if (words !== undefined && words.length > 0) yield words;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  ' ': ' ',
  '#': '#',
  '\\': '\\',
  '"': '"',
  "'": "'",
  $: '$',
};

class LineReader {
  readonly #file: string;
  readonly #line: number;
  readonly #text: string;
  readonly #env: Environment;
  readonly #report: Reporter;
  #at = 0;
  #failed = false;
  /** The word holds several, with SPLIT between them. */
  #splits = false;
  /** It has bytes beyond ASCII that were written as such. */
  #has_bytes = false;

  constructor(file: string, line: number, text: string, env: Environment, report: Reporter) {
    this.#file = file;
    this.#line = line;
    this.#text = text;
    this.#env = env;
    this.#report = report;
  }

  words(): Word[] | undefined {
    const words: Word[] = [];
    for (;;) {
      while (isBlank(this.#text[this.#at])) this.#at++;
      if (this.#at >= this.#text.length || this.#text[this.#at] === '#') return words;
      const start = this.#at;
      const text = this.#word();
      if (this.#failed) return undefined;
      const span = this.#span(start, this.#at);
      const marks = this.#has_bytes ? { has_bytes: true } : {};
      for (const each of this.#splits ? text.split(SPLIT) : [text]) words.push({ text: each, span, ...marks });
      this.#splits = false;
      this.#has_bytes = false;
    }
  }

  #word(): string {
    let word = '';
    while (this.#at < this.#text.length && !this.#failed) {
      const char = this.#text[this.#at];
      if (isBlank(char) || char === '#') break;
      if (char === "'") word += this.#strong();
      else if (char === '"') word += this.#weak();
      else if (char === '\\') word += this.#escape();
      else word += this.#take();
    }
    return word;
  }

  #strong(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0)
      return this.#fail(
        this.#at,
        'unmatched-quote',
        "This quote `'` is never closed.",
        "Close it with `'` on the same line.",
      );
    const quoted = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return quoted;
  }

  #weak(): string {
    const start = this.#at++;
    let quoted = '';
    while (this.#at < this.#text.length && !this.#failed) {
      const char = this.#text[this.#at];
      if (char === '"') {
        this.#at++;
        return quoted;
      }
      if (char === '\\') quoted += this.#escape();
      else if (char === '$') quoted += this.#variable();
      else quoted += this.#take();
    }
    if (this.#failed) return '';
    return this.#fail(
      start,
      'unmatched-quote',
      'This quote `"` is never closed.',
      'Close it with `"` on the same line.',
    );
  }

  /** An escape that is none keeps its backslash, as in HAProxy. */
  #escape(): string {
    const next = this.#text[this.#at + 1] ?? '';
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(this.#text.slice(this.#at, this.#at + 4));
    if (hex !== null) {
      this.#at += 4;
      this.#has_bytes ||= Number.parseInt(hex[1], 16) > 0x7f;
      return String.fromCharCode(Number.parseInt(hex[1], 16));
    }
    if (!Object.hasOwn(ESCAPES, next)) return this.#take();
    this.#at += 2;
    return ESCAPES[next];
  }

  #variable(): string {
    const match = VARIABLE.exec(this.#text.slice(this.#at));
    if (match === null)
      return this.#fail(
        this.#at,
        'bad-variable',
        'The name of an environment variable must follow this `$`.',
        'Write `\\$` for a dollar sign.',
      );
    const start = this.#at;
    this.#at += match[0].length;
    const variable = readVariable(match, this.#env);
    if (variable.is_unset) {
      this.#report.warning(
        this.#span(start, this.#at),
        'variable-not-set',
        `The environment variable \`${variable.name}\` is not set, so nothing is put here.`,
        `Set it, or write \`\${${variable.name}-default}\`.`,
      );
    }
    if (!variable.is_list) return variable.value;
    this.#splits = true;
    return variable.value.trim().replace(/[ \t]+/g, SPLIT);
  }

  #take(): string {
    return this.#text[this.#at++];
  }

  #fail(at: number, code: string, message: string, mend: string): string {
    this.#failed = true;
    this.#report.error(this.#span(at, at + 1), code, message, mend);
    return '';
  }

  #span(start: number, end: number): Span {
    return { file: this.#file, line: this.#line, column: start + 1, end_column: end + 1 };
  }
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}

/** No value of a variable holds it. */
const SPLIT = '\0';

/** `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}`. */
const VARIABLE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(\[\*\])?(?:-([^}]*))?\})/;

type Variable = {
  readonly name: string;
  readonly value: string;
  readonly is_unset: boolean;
  readonly is_list: boolean;
};

function readVariable(match: RegExpExecArray, env: Environment): Variable {
  const name = match[1] ?? match[2];
  const value = (Object.hasOwn(env, name) ? env[name] : undefined) ?? match[4];
  return { name, value: value ?? '', is_unset: value === undefined, is_list: match[3] !== undefined };
}

/** Variables in an unquoted address: HAProxy replaces them there too (`bind ${HOST}:80`). */
export function expandVariables(word: Word, env: Environment, report: Reporter): Word {
  if (!word.text.includes('$')) return word;
  const text = word.text.replace(
    /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(\[\*\])?(?:-([^}]*))?\})/g,
    (...groups: string[]) => {
      const variable = readVariable(groups as unknown as RegExpExecArray, env);
      if (variable.is_unset)
        report.warning(
          word.span,
          'variable-not-set',
          `The environment variable \`${variable.name}\` is not set, so nothing is put here.`,
        );
      return variable.value;
    },
  );
  return { text, span: word.span };
}
