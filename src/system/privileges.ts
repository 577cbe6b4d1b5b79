/**
 * User, groups and capabilities of the calling thread alone (credentials(7), capabilities(7)). The C library's setuid
 * changes every thread of the process by a signal; a thread that blocks in the kernel, or keeps rights that the others
 * give away, needs the bare system calls.
 *
 *   carp thread    dropPrivileges({ uid, gid, groups: [], keep: ['CAP_NET_RAW', 'CAP_NET_ADMIN'] })
 *   main, data …   dropPrivileges({ uid, gid, groups: [], keep: [] })
 *
 * Threads that are started later inherit from the thread that starts them, so drop in main last. File permissions are
 * asked of the calling thread; libuv's own pool threads keep what they had when they were started.
 *
 *   capset(2)   header | version (32) | thread id, 0 = own (32) |
 *               data   | effective | permitted | inheritable |  (32 each)  × 2: capabilities 0..31, then 32..63
 */
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';

const CAPABILITIES = {
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_NICE: 23,
} as const;
export type Capability = keyof typeof CAPABILITIES;

export type Privileges = {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, 64 at most. */
  readonly groups: readonly number[];
  /** What the thread may go on doing; it must have these rights now. */
  readonly keep: readonly Capability[];
};

const CAPABILITY_VERSION_3 = 0x20080522;
const PR_SET_KEEPCAPS = 8;
const MAX_GROUPS = 64;

/** Numbers of system calls, which differ between architectures. */
const CALLS =
  process.arch === 'x64'
    ? { setgroups: 116, setresuid: 117, setresgid: 119, capset: 126, prctl: 157 }
    : { setgroups: 159, setresuid: 147, setresgid: 149, capset: 91, prctl: 167 };

/** For this thread and for good. Throws a SystemError (EPERM: it is not root, or has not the capabilities to keep). */
export function dropPrivileges({ uid, gid, groups, keep }: Privileges): void {
  if (groups.length > MAX_GROUPS) throw new RangeError(`${groups.length} supplementary groups`);
  call(CALLS.prctl, 'keep capabilities', PR_SET_KEEPCAPS, keep.length > 0 ? 1 : 0);
  call(CALLS.setgroups, 'set supplementary groups', groups.length, byReference(Uint32Array.from(groups)));
  call(CALLS.setresgid, `become group ${gid}`, gid, gid, gid);
  call(CALLS.setresuid, `become user ${uid}`, uid, uid, uid);
  setCapabilities(keep);
}

/** Exactly these from now on, effective and permitted, none inheritable. Throws a SystemError (EPERM: not among its own). */
export function setCapabilities(keep: readonly Capability[]): void {
  const mask = keep.reduce((bits, name) => bits | (1 << CAPABILITIES[name]), 0);
  const data = Uint32Array.of(mask, mask, 0, 0, 0, 0);
  call(CALLS.capset, 'set capabilities', byReference(capabilityHeader()), byReference(data));
}

function capabilityHeader(): Uint32Array {
  return Uint32Array.of(CAPABILITY_VERSION_3, 0);
}

function call(number: number, what: string, a = 0, b = 0, c = 0): void {
  check(libc.syscall(number, a, b, c, 0, 0, 0), what);
}
