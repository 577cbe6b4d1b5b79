/** `show resolvers`: what came of the questions to a nameserver, counted in HAProxy's words. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../../helpers/balancers.js';
import { NameServer } from '../../helpers/name-server.js';
import { needs } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';
import { askRuntime } from './runtime.js';

async function start(t: TestContext, program: Program): Promise<(name: string) => Promise<Map<string, number>>> {
  const directory = mkdtempSync('/tmp/carpool-resolvers-');
  t.after(() => rmSync(directory, { recursive: true }));
  const names = await new NameServer().start(t);
  names.zone.set('web.test A', ['127.0.0.2']);
  const [port, silent] = [await freePort(), await freePort()];
  const socket = join(directory, 'socket');
  await startBalancer(
    t,
    program,
    `global
 stats socket ${socket} level admin
resolvers mydns
 nameserver dns1 127.0.0.1:${names.port}
 nameserver gone 127.0.0.1:${silent}
 timeout resolve 50ms
 timeout retry 50ms
 hold valid 50ms
defaults
 mode http
 timeout connect 1s
 timeout client 5s
 timeout server 5s
listen web
 bind 127.0.0.1:${port}
 server a web.test:80 resolvers mydns resolve-prefer ipv4 init-addr none
 server b nowhere.test:80 resolvers mydns resolve-prefer ipv4 init-addr none
`,
    port,
  );
  return async (name) => {
    const answer = await askRuntime(socket, 'show resolvers mydns');
    const [, counts = ''] = answer.split(` nameserver ${name}:\n`);
    const lines = counts.split(' nameserver ')[0]!.matchAll(/^ {2}(\w+): +(\d+)$/gm);
    return new Map([...lines].map(([, what, count]) => [what!, Number(count)]));
  };
}

test('questions, answers and names that are not there are counted, under HAProxy’s names', {
  skip: needs('haproxy'),
}, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const ask of [ours, theirs])
    await until('both names were asked for', async () => {
      const counts = await ask('dns1');
      return counts.get('valid')! > 0 && counts.get('nx')! > 0 && counts.get('sent')! > 1;
    });
  assert.deepEqual([...(await ours('dns1')).keys()], [...(await theirs('dns1')).keys()]);
  await until('the other one failed', async () => (await ours('gone')).get('snd_error')! > 0);
  assert.equal((await ours('gone')).get('valid'), 0);
});
