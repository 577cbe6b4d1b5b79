/**
 * A process whose kernel refuses one system call with EPERM, by a filter of its own as containers have one (seccomp(2)).
 * Arguments: the number of the call (0 for none), CARPOOL_REACTOR's value. Prints what `chooseReactor` chose, and why.
 * With more arguments it runs them as a Node program in that kernel instead.
 */
import { spawnSync } from 'node:child_process';
import { chooseReactor } from '#src/reactor/choose.js';
import { EFD_CLOEXEC } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const SYS_prctl = process.arch === 'x64' ? 157 : 167;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const EPERM = 1;

const [refused, forced, ...program] = process.argv.slice(2);
if (Number(refused) > 0) refuse(Number(refused));
if (program.length > 0) {
  const env = { ...process.env, CARPOOL_REACTOR: forced };
  process.exit(spawnSync(process.execPath, program, { env, stdio: 'inherit', timeout: PATIENCE_MS }).status ?? 1);
}
const wake_fd = libc.eventfd(0, EFD_CLOEXEC);
try {
  const counts = { small_count: 16, large_count: 1, reserve: 0, pipe_count: 0, socket_count: 4 };
  const { reactor, reason } = chooseReactor({ ...counts, wake_fd, onWake: () => {} }, forced || undefined);
  reactor.pass(0);
  reactor.destroy();
  console.log(JSON.stringify({ kind: reactor.kind, reason }));
} catch (error) {
  console.log(JSON.stringify({ kind: (error as Error).constructor.name, reason: (error as Error).message }));
}

/** load the number; is it this one? then EPERM, else allow */
function refuse(number: number): void {
  const program = libc.allocatePinned(64);
  const view = new DataView(program.bytes.buffer);
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, number],
    [0x06, 0, 0, 0x00050000 | EPERM],
    [0x06, 0, 0, 0x7fff0000],
  ] as const;
  for (const [index, [code, if_true, if_false, value]] of instructions.entries()) {
    const at = 16 + index * 8;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, if_true);
    view.setUint8(at + 3, if_false);
    view.setUint32(at + 4, value, true);
  }
  view.setUint16(0, instructions.length, true);
  view.setBigUint64(8, BigInt(program.address + 16), true);
  libc.syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
  const result = libc.syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program.address, 0, 0, 0);
  if (result < 0) throw new Error(`seccomp: ${libc.errnoName(libc.errno())}`);
}
