/**
 * The C library, called directly. Every function takes and returns plain numbers (addresses too: they fit in 2^53),
 * because that is the fast path of the FFI; a failed call returns -1 and `errno()` says why.
 */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

type Int = number;
type Address = number;

function declare<F>(name: string, result: string, parameters: string[]): F {
  return libc.func(name, result, parameters) as unknown as F;
}

const P = 'uintptr_t';

export const socket = declare<(domain: Int, type: Int, protocol: Int) => Int>('socket', 'int', ['int', 'int', 'int']);
export const bind = declare<(fd: Int, address: Address, length: Int) => Int>('bind', 'int', ['int', P, 'uint32_t']);
export const listen = declare<(fd: Int, backlog: Int) => Int>('listen', 'int', ['int', 'int']);
export const connect = declare<(fd: Int, address: Address, length: Int) => Int>('connect', 'int', [
  'int',
  P,
  'uint32_t',
]);
export const accept4 = declare<(fd: Int, address: Address, length: Address, flags: Int) => Int>('accept4', 'int', [
  'int',
  P,
  P,
  'int',
]);
export const recv = declare<(fd: Int, buffer: Address, length: Int, flags: Int) => Int>('recv', 'long', [
  'int',
  P,
  'size_t',
  'int',
]);
export const send = declare<(fd: Int, buffer: Address, length: Int, flags: Int) => Int>('send', 'long', [
  'int',
  P,
  'size_t',
  'int',
]);
export const sendto = declare<
  (fd: Int, buffer: Address, length: Int, flags: Int, address: Address, address_length: Int) => Int
>('sendto', 'long', ['int', P, 'size_t', 'int', P, 'uint32_t']);
export const recvmsg = declare<(fd: Int, message: Address, flags: Int) => Int>('recvmsg', 'long', ['int', P, 'int']);
export const sendmsg = declare<(fd: Int, message: Address, flags: Int) => Int>('sendmsg', 'long', ['int', P, 'int']);
export const sendmmsg = declare<(fd: Int, messages: Address, count: Int, flags: Int) => Int>('sendmmsg', 'int', [
  'int',
  P,
  'uint32_t',
  'int',
]);
/** `timeout`: 0 for none. */
export const recvmmsg = declare<(fd: Int, messages: Address, count: Int, flags: Int, timeout: Address) => Int>(
  'recvmmsg',
  'int',
  ['int', P, 'uint32_t', 'int', P],
);
export const open = declare<(path: Address, flags: Int, mode: Int) => Int>('open', 'int', [P, 'int', 'uint32_t']);
export const chroot = declare<(path: Address) => Int>('chroot', 'int', [P]);
export const fchdir = declare<(fd: Int) => Int>('fchdir', 'int', ['int']);
export const unshare = declare<(flags: Int) => Int>('unshare', 'int', ['int']);
export const setns = declare<(fd: Int, kind: Int) => Int>('setns', 'int', ['int', 'int']);
export const shutdown = declare<(fd: Int, how: Int) => Int>('shutdown', 'int', ['int', 'int']);
export const close = declare<(fd: Int) => Int>('close', 'int', ['int']);
export const read = declare<(fd: Int, buffer: Address, length: Int) => Int>('read', 'long', ['int', P, 'size_t']);
export const write = declare<(fd: Int, buffer: Address, length: Int) => Int>('write', 'long', ['int', P, 'size_t']);
export const fcntl = declare<(fd: Int, command: Int, argument: Int) => Int>('fcntl', 'int', ['int', 'int', 'long']);
export const getsockopt = declare<(fd: Int, level: Int, name: Int, value: Address, length: Address) => Int>(
  'getsockopt',
  'int',
  ['int', 'int', 'int', P, P],
);
export const setsockopt = declare<(fd: Int, level: Int, name: Int, value: Address, length: Int) => Int>(
  'setsockopt',
  'int',
  ['int', 'int', 'int', P, 'uint32_t'],
);
export const getsockname = declare<(fd: Int, address: Address, length: Address) => Int>('getsockname', 'int', [
  'int',
  P,
  P,
]);
export const getpeername = declare<(fd: Int, address: Address, length: Address) => Int>('getpeername', 'int', [
  'int',
  P,
  P,
]);
export const eventfd = declare<(initial: Int, flags: Int) => Int>('eventfd', 'int', ['uint32_t', 'int']);
export const epoll_create1 = declare<(flags: Int) => Int>('epoll_create1', 'int', ['int']);
export const epoll_ctl = declare<(epfd: Int, operation: Int, fd: Int, event: Address) => Int>('epoll_ctl', 'int', [
  'int',
  'int',
  'int',
  P,
]);
export const epoll_wait = declare<(epfd: Int, events: Address, max: Int, timeout_ms: Int) => Int>('epoll_wait', 'int', [
  'int',
  P,
  'int',
  'int',
]);
export const ppoll = declare<(fds: Address, count: Int, timeout: Address, sigmask: Address) => Int>('ppoll', 'int', [
  P,
  'ulong',
  P,
  P,
]);
export const pipe2 = declare<(fds: Address, flags: Int) => Int>('pipe2', 'int', [P, 'int']);
/** The offsets must be 0: of sockets and pipes. */
export const splice = declare<
  (from: Int, from_offset: Address, to: Int, to_offset: Address, length: Int, flags: Int) => Int
