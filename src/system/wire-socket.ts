/**
 * All frames that come in on an interface, whole and unchanged, and out again elsewhere (packet(7)). What the kernel has
 * put off for a frame that never left this machine (its checksum, its cut into pieces) is told in a header before it,
 * and told again when it is sent, so that nothing has to be computed here.
 *
 *   virtio_net_hdr   | flags (8) | kind of pieces (8) | headers' length (16) | a piece's length (16) |
 *                    | checksum begins at (16) | checksum stands at, from there (16) |
 */
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { AF_PACKET, bindTo, PACKET_IGNORE_OUTGOING, SOCK_RAW, SOL_PACKET } from './packet-socket.ts';

const PACKET_VNET_HDR = 15;
const ETH_P_ALL = 3;
/** The header, and the longest frame before it is cut into pieces. */
const LENGTH = 10 + 14 + 0x10000;

export class WireSocket {
  readonly fd: number;
  /** What `receive` left, with its header; valid until the next `receive`. */
  frame: Uint8Array = new Uint8Array();
  readonly #in = libc.allocatePinned(LENGTH);
  readonly #out = libc.allocatePinned(LENGTH);

  /** Throws a SystemError: EPERM without CAP_NET_RAW, ENODEV when the interface is gone. */
  constructor(index: number) {
    this.fd = check(libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'packet socket');
    try {
      for (const option of [PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING])
        check(libc.setsockopt(this.fd, SOL_PACKET, option, byReference(Int32Array.of(1)), 4), 'packet socket option');
      bindTo(this.fd, index, ETH_P_ALL);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Takes one into `frame`; false when none waits, or the link has gone down. Never blocks. */
  receive(): boolean {
    const length = libc.recv(this.fd, this.#in.address, LENGTH, 0);
    if (length < 0) return false;
    this.frame = this.#in.bytes.subarray(0, length);
    return true;
  }

  /** Sends what another one received. What the link does not take is lost, as on any wire. Never blocks. */
  send(frame: Uint8Array): void {
    this.#out.bytes.set(frame);
    libc.send(this.fd, this.#out.address, frame.length, 0);
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#in.address, LENGTH);
    libc.munmap(this.#out.address, LENGTH);
  }
}
