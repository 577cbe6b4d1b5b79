/** What belongs to one connection ends there (RFC 9110 section 7.6.1), and what goes on is spelled as every server reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyRig } from '../harness.js';
import { RawServer, response } from '../wire.js';

const REQUESTS = [
  [
    'fields that Connection names end here',
    'GET / HTTP/1.1',
    'Host: a\r\nConnection: x, Y\r\nX: 1\r\ny: 2\r\nZ: 3',
    'Host: a\r\nZ: 3',
  ],
  [
    'what routes and frames stays, whatever Connection names',
    'POST / HTTP/1.1',
    'Host: a\r\nConnection: host, content-length\r\nContent-Length: 0',
    'Host: a\r\nContent-Length: 0',
  ],
  ['Upgrade without Connection ends here', 'GET / HTTP/1.1', 'Host: a\r\nUpgrade: websocket', 'Host: a'],
  [
    'Upgrade with Connection goes on',
    'GET / HTTP/1.1',
    'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket',
    'Host: a\r\nUpgrade: websocket\r\nConnection: upgrade',
  ],
  [
    'nobody changes to HTTP/2 past us',
    'GET / HTTP/1.1',
    'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: x, h2c\r\nHTTP2-Settings: A',
    'Host: a',
  ],
  ['blanks around a field of ours are taken off', 'GET / HTTP/1.1', 'Host: \ta\t\r\nX:  y ', 'Host: a\r\nX: y'],
] as const;

for (const [name, line, fields, expected] of REQUESTS) {
  test(name, async () => {
    assert.equal(await seen(line, fields), `${line}\r\n${expected}\r\n\r\n`);
  });
}

test('versions above 1.1 go on as the one that we speak', async () => {
  assert.equal(await seen('GET / HTTP/1.9', 'Host: a'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
});

test('option forwardfor if-none adds the address where Connection takes the one away that came', async () => {
  const fields = 'Host: a\r\nConnection: X-Forwarded-For\r\nX-Forwarded-For: 1.2.3.4';
  const head = await seen('GET / HTTP/1.1', fields, ' option forwardfor if-none\n');
  assert.equal(head, 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n');
});

test('more options of Connection than anybody needs are 400', async () => {
  const server = await RawServer.start();
  const rig = new ProxyRig('epoll', [server]);
  const options = Array.from({ length: 17 }, (_, index) => `x${index}`).join();
  const reply = await rig.exchange(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${options}\r\n\r\n`);
  assert.match(reply, /^HTTP\/1\.1 400 /);
  await rig.everythingIsHome();
});

/** The head that the server gets. */
async function seen(line: string, fields: string, frontend = ''): Promise<string> {
  const server = await RawServer.start();
  const rig = new ProxyRig('epoll', [server], { frontend });
  const client = await rig.client();
  client.write(`${line}\r\n${fields}\r\n\r\n`);
  const wire = await server.wire(0);
  const head = await wire.takesHead();
  wire.write(response('x'));
  await client.takes('\r\n\r\nx');
  await rig.everythingIsHome();
  return head;
}
