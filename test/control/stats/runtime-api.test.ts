/** The runtime API beside HAProxy's: the same questions to both, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { canConnect, type Program, startBalancer, until } from '../../helpers/balancers.js';
import { needs } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';
import { offences } from './json-schema.js';
import { askRuntime, parseStats, startWebServer } from './runtime.js';

type Rig = {
  readonly program: Program;
  readonly port: number;
  readonly other_port: number;
  readonly tcp_port: number;
  readonly admin: string;
  readonly user: string;
  readonly operator: string;
};

async function start(t: TestContext, program: Program): Promise<Rig> {
  const directory = mkdtempSync('/tmp/carpool-runtime-');
  t.after(() => rmSync(directory, { recursive: true }));
  const [admin, user, operator] = ['admin', 'user', 'operator'].map((level) => join(directory, level));
  const [port, tcp_port, dead, agent] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const other_port = await freePort();
  const web = await startWebServer(t);
  await startBalancer(
    t,
    program,
    `global
 nbthread 2
 maxconn 100
 stats socket ${admin} level admin
 stats socket ${user} level user
 stats socket ${operator} level operator
defaults
 mode http
 timeout connect 60s
 timeout client 60s
 timeout server 60s
frontend web
 option socket-stats
 bind 127.0.0.1:${port}
 bind 127.0.0.1:${other_port} name other maxconn 10
 default_backend app
backend app
 cookie SRV insert
 server a 127.0.0.1:${web} check inter 60s fastinter 60s cookie aa maxconn 20
 server b 127.0.0.1:${dead} check inter 100 rise 1 fall 1 agent-check agent-port ${agent}
 server c 127.0.0.1:${web} backup weight 5 disabled
listen db
 mode tcp
 bind 127.0.0.1:${tcp_port}
 server one 127.0.0.1:${web}
`,
    port,
  );
  const rig = { program, port, other_port, tcp_port, admin: admin!, user: user!, operator: operator! };
  await until('a is up and b is down', async () => {
    const csv = await askRuntime(rig.admin, 'show stat').catch(() => '');
    const rows = parseStats(csv);
    const front = rows.get('web/FRONTEND');
    // and the connection that found it listening is counted, and has ended
    const [a, b] = [rows.get('app/a'), rows.get('app/b')];
    const checked = b?.['status'] === 'DOWN' && b['agent_duration'] !== '' && a?.['check_status'] === 'L4OK';
    return checked && front?.['stot'] !== '0' && front?.['scur'] === '0';
  });
  await askRuntime(rig.admin, 'clear counters all');
  return rig;
}

function stat(csv: string, name: string): Record<string, string> {
  const row = parseStats(csv).get(name);
  assert.ok(row, `${name} in ${csv}`);
  return row;
}

async function get(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  await response.text();
  return response.status;
}

/** Without the values: field numbers, names, tags, types. */
function typedFields(answer: string): string[] {
  return answer.split('\n').map((line) => line.replace(/^((?:[FBSL]\.\d+\.\d+\.)?\d+\.[^:]+:\w+:\w+):.*$/, '$1'));
}

test('show stat and show info have HAProxy’s fields, in its order, of its types', {
  skip: needs('haproxy'),
}, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const rig of [ours, theirs]) for (const path of ['/', '/404', '/503']) await get(rig.port, path);
  const both = (line: string) => Promise.all([ours, theirs].map(({ admin }) => askRuntime(admin, line)));
  const [our_csv, their_csv] = await both('show stat');
  assert.equal(our_csv!.split('\n')[0], their_csv!.split('\n')[0]);
  assert.deepEqual([...parseStats(our_csv!).keys()], [...parseStats(their_csv!).keys()]);
  const [our_rows, their_rows] = await both('show stat typed');
  sameLines(typedFields(our_rows!), typedFields(their_rows!));
  const [our_info, their_info] = await both('show info typed');
  sameLines(typedFields(our_info!), typedFields(their_info!));
  const [our_json, their_json] = await both('show stat json');
  const shape = (text: string) =>
    JSON.parse(text).map((row: { value: unknown }[]) => row.map((field) => ({ ...field, value: undefined })));
  assert.deepEqual(shape(our_json!), shape(their_json!));
});

/** Says only what is too much and what is missing. */
function sameLines(ours: readonly string[], theirs: readonly string[]): void {
  const without = (a: readonly string[], b: readonly string[]) => a.filter((line) => !b.includes(line));
  assert.deepEqual({ more: without(ours, theirs), missing: without(theirs, ours) }, { more: [], missing: [] });
  assert.deepEqual(ours, theirs, 'in the same order');
}

