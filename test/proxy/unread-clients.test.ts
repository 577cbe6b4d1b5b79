/** Clients that reset while nobody reads them, at every stage at which that can be: they are gone at once, and their server knows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, type Kind, ProxyRig, type RigOptions } from './harness.js';
import { ReadingSink } from './log/reading-sink.js';
import { type Backend, fullListener, RawServer, type Wire } from './wire.js';

/** More than a session holds, and than all the kernel's buffers take. */
const MUCH = 'x'.repeat(16_000_000);
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${MUCH.length}\r\n\r\n`;
const UPGRADE = GET.replace('Host', 'Connection: upgrade\r\nUpgrade: other\r\nHost');
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

type Stage = {
  readonly mode?: 'tcp' | 'http';
  readonly says: string;
  /** The termination state of its line. */
  readonly state: string;
  readonly server?: 'stalls' | 'switches, then stalls' | 'has no place' | 'does not connect';
};

const STAGES: Record<string, Stage> = {
  'a session whose server stalls': { mode: 'tcp', says: MUCH, state: 'CD' },
  'a session in a queue': { mode: 'tcp', says: MUCH, state: 'CQ', server: 'has no place' },
  'a session before it is connected': { mode: 'tcp', says: MUCH, state: 'CC', server: 'does not connect' },
  'a body whose server stalls': { says: POST + MUCH, state: 'CD' },
  'a request with another one behind it': { says: GET + GET, state: 'CD' },
  'a tunnel whose server stalls': { says: UPGRADE, state: 'CD', server: 'switches, then stalls' },
  'a body in a queue': { says: POST + MUCH, state: 'CQ', server: 'has no place' },
  'a body before it is connected': { says: POST + MUCH, state: 'CC', server: 'does not connect' },
};

for (const kind of KINDS)
  test(`${kind}: a client that resets unread is gone at once, and its server's connection with it`, async () => {
    const found = await Promise.all(
      Object.entries(STAGES).map(async ([name, stage]) => [name, await stateAfter(kind, stage)]),
    );
    assert.deepEqual(
      found,
      Object.entries(STAGES).map(([name, { state }]) => [name, state]),
    );
  });

async function stateAfter(kind: Kind, { mode = 'http', says, server: how = 'stalls' }: Stage): Promise<string> {
  const deaf = how === 'does not connect' ? fullListener() : undefined;
  const server = await RawServer.start();
  const options: RigOptions = {
    mode,
    counts: { small_count: 400 },
    defaults: ' timeout connect 5m\n timeout client 5m\n timeout server 5m\n timeout queue 5m\n',
    frontend: ' log 127.0.0.1:1 local0\n log-format "state=%ts"\n',
    server: how === 'has no place' ? 'maxconn 1' : '',
  };
  const rig = new ProxyRig(kind, [deaf?.server ?? server] as Backend[], options);
  const states: string[] = [];
  const sink = new ReadingSink(rig.reactor.buffers, (line) => states.push(/state=(..)/.exec(line)?.[1] ?? line));
  rig.proxy.log(() => sink);
  const before = how === 'has no place' ? await occupant(rig, server) : undefined;
  const client = await rig.client();
  client.write(says);
  if (how === 'stalls' || how === 'switches, then stalls') {
    const wire = await server.wire(0);
    if (how === 'switches, then stalls') {
      await wire.takesHead();
      wire.write(SWITCH);
      await client.takes(SWITCH);
      client.write(MUCH);
    }
    wire.socket.pause();
  }
  await rig.until('it is not read', () => isWatched(rig));
  client.reset();
  await rig.until('its line is there', () => states.length === 1);
  await rig.until('its connection is gone', () => rig.reactor.socket_count === (before ? 2 : 0));
  before?.reset();
  deaf?.release();
  await rig.everythingIsHome();
  await server.stop();
  return states[0]!;
}

/** Another client, whom the only place is given to. */
async function occupant(rig: ProxyRig, server: RawServer): Promise<Wire> {
  const client = await rig.client();
  client.write(GET);
  await (await server.wire(0)).takesHead();
  return client;
}

function isWatched(rig: ProxyRig): boolean {
  let watched = false;
  rig.reactor.forEachSocket((socket) => {
    watched ||= socket.watching && !socket.armed;
  });
  return watched;
}
