/** The statistics page and metrics of a node with vhids, and what a browser makes of the page. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openBrowser } from '../../helpers/browser.js';
import { needs } from '../../helpers/peers.js';
import { createHost, type Host, needsRoot } from '../host.js';
import { askRuntime } from './runtime.js';

const PAGE = 'http://127.0.0.1:8080/haproxy?stats';

type Node = Host & { readonly stats_socket: string };

async function start(t: TestContext): Promise<Node> {
  const host = createHost(t);
  const stats_socket = join(host.directory, 'stats');
  const file = host.file(
    'node.cfg',
    `global
 node lb1
 nbthread 1
 stats socket ${stats_socket} level admin
defaults
 mode http
 timeout connect 1s
 timeout client 5s
 timeout server 5s
 stats enable
 stats admin if LOCALHOST
carp web
 interface ctl0
 vhid 1
 pass s3cret
 address 10.10.0.1/16
 demote 7 unless { nbsrv(app) ge 3 }
frontend in
 bind 127.0.0.1:8080
 http-request use-service prometheus-exporter if { path /metrics }
 default_backend app
backend app
 server with-a-rather-long-name-1 10.10.0.5:8081 check
 server b 10.10.0.5:8082 backup
backend archive
 server old 10.10.0.5:8083 disabled
`,
  );
  const daemon = host.start('run', '-f', file);
  await daemon.sees(/carp web: BACKUP -> MASTER/);
  return { ...host, stats_socket };
}

test('the page shows vhids with their addresses; metrics and show carp tell the same', {
  skip: needsRoot,
}, async (t) => {
  const { get, stats_socket } = await start(t);
  const page = await get(PAGE);
  assert.match(page, /<h3>web <span class="badge">MASTER<\/span>/);
  assert.match(page, /<p class="addresses">10\.10\.0\.1\/16<\/p>/);
  assert.match(page, /vhid 1 on ctl0; demoted by 7</);
  const metrics = await get('http://127.0.0.1:8080/metrics?scope=carp');
  const labels = 'name="web",vhid="1",interface="ctl0"';
  const value = (name: string, more = '') =>
    new RegExp(`^carpool_carp_${name}\\{${labels}${more}\\} (\\d+)$`, 'm').exec(metrics)?.[1];
  assert.equal(value('state', ',state="MASTER"'), '1');
  assert.equal(value('state', ',state="BACKUP"'), '0');
  assert.equal(value('demotion'), '7');
  assert.equal(value('advertised_advskew'), '7');
  assert.ok(Number(value('adverts_sent_total')) > 0);
  assert.equal(value('adverts_received_total'), '0');
  assert.equal(value('troubles'), '0');
  assert.doesNotMatch(metrics, /haproxy_/);
  const types = metrics.match(/^# TYPE \S+ \S+$/gm)?.map((line) => line.slice(7));
  assert.equal(new Set(types).size, 6);
  const [carp, version, ...rest] = (await askRuntime(stats_socket, 'show carp;show version')).split('\n\n');
  assert.match(carp!, /^1 +web +ctl0 +MASTER .* 10\.10\.0\.1\/16\n +why: .*\n +demoted by 7 .*$/m);
  assert.match(version!, /^\d+\.\d+/);
  assert.deepEqual(rest, [''], 'no answer has an empty line in it');
  assert.equal(JSON.parse(await askRuntime(stats_socket, 'show carp json'))[0].demotion, 7);
});

test('a browser shows the page, also on a phone, and orders what is chosen in it', {
  skip: needsRoot || needs('chromium'),
}, async (t) => {
  const { inside, stats_socket } = await start(t);
  const tab = await openBrowser(t, inside);
  await tab.resize(390, 844);
  await tab.open(PAGE);
  const titles = () =>
    tab.evaluate<string[]>('[...document.querySelectorAll("h2")].map((each) => each.firstChild.data.trim())');
  assert.deepEqual(await titles(), ['Addresses', 'in', 'app', 'archive']);
  assert.equal(await tab.evaluate('document.documentElement.scrollWidth'), 390, 'nothing sticks out');
  assert.equal(await tab.evaluate('getComputedStyle(document.querySelector("tbody tr")).display'), 'grid');
  await tab.resize(1280, 900);
  assert.equal(await tab.evaluate('getComputedStyle(document.querySelector("tbody tr")).display'), 'table-row');

  await tab.evaluate('document.querySelector("[name=scope]").value = "arch"');
  await tab.follow('document.querySelector("[role=search] button").click()');
  assert.deepEqual(await titles(), ['Addresses', 'archive']);
  await tab.follow('document.querySelector("[role=search] a").click()');
  assert.deepEqual(await titles(), ['Addresses', 'in', 'app', 'archive']);

  await tab.evaluate('document.querySelector("#app [value=b]").checked = true');
  await tab.evaluate('document.querySelector("#app select").value = "drain"');
  await tab.follow('document.querySelector("#app .actions button").click()');
  assert.equal(await tab.evaluate('document.querySelector("[role=status]").textContent'), 'Done.');
  assert.match(await askRuntime(stats_socket, 'show stat'), /^app,b,.*,DRAIN,/m);

  const foreign = `<form method=post action="${PAGE}"><input name=s value=b><input name=b value=app><input name=action value=maint></form>`;
  await tab.open(`data:text/html,${encodeURIComponent(foreign)}`);
  await tab.follow('document.forms[0].submit()');
  assert.match(
    await tab.evaluate('document.querySelector("[role=status]").textContent'),
    /did not come from this page/,
  );
  assert.match(await askRuntime(stats_socket, 'show stat'), /^app,b,.*,DRAIN,/m);
});