/** What must be equal in both after the same traffic. */
const COUNTED =
  'scur slim stot dreq dresp ereq econ eresp wretr wredis status weight act bck qlimit iid sid lbtot type check_status ' +
  'hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other req_tot cli_abrt srv_abrt mode algo conn_tot connect reuse ' +
  'check_rise check_fall check_health agent_health cookie uweight';

test('the same traffic moves the same counters as in HAProxy', { skip: needs('haproxy') }, async (t) => {
  const rigs = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const rig of rigs) {
    for (const path of ['/', '/', '/404', '/503', '/302'])
      await fetch(`http://127.0.0.1:${rig.port}${path}`, { redirect: 'manual', headers: { connection: 'close' } }).then(
        (r) => r.text(),
      );
    await sendGarbage(rig.port);
  }
  const [ours, theirs] = await Promise.all(
    rigs.map(async ({ admin }) => {
      await until(
        'nobody is left',
        async () => stat(await askRuntime(admin, 'show stat'), 'web/FRONTEND')['scur'] === '0',
      );
      return parseStats(await askRuntime(admin, 'show stat'));
    }),
  );
  for (const [name, row] of theirs!) {
    const pick = (from: Record<string, string>) =>
      Object.fromEntries(COUNTED.split(' ').map((field) => [field, from[field]]));
    // HAProxy marks a check that is under way just then: `* L4OK`
    const check_status = name.startsWith('app/b') ? 'L4CON' : row['check_status']!.replace(/^\* /, '');
    const of_sockets = { ...pick(row), check_status };
    assert.deepEqual(pick(ours!.get(name)!), of_sockets, name);
  }
});

function sendGarbage(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('garbage\r\n\r\n'));
    socket.resume().on('close', () => resolve());
  });
}

const SENTENCES = [
  'get weight app/a',
  'get weight app/zz',
  'get weight zz/a',
  'get weight app',
  'set weight app/a 700',
  'set weight app/a 50%',
  'set server app/a',
  'set server app/a foo bar',
  'set server app/a state foo',
  'set server app/a agent up',
  'set server app/a addr nowhere',
  'set server app/a addr 127.0.0.9 port 33',
  'set maxconn frontend zz 50',
  'set maxconn global 50000000',
  'shutdown session 0x1',
  'disable server x/y',
  'enable agent app/a',
  'disable frontend zz',
  'enable frontend web',
  'show servers state zz',
  'show backend',
  'show cli level',
  'clear counters',
  'set maxconn frontend',
  'set maxconn frontend web',
  'set maxconn server app/a',
  'set maxconn server app/a x',
  'set timeout',
  'set timeout cli',
  'set timeout cli x',
  'set timeout foo 3',
  'set severity-output',
  'set severity-output none',
  'set server',
  'set server app/a weight',
  'set server app/a weight x',
  'set server app/a weight -1',
  'set server app/a state',
  'set server app/a health foo',
  'set server app/a fqdn x',
  'set server app/a ssl on',
  'set server app/a check-port x',
  'set server app/a check-port 99999',
  'set server app/a check-addr x',
  'set server app/c check-port 8',
  'set server app/a agent-port 8',
  'set server app/b agent-addr x',
  'set server app/a addr',
  'set server app/a addr 127.0.0.9',
  'set server app/a addr 127.0.0.9 port',
  'set server app/a addr 127.0.0.9 port x',
  'set server app/a addr 127.0.0.9 port +1',
  'set server app/a addr 127.0.0.9 port -1',
  'set server app/a addr 127.0.0.9 foo 3',
  'expert-mode',
  'expert-mode on;expert-mode',
  'experimental-mode',
  'show map',
  'show peers',
  'show cache',
  'show ssl cert',
  'show table',
  'show table zz',
  'show resolvers zz',
  'show env carpool_has_no_such_variable',
];

test('answers and complaints are HAProxy’s to the letter', { skip: needs('haproxy') }, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const line of SENTENCES) {
    const port = /'\d{4,5}'/g; // each has servers of its own
    const [our, their] = await Promise.all([ours, theirs].map(({ admin }) => askRuntime(admin, line)));
    assert.equal(our!.replace(port, 'PORT'), their!.replace(port, 'PORT'), line);
  }
  const head = async ({ admin }: Rig) => (await askRuntime(admin, 'show servers state')).split('\n').slice(0, 2);
  assert.deepEqual(await head(ours), await head(theirs));
  for (const line of LEVELLED) {
    for (const level of ['user', 'operator'] as const) {
      const [our, their] = await Promise.all([ours, theirs].map((rig) => askRuntime(rig[level], line)));
      assert.equal(our === 'Permission denied\n\n', their === 'Permission denied\n\n', `${level}: ${line}`);
    }
  }
});

