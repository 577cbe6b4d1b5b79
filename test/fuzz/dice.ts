/** Draws that generators need, from the simulator's random numbers. */
import { between, chance, type Random } from '#src/simulator/random.js';

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[between(random, 0, all.length - 1)]!;
}

/** True once in `times`. */
export function once(random: Random, times: number): boolean {
  return chance(random) * times < 1;
}

/** Where what is wrong with numbers begins. */
export const EDGES = [
  ...['0', '1', '-1', '+1', '00', '01', '0x10', '1e9', '1.5', '19', '20', '240', '254', '255', '256', '65535', '65536'],
  ...['2147483647', '2147483648', '4294967295', '4294967296', '9007199254740993', '99999999999999999999', 'NaN', ''],
];

/** What editors, other systems and bad luck put into a text. */
export const ODDITIES = [
  ...[
    '"',
    "'",
    '\\',
    '\\x',
    '\\x41',
    '\\x0',
    '#',
    '$',
    '${',
    '${A}',
    '"${A-b}"',
    '`',
    ';',
    '=',
    ':',
    ',',
    '/',
    '[',
    ']',
  ],
  ...['{', '}', '(', ')', '%', '%[', '%{', '!', '||', '\0', '\r', '\r\n', '\t', '\u00a0', '\ufeff', '\ud800', '\udfff'],
  ...[
    'ä',
    '€',
    '😀',
    '\u202e',
    '\x7f',
    '\x1b[31m',
    '<password>',
    '__proto__',
    'constructor',
    'toString',
    '-',
    '--',
    '*',
  ],
];
