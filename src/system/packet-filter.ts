/**
 * Classic BPF programs on sockets (socket(7), SO_ATTACH_FILTER): what they drop is never queued and wakes nobody.
 *
 *   sock_filter   | code (16) | jump if true (8) | jump if false (8) | operand (32) |
 *   sock_fprog    | steps (16) | … | pointer (64) |
 */
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

export const BPF_LOAD_WORD = 0x20;
export const BPF_LOAD_HALF = 0x28;
export const BPF_LOAD_BYTE = 0x30;
export const BPF_JUMP_EQUAL = 0x15;
export const BPF_RETURN = 0x06;
/** Operand of BPF_RETURN: keep all of it. */
export const BPF_WHOLE = 0x40000;

/** Code, steps to skip when true, steps to skip when false, operand. */
export type FilterStep = readonly [number, number, number, number];

export function attachFilter(fd: number, steps: readonly FilterStep[]): void {
  const code = new Uint8Array(steps.length * 8);
  const view = new DataView(code.buffer);
  for (const [index, [operation, jump_true, jump_false, operand]] of steps.entries()) {
    view.setUint16(index * 8, operation, LITTLE_ENDIAN);
    view.setUint8(index * 8 + 2, jump_true);
    view.setUint8(index * 8 + 3, jump_false);
    view.setUint32(index * 8 + 4, operand, LITTLE_ENDIAN);
  }
  const program = new BigUint64Array(2);
  new DataView(program.buffer).setUint16(0, steps.length, LITTLE_ENDIAN);
  program[1] = BigInt(byReference(code));
  check(libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, byReference(program), 16), 'socket filter');
}
