/** `server-state-file`: what a real HAProxy wrote before its end is what both balancers begin with. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askRuntime as ask } from '../control/stats/runtime.js';
import { startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

test('HAProxy and carpool begin with the states that HAProxy wrote', { skip: needs('haproxy') }, async (t) => {
  const directory = mkdtempSync('/tmp/carpool-server-states-');
  t.after(() => rmSync(directory, { recursive: true }));
  const closed = await freePort();
  const place = `127.0.0.1:${closed}`;
  const configOf = (name: string, port: number, check: string, rest: string) => `global
  stats socket ${join(directory, name)} level admin
  server-state-base ${directory}
  server-state-file states
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
  load-server-state-from-file global
listen web
  bind 127.0.0.1:${port}
  server down ${place} check ${check}
  server lighter ${place} weight 10
  server resting ${place}
  server woken ${place} disabled
  server drained ${place}
  server moved localhost:80 init-addr last,libc,none
${rest}`;
  const showStates = async (name: string) => await ask(join(directory, name), 'show servers state');

  const before = await freePort();
  writeFileSync(join(directory, 'states'), '1\n');
  const rest = `  server other-weight ${place} weight 10\n  server enabled-now ${place} disabled\n  server gone ${place}\n`;
  const old = configOf('before', before, 'inter 50ms fall 1', rest);
  await startBalancer(t, 'haproxy', old, before);
  const orders = [
    'lighter weight 5',
    'resting state maint',
    'woken state ready',
    'drained state drain',
    'other-weight weight 3',
  ];
  for (const order of [...orders, 'moved addr 127.0.0.7'])
    await ask(join(directory, 'before'), `set server web/${order}`);
  await until('the check has failed', async () => / down \S+ 0 /.test(await showStates('before')));
  writeFileSync(join(directory, 'states'), await showStates('before'));

  const now = `  server other-weight ${place} weight 20\n  server enabled-now ${place}\n  server new ${place}\n`;
  const said: string[][] = [];
  for (const program of ['haproxy', 'carpool'] as const) {
    const port = await freePort();
    // a check that fails says nothing yet: whoever is down from the beginning has it from the file
    const config = configOf(program, port, 'inter 1h fall 3', now);
    await startBalancer(t, program, config, port);
    said.push(statesIn(await showStates(program)));
  }
  const isSame = (state: string) => !state.startsWith('enabled-now '); // HAProxy calls it down for ever
  assert.deepEqual(said[1]!.filter(isSame), said[0]!.filter(isSame));
  assert.deepEqual(said[1], [
    `down 127.0.0.1 0 0 1 1 ${closed}`,
    `lighter 127.0.0.1 2 0 5 10 ${closed}`,
    `resting 127.0.0.1 - 1 1 1 ${closed}`,
    `woken 127.0.0.1 2 4 1 1 ${closed}`,
    `drained 127.0.0.1 2 8 1 1 ${closed}`,
    'moved 127.0.0.7 2 0 1 1 80',
    `other-weight 127.0.0.1 2 0 20 20 ${closed}`,
    `enabled-now 127.0.0.1 2 0 1 1 ${closed}`,
    `new 127.0.0.1 2 0 1 1 ${closed}`,
  ]);
});

/** What is in maintenance is down to HAProxy, and as its checks left it to carpool: `-`. Name, address, operational and administrative state, weight, configured weight, port. */
function statesIn(text: string): string[] {
  const lines = text.split('\n').filter((line) => /^\d+ web /.test(line));
  return lines.map((line) => {
    const fields = line.split(' ');
    if ((Number(fields[6]) & 1) !== 0) fields[5] = '-';
    return [...fields.slice(3, 9), fields[18]].join(' ');
  });
}
