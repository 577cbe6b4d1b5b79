/** A sample as one value: for formats and hashes, which, unlike conditions, do not look at each of several. */
import type { Sample } from '../../config/model.ts';
import { converterOf } from './converters/converters.ts';
import { fetchNamed } from './fetches.ts';
import type { Subject, Value } from './subject.ts';

/** Undefined: there is none. */
export type Read = (subject: Subject) => Value | undefined;

/** Of several values (of a repeated header) it is the last, as in HAProxy. */
export function compileSample({ fetch, args, converters }: Sample): Read {
  const any = fetchNamed(fetch)(args);
  const steps = converters.map(({ name, args: given }) => converterOf(name, given));
  return (subject) => {
    let value: Value | undefined;
    any(subject, (next) => {
      value = next;
      return false;
    });
    for (const convert of steps) if (value !== undefined) value = convert(value);
    return value;
  };
}

/** As HAProxy writes it: the bytes of the message, and 1 or 0 for what is true or not. */
export function bytesOfValue(value: Value): Uint8Array {
  return Buffer.from(typeof value === 'boolean' ? String(Number(value)) : String(value), 'latin1');
}
