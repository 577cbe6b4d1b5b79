/**
 * The epoll back end, for kernels and containers that forbid io_uring. Calls are tried first: only a socket that has to wait is
 * put under watch, edge-triggered, once for reading and once more if it ever has to wait for writing. The flags `readable` and
 * `writable` remember what is known until a call comes back short.
 *
 *   epoll_event: events:32, data:64 = slot (low word), what:4 | generation:24 (high word)
 *
 * A send is tried at once, but its completion is told in the next round of the same pass: owners are never re-entered.
 */
import {
  architecture,
  EAGAIN,
  EALREADY,
  EINPROGRESS,
  EINTR,
  ENOBUFS,
  F_GETFL,
  F_SETFL,
  MSG_DONTWAIT,
  O_NONBLOCK,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { acceptClient } from '../system/peer-address.ts';
import { NO_BUFFER } from './buffers.ts';
import { ACCEPT_BUDGET, type Listener } from './listener.ts';
import type { ReactorOptions } from './options.ts';
import { Reactor } from './reactor.ts';
import { sendNow } from './send-now.ts';
import { CLOSING, OPEN, type Socket } from './socket.ts';

const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLERR = 8;
const EPOLLHUP = 0x10;
const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;
const EVENTS = 512;
/** From an accept to its request on the way to a server: read, connected, sent. Nobody else waits longer for that. */
const ROUNDS = 3;

const WAKE = 1;
const SOCKET = 2;
const LISTENER = 3;

const { epoll_event_bytes, epoll_data_offset } = architecture;

export class EpollReactor extends Reactor {
  readonly kind = 'epoll';
  protected override readonly socket_flags = SOCK_NONBLOCK;
  private readonly epoll_fd: number;
  private readonly events = libc.allocatePinned(EVENTS * epoll_event_bytes);
  private readonly view = new DataView(this.events.bytes.buffer);
  private readonly control = libc.allocatePinned(16);
  private readonly control_view = new DataView(this.control.bytes.buffer);
  private readonly scratch = libc.allocatePinned(16);
  /** Sockets with something to finish without the kernel's word: completions of sends, reads to go on with. */
  private scheduled: Socket[] = [];
  private running: Socket[] = [];
  /** Results of sends that were tried at once, by slot: bytes or a negative errno. */
  private readonly send_result: Int32Array;
  private readonly accepting: Listener[] = [];

  constructor(options: ReactorOptions) {
    super(options);
    this.send_result = new Int32Array(options.socket_count);
    this.epoll_fd = libc.epoll_create1(0x80000);
    if (this.epoll_fd < 0) throw new Error(`epoll_create1: ${libc.errnoName(libc.errno())}`);
    this.tellKernel(CTL_ADD, options.wake_fd, EPOLLIN, 0, WAKE);
  }

  override destroy(): void {
    libc.close(this.epoll_fd);
    libc.munmap(this.events.address, EVENTS * epoll_event_bytes);
    libc.munmap(this.control.address, 16);
    libc.munmap(this.scratch.address, 16);
    super.destroy();
  }

  protected override waitAndDispatch(wait_ms: number): number {
    const busy = this.scheduled.length > 0 || this.accepting.length > 0;
    const count = libc.epoll_wait(this.epoll_fd, this.events.address, EVENTS, busy ? 0 : wait_ms);
    if (count < 0 && libc.errno() !== EINTR) throw new Error(`epoll_wait: ${libc.errnoName(libc.errno())}`);
    this.now_ms = this.readClock();
    for (let index = 0; index < count; index++) {
      const at = index * epoll_event_bytes;
      const low = this.view.getInt32(at + epoll_data_offset, true);
      const high = this.view.getInt32(at + epoll_data_offset + 4, true);
      this.dispatch(this.view.getUint32(at, true), low, high);
    }
    this.acceptAll();
    let came = Math.max(0, count);
    for (let round = 0; round < ROUNDS && this.scheduled.length > 0; round++) came += this.runScheduled();
    return came;
  }

  private dispatch(events: number, number: number, high: number): void {
    const generation = high >>> 4;
    switch (high & 15) {
      case SOCKET: {
        const socket = this.sockets[number];
        if (socket.generation === generation && socket.state === OPEN) this.socketReady(socket, events);
        return;
      }
      case LISTENER: {
        const listener = this.listeners.at(number);
        if (listener && (listener.generation & 0xffffff) === generation) this.listenerReady(listener);
        return;
      }
      default:
        libc.read(this.options.wake_fd, this.scratch.address, 8);
        this.options.onWake();
    }
  }

  private socketReady(socket: Socket, events: number): void {
    if ((events & ~EPOLLOUT) !== 0) socket.readable = true;
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) !== 0) socket.writable = true;
    if ((events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) !== 0) socket.hung_up = true;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) socket.broken = true;
    if (socket.connecting) {
      if (socket.writable && !socket.connected) this.finishConnect(socket);
      return;
    }
    if (socket.broken && !socket.armed) this.unread.hearReset(socket);
    if (socket.armed && socket.readable) this.tryReceive(socket);
    else this.resumeSend(socket);
  }

  /** What was put off: each socket once a round, so that no one of them keeps the loop to itself. Returns how many there were. */
  private runScheduled(): number {
    const round = this.scheduled;
    this.scheduled = this.running;
    this.running = round;
    for (let index = 0; index < round.length; index++) {
      const socket = round[index];
      socket.scheduled = false;
      this.runSocket(socket);
    }
    const count = round.length;
    round.length = 0;
    return count;
  }

  private runSocket(socket: Socket): void {
    if (socket.state === CLOSING) {
      this.finishClosing(socket);
      return;
    }
    if (socket.state !== OPEN) return;
    if (socket.connecting) {
      if (socket.connected) this.finishConnect(socket);
      return;
    }
    if (socket.sending && this.send_result[socket.slot] !== PENDING) {
      const result = this.send_result[socket.slot];
      this.send_result[socket.slot] = PENDING;
      this.sendCompleted(socket, result);
    }
    if (socket.state === OPEN && socket.armed && socket.readable) this.tryReceive(socket);
    else this.resumeSend(socket);
  }

  private schedule(socket: Socket): void {
    if (socket.scheduled) return;
    socket.scheduled = true;
    this.scheduled.push(socket);
  }

  // ── operations ────────────────────────────────────────────────────────────────────────────────

  protected override adopt(socket: Socket): void {
    this.send_result[socket.slot] = PENDING;
    socket.writable = true;
    socket.readable = true; // who connects to us as a rule has said something by now
  }

  override adoptListener(listener: Listener): void {
    libc.fcntl(listener.fd, F_SETFL, libc.fcntl(listener.fd, F_GETFL, 0) | O_NONBLOCK);
  }

  protected override beginReceive(socket: Socket): void {
    if (socket.readable) this.schedule(socket);
    else this.watch(socket, READING);
  }

  /** From now on the kernel tells of these events; also of those that are there already. */
  private watch(socket: Socket, what: number): void {
    if (socket.watched >= what) return;
    const events = what === READING ? READ_EVENTS : READ_EVENTS | EPOLLOUT;
    this.tellKernel(
      socket.registered ? CTL_MOD : CTL_ADD,
      socket.fd,
      events,
      socket.slot,
      SOCKET | (socket.generation << 4),
    );
    socket.watched = what;
    socket.registered = true;
  }

  /** Nothing is with the kernel, so the receive ends at once; a change of buffer class begins it again. */
  protected override cancelReceive(socket: Socket): void {
    socket.armed = false;
    socket.cancelling = false;
    socket.in_flight--;
    this.receiveEnded(socket);
  }

  override beginWatch(socket: Socket): void {
    socket.watching = true;
    this.watch(socket, READING);
  }

  private tryReceive(socket: Socket): void {
    const buffers = this.buffers;
    if (socket.splice_left > 0 && socket.bulk) {
      const result = buffers.fillPipe(socket.fd, socket.splice_left);
      if (result > 0) {
        this.received(socket, result, buffers.filled); // a short one does not say that there is no more
        return;
      }
      if (result < 0) {
        this.receiveCompleted(socket, result, NO_BUFFER, false);
        return;
      }
    }
    const buffer = socket.bulk ? buffers.takeBulk() : buffers.takeSmall();
    if (buffer === NO_BUFFER) {
      this.receiveCompleted(socket, -ENOBUFS, NO_BUFFER, false);
      return;
    }
    const size = buffers.sizeOf(buffer);
    const result = libc.recv(socket.fd, buffers.address + buffers.offsetOf(buffer), size, MSG_DONTWAIT);
    if (result < 0) {
      buffers.release(buffer);
      this.receiveFailed(socket, libc.errno());
      return;
    }
    if (result < size && !socket.hung_up) socket.readable = false;
    this.received(socket, this.orSendError(socket, result), buffer);
  }

  private received(socket: Socket, result: number, buffer: number): void {
    this.receiveCompleted(socket, result, buffer, result > 0 && socket.armed && !socket.once);
    if (socket.state !== OPEN) return;
    if (socket.armed && socket.readable) this.schedule(socket);
    else this.waitForMore(socket);
  }

  private waitForMore(socket: Socket): void {
    if (socket.armed && !socket.readable) this.watch(socket, READING);
    this.resumeSend(socket);
  }

  private receiveFailed(socket: Socket, error: number): void {
    if (error === EINTR) {
      this.schedule(socket);
    } else if (error === EAGAIN) {
      socket.readable = false;
      socket.broken = false;
      this.waitForMore(socket);
    } else {
      this.receiveCompleted(socket, -error, NO_BUFFER, false);
    }
  }

  /** The kernel tells a reset once: the send that heard of it leaves an end for the receive, which would look like FIN. */
  private orSendError(socket: Socket, result: number): number {
    const sent = this.send_result[socket.slot];
    return result === 0 && sent < 0 && sent !== PENDING ? sent : result;
  }

  protected override beginSend(socket: Socket, more: boolean): void {
    socket.send_more = more;
    this.resumeSend(socket);
  }

  /** A broken connection is read to its error first: what came before a reset is not lost, and the receive hears of it. */
  private resumeSend(socket: Socket): void {
    if (socket.state !== OPEN || !socket.writable || (socket.broken && socket.armed)) return;
    if (socket.sending && this.send_result[socket.slot] === PENDING) this.trySend(socket);
  }

  private trySend(socket: Socket): void {
    const result = sendNow(this.buffers, socket, socket.send_more);
    if (result < 0) {
      const error = libc.errno();
      if (error === EAGAIN) {
        socket.writable = false;
        this.watch(socket, READING_AND_WRITING);
        return;
      }
      this.send_result[socket.slot] = error === EINTR ? 0 : -error;
    } else {
      if (result < socket.send_length) this.sentInPart(socket);
      else this.releaseSent(socket);
      this.send_result[socket.slot] = result;
    }
    this.schedule(socket);
  }

  /** A socket that did not take all takes no more for now; but of a pipe less may be taken. */
  private sentInPart(socket: Socket): void {
    if (this.buffers.pipeOf(socket.send_buffer) >= 0) return;
    socket.writable = false;
    this.watch(socket, READING_AND_WRITING);
  }

  protected override beginConnect(socket: Socket, address: number, address_length: number): void {
    this.send_result[socket.slot] = PENDING;
    let error = this.tryConnect(socket, address, address_length);
    // on one host the answer is there already, but only a second call is told
    if (error === EINPROGRESS) error = this.tryConnect(socket, address, address_length);
    if (error === EALREADY || error === EINPROGRESS) {
      this.watch(socket, READING_AND_WRITING);
      return;
    }
    socket.connected = true;
    socket.connect_error = error;
    this.schedule(socket);
  }

  /** 0, or an errno. */
  private tryConnect({ fd }: Socket, address: number, address_length: number): number {
    return libc.connect(fd, address, address_length) < 0 ? libc.errno() : 0;
  }

  private finishConnect(socket: Socket): void {
    socket.writable = true;
    const found = socket.broken ? this.socket_options.errorOf(socket.fd) : 0;
    this.connectCompleted(socket, -(socket.connected ? socket.connect_error : found));
  }

  override beginAccept(listener: Listener): void {
    const high = LISTENER | ((listener.generation & 0xffffff) << 4);
    this.tellKernel(CTL_ADD, listener.fd, EPOLLIN, listener.number, high);
  }

  override cancelAccept(listener: Listener): void {
    libc.epoll_ctl(this.epoll_fd, CTL_DEL, listener.fd, this.control.address);
    const index = this.accepting.indexOf(listener);
    if (index >= 0) this.accepting.splice(index, 1);
    listener.armed = false;
    listener.cancelling = false;
    if (listener.releasing) this.listeners.forget(listener);
  }

  private listenerReady(listener: Listener): void {
    if (!this.accepting.includes(listener)) this.accepting.push(listener);
  }

  private acceptAll(): void {
    if (this.accepting.length === 0) return;
    for (const listener of this.accepting.splice(0)) this.acceptSome(listener);
  }

  private acceptSome(listener: Listener): void {
    for (let count = 0; count < ACCEPT_BUDGET && listener.armed; count++) {
      const fd = acceptClient(listener.fd, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        const error = libc.errno();
        if (error !== EAGAIN) this.listeners.acceptCompleted(listener, -error, true);
        return;
      }
      this.listeners.acceptCompleted(listener, fd, true);
    }
  }

  protected override beginShutdown(socket: Socket): void {
    libc.shutdown(socket.fd, SHUT_WR);
  }

  protected override cancelAll(socket: Socket): void {
    this.schedule(socket);
  }

  private finishClosing(socket: Socket): void {
    socket.in_flight = 0;
    this.considerClosed(socket);
  }

  override closeDescriptor(fd: number): void {
    libc.close(fd); // this also takes it out of epoll: we never duplicate descriptors
  }

  override get small_left(): number {
    return this.buffers.small_left;
  }

  protected override buffersReady(bulk: boolean): number {
    return bulk ? this.buffers.bulk_left : this.buffers.small_left;
  }

  private tellKernel(operation: number, fd: number, events: number, low: number, high: number): void {
    this.control_view.setUint32(0, events, true);
    this.control_view.setInt32(epoll_data_offset, low, true);
    this.control_view.setInt32(epoll_data_offset + 4, high, true);
    if (libc.epoll_ctl(this.epoll_fd, operation, fd, this.control.address) < 0) {
      throw new Error(`epoll_ctl: ${libc.errnoName(libc.errno())}`);
    }
  }
}

const READ_EVENTS = EPOLLIN | EPOLLRDHUP | EPOLLET;
/** What a socket is watched for. */
const READING = 1;
const READING_AND_WRITING = 2;
/** No result yet: the kernel will say when to try again. */
const PENDING = -0x80000000;
