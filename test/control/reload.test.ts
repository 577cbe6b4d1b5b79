/** Another configuration without a break: nobody notices, what is refused changes nothing, old ones say what they wait for. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHost, type Host, needsRoot } from './host.js';
import { steadyClient } from './steady.js';

/** A connection of this host, as a process with the socket behind its standard input and output. */
const PIPE =
  "const s=require('net').connect(+process.argv[2],process.argv[1]);process.stdin.pipe(s);s.pipe(process.stdout);s.on('error',()=>{});s.on('close',()=>process.exit())";

function connectFrom(host: Host, port: number) {
  const words = ['-e', PIPE, '10.10.0.5', String(port)];
  const child = host.inside(() => spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] }));
  return {
    /** What the answer's body is. */
    async ask(): Promise<string | undefined> {
      child.stdin.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      for (let text = ''; ; ) {
        text += String((await once(child.stdout, 'data'))[0]);
        if (text.endsWith('\r\n0\r\n\r\n')) return /(one|two|three)/.exec(text)?.[1];
      }
    },
    closed: once(child, 'close'),
    close: () => child.stdin.end(),
  };
}

const CONFIG = (more = '', global = '') => `global
    nbthread 2
${global}
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend www
    bind 10.10.0.5:8080
    default_backend servers
backend servers
    server a 10.10.0.5:9001
    server b 10.10.0.5:9002
${more}`;

async function balancer(t: Parameters<typeof createHost>[0], config = CONFIG()) {
  const host = createHost(t);
  await Promise.all([host.serve(9001, 'one').listening, host.serve(9002, 'two').listening]);
  const file = host.file('a.cfg', config);
  const daemon = host.start('-f', file);
  await daemon.sees(/ ready$/m);
  return { host, daemon, file };
}

test('no request fails during reloads, on connections that are kept and on new ones', {
  skip: needsRoot,
}, async (t) => {
  const { host, daemon, file } = await balancer(t);
  const client = await steadyClient(host, 8, 4);
  for (let number = 2; number <= 6; number++) {
    writeFileSync(file, CONFIG(`    # change ${number}\n`));
    daemon.process.kill(number % 2 === 0 ? 'SIGHUP' : 'SIGUSR2');
    await daemon.sees(new RegExp(`configuration ${number} holds`));
    await daemon.sees(new RegExp(`configuration ${number - 1} has no clients any more`));
  }
  const { answered, failed, reasons } = await client.stop();
  assert.equal(failed, 0, reasons.join('\n'));
  assert.ok(answered > 200, `${answered} requests`);
});

test('what changes holds for the next request of a client that stays connected', { skip: needsRoot }, async (t) => {
  const { host, daemon, file } = await balancer(t);
  const client = connectFrom(host, 8080);
  assert.ok(['one', 'two'].includes((await client.ask())!));
  await host.serve(9003, 'three').listening;
  writeFileSync(file, CONFIG().replaceAll(/server (\w) 10.10.0.5:900\d/g, 'server $1 10.10.0.5:9003'));
  assert.equal(host.run('reload').stdout, 'configuration 2 holds\n');
  assert.equal(await client.ask(), 'three');
  client.close();
  await daemon.sees(/configuration 1 has no clients any more/);
});

test('a configuration that is refused leaves everything as it is and says why', { skip: needsRoot }, async (t) => {
  const { host, daemon, file } = await balancer(t);
  writeFileSync(file, CONFIG('    servr c 10.10.0.5:9003\n'));
  daemon.process.kill('SIGHUP');
  await daemon.sees(/error: .*a\.cfg:\d+:5: error: `servr` .*\n.*"server"|did you mean/is);
  await daemon.sees(/no reload: the configuration is not accepted; everything stays as it is/);
  const answer = host.run('reload');
  assert.equal(answer.status, 1);
  assert.match(answer.stderr, /Everything stays as it is: .*\n.*a\.cfg:\d+:5: error: `servr` /);
  assert.match(await host.get('http://10.10.0.5:8080/'), /^200 (one|two)$/);
  assert.match(host.run('workers').stdout, /^configuration 1 holds since .*, \d+ clients: .*a\.cfg$/m);
});

test('an earlier configuration says whom it waits for, and hard-stop-after ends that', {
  skip: needsRoot,
}, async (t) => {
  const { host, daemon, file } = await balancer(
    t,
    CONFIG(
      'frontend raw\n    mode tcp\n    bind 10.10.0.5:8081\n    default_backend raws\nbackend raws\n    mode tcp\n    server a 10.10.0.5:9001\n',
    ),
  );
  const tunnel = connectFrom(host, 8081);
  await tunnel.ask();
  writeFileSync(file, CONFIG('', '    hard-stop-after 8s'));
  assert.equal(host.run('reload').status, 0);
  assert.match(
    host.run('workers').stdout,
    /^configuration 1 was replaced .* ago and waits for 1 clients.* \(hard-stop-after: .* left\)\nconfiguration 2 holds since /,
  );
  await tunnel.closed;
  await daemon.sees(/hard-stop-after 8000 ms is over, 1 clients lose their connection/);
  await daemon.sees(/configuration 1 has no clients any more/);
});

