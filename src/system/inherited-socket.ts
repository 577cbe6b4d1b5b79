/** A listening socket that the parent process left open for us. */
import { EINVAL, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, O_NONBLOCK, SO_ACCEPTCONN, SOL_SOCKET } from './abi/linux.ts';
import { check, SystemError } from './errors.ts';
import * as libc from './libc.ts';
import { localAddress } from './peer-address.ts';

/**
 * Where it listens; a socket file's own name is not asked for. From now on no program that we start inherits it. Throws SystemError
 * when it is no listening socket.
 */
export function listeningAddress(fd: number): { address: string; port: number } {
  const listens = libc.allocatePinned(8);
  listens.words[1] = 4;
  check(libc.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, listens.address, listens.address + 4), 'getsockopt');
  if (listens.words[0] === 0) throw new SystemError('accept', EINVAL);
  check(libc.fcntl(fd, F_SETFD, FD_CLOEXEC), 'fcntl');
  // io_uring waits only on a descriptor that blocks; epoll makes it one that does not
  check(libc.fcntl(fd, F_SETFL, libc.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK), 'fcntl');
  return localAddress(fd) ?? { address: `@fd${fd}`, port: 0 };
}