>('splice', 'long', ['int', P, 'int', P, 'size_t', 'uint32_t']);
export const sched_setscheduler = declare<(pid: Int, policy: Int, parameter: Address) => Int>(
  'sched_setscheduler',
  'int',
  ['int', 'int', P],
);
export const clock_gettime = declare<(clock: Int, timespec: Address) => Int>('clock_gettime', 'int', ['int', P]);
export const mmap = declare<
  (address: Address, length: Int, protection: Int, flags: Int, fd: Int, offset: Int) => Address
>('mmap', P, [P, 'size_t', 'int', 'int', 'int', 'long']);
export const munmap = declare<(address: Address, length: Int) => Int>('munmap', 'int', [P, 'size_t']);
export const madvise = declare<(address: Address, length: Int, advice: Int) => Int>('madvise', 'int', [
  P,
  'size_t',
  'int',
]);
export const mlock2 = declare<(address: Address, length: Int, flags: Int) => Int>('mlock2', 'int', [
  P,
  'size_t',
  'int',
]);
/** Ends the process at once, whatever its threads do. */
export const _exit = declare<(status: Int) => void>('_exit', 'void', ['int']);
/** For calls that the C library does not wrap (io_uring, gettid, setns per thread …). */
export const syscall = declare<(number: Int, a: Int, b: Int, c: Int, d: Int, e: Int, f: Int) => Int>(
  'syscall',
  'long',
  ['long', 'long', 'long', 'long', 'long', 'long', 'long'],
);

/** The calling thread's errno after a call that returned -1. */
export function errno(): number {
  return koffi.errno();
}

const errno_names = new Map<number, string>(
  Object.entries(koffi.os.errno).map(([name, code]) => [code as number, name]),
);

/** `EADDRINUSE` for 98. */
export function errnoName(code: number): string {
  return errno_names.get(code) ?? `errno ${code}`;
}

/** The address of a typed array's first byte. The caller keeps the array alive and never resizes it. */
export function addressOf(array: NodeJS.ArrayBufferView): number {
  void array.buffer; // V8 keeps small arrays inside its moving heap until somebody asks for their buffer
  return Number(koffi.address(array));
}

/** The memory at an address (mmap'ed by us) as an ArrayBuffer, without a copy. */
export function viewMemory(address: number, length: number): ArrayBuffer {
  return koffi.view(BigInt(address), length) as ArrayBuffer;
}

/** Zeroed memory outside V8's heap that never moves: what a kernel interface may keep a pointer to. */
export type Pinned = { readonly address: number; readonly bytes: Uint8Array; readonly words: Int32Array };

/** Throws when the system has no memory left; `length` is in bytes, a multiple of 4. */
export function allocatePinned(length: number): Pinned {
  const address = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  // (void *)-1 is more than a Number can hold exactly, so it comes as a BigInt
  if (Number(address) === MAP_FAILED) throw new Error(`no memory: mmap of ${length} bytes: ${errnoName(errno())}`);
  const memory = viewMemory(address, length);
  return { address, bytes: new Uint8Array(memory), words: new Int32Array(memory) };
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = Number(0xffffffffffffffffn);