test('a server that checks found down is down from the first request after a reload', {
  skip: needsRoot,
}, async (t) => {
  const config = CONFIG().replace('9001', '9001 check inter 100').replace('9002', '9009 check inter 100');
  const { host, daemon, file } = await balancer(t, config);
  await daemon.sees(/server servers\/b is down/);
  writeFileSync(file, `${config}    server c 10.10.0.5:9002\n`);
  assert.equal(host.run('reload').status, 0);
  const [backend] = JSON.parse(host.run('status', '--json').stdout).backends;
  assert.deepEqual(
    backend.servers.map(({ name, up }: { name: string; up: boolean }) => `${name} ${up}`),
    ['a true', 'b false', 'c true'],
  );
  await host.serve(9009, 'back').listening;
  await daemon.sees(/server servers\/b is up/);
});

test('a vhid that did not change does not notice a reload; one that is new rises, one that went bows out', {
  skip: needsRoot,
}, async (t) => {
  const carp = (vhid: number, skew = 0) =>
    `carp vip${vhid}\n    interface ctl0\n    vhid ${vhid}\n    pass "s3cret"\n    advskew ${skew}\n    address 10.10.0.${100 + vhid}/16\n`;
  const { host, daemon, file } = await balancer(t, CONFIG(carp(1)));
  await daemon.sees(/carp vip1: BACKUP -> MASTER/);
  writeFileSync(file, CONFIG(carp(1) + carp(2, 10)));
  assert.equal(host.run('reload').status, 0);
  await daemon.sees(/carp vip2: BACKUP -> MASTER/);
  writeFileSync(file, CONFIG(carp(1)));
  assert.equal(host.run('reload').status, 0);
  await daemon.sees(/carp vhid 2 on \w+: MASTER -> INIT: no longer configured/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16', '10.10.0.101/32']);
  assert.equal(daemon.log().match(/carp vip1: /g)?.length, 2, 'INIT to BACKUP, BACKUP to MASTER, and no more');
});

test('no request fails while reloads start data threads and end some; a thread that leaves serves its clients first', {
  skip: needsRoot,
}, async (t) => {
  const { host, daemon, file } = await balancer(t);
  const client = await steadyClient(host, 8, 4);
  const threads = () => Number(/thread_id: 1 \(1\.\.(\d+)\)/.exec(host.run('show', 'activity').stdout)?.[1]);
  let generation = 1;
  for (const count of [3, 1, 4, 2]) {
    writeFileSync(file, CONFIG().replace('nbthread 2', `nbthread ${count}`));
    daemon.process.kill('SIGHUP');
    await daemon.sees(new RegExp(`configuration ${++generation} holds`));
    assert.equal(threads(), count);
  }
  const { answered, failed } = await client.stop();
  assert.equal(failed, 0);
  assert.ok(answered > 100, `${answered} answers`);
  for (const name of ['data thread 3', 'data thread 2', 'data thread 1'])
    await daemon.sees(new RegExp(`${name} has no clients any more and is gone`));
  assert.match(await host.get('http://10.10.0.5:8080/'), /^200 (one|two)$/);
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

const CARP = 'carp web\n    interface ctl0\n    vhid 1\n    pass "s3cret"\n    address 10.10.0.1/16\n';

test('a reload begins to serve where nothing was balanced before', { skip: needsRoot }, async (t) => {
  const { host, daemon, file } = await balancer(t, CARP);
  writeFileSync(file, `${CONFIG()}${CARP}`);
  daemon.process.kill('SIGHUP');
  await daemon.sees(/configuration 2 holds/);
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 one');
});

test('a reload opens stats sockets, closes them, and changes what their clients may do', {
  skip: needsRoot,
}, async (t) => {
  const { host, daemon, file } = await balancer(t);
  const [first, second] = [join(host.directory, 'first'), join(host.directory, 'second')];
  let generation = 1;
  const reloadWith = async (lines: string) => {
    writeFileSync(file, CONFIG('', lines));
    daemon.process.kill('SIGHUP');
    await daemon.sees(new RegExp(`configuration ${++generation} holds`));
  };
  await reloadWith(`    stats socket ${first} level user mode 600\n    stats socket ${second} level admin`);
  assert.equal(await ask(first, 'set maxconn frontend www 5'), 'Permission denied\n\n');
  assert.equal(await ask(second, 'set maxconn frontend www 5'), '\n');
  assert.equal(statSync(first).mode & 0o777, 0o600);
  await reloadWith(`    stats socket ${first} level admin mode 666`);
  assert.equal(await ask(first, 'set maxconn frontend www 5'), '\n');
  assert.equal(statSync(first).mode & 0o777, 0o666);
  assert.equal(existsSync(second), false);
  writeFileSync(file, CONFIG('', `    stats socket ${file}/no-directory level admin`));
  daemon.process.kill('SIGHUP');
  await daemon.sees(/no reload: /);
  assert.match(await ask(first, 'show cli sockets'), /first admin/);
});

async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path, () => socket.write(`${command}\n`));
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}
