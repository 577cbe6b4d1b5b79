import { errno, errnoName } from './libc.ts';

/** A system call that failed. `code` is the errno's name (`EPERM`), `call` what we asked for, in words for people. */
export class SystemError extends Error {
  readonly call: string;
  readonly errno: number;
  readonly code: string;

  constructor(call: string, number: number, detail = '') {
    super(`${call}: ${errnoName(number)}${detail ? ` (${detail})` : ''}`);
    this.name = 'SystemError';
    this.call = call;
    this.errno = number;
    this.code = errnoName(number);
  }
}

/** Passes a call's result through; throws a SystemError when it is -1. */
export function check(result: number, call: string): number {
  if (result === -1) throw new SystemError(call, errno());
  return result;
}
