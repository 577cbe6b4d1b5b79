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

type Counters = { readonly names: NameServer; ask(nameserver: string): Promise<Map<string, number>> };

/** `other`: the port of a second nameserver; nobody's when left out. */
async function start(
  t: TestContext,
  program: Program,
  tell: (names: NameServer) => void = () => {},
  other?: number,
): Promise<Counters> {
  const directory = mkdtempSync('/tmp/carpool-resolvers-');
  t.after(() => rmSync(directory, { recursive: true }));
  const names = await new NameServer().start(t);
  names.zone.set('web.test A', ['127.0.0.2']);
  tell(names);
  const [port, silent] = [await freePort(), other ?? (await freePort())];
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
  const ask = async (name: string) => {
    const answer = await askRuntime(socket, 'show resolvers mydns');
    const [, counts = ''] = answer.split(` nameserver ${name}:\n`);
    const lines = counts.split(' nameserver ')[0]!.matchAll(/^ {2}(\w+): +(\d+)$/gm);
    return new Map([...lines].map(([, what, count]) => [what!, Number(count)]));
  };
  return { names, ask };
}

/** What both programs count once the zone of a nameserver is as told. */
async function bothCount(
  t: TestContext,
  what: string,
  told: (names: NameServer) => void,
  field: string,
  nameserver = 'dns1',
): Promise<void> {
  await Promise.all(
    (['carpool', 'haproxy'] as const).map(async (program) => {
      const { ask } = await start(t, program, told);
      await until(`${program}: ${what}`, async () => (await ask(nameserver)).get(field)! > 0);
    }),
  );
}

test('questions, answers and names that are not there are counted, under HAProxy’s names', {
  skip: needs('haproxy'),
}, async (t) => {
  const [{ ask: ours }, { ask: theirs }] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const ask of [ours, theirs])
    await until('both names were asked for', async () => {
      const counts = await ask('dns1');
      return counts.get('valid')! > 0 && counts.get('nx')! > 0 && counts.get('sent')! > 1;
    });
  assert.deepEqual([...(await ours('dns1')).keys()], [...(await theirs('dns1')).keys()]);
  await until('the other one failed', async () => (await ours('gone')).get('snd_error')! > 0);
  assert.equal((await ours('gone')).get('valid'), 0);
});

for (const [field, what, told] of [
  ['update', 'a server has an address', () => {}],
  ['any_err', 'an answer is empty', ({ zone }) => void zone.set('web.test A', [])],
  ['refused', 'a question is refused', ({ zone }) => void zone.set('web.test A', 'refused')],
  [
    'too_big',
    'an answer is longer than asked for',
    ({ zone }) => void zone.set('web.test A', Array(60).fill('127.0.0.2')),
  ],
] as const satisfies readonly (readonly [string, string, (names: NameServer) => void])[])
  test(`${field}: ${what}, with HAProxy as with carpool`, { skip: needs('haproxy') }, (t) =>
    bothCount(t, what, told, field),
  );

test('an alias is counted, as an error where it leads to nothing', async (t) => {
  const { ask, names } = await start(t, 'carpool', ({ zone }) => {
    zone.set('web.test A', ['CNAME app.test', 'app.test 127.0.0.3']);
  });
  await until('the alias leads to an address', async () => {
    const counts = await ask('dns1');
    return counts.get('cname')! > 0 && counts.get('valid')! > 0 && counts.get('update')! > 0;
  });
  assert.equal((await ask('dns1')).get('cname_error'), 0);
  names.zone.set('web.test A', ['CNAME app.test']);
  await until('it leads to nothing', async () => (await ask('dns1')).get('cname_error')! > 0);
});

test('of two good answers the second one is outdated, with HAProxy as with carpool', {
  skip: needs('haproxy'),
}, async (t) => {
  const slow = await new NameServer().start(t);
  slow.delay_ms = 20;
  slow.zone.set('web.test A', ['127.0.0.2']);
  await Promise.all(
    (['carpool', 'haproxy'] as const).map(async (program) => {
      const { ask } = await start(t, program, () => {}, slow.port);
      await until(`${program} counts it`, async () => (await ask('gone')).get('outdated')! > 0);
    }),
  );
});
