/** `balance hash EXPRESSION`: the sample as HAProxy makes bytes of it, hashed. Text stays as it is, addresses and numbers are binary. */
import type { SampleHash } from '../config/model.ts';
import { parseAddress } from '../system/ip-address.ts';
import type { Hash } from './balance/hash-functions.ts';
import { NO_HASH } from './balance/picker.ts';
import { bytesOfInteger } from './sample/converters/casts.ts';
import type { Subject, Value } from './sample/subject.ts';
import { bytesOfValue, compileSample } from './sample/value.ts';

export function hashOfSample({ sample, type }: SampleHash, hash: Hash): (subject: Subject) => number {
  const read = compileSample(sample);
  return (subject) => {
    const value = read(subject);
    const bytes = value === undefined ? undefined : binaryOf(value, type);
    return bytes === undefined ? NO_HASH : hash(bytes, 0, bytes.length);
  };
}

function binaryOf(value: Value, type: SampleHash['type']): Uint8Array | undefined {
  if (type === 'ip') return parseAddress(String(value));
  return typeof value === 'string' ? bytesOfValue(value) : bytesOfInteger(value);
}
