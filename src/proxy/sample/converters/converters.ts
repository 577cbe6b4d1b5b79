/** What the converters of a sample make of its value (manual 7.3.1), compiled once. */
import type { Value } from '../subject.ts';
import { BYTE_CONVERTERS } from './bytes.ts';
import { CASTS } from './casts.ts';
import { NUMBER_CONVERTERS } from './numbers.ts';
import { TEXT_CONVERTERS } from './text.ts';

/** Undefined: there is no value any more. */
export type Convert = (value: Value) => Value | undefined;
export type MakeConverter = (args: readonly string[]) => Convert;

const CONVERTERS: Readonly<Record<string, MakeConverter>> = {
  ...TEXT_CONVERTERS,
  ...NUMBER_CONVERTERS,
  ...BYTE_CONVERTERS,
  ...CASTS,
};

/** Of a name that the parser accepted (config/haproxy/conditions/converter-names.ts), or of a cast that it put in. */
export function converterOf(name: string, args: readonly string[]): Convert {
  const make = CONVERTERS[name];
  if (make === undefined) throw new Error(`no converter is called ${name}`);
  return make(args);
}
