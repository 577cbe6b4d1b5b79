/**
 * `log-format` strings (manual 8.2.6), from text to parts:
 *
 *   %ci:%cp\ %{+Q}r   ──▶   field ci, text ":", field cp, space, field r quoted
 *
 * `%{+Q}o` sets the flags of all fields after it, `%[…]` holds a sample. Blanks are separators: any number of them is one.
 */
import { LOG_FIELDS } from './log-fields.ts';
import type { LogFlags, LogPart } from './model.ts';
import { didYouMean } from './suggest.ts';

export type LogFormatMistake = {
  /** Where in the text, from 0. */
  readonly at: number;
  readonly code: string;
  readonly message: string;
  readonly mend: string | undefined;
};

/** What stands between the brackets of `%[…]`; undefined when that is wrong, and reported. */
export type ReadSample = (text: string) => Pick<SamplePart, 'sample' | 'moment'> | undefined;
type SamplePart = Extract<LogPart, { readonly kind: 'sample' }>;

export type ParsedLogFormat = { readonly parts: readonly LogPart[]; readonly mistakes: readonly LogFormatMistake[] };

const PLAIN: LogFlags = { quoted: false, hexadecimal: false, escaped: false };
const FLAG_NAMES: Readonly<Record<string, keyof LogFlags>> = { Q: 'quoted', X: 'hexadecimal', E: 'escaped' };
/** A blank run, `%%`, `%{…}name` or `%name`, `%[` or `%{…}[`, or text up to the next of them. */
const PIECE = /( +)|%(%)|%(?:\{([^}]*)\})?(?:([A-Za-z]+)|(\[))|([^% ]+|%)/y;

/** Without `readSample` there are no samples in it. */
export function parseLogFormat(text: string, readSample?: ReadSample): ParsedLogFormat {
  const parts: LogPart[] = [];
  const mistakes: LogFormatMistake[] = [];
  let defaults = PLAIN;
  for (let at = 0; at < text.length; ) {
    PIECE.lastIndex = at;
    const match = PIECE.exec(text) as RegExpExecArray; // every character belongs to a piece
    const [whole, blanks, percent, flag_text, name, sample, plain] = match;
    if (blanks !== undefined) parts.push({ kind: 'space' });
    else if (percent !== undefined || plain !== undefined) parts.push({ kind: 'text', text: percent ?? plain });
    else if (sample !== undefined) {
      const start = at + whole.length;
      const end = endOfSample(text, start);
      if (end < 0) {
        mistakes.push(neverClosed(at));
        break;
      }
      const flags = readFlags(flag_text ?? '', defaults, at, mistakes);
      const part = readSample?.(text.slice(start, end));
      if (part) parts.push({ kind: 'sample', ...part, flags });
      at = end + 1;
      continue;
    } else {
      const flags = readFlags(flag_text ?? '', defaults, at, mistakes);
      if (name === 'o') defaults = flags;
      else {
        if (isField(name)) parts.push({ kind: 'field', name, flags });
        else mistakes.push(unknownField(name, at));
      }
    }
    at += whole.length;
  }
  return { parts, mistakes };
}

function isField(name: string): boolean {
  return LOG_FIELDS.some((field) => field.name === name);
}

function readFlags(text: string, defaults: LogFlags, at: number, mistakes: LogFormatMistake[]): LogFlags {
  const flags = { ...defaults };
  for (const word of text.split(',')) {
    const name = FLAG_NAMES[word.slice(1)];
    if (name !== undefined && /^[+-]/.test(word)) flags[name] = word.startsWith('+');
    else if (word !== '') {
      const mend = 'Write +Q, +X or +E (or - to end one), with commas between them.';
      mistakes.push({ at, code: 'unknown-value', message: `\`${word}\` is not a flag of a log format.`, mend });
    }
  }
  return flags;
}

function unknownField(name: string, at: number): LogFormatMistake {
  const names = LOG_FIELDS.map((field) => field.name);
  const mend = didYouMean(name, names) ?? 'Write `%%` for a percent sign.';
  return { at, code: 'unknown-log-field', message: `There is no log field \`%${name}\`.`, mend };
}

/** The first `]` outside of parentheses; -1: there is none. */
function endOfSample(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    else if (text[at] === ']' && depth <= 0) return at;
  }
  return -1;
}

function neverClosed(at: number): LogFormatMistake {
  const message = 'A sample begins here (`%[`) and is never closed by a `]`.';
  return { at, code: 'bad-sample', message, mend: 'Write for example `%[path,lower]`.' };
}
