/** Converters of numbers, which have 64 bits with a sign: those that a double cannot hold are bigints. */
import type { Value } from '../subject.ts';
import { integerOf } from './casts.ts';
import type { MakeConverter } from './converters.ts';

type Two = (value: bigint, argument: bigint) => bigint;

const withArgument =
  (compute: Two): MakeConverter =>
  ([text]) => {
    const argument = BigInt(text);
    return (value) => integer(compute(integerOf(value), argument));
  };

const alone =
  (compute: (value: bigint) => bigint): MakeConverter =>
  () =>
  (value) =>
    integer(compute(integerOf(value)));

const test =
  (holds: (value: bigint) => boolean): MakeConverter =>
  () =>
  (value) =>
    holds(integerOf(value));

/** The parser lets no argument be 0 that is divided by. */
export const NUMBER_CONVERTERS: Readonly<Record<string, MakeConverter>> = {
  add: withArgument((value, argument) => value + argument),
  sub: withArgument((value, argument) => value - argument),
  mul: withArgument((value, argument) => value * argument),
  div: withArgument((value, argument) => value / argument),
  mod: withArgument((value, argument) => value % argument),
  and: withArgument((value, argument) => value & argument),
  or: withArgument((value, argument) => value | argument),
  xor: withArgument((value, argument) => value ^ argument),
  neg: alone((value) => -value),
  cpl: alone((value) => ~value),
  even: test((value) => value % 2n === 0n),
  odd: test((value) => value % 2n !== 0n),
  bool: test((value) => value !== 0n),
  not: test((value) => value === 0n),
  iif:
    ([yes, no]) =>
    (value) =>
      integerOf(value) === 0n ? no : yes,
};

function integer(value: bigint): Value {
  const wrapped = BigInt.asIntN(64, value);
  const small = Number(wrapped);
  return Number.isSafeInteger(small) ? small : wrapped;
}
