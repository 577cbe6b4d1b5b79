/** The converters that samples may name (manual 7.3.1): which type they take, which they give, and what their arguments may be. */
import { isNetwork } from '../../values.ts';
import type { SampleType } from './sample-names.ts';

export type ConverterInfo = {
  readonly takes: 'str' | 'bin' | 'int' | 'ip';
  readonly gives: SampleType;
  /** Fewest and most arguments. */
  readonly args: readonly [number, number];
  /** Left out: any text will do. */
  readonly fits?: (argument: string, index: number) => boolean;
};

type Fits = NonNullable<ConverterInfo['fits']>;

const isInteger: Fits = (text) => /^-?\d{1,15}$/.test(text);
const isCount: Fits = (text) => /^\d{1,9}$/.test(text);
const isSeed: Fits = (text) => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32;
const isDivisor: Fits = (text, index) => isInteger(text, index) && Number(text) !== 0;
const isFlag: Fits = (text) => /^[01]$/.test(text);
const isPart: Fits = (text, index) =>
  index === 0 ? isInteger(text, 0) && Number(text) !== 0 : index === 1 ? text !== '' : isCount(text, 2);
const isMask: Fits = (text, index) =>
  isCount(text, index) ? Number(text) <= (index === 0 ? 32 : 128) : !text.includes('/') && isNetwork(text);
const isDigestSize: Fits = (text) => ['224', '256', '384', '512'].includes(text);

const converter = (
  takes: ConverterInfo['takes'],
  gives: SampleType,
  least = 0,
  most = least,
  fits?: Fits,
): ConverterInfo => ({ takes, gives, args: [least, most], ...(fits && { fits }) });

const HASH = converter('bin', 'int', 0, 1, isFlag);
const SEEDED = converter('bin', 'int', 0, 1, isSeed);
const ARITHMETIC = converter('int', 'int', 1, 1, isInteger);
const DIVISION = converter('int', 'int', 1, 1, isDivisor);
const TEXT = converter('str', 'str');

export const CONVERTERS: ReadonlyMap<string, ConverterInfo> = new Map([
  ['lower', TEXT],
  ['upper', TEXT],
  ['length', converter('str', 'int')],
  ['field', converter('str', 'str', 2, 3, isPart)],
  ['word', converter('str', 'str', 2, 3, isPart)],
  ['regsub', converter('str', 'str', 2, 3)],
  ['ltrim', converter('str', 'str', 1)],
  ['rtrim', converter('str', 'str', 1)],
  ['param', converter('str', 'str', 1, 2)],
  ['host_only', TEXT],
  ['port_only', converter('str', 'int')],
  ['url_dec', converter('str', 'str', 0, 1, isCount)],
  ['url_enc', converter('str', 'str', 0, 1, (text) => text === 'query')],
  ['bytes', converter('bin', 'bin', 1, 2, isCount)],
  ['hex', converter('bin', 'str')],
  ['hex2i', converter('str', 'int')],
  ['base64', converter('bin', 'str')],
  ['b64dec', converter('str', 'bin')],
  ['ub64enc', converter('bin', 'str')],
  ['ub64dec', converter('str', 'str')],
  ['sha1', converter('bin', 'bin')],
  ['sha2', converter('bin', 'bin', 0, 1, isDigestSize)],
  ['crc32', HASH],
  ['crc32c', HASH],
  ['djb2', HASH],
  ['sdbm', HASH],
  ['wt6', HASH],
  ['xxh32', SEEDED],
  ['xxh64', SEEDED],
  ['ipmask', converter('ip', 'ip', 1, 2, isMask)],
  ['add', ARITHMETIC],
  ['sub', ARITHMETIC],
  ['mul', ARITHMETIC],
  ['div', DIVISION],
  ['mod', DIVISION],
  ['and', ARITHMETIC],
  ['or', ARITHMETIC],
  ['xor', ARITHMETIC],
  ['neg', converter('int', 'int')],
  ['cpl', converter('int', 'int')],
  ['even', converter('int', 'bool')],
  ['odd', converter('int', 'bool')],
  ['bool', converter('int', 'bool')],
  ['not', converter('int', 'bool')],
  ['iif', converter('int', 'str', 2)],
]);

/** What stands between two types (proxy/sample/converters/casts.ts): '' for nothing, undefined where they do not fit. */
export function castBetween(from: SampleType, to: ConverterInfo['takes']): string | undefined {
  const given = from === 'method' ? 'str' : from;
  return given === to ? '' : CASTS[given][to];
}

const CASTS: Record<Exclude<SampleType, 'method'>, { readonly [to in ConverterInfo['takes']]?: string }> = {
  bool: { int: '', str: 'bool>str', bin: 'int>bin' },
  int: { str: '', bin: 'int>bin' },
  ip: { str: '', bin: 'ip>bin', int: 'ip>int' },
  str: { bin: '', int: 'str>int', ip: 'str>ip' },
  bin: { str: '' },
};
