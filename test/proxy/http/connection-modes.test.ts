/** `option httpclose` and its like, `http-reuse`, `abortonclose`, `http-buffer-request`: what becomes of connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { fullListener, RawServer, response, type Wire } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const WITH_CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

for (const kind of KINDS) {
  async function rigWith(defaults: string) {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults });
    return { server, rig };
  }

  /** One request of a client, answered; returns the server's connection that it came on. */
  async function served(server: RawServer, client: Wire, expected = GET, answer = response('x')): Promise<Wire> {
    client.write(GET);
    const wire = await server.asked(expected);
    wire.write(answer);
    await client.takesHead();
    await client.takes('x');
    return wire;
  }

  test(`${kind}: with http-server-close the server is told and left, and the client keeps its connection`, async () => {
    const { server, rig } = await rigWith(' option http-server-close\n');
    const client = await rig.client();
    for (let round = 0; round < 2; round++) {
      const wire = await served(server, client, WITH_CLOSE);
      assert.equal(await wire.over(), 'end');
    }
    assert.equal(server.wires.length, 2);
    await rig.everythingIsHome();
  });

  test(`${kind}: with http-pretend-keepalive the server is left without being told`, async () => {
    const { server, rig } = await rigWith(' option http-server-close\n option http-pretend-keepalive\n');
    const client = await rig.client();
    const wire = await served(server, client);
    assert.equal(await wire.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: with httpclose the client is told and left, too`, async () => {
    const { server, rig } = await rigWith(' option httpclose\n');
    const client = await rig.client();
    client.write(GET);
    const wire = await server.asked(WITH_CLOSE);
    wire.write(response('x'));
    assert.match(await client.takesHead(), /\r\nConnection: close\r\n/i);
    await client.takes('x');
    assert.equal(await client.over(), 'end');
    assert.equal(await wire.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: the last of these options wins, and "no" takes back only its own`, async () => {
    const { server, rig } = await rigWith(' option httpclose\n option http-server-close\n no option httpclose\n');
    const client = await rig.client();
    const wire = await served(server, client, WITH_CLOSE);
    assert.equal(await wire.over(), 'end');
    await served(server, client, WITH_CLOSE);
    assert.equal(server.wires.length, 2);
    await rig.everythingIsHome();
  });

  for (const [reuse, first, second] of [
    ['never', false, false],
    ['safe', false, true],
    ['aggressive', false, true],
    ['always', true, true],
  ] as const) {
    test(`${kind}: http-reuse ${reuse}: a first request ${first ? 'shares' : 'does not share'} a kept connection, a second ${second ? 'does' : 'does not'}`, async () => {
      const { server, rig } = await rigWith(` http-reuse ${reuse}\n`);
      const [one, other] = [await rig.client(), await rig.client()];
      const wire = await served(server, one);
      const others = await served(server, other);
      assert.equal(others === wire, first);
      const again = await served(server, one);
      if (reuse === 'never') assert.equal(again, wire, 'its own one');
      else assert.ok(again === wire || again === others);
      const before = server.wires.length;
      one.write(GET);
      const busy = await server.asked(GET);
      other.write(GET);
      const beside = await server.asked(GET);
      assert.notEqual(busy, beside);
      if (reuse === 'never') assert.deepEqual([busy, beside], [wire, others], 'each its own');
      assert.equal(server.wires.length - before, first ? 1 : 0);
      for (const waiting of [busy, beside]) waiting.write(response('x'));
      for (const client of [one, other]) await client.takes(response('x'));
      await rig.everythingIsHome();
    });
  }

  test(`${kind}: http-reuse aggressive: a first request shares a connection that was used twice`, async () => {
    const { server, rig } = await rigWith(' http-reuse aggressive\n');
    const one = await rig.client();
    const wire = await served(server, one);
    assert.equal(await served(server, one), wire);
    assert.equal(await served(server, await rig.client()), wire);
    await rig.everythingIsHome();
  });

  test(`${kind}: no more connections are kept than were of use at once, and a few`, async () => {
    const { server, rig } = await rigWith('');
    for (let count = 0; count < 20; count++) await served(server, await rig.client());
    const open = () => server.wires.filter(({ ended }) => ended === 'no').length;
    await rig.until('the others are closed', () => open() < 12);
    assert.ok(open() > 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: max-reuse says how often a connection is used again, pool-max-conn how many are kept`, async () => {
    for (const [words, connections] of [
      ['', 1],
      ['max-reuse 1', 2],
      ['max-reuse 0', 4],
      ['max-reuse -1 pool-max-conn 1', 1],
      ['pool-max-conn 0', 4],
      ['pool-purge-delay 0', 4],
    ] as const) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { server: words });
      const client = await rig.client();
      for (let count = 0; count < 4; count++) await served(server, client);
      assert.equal(server.wires.length, connections, words);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a connection on which a client logs in by NTLM is nobody else's`, async () => {
    const { server, rig } = await rigWith(' http-reuse always\n');
    const one = await rig.client();
    const login = 'HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\nContent-Length: 1\r\n\r\nx';
    const wire = await served(server, one, GET, login);
    const others = await served(server, await rig.client());
    assert.notEqual(others, wire);
    assert.equal(await served(server, one), wire);
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that half-closes gets its answer; with abortonclose it is taken for gone, also behind other requests`, async () => {
    for (const [aborts, behind] of [
      [false, ''],
      [true, ''],
      [true, GET],
    ] as const) {
      const { server, rig } = await rigWith(aborts ? ' option abortonclose\n' : '');
      const client = await rig.client();
      client.write(GET + behind);
      const wire = await server.asked(GET);
      client.write(behind);
      client.end();
      if (aborts) {
        await wire.over();
        assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
        assert.equal(await client.over(), 'end');
      } else {
        wire.write(response('x'));
        await client.takes(response('x'));
      }
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: with abortonclose a request whose server is still being connected is given up`, async () => {
    const { server, release } = fullListener();
    const rig = new ProxyRig(kind, [server], { defaults: ' option abortonclose\n' });
    const client = await rig.client();
    client.write(GET);
    client.end();
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    assert.equal(await client.over(), 'end');
    release();
    await rig.everythingIsHome();
  });

  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

  test(`${kind}: with http-buffer-request no server is asked before the body is there`, async () => {
    const { server, rig } = await rigWith(' option http-buffer-request\n');
    const client = await rig.client();
    for (const part of [POST, ...'123456789']) {
      client.write(part);
      await rig.until('it is stored', () => rig.buffersAway().small > 0);
      assert.equal(server.wires.length, 0);
    }
    client.write('0');
    const wire = await server.asked(`${POST}1234567890`);
    wire.write(response('x'));
    await client.takes(response('x'));
    await rig.everythingIsHome();
  });

  test(`${kind}: with http-buffer-request a body that no buffer holds goes on as it comes`, async () => {
    const { server, rig } = await rigWith(' option http-buffer-request\n');
    const client = await rig.client();
    const body = 'b'.repeat(300_000);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n';
    client.write(head + body.slice(0, 100_000));
    const wire = await server.wire(0);
    await wire.takes(head + body.slice(0, 100_000));
    client.write(body.slice(100_000));
    await wire.takes(body.slice(100_000));
    wire.write(response('x'));
    await client.takes(response('x'));
    await rig.everythingIsHome();
  });

  test(`${kind}: with http-buffer-request chunks are stored as they come, and a slow body is 408`, async () => {
    const { server, rig } = await rigWith(' option http-buffer-request\n timeout http-request 300ms\n');
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = await rig.client();
    client.write(`${chunked}3\r\nabc\r\n`);
    client.write('0\r\n\r\n');
    const wire = await server.asked(`${chunked}3\r\nabc\r\n0\r\n\r\n`);
    wire.write(response('x'));
    await client.takes(response('x'));
    const slow = await rig.client();
    slow.write(`${POST}123`);
    assert.match(await slow.takesHead(), /^HTTP\/1\.1 408 /);
    assert.equal(await slow.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: with http-buffer-request a client that waits for 100 gets it once`, async () => {
    const { server, rig } = await rigWith(' option http-buffer-request\n');
    const client = await rig.client();
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
    client.write(head);
    await client.takes('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('abc');
    const wire = await server.asked(`${head}abc`);
    wire.write(`HTTP/1.1 100 Continue\r\n\r\n${response('x')}`);
    await client.takes(response('x'));
    assert.equal(client.text, '');
    await rig.everythingIsHome();
  });
}
