/**
 * As much of the shell as rc.conf needs: assignments with quotes, comments, `;`, and values over several lines.
 * Nothing is executed or expanded.
 */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';

export type Assignment = { readonly kind: 'assignment'; readonly name: Word; readonly value: Value };
export type Command = { readonly kind: 'command'; readonly words: readonly Word[] };

/** A value and the words in it, each where it stands in the file. */
export type Value = {
  readonly words: readonly Word[];
  readonly span: Span;
  /** Holds `$NAME` or a command substitution that a shell would expand. */
  readonly is_dynamic: boolean;
};

type Character = { readonly char: string; readonly line: number; readonly column: number; readonly is_quoted: boolean };

/** Assignments and other commands, in order. */
export function readShell(file: string, text: string, report: Reporter): (Assignment | Command)[] {
  const reader = new ShellReader(file, text, report);
  const statements: (Assignment | Command)[] = [];
  for (;;) {
    const words = reader.command();
    if (words === undefined) return statements;
    if (words.length > 0 && !reader.failed) statements.push(...toStatements(words, file));
  }
}

/** `A=1 B=2` are two assignments; anything else is a command as a whole. */
function toStatements(words: readonly Character[][], file: string): (Assignment | Command)[] {
  const assignments = words.map((word) => toAssignment(word, file));
  if (assignments.every((each) => each !== undefined)) return assignments;
  return [{ kind: 'command', words: words.map((word) => toWord(word, file)) }];
}

function toAssignment(word: readonly Character[], file: string): Assignment | undefined {
  const equals = word.findIndex(({ char, is_quoted }) => char === '=' && !is_quoted);
  const name = word.slice(0, Math.max(equals, 0));
  if (equals < 1 || name.some(({ is_quoted }) => is_quoted)) return undefined;
  const text = name.map(({ char }) => char).join('');
  if (!/^[A-Za-z_]\w*$/.test(text)) return undefined;
  const value = word.slice(equals + 1);
  const whole = toWord(word, file);
  const span = value.length > 0 ? toWord(value, file).span : whole.span;
  const is_dynamic = value.some(({ char }) => char === '$' || char === '`');
  return { kind: 'assignment', name: toWord(name, file), value: { words: splitWords(value, file), span, is_dynamic } };
}

/** The words of a value, as `ifconfig $value` would see them. */
function splitWords(value: readonly Character[], file: string): Word[] {
  const words: Word[] = [];
  let current: Character[] = [];
  for (const character of value) {
    if (!/\s/.test(character.char)) current.push(character);
    else if (current.length > 0) {
      words.push(toWord(current, file));
      current = [];
    }
  }
  if (current.length > 0) words.push(toWord(current, file));
  return words;
}

function toWord(characters: readonly Character[], file: string): Word {
  const first = characters[0];
  const last = characters[characters.length - 1];
  const end_column = last.line === first.line ? last.column + 1 : first.column + 1;
  return {
    text: characters.map(({ char }) => char).join(''),
    span: { file, line: first.line, column: first.column, end_column },
  };
}

class ShellReader {
  readonly #file: string;
  readonly #text: string;
  readonly #report: Reporter;
  #at = 0;
  #line = 1;
  #column = 1;
  /** A quote was never closed: the last command is not what its writer meant. */
  failed = false;

  constructor(file: string, text: string, report: Reporter) {
    this.#file = file;
    this.#text = text;
    this.#report = report;
  }

  /** The words up to the end of the line or `;`; undefined at the end of the file. */
  command(): Character[][] | undefined {
    if (this.#peek() === undefined) return undefined;
    const words: Character[][] = [];
    for (;;) {
      while (isBlank(this.#peek())) this.#next();
      const char = this.#peek();
      if (char === '#') while (this.#peek() !== undefined && this.#peek() !== '\n') this.#next();
      else if (char === undefined) return words;
      else if (char === '\n' || char === ';') {
        this.#next();
        return words;
      } else {
        const word = this.#word();
        if (word.length > 0) words.push(word);
      }
    }
  }

  #word(): Character[] {
    const word: Character[] = [];
    for (;;) {
      const char = this.#peek();
      if (char === undefined || isBlank(char) || char === '\n' || char === ';') return word;
      if (char === '"' || char === "'") word.push(...this.#quoted(char));
      else if (char === '\\') word.push(...this.#escaped());
      else word.push(this.#next());
    }
  }

  #quoted(quote: string): Character[] {
    const open = this.#next();
    const inside: Character[] = [];
    for (;;) {
      const char = this.#peek();
      if (char === quote) {
        this.#next();
        return inside;
      }
      if (char === undefined) {
        const span = { file: this.#file, line: open.line, column: open.column, end_column: open.column + 1 };
        this.#report.error(
          span,
          'unmatched-quote',
          `This quote \`${quote}\` is never closed.`,
          `Close it with \`${quote}\`.`,
        );
        this.failed = true;
        return [];
      }
      if (char === '\\' && quote === '"') inside.push(...this.#escaped());
      else inside.push({ ...this.#next(), is_quoted: true });
    }
  }

  /** A backslash at the end of a line joins it with the next. */
  #escaped(): Character[] {
    const backslash = this.#next();
    const char = this.#peek();
    if (char === undefined) return [{ ...backslash, is_quoted: true }];
    const escaped = { ...this.#next(), is_quoted: true };
    return char === '\n' ? [] : [escaped];
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): Character {
    const char = this.#text[this.#at++];
    const character = { char, line: this.#line, column: this.#column, is_quoted: false };
    if (char === '\n') {
      this.#line++;
      this.#column = 1;
    } else this.#column++;
    return character;
  }
}

/** A form feed or a no-break space is a letter like any other to the shell. */
function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r';
}
