/** What `hold` says, with dnsmasq as nameserver: how long a server stays that has no good answer any more, in HAProxy and in carpool. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { askRuntime, parseStats } from '../control/stats/runtime.js';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { type Dnsmasq, startDnsmasq } from '../helpers/dnsmasq.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const HOLD_MS = 3_000;
/** The last good answer was as long before the first bad one, on a busy machine. */
const SLACK_MS = 2_000;

type Case = {
  readonly hold: string;
  /** The counter of `show resolvers` that tells that it has begun. */
  readonly counted: string;
  readonly words: readonly string[];
  readonly fail: (names: Dnsmasq) => void;
  readonly logged: string;
};

const forget = (names: Dnsmasq) => names.setHosts([]);
const CASES: readonly Case[] = [
  { hold: 'nx', counted: 'nx', words: ['--local=/lan/'], fail: forget, logged: 'DNS NX status' },
  { hold: 'refused', counted: 'refused', words: [], fail: forget, logged: 'DNS refused status' },
  {
    hold: 'other',
    counted: 'any_err',
    words: ['--local=/lan/', '--txt-record=app.lan,there'],
    fail: forget,
    logged: 'unspecified DNS error',
  },
  {
    hold: 'timeout',
    counted: 'sent', // HAProxy does not count time-outs of the last try
    words: [],
    fail: (names) => names.signal('SIGSTOP'),
    logged: 'DNS timeout status',
  },
];

for (const one of CASES) {
  test(`hold ${one.hold}: a server stays that long, goes into maintenance, and comes back with its name`, {
    skip: needs('dnsmasq') || needs('haproxy'),
  }, async (t) => {
    const [theirs, ours] = await Promise.all((['haproxy', 'carpool'] as const).map((program) => play(t, program, one)));
    assert.deepEqual(ours, theirs);
    assert.deepEqual(ours, { gone: 'MAINT (resolution)', logged: one.logged });
  });
}

async function play(t: TestContext, program: Program, { hold, counted, words, fail }: Case) {
  const names = await startDnsmasq(t, ...words);
  names.setHosts(['127.0.0.2 app.lan']);
  const port = await freePort();
  const socket = `/tmp/carpool-hold-${port}.sock`;
  t.after(() => rmSync(socket, { force: true }));
  const others = ['nx', 'refused', 'other', 'timeout'].filter((status) => status !== hold);
  const { log } = await startBalancer(
    t,
    program,
    `global
    stats socket ${socket}
    log stderr format raw local0
resolvers lan
    nameserver dns1 127.0.0.1:${names.port}
    resolve_retries 2
    timeout resolve 100ms
    timeout retry 100ms
    hold ${hold} ${HOLD_MS}ms
${others.map((status) => `    hold ${status} 60s\n`).join('')}defaults
    mode tcp
    log global
    timeout connect 1s
    timeout client 5s
    timeout server 5s
listen web
    bind 127.0.0.1:${port}
    server a app.lan:80 resolvers lan resolve-prefer ipv4 init-addr none
`,
    port,
  );
  const status = async () => parseStats(await askRuntime(socket, 'show stat')).get('web/a')?.['status'] ?? '';
  const failures = async () =>
    Number(new RegExp(`${counted}: +(\\d+)`).exec(await askRuntime(socket, 'show resolvers lan'))?.[1]);
  await until(`${program}: the name is known`, async () => !(await status()).startsWith('MAINT'));
  const before = await failures();
  const begin_ms = performance.now();
  fail(names);
  await until(`${program}: it is not known any more`, async () => (await failures()) > before);
  await until(`${program}: the server is gone`, async () => (await status()).startsWith('MAINT'));
  const stayed_ms = performance.now() - begin_ms;
  assert.ok(stayed_ms > HOLD_MS - SLACK_MS, `${program} gave the server up after ${stayed_ms} ms`);
  const gone = await status();
  names.signal('SIGCONT');
  names.setHosts(['127.0.0.2 app.lan']);
  await until(`${program}: the server is back`, async () => !(await status()).startsWith('MAINT'));
  return { gone, logged: /Server web\/a is going DOWN for maintenance \((.*?)\)/.exec(log())?.[1] };
}

test('hold obsolete: an address that is told no more keeps its server that long', {
  skip: needs('dnsmasq'),
}, async (t) => {
  const names = await startDnsmasq(t);
  names.setHosts(['127.0.0.2 app.lan', '127.0.0.3 app.lan']);
  const port = await freePort();
  const { log } = await startBalancer(
    t,
    'carpool',
    `resolvers lan
    nameserver dns1 127.0.0.1:${names.port}
    timeout resolve 100ms
    hold obsolete ${HOLD_MS}ms
listen web
    mode tcp
    bind 127.0.0.1:${port}
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    server-template s 2 app.lan:80 resolvers lan resolve-prefer ipv4 init-addr none
`,
    port,
  );
  const moves = () => [...log().matchAll(/web\/s\d changed its IP from \S+ to (\S+) by/g)].map(([, to]) => to);
  await until('both addresses have a server', () => moves().length === 2);
  const begin_ms = performance.now();
  names.setHosts(['127.0.0.2 app.lan', '127.0.0.4 app.lan']);
  await until('the free server has the new address', () => moves().includes('127.0.0.4'));
  assert.ok(performance.now() - begin_ms > HOLD_MS - SLACK_MS, 'not before the old one is obsolete');
});
