import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EchoReply, EchoSocket, echoTarget, waitReadable } from '#src/system/icmp.js';

const skip = process.getuid?.() === 0 ? false : 'needs CAP_NET_RAW';

test('an echo request comes back with its identifier and sequence', { skip }, () => {
  const socket = new EchoSocket();
  const reply: EchoReply = { identifier: 0, sequence: 0, from: 0 };
  const identifier = process.pid & 0xffff;
  try {
    assert.equal(socket.send(echoTarget('127.0.0.1'), identifier, 77), 0);
    for (let tries = 0; tries < 20 && reply.identifier !== identifier; tries++) {
      waitReadable([socket.fd], 100e6);
      while (reply.identifier !== identifier && socket.receive(reply)); // others on this machine ping too
    }
    assert.deepEqual(reply, { identifier, sequence: 77, from: 0x7f000001 });
  } finally {
    socket.close();
  }
});
