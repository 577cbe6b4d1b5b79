/** `track` with a real Apache on the same host, as in the second document: stopped, started, and not ours in between. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHost, type Host, needsRoot } from '../control/host.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';
import { stopProgram } from './smuggling/servers.js';

const skip = needs('apache') || needsRoot;
const MODULES = '/usr/lib/apache2/modules';
const PORT = 80;

function startApache(host: Host): ChildProcess {
  const folder = join(host.directory, 'apache');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), 'it works\n');
  const modules = ['mpm_event', 'authz_core', 'dir'];
  writeFileSync(
    join(folder, 'apache.conf'),
    `ServerRoot ${folder}
     ServerName localhost
     ${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
     Listen ${PORT}
     DirectoryIndex index.html
     StartServers 1
     ServerLimit 1
     ThreadsPerChild 4
     MaxRequestWorkers 4
     DefaultRuntimeDir ${folder}
     PidFile ${folder}/apache.pid
     DocumentRoot ${folder}
     ErrorLog ${folder}/apache.error\n`,
  );
  return host.inside(() => spawn(peerPath('apache'), ['-X', '-f', join(folder, 'apache.conf')], { stdio: 'ignore' }));
}

test('a vhid is demoted while the Apache beside it is down, from the start on', {
  skip,
}, async (t) => {
  const host = createHost(t);
  let apache: ChildProcess | undefined;
  t.after(() => apache && stopProgram(apache, 'SIGKILL'));
  const daemon = host.start(
    ...['ucarp', '-i', 'ctl0', '-s', '10.10.0.5', '-v', '1', '-p', 's3cret', '-a', '10.10.0.10', '-r', '1'],
    ...['-f', 'none', '--track', `http://127.0.0.1:${PORT}/`],
  );
  await daemon.sees(/MASTER/);
  const vhid = () => JSON.parse(host.run('status', '--json').stdout).vhids[0];
  const owner = `track http://127.0.0.1:${PORT}/`;
  assert.deepEqual(vhid().demotions, [{ owner, amount: 240, reason: `http://127.0.0.1:${PORT}/ fails its checks` }]);
  assert.equal(vhid().advertised_advskew, 240);

  apache = startApache(host);
  await until(daemon, /no longer demoted on \S+ .*\(track http:/);
  assert.deepEqual(vhid().demotions, []);
  assert.match(host.run('status').stdout, /tracks http:\/\/127\.0\.0\.1:80\/\/service +127\.0\.0\.1:80 +up /);
  const { status, stdout, stderr } = host.run('set', 'server', 'x/y', 'state', 'maint');
  assert.deepEqual([status, stdout, stderr], [1, '', 'carpool: No such backend.\n'], 'an order that cannot be done');

  await stopProgram(apache, 'SIGTERM');
  await until(daemon, /server .*tracks .* is down: connection refused/);
  await until(daemon, /no longer demoted[\s\S]*demoted by 240 on .*fails its checks \(track http:/);
});

test('a tracked URL is asked for with its host, as name-based virtual hosts want it', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const heard = new Promise<string>((resolve) => {
    const server = host.inside(() =>
      createServer((socket) => {
        socket.on('error', () => {}).once('data', (bytes) => resolve(String(bytes)));
        socket.once('data', () => socket.end('HTTP/1.1 204 Fine\r\n\r\n'));
      }).listen(8123),
    );
    t.after(() => server.close());
  });
  const words = ['ucarp', '-s', '10.10.0.5', '-v', '1', '-p', 's3cret', '-a', '10.10.0.10', '-f', 'none'];
  const daemon = host.start(...words, '--track', 'http://localhost:8123/health?deep=1');
  assert.equal(await heard, 'GET /health?deep=1 HTTP/1.1\r\nhost: localhost:8123\r\nconnection: close\r\n\r\n');
  await until(daemon, /Switching to state: BACKUP/);
  assert.doesNotMatch(daemon.output() + daemon.log(), /is down/);
});

/** ucarp's place has its information on stdout and its warnings on stderr. */
async function until(daemon: ReturnType<Host['start']>, pattern: RegExp): Promise<void> {
  for (const end_ms = performance.now() + PATIENCE_MS; !pattern.test(daemon.output() + daemon.log()); ) {
    assert.ok(performance.now() < end_ms, `no ${pattern} in:\n${daemon.output()}${daemon.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
