/**
 * A process that is the cables between the switch and its hosts, where a scenario asks for slow ones. It takes each frame
 * from one end and puts it into the other; what goes to a host is slow, so that each host hears a frame at its own time.
 *
 *   bridge ── port1 ═ veth ═ outer1 │ this process │ inner1 ═ veth ═ eth0 of host 1
 *
 * Argument: the seed. Standard input, a line each; its end is the process's:
 *
 *   connect HOST INDEX-OF-OUTER INDEX-OF-INNER
 *   remove HOST
 *   delay MILLISECONDS | repeat PERCENT
 *
 * It writes "ready", and "full" when the first frame gets lost here because too many are on their way.
 */
import { readSync, writeSync } from 'node:fs';
import { now_ns } from '../system/clock.ts';
import { PollSet } from '../system/poll-set.ts';
import { WireSocket } from '../system/wire-socket.ts';
import { SlowWire } from './slow-wire.ts';

type Cable = { readonly outer: WireSocket; readonly inner: WireSocket; removed: boolean };

const STANDARD_INPUT = 0;
/** Taken from one end before the other gets its turn. */
const FRAMES_A_TURN = 64;
const ORDERS_LENGTH = 4096;

const cables = new Map<string, Cable>();
const wire = new SlowWire(Number(process.argv[2]));
const orders = new Uint8Array(ORDERS_LENGTH);
let rest = '';
let told_full = false;

function main(): void {
  let poll = pollSet();
  writeSync(1, '"ready"\n');
  for (;;) {
    poll.wait(now_ns(), wire.next_ns);
    wire.release(now_ns());
    for (const cable of cables.values()) carry(cable);
    if (wire.lost > 0 && !told_full) tellFull();
    if (!poll.isReady(0)) continue;
    if (!readOrders()) return;
    poll.close();
    poll = pollSet();
  }
}

function pollSet(): PollSet {
  const poll = new PollSet(1 + 2 * cables.size);
  poll.add(STANDARD_INPUT);
  for (const { outer, inner } of cables.values()) {
    poll.add(outer.fd);
    poll.add(inner.fd);
  }
  return poll;
}

function carry(cable: Cable): void {
  const { outer, inner } = cable;
  const arrive = (frame: Uint8Array) => {
    if (!cable.removed) inner.send(frame);
  };
  for (let turn = 0; turn < FRAMES_A_TURN && outer.receive(); turn++) wire.take(outer.frame, now_ns(), arrive);
  for (let turn = 0; turn < FRAMES_A_TURN && inner.receive(); turn++) outer.send(inner.frame);
}

function tellFull(): void {
  told_full = true;
  writeSync(1, '"full"\n');
}

/** False at the end of standard input. */
function readOrders(): boolean {
  const length = readSync(STANDARD_INPUT, orders);
  const lines = (rest + Buffer.from(orders.subarray(0, length)).toString()).split('\n');
  rest = lines.pop()!;
  for (const line of lines) obey(line);
  return length > 0;
}

function obey(line: string): void {
  const [verb, name = '', ...numbers] = line.split(' ');
  if (verb === 'delay') wire.delay_ns = 1e6 * Number(name);
  else if (verb === 'repeat') wire.repeat_percent = Number(name);
  else if (verb === 'remove') remove(name);
  else if (verb === 'connect') {
    const [outer, inner] = numbers.map((index) => new WireSocket(Number(index)));
    cables.set(name, { outer: outer!, inner: inner!, removed: false });
  }
}

function remove(name: string): void {
  const cable = cables.get(name);
  if (!cable) return;
  cables.delete(name);
  cable.removed = true;
  cable.outer.close();
  cable.inner.close();
}

main();
