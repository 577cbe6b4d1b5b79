/** Whatever owners and peers do in whatever order: bytes stay what they are, and all comes home. A seed repeats a run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_OWNER, type Socket, type SocketOwner } from '#src/reactor/socket.js';
import { KINDS, type Kind, Rig, sequence } from './harness.js';
import { Peer } from './peer.js';

const CONNECTIONS = 6;
const LONGEST = 400_000;

/** Most moves keep a connection alive, a few end it. */
const move = fc.record({
  connection: fc.nat(CONNECTIONS - 1),
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('write', 'read', 'pass') },
    { weight: 6, arbitrary: fc.constantFrom('pause', 'receive', 'bulk', 'small', 'a while', 'a while') },
    { weight: 1, arbitrary: fc.constantFrom('peer end', 'peer close', 'peer reset', 'close', 'reset', 'end') },
  ),
  amount: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: LONGEST })),
});
type Move = { connection: number; what: string; amount: number };

for (const kind of KINDS) {
  test(`${kind}: echoes return byte for byte, whatever is paused, changed, closed and reset meanwhile`, () => {
    const run = fc.property(fc.array(move, { minLength: 20, maxLength: 150 }), (moves) => play(kind, moves));
    fc.assert(run, { numRuns: 40, interruptAfterTimeLimit: 20_000, endOnFailure: true });
  });
}

type Connection = { readonly peer: Peer; readonly bytes: Uint8Array; sent: number; received: number };

function play(kind: Kind, moves: readonly Move[]): void {
  const rig = new Rig(kind, {
    small_count: 40,
    large_count: 3,
    reserve: 8,
    sizes: { entries: 16, completion_entries: 32, pass_budget: 8 },
  });
  const sockets: Socket[] = [];
  const generations: number[] = [];
  const { port } = rig.listen((socket) => {
    sockets.push(socket);
    generations.push(socket.generation);
    socket.admitted_by = { leave: () => {} };
    socket.receive();
    return returning;
  });
  const connections = Array.from({ length: CONNECTIONS }, (_, index): Connection => {
    const peer = Peer.connect(port, { receive_bytes: 8192 });
    rig.until('it is accepted', () => sockets.length === index + 1);
    return { peer, bytes: sequence(LONGEST * 2, index + 1), sent: 0, received: 0 };
  });
  for (const { connection, what, amount } of moves) {
    const socket = sockets[connection]!;
    if (socket.generation === generations[connection]) moveSocket(socket, what);
    movePeer(rig, connections[connection]!, what, amount);
  }
  for (const [index, socket] of sockets.entries()) if (socket.generation === generations[index]) socket.receive();
  const whole = connections.filter(
    ({ peer }, index) => peer.is_open && sockets[index]!.generation === generations[index],
  );
  rig.until('what still stands has all its bytes back', () => {
    for (const connection of connections) readSome(connection, LONGEST);
    return whole.every(({ peer, sent, received }) => received === sent || peer.over !== 'no');
  });
  rig.everythingIsHome();
}

function moveSocket(socket: Socket, what: string): void {
  if (what === 'pause') socket.pause();
  else if (what === 'receive') socket.receive();
  else if (what === 'bulk') socket.setBulk(true);
  else if (what === 'small') socket.setBulk(false);
  else if (what === 'close') socket.close();
  else if (what === 'reset') socket.reset();
  else if (what === 'end' && socket.idle) socket.end();
}

function movePeer(rig: Rig, connection: Connection, what: string, amount: number): void {
  const { peer, bytes, sent } = connection;
  if (what === 'pass') rig.pass(0);
  else if (what === 'a while') passLater(rig);
  else if (!peer.is_open) return;
  else if (what === 'write') connection.sent += peer.write(bytes.subarray(sent, sent + amount));
  else if (what === 'read') readSome(connection, amount);
  else if (what === 'peer end') peer.end();
  else if (what === 'peer close') peer.close();
  else if (what === 'peer reset') peer.reset();
}

/** As if so much time had passed that the reactor looks after those who are not read. */
function passLater(rig: Rig): void {
  rig.reactor['unread'].next_look_ms = 0;
  rig.pass(0);
}

function readSome(connection: Connection, most: number): void {
  if (!connection.peer.is_open) return;
  const part = connection.peer.read(most);
  const { bytes, received } = connection;
  assert.ok(Buffer.from(part).equals(bytes.subarray(received, received + part.length)), `bytes from ${received} on`);
  connection.received += part.length;
}

/** Returns what comes, unless its own end is sent already. */
const returning: SocketOwner = {
  ...NO_OWNER,
  onData: (socket, buffer, offset, length) => {
    if (socket.end_sent || socket.wants_end) socket.reactor.buffers.release(buffer);
    else assert.ok(socket.send(buffer, offset, length));
  },
  onEnd: (socket) => {
    if (socket.idle) socket.close();
    else socket.notify_drain = true;
  },
  onDrain: (socket) => socket.close(),
};