/** Asked by users and operators: who may not must be told so. */
const LEVELLED = [
  'show info',
  'show activity',
  'show env',
  'show errors',
  'show sess',
  'show cache',
  'show cli sockets',
  'show startup-logs',
  'show profiling',
  'show libs',
  'clear counters',
  'clear counters all',
  'set weight app/a 1',
  'disable server app/a',
  'enable frontend web',
  'set maxconn server app/a 3',
  'set timeout cli 5',
  'get var x',
  'expert-mode',
  'add server a/b',
  'operator',
  'user',
];

/** `usage` without what is in brackets: the words to type. */
function wordsOf(usage: string): string {
  return usage.replace(/ *[[<{(@].*$/, '').trim();
}

test('every command that HAProxy’s help lists is there, or answered by the reason why not', {
  skip: needs('haproxy'),
}, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  const usages = (await askRuntime(theirs.admin, 'help')).split('\n').flatMap((line) => {
    const [, usage] = /^ {2}(\S.{37,}?) *: /.exec(line) ?? [];
    return usage === undefined ? [] : [wordsOf(usage)];
  });
  assert.ok(usages.length > 80);
  for (const words of usages) {
    const answer = await askRuntime(ours.admin, `help ${words}`);
    assert.match(answer, new RegExp(`^ {2}${words}\\b`, 'm'), words);
  }
});

test('show info and show stat say what their fields mean, and keep fractions where they are asked to', async (t) => {
  const { admin } = await start(t, 'carpool');
  const nameless = (text: string) => text.split('\n').filter((line) => line !== '' && !/:"[^"]+"$/.test(line));
  assert.deepEqual(nameless(await askRuntime(admin, 'show info desc')), []);
  assert.deepEqual(nameless(await askRuntime(admin, 'show info typed desc')), []);
  assert.deepEqual(nameless(await askRuntime(admin, 'show stat typed desc')), []);
  assert.match(await askRuntime(admin, 'show info float'), /^Uptime_sec: \d+\.\d{3,6}$/m);
  assert.match(await askRuntime(admin, 'show info'), /^Uptime_sec: \d+$/m);
});

test('what show info json and show stat json say agrees with show schema json', async (t) => {
  const { admin } = await start(t, 'carpool');
  const ask = async (line: string) => JSON.parse(await askRuntime(admin, line));
  const schema = await ask('show schema json');
  for (const line of ['show info json', 'show info json float', 'show stat json'])
    assert.deepEqual(offences(await ask(line), schema), [], line);
  assert.notDeepEqual(offences([{ field: 1 }], schema), []);
});

test('a frontend that is shut down frees its ports, and the others go on', { skip: needs('haproxy') }, async (t) => {
  const rigs = [await start(t, 'carpool'), await start(t, 'haproxy')];
  const said = await Promise.all(
    rigs.map(async ({ admin, port, tcp_port }) => {
      const client = connect(tcp_port, '127.0.0.1').setEncoding('utf8');
      t.after(() => client.destroy());
      await once(client, 'connect');
      await askRuntime(admin, 'set maxconn frontend web 7');
      await until(
        'it is served',
        async () => stat(await askRuntime(admin, 'show stat'), 'db/FRONTEND')['scur'] === '1',
      );
      const answers = [];
      for (const line of ['', ' zz', ' db', ' db']) answers.push(await askRuntime(admin, `shutdown frontend${line}`));
      for (const word of ['enable', 'disable']) answers.push(await askRuntime(admin, `${word} frontend db`));
      await until('nobody listens', async () => !(await canConnect(tcp_port)));
      const rows = parseStats(await askRuntime(admin, 'show stat'));
      client.write('GET / HTTP/1.0\r\n\r\n');
      const [text] = await once(client, 'data');
      assert.match(text, /^HTTP\/1\.1 200/, 'who was served is served to the end');
      assert.equal(await get(port, '/'), 200);
      return [...answers, rows.get('db/FRONTEND')!['status'], rows.get('web/FRONTEND')!['slim']];
    }),
  );
  assert.deepEqual(said[0], said[1]);
  assert.deepEqual(said[0]!.slice(-2), ['STOP', '7']);
});

test('with option socket-stats each listener has a row, and filters know it', { skip: needs('haproxy') }, async (t) => {
  const rigs = [await start(t, 'carpool'), await start(t, 'haproxy')];
  const told = await Promise.all(
    rigs.map(async ({ admin, port, other_port }) => {
      for (const each of [port, port, other_port]) await get(each, '/');
      await until(
        'all have gone',
        async () => stat(await askRuntime(admin, 'show stat'), 'web/FRONTEND')['scur'] === '0',
      );
      const client = connect(other_port, '127.0.0.1');
      t.after(() => client.destroy());
      await until(
        'it is accepted',
        async () => stat(await askRuntime(admin, 'show stat'), 'web/other')['scur'] === '1',
      );
      const rows = parseStats(await askRuntime(admin, 'show stat web 8 -1'));
      const [first, other] = [rows.get('web/sock-1')!, rows.get('web/other')!];
      assert.deepEqual([first['addr'], other['addr']], [`127.0.0.1:${port}`, `127.0.0.1:${other_port}`]);
      assert.ok(Number(other['bin']) > 0 && Number(first['bin']) > Number(other['bin']));
      const fields = 'scur slim stot ereq status sid type mode'.split(' ');
      return [...rows.keys(), ...[first, other].map((row) => fields.map((field) => row[field]).join(' '))];
    }),
  );
  assert.deepEqual(told[0], told[1]);
  assert.deepEqual(told[0], ['web/sock-1', 'web/other', '0 0 2 0 OPEN 1 3 http', '1 10 2 0 OPEN 2 3 http']);
});

test('servers change by commands: maintenance, drain, weight, address, health', async (t) => {
  const { admin, port } = await start(t, 'carpool');
  const say = async (line: string, expected = '\n') => assert.equal(await askRuntime(admin, line), expected, line);
  const status = async (name: string) => stat(await askRuntime(admin, 'show stat'), name)['status'];
  assert.equal(await get(port, '/'), 200);
  await say('set server app/a state maint');
  assert.equal(await status('app/a'), 'MAINT');
  assert.equal(await status('app/BACKEND'), 'DOWN');
  assert.equal(await get(port, '/'), 503);
  await say('set server app/a state drain');
  assert.match(String(await status('app/a')), /^DRAIN( 1\/3)?$/);
  await say('enable server app/c', '\n');
  assert.equal(await get(port, '/'), 200);
  assert.equal(stat(await askRuntime(admin, 'show stat'), 'app/c')['stot'], '1');
  await say('set server app/a state ready');
  await say('set weight app/a 0');
  await say('get weight app/a', '0 (initial 1)\n\n');
  await say('set weight app/a 100%');
  await say('disable health app/b');
  await say('set server app/b health up');
  assert.match(String(await status('app/b')), /^no check$/);
  await say('enable health app/b');
  await until('b is down again', async () => (await status('app/b')) === 'DOWN');
  await say('disable frontend web');
  assert.equal(stat(await askRuntime(admin, 'show stat'), 'web/FRONTEND')['status'], 'STOP');
  await say('enable frontend web');
  assert.equal(await get(port, '/'), 200);
});

test('sessions are listed in the columns of HAProxy', { skip: needs('haproxy') }, async (t) => {
  const columns = async (program: Program) => {
    const { admin, tcp_port } = await start(t, program);
    const client = connect(tcp_port, '127.0.0.1');
    t.after(() => client.destroy());
    let line = '';
    await until(`${program} has connected it`, async () => {
      const lines = (await askRuntime(admin, 'show sess')).split('\n');
      line = lines.find((each) => / fe=db be=db srv=one /.test(each) && / scb=\[8,\w+,fd=\d+\]/.test(each)) ?? '';
      return line !== '';
    });
    return [...line.matchAll(/[\w.]+(?=[=[])/g)].map(([name]) => name);
  };
  const [theirs, ours] = await Promise.all([columns('haproxy'), columns('carpool')]);
  assert.deepEqual(ours, [...theirs, 'state']);
});

test('rates of the process are set as in HAProxy, hold at once, and go on from zero', {
  skip: needs('haproxy'),
}, async (t) => {
  const refused = ['connections global -1', 'connections global', 'sessions web 5', 'other global 1'];
  const answers = async ({ admin }: Rig) => {
    const said: string[] = [];
    for (const order of [...refused, 'connections global 7', 'sessions global 9'])
      said.push((await askRuntime(admin, `set rate-limit ${order}`)).replace(/^ +- '(ssl|http).*\n/gm, ''));
    said.push(...((await askRuntime(admin, 'show info')).match(/^(Conn|Sess)RateLimit: .*$/gm) ?? []));
    return said;
  };
  const [theirs, ours] = await Promise.all([start(t, 'haproxy'), start(t, 'carpool')]);
  assert.deepEqual(await answers(ours), await answers(theirs));
  assert.equal(await askRuntime(ours.admin, 'set rate-limit connections global x1'), 'Expects an integer value.\n\n');
  await askRuntime(ours.admin, 'set rate-limit connections global 2; set rate-limit sessions global 0');
  const began_ms = performance.now();
  await Promise.all(Array.from({ length: 5 }, () => get(ours.port, '/')));
  assert.ok(performance.now() - began_ms >= 900, 'five clients at two in a second');
  await askRuntime(ours.admin, 'set rate-limit connections global 0');
  await Promise.all(Array.from({ length: 50 }, () => get(ours.port, '/')));
  assert.match(await askRuntime(ours.admin, 'show info'), /^ConnRateLimit: 0$/m);
});

test('sessions are listed and ended, and counters are cleared', async (t) => {
  const { admin, port } = await start(t, 'carpool');
  const client = connect(port, '127.0.0.1');
  t.after(() => client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => client.once('data', resolve));
  const [, id] = /^(0x\w+): proto=tcpv4 src=127\.0\.0\.1:\d+ fe=web /.exec(await askRuntime(admin, 'show sess')) ?? [];
  assert.ok(id);
  assert.match(await askRuntime(admin, `show sess ${id}`), /requests=1/);
  const closed = new Promise((resolve) => client.once('close', resolve));
  assert.equal(await askRuntime(admin, `shutdown session ${id}`), '\n');
  await closed;
  assert.equal(await askRuntime(admin, `shutdown session ${id}`), "No such session (use 'show sess').\n\n");
  assert.equal(stat(await askRuntime(admin, 'show stat'), 'web/FRONTEND')['smax'], '1');
  await askRuntime(admin, 'clear counters all');
  const row = stat(await askRuntime(admin, 'show stat'), 'web/FRONTEND');
  assert.deepEqual([row['stot'], row['smax'], row['hrsp_2xx'], row['bin']], ['0', '0', '0', '0']);
});

test('commands follow each other: with semicolons, and interactively after prompt', async (t) => {
  const { admin } = await start(t, 'carpool');
  assert.equal(await askRuntime(admin, 'show version; show backend'), `${await version(admin)}# name\napp\ndb\n\n`);
  assert.equal(await askRuntime(admin, 'prompt\nshow version\nquit'), `\n> ${(await version(admin)).trimEnd()}\n\n> `);
  const weight = '1 (initial 1)\n\n';
  assert.equal(
    await askRuntime(admin, 'get weight app/a\nget weight app/a'),
    weight + weight,
    'lines that come at once',
  );
  const asked = await askRuntime(admin, 'prompt;get weight app/a;get weight app/a\nquit');
  assert.equal(asked, `\n> ${weight}> ${weight}> `);
  assert.equal(
    await askRuntime(admin, '@9 get weight app/a'),
    "Can't find the target PID matching the prefix '@9'\n\n",
  );
  const payload = 'get weight app/a <<\nfirst\nsecond\n\n';
  assert.equal(await askRuntime(admin, `${payload}get weight app/a`), weight + weight, 'text behind << is no command');
  assert.equal(await askRuntime(admin, `prompt\n${payload}quit`), `\n> + + + ${weight}> `);
  assert.equal(await askRuntime(admin, 'show carp'), 'There are no vhids.\n\n');
  assert.match(await askRuntime(admin, 'help'), /^The following commands are valid at this level:\n/);
  assert.match(await askRuntime(admin, '@1 show version'), /^\d+\.\d+\.\d+/);
});

async function version(path: string): Promise<string> {
  return askRuntime(path, 'show version');
}

test('two threads that count at the same time lose nothing', async (t) => {
  const { admin, port } = await start(t, 'carpool');
  const REQUESTS = 400;
  const answers = await Promise.all(Array.from({ length: REQUESTS }, () => get(port, '/')));
  assert.ok(answers.every((status) => status === 200));
  const rows = parseStats(await askRuntime(admin, 'show stat'));
  const frontend = rows.get('web/FRONTEND')!;
  assert.deepEqual([frontend['conn_tot'], frontend['req_tot'], frontend['hrsp_2xx']], ['400', '400', '400']);
  assert.equal(rows.get('app/a')!['hrsp_2xx'], '400');
  assert.equal(rows.get('app/BACKEND')!['lbtot'], '400');
});
