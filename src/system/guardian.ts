/**
 * A process that waits for another one's death. It sleeps in read(2) on the pipe that its parent, the daemon, holds
 * open, and keeps the daemon's last will (guardian-will.ts). When the pipe closes without the word CLEAN, whatever
 * the cause, it deletes the daemon's addresses and sends its bow-out adverts, so that the other node takes over at once.
 *
 *   daemon ── will ──> pipe ──> guardian ── end of file ──> netlink: delete addresses
 *                                                      ├──> packet or raw IP socket: bow out
 *                                                      └──> netlink: delete macvlans, restore settings
 *
 * It is made hard to kill together with the daemon: own session, no signals, no out-of-memory killer.
 */
import { AddressBatch } from './address-batch.ts';
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import { type Will, WillReader } from './guardian-will.ts';
import * as libc from './libc.ts';
import { Netlink } from './netlink.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';
import { familyOf, RawIpSocket } from './raw-ip-socket.ts';
import { setOomScore, useRealTimeScheduling } from './scheduling.ts';

const PIPE = 0;
const BUFFER_LENGTH = 65536;
const EINTR = 4;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC_NONBLOCK = 0o2004000;

function main(): void {
  process.title = 'carpool: guardian';
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGPIPE', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {});
  }
  setOomScore(-1000);
  useRealTimeScheduling();
  // All are opened while there is time, so that nothing can fail in the moment they are needed.
  const batch = new AddressBatch();
  const packet_fd = check(libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC_NONBLOCK, 0), 'packet socket');
  const netlink = new Netlink();
  const reader = readToTheEnd();
  if (!reader.clean) {
    const wills = [...reader.wills.values()];
    execute(wills, batch, packet_fd);
    attempt(() => removeEntries(wills, netlink));
    clearUp(reader, netlink);
  }
  process.exit(0);
}

/** Blocks until every writing end of the pipe is closed, or the daemon says CLEAN. */
function readToTheEnd(): WillReader {
  const reader = new WillReader();
  const buffer = libc.allocatePinned(BUFFER_LENGTH);
  while (!reader.clean) {
    const length = libc.read(PIPE, buffer.address, BUFFER_LENGTH);
    if (length > 0) reader.push(buffer.bytes.subarray(0, length));
    else if (length === 0 || libc.errno() !== EINTR) break;
  }
  return reader;
}

/** Addresses first: the other node must not take them while they are still here. */
function execute(wills: readonly Will[], batch: AddressBatch, packet_fd: number): void {
  for (const { addresses } of wills) {
    for (const address of addresses) {
      if (batch.full) batch.flush();
      batch.remove(address);
    }
  }
  batch.flush();
  for (const { frames } of wills) {
    for (const { index, frame } of frames) sendFrame(packet_fd, index, frame);
  }
}

/** An up script may have added an address once more, with another prefix length. */
function removeEntries(wills: readonly Will[], netlink: Netlink): void {
  const present = netlink.listAddresses();
  for (const { index, bytes } of wills.flatMap((will) => will.addresses)) {
    const entries = present.filter((one) => one.index === index && Buffer.compare(one.bytes, bytes) === 0);
    for (const entry of entries) attempt(() => netlink.deleteAddress(entry));
  }
}

/** A frame without a destination is for a unicast peer, whom the kernel finds. */
function sendFrame(fd: number, index: number, frame: Uint8Array): void {
  if (frame.subarray(0, 6).every((byte) => byte === 0)) {
    attempt(() => new RawIpSocket(familyOf(frame), index).send(frame));
    return;
  }
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, LITTLE_ENDIAN);
  view.setUint16(2, (frame[12] << 8) | frame[13]);
  view.setInt32(4, index, LITTLE_ENDIAN);
  libc.sendto(fd, byReference(frame), frame.length, 0, byReference(address), address.length);
}

/** What takes longer and nobody waits for. */
function clearUp({ links, settings }: WillReader, netlink: Netlink): void {
  for (const index of links) attempt(() => netlink.deleteLink(index));
  for (const [index, ipv4_conf] of settings) attempt(() => netlink.setLink(index, { ipv4_conf }));
}

/** The link may be gone already. */
function attempt(body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

main();
