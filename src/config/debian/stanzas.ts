/**
 * /etc/network/interfaces as interfaces(5) reads it: stanzas, and options below them whose value is the rest of the line.
 *
 *     auto eth0                        names what starts at boot
 *     iface eth0 inet static           begins a stanza
 *         address 10.10.0.11/16        an option and its value
 *         ucarp-password some \        a backslash at the end goes on in the next line
 *             words
 *     source interfaces.d/*            other files (files.ts reads them)
 *
 * A `#` begins a comment only at the beginning of a line.
 */
import type { Source } from '../load.ts';
import type { Word } from '../word.ts';

/** One option: the value is the rest of its line, '' when there is none. */
export type Option = { readonly name: Word; readonly value: Word };

export type Stanza = {
  /** The interface's name, with its label if it has one (`eth0:ucarp`). */
  readonly name: Word;
  /** `inet`, `inet6` … */
  readonly family: string;
  /** `static`, `dhcp`, `manual` … */
  readonly method: string;
  readonly options: readonly Option[];
};

export type Interfaces = {
  readonly stanzas: readonly Stanza[];
  /** Options above the first `iface` of their file. */
  readonly homeless: readonly Option[];
  /** What `auto` and `allow-*` name. */
  readonly started: readonly Word[];
};

const STARTS = /^(auto|allow-\S+)$/;
const NO_OPTIONS = /^(source|source-directory|no-auto-down|no-scripts|rename)$/;

export function readStanzas(sources: readonly Source[]): Interfaces {
  const stanzas: Stanza[] = [];
  const homeless: Option[] = [];
  const started: Word[] = [];
  for (const source of sources) {
    // options of a `mapping` or a `template` belong to nobody that we know
    let options: Option[] | undefined = homeless;
    for (const line of logicalLines(source)) {
      const [keyword, ...rest] = line.words;
      if (STARTS.test(keyword.text)) started.push(...rest);
      else if (keyword.text === 'iface' && rest.length > 0) {
        options = [];
        stanzas.push({ name: rest[0], family: rest[1]?.text ?? '', method: rest[2]?.text ?? '', options });
      } else if (keyword.text === 'mapping' || keyword.text === 'template') options = [];
      else if (!NO_OPTIONS.test(keyword.text)) options.push({ name: keyword, value: line.value });
    }
  }
  return { stanzas, homeless, started };
}

/** What `source` and `source-directory` name, in order. */
export function sourcedPaths(source: Source): { readonly path: Word; readonly is_directory: boolean }[] {
  return logicalLines(source).flatMap(({ words: [keyword, ...rest] }) =>
    keyword.text === 'source' || keyword.text === 'source-directory'
      ? rest.map((path) => ({ path, is_directory: keyword.text === 'source-directory' }))
      : [],
  );
}

type LogicalLine = { readonly words: readonly [Word, ...Word[]]; readonly value: Word };

function logicalLines({ file, text }: Source): LogicalLine[] {
  const lines: LogicalLine[] = [];
  const physical = text.split('\n');
  for (let number = 0; number < physical.length; number++) {
    if (/^\s*(#|$)/.test(physical[number])) continue;
    const pieces: { readonly text: string; readonly line: number }[] = [];
    while (physical[number]?.endsWith('\\')) pieces.push({ text: physical[number].slice(0, -1), line: ++number });
    pieces.push({ text: physical[number] ?? '', line: number + 1 });
    const line = toWords(file, pieces);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

function toWords(file: string, pieces: readonly { text: string; line: number }[]): LogicalLine | undefined {
  const whole = pieces.map((piece) => piece.text).join('');
  const wordAt = (text: string, offset: number): Word => {
    let at = offset;
    let piece = 0;
    while (piece < pieces.length - 1 && at >= pieces[piece].text.length) at -= pieces[piece++].text.length;
    const column = at + 1;
    return { text, span: { file, line: pieces[piece].line, column, end_column: column + Math.max(text.length, 1) } };
  };
  const [first, ...rest] = [...whole.matchAll(/\S+/g)].map(({ 0: text, index }) => wordAt(text, index));
  if (first === undefined) return undefined;
  const value_at = whole.length - whole.trimStart().length + first.text.length;
  const value = whole.slice(value_at).trim();
  const value_word = value === '' ? { ...first, text: '' } : wordAt(value, whole.indexOf(value, value_at));
  return { words: [first, ...rest], value: value_word };
}
