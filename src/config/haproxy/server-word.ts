/** What a word of `server` and `default-server` lines is, and the usual makes of them. */
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import type { ServerSettings } from './drafts.ts';
import type { Context } from './keyword.ts';

export type ServerWord = {
  readonly name: string;
  readonly help: string;
  /** False: read and warned about, without effect. */
  readonly has_effect?: boolean;
  /** The field it sets, for `spans`. */
  readonly field: string;
  /** `value` is there only for words that take one; else it is the word itself. */
  readonly takes_value: boolean;
  /** Words that may follow its value, each with a value of its own; `parse` gets them as `more`. */
  readonly followers?: readonly string[];
  readonly parse: (settings: ServerSettings, value: Word, context: Context, more: readonly Word[]) => void;
};

type Set = (settings: ServerSettings, value: number) => void;

export function flag(name: string, help: string, field: string, set: (settings: ServerSettings) => void): ServerWord {
  return { name, help, field, takes_value: false, parse: set };
}

/** A time longer than 0, in milliseconds. */
export function time(name: string, help: string, field: string, set: Set): ServerWord {
  const parse: ServerWord['parse'] = (settings, value, { report }) => {
    const time_ms = parseDuration(value, name, report);
    if (time_ms === 0)
      report.error(value.span, 'out-of-range', `${name} must be longer than 0.`, `Write for example \`${name} 2s\`.`);
    else if (time_ms !== undefined) set(settings, time_ms);
  };
  return { name, help, field, takes_value: true, parse };
}

export function number(
  name: string,
  help: string,
  field: string,
  [min, max]: readonly [number, number],
  set: Set,
): ServerWord {
  const parse: ServerWord['parse'] = (settings, word, { report }) => {
    const value = parseInteger(word, { what: name, min, max }, report);
    if (value !== undefined) set(settings, value);
  };
  return { name, help, field, takes_value: true, parse };
}

export function oneOf<Value extends string>(
  name: string,
  help: string,
  values: readonly Value[],
  set: (settings: ServerSettings, value: Value) => void,
): ServerWord {
  const parse: ServerWord['parse'] = (settings, word, { report }) => {
    const value = values.find((known) => known === word.text);
    if (value !== undefined) set(settings, value);
    else {
      const mend = didYouMean(word.text, values) ?? `Write ${values.map((known) => `\`${known}\``).join(' or ')}.`;
      report.error(word.span, 'unknown-value', `\`${word.text}\` is not a value of \`${name}\`.`, mend);
    }
  };
  return { name, help, field: name.replaceAll('-', '_'), takes_value: true, parse };
}
