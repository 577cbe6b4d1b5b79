/** The statistics page and the Prometheus exporter, served by data threads (page-browser.test.ts has a browser). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { type Program, startBalancer } from '../../helpers/balancers.js';
import { needs } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';
import { parseStats, startWebServer } from './runtime.js';

async function start(t: TestContext, program: Program, lines: string): Promise<string> {
  const [port, web] = [await freePort(), await startWebServer(t)];
  await startBalancer(
    t,
    program,
    `global
 nbthread 2
 maxconn 100
defaults
 mode http
 timeout connect 1s
 timeout client 5s
 timeout server 5s
 stats enable
 option socket-stats
frontend web
 bind 127.0.0.1:${port} name main
 ${lines}
 default_backend app
backend app
 server a 127.0.0.1:${web}
 server b 127.0.0.1:${web} backup
`,
    port,
  );
  return `http://127.0.0.1:${port}`;
}

async function stats(base: string): Promise<Map<string, Record<string, string>>> {
  return parseStats(await (await fetch(`${base}/haproxy?stats;csv`)).text());
}

test('with stats enable the page is at /haproxy?stats, as HTML, CSV and JSON', async (t) => {
  const base = await start(t, 'carpool', '');
  assert.equal(await (await fetch(`${base}/`)).text(), 'hello');
  const page = await fetch(`${base}/haproxy?stats`);
  const text = await page.text();
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(text, /<h2>app <small>http<\/small><\/h2>/);
  assert.match(text, /<tr class="kind-L"><th scope="row">main</);
  assert.doesNotMatch(text, /undefined|NaN/);
  assert.doesNotMatch(text, /<form method="post"|src=|@import|url\(/);
  assert.equal((await stats(base)).get('app/a')?.['stot'], '1');
  const json = JSON.parse(await (await fetch(`${base}/haproxy?stats;json`)).text());
  assert.equal(json[0][0].value.value, 'web');
  assert.equal((await stats(base)).get('web/FRONTEND')?.['intercepted'], '4');
  assert.equal((await fetch(`${base}/haproxy?stats`, { method: 'HEAD' })).status, 200);
});

test('stats auth asks for a user; stats refresh, uri and hide-version are heeded', async (t) => {
  const words = ['uri /s', 'auth joe:secret', 'realm Mine', 'refresh 7', 'hide-version'];
  const base = await start(t, 'carpool', words.map((word) => `stats ${word}`).join('\n '));
  const refused = await fetch(`${base}/s`);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="Mine"');
  const headers = { authorization: `Basic ${Buffer.from('joe:secret').toString('base64')}` };
  const page = await fetch(`${base}/s`, { headers });
  assert.equal(page.headers.get('refresh'), '7');
  assert.doesNotMatch(await page.text(), /<h1>carpool <small>/);
  assert.equal((await fetch(`${base}/s;norefresh`, { headers })).headers.get('refresh'), null);
  assert.equal((await fetch(`${base}/haproxy?stats`)).status, 200, 'goes to the server: the page is elsewhere');
});

test('where stats admin holds a form sets servers to maintenance; elsewhere it is refused', async (t) => {
  const order = (base: string) =>
    fetch(`${base}/haproxy?stats`, {
      method: 'POST',
      body: new URLSearchParams({ s: 'a', b: 'app', action: 'maint' }),
      redirect: 'manual',
    });
  const open = await start(t, 'carpool', 'stats admin if LOCALHOST');
  assert.equal((await order(open)).headers.get('location'), '/haproxy?stats;st=DONE');
  assert.equal((await stats(open)).get('app/a')?.['status'], 'MAINT');
  const closed = await start(t, 'carpool', '');
  assert.equal((await order(closed)).headers.get('location'), '/haproxy?stats;st=DENY');
  assert.equal((await stats(closed)).get('app/a')?.['status'], 'no check');
});

test('a form may come in chunks, one after the other', { skip: needs('haproxy') }, async (t) => {
  const form = ['s=a&', 'b=app&acti', 'on=maint'];
  for (const program of ['haproxy', 'carpool'] as const) {
    const base = await start(t, program, 'stats admin if LOCALHOST');
    let sent = 0;
    const body = new ReadableStream({
      async pull(controller) {
        const piece = form.at(sent++);
        if (piece === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(piece));
        await rest(50);
      },
    });
    const answer = await fetch(`${base}/haproxy?stats`, { method: 'POST', body, duplex: 'half', redirect: 'manual' });
    assert.equal(answer.headers.get('location'), '/haproxy?stats;st=DONE', program);
    assert.equal((await stats(base)).get('app/a')?.['status'], 'MAINT', program);
  }
});

const EXPORTER = 'http-request use-service prometheus-exporter if { path /metrics }';

test('the Prometheus exporter has HAProxy’s metrics, labels and types', { skip: needs('haproxy') }, async (t) => {
  const names = async (program: Program) => {
    const base = await start(t, program, EXPORTER);
    await (await fetch(`${base}/`)).text();
    const lines = (await (await fetch(`${base}/metrics`)).text()).trim().split('\n');
    const samples = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/ \S+$/, '').replace(/version="[^"]*"/, ''));
    return [...lines.filter((line) => line.startsWith('# TYPE')), ...samples].sort();
  };
  assert.deepEqual(await names('carpool'), await names('haproxy'));
});

test('the exporter’s scope parameter leaves the rest out', async (t) => {
  const base = await start(t, 'carpool', EXPORTER);
  const text = await (await fetch(`${base}/metrics?scope=server`)).text();
  assert.match(text, /^haproxy_server_status\{proxy="app",server="a",state="UP"\} 1$/m);
  assert.doesNotMatch(text, /haproxy_(frontend|backend|process)_/);
});

test('many who look at once neither fail nor keep clients waiting', async (t) => {
  const base = await start(t, 'carpool', '');
  let looking = true;
  const look = async () => {
    do assert.match(await (await fetch(`${base}/haproxy?stats`)).text(), /<\/html>|503/);
    while (looking);
  };
  const all = Promise.all(Array.from({ length: 60 }, look));
  assert.equal(await (await fetch(`${base}/`)).text(), 'hello', 'who wants something else does not wait for them');
  looking = false;
  await all;
});
