/** The end of a node that holds an address, in order: drain as MASTER, bow out, reset what is left, give the address up. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { PATIENCE_MS } from '../helpers/patience.js';
import { createHost, type Host, needsRoot } from './host.js';

const CONFIG = (grace: string) => `global
    nbthread 2
    ${grace}
carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
frontend www
    mode http
    bind 10.10.0.1:8080
    timeout client 20s
    default_backend servers
backend servers
    mode http
    timeout connect 1s
    timeout server 20s
    server a 10.10.0.5:9001
`;
const VIP = '10.10.0.1/32';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Connects with the first word; prints what it receives, and how the connection ended: `<END>` or `<ECONNRESET>`. */
const CLIENT = `
let socket;
process.stdin.on('data', (data) => {
  socket ??= require('net').connect(8080, '10.10.0.1')
    .on('data', (bytes) => process.stdout.write(bytes))
    .on('end', () => process.stdout.write('<END>'))
    .on('error', (error) => process.stdout.write('<' + error.code + '>'))
    .on('close', () => process.exit());
  socket.write(data);
});`;

function client(host: Host) {
  const child = host.inside(() => spawn(process.execPath, ['-e', CLIENT], { stdio: ['pipe', 'pipe', 'inherit'] }));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return {
    say: (request: string) => void child.stdin.write(request),
    async sees(pattern: RegExp): Promise<string> {
      while (!pattern.test(text)) await once(child.stdout, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
      const seen = text;
      text = '';
      return seen;
    },
  };
}

test('a stop serves as MASTER for its grace and says Connection: close, then bows out, resets and gives the address up', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const daemon = host.start('-f', host.file('a.cfg', CONFIG('grace 4s')));
  await daemon.sees(/BACKUP -> MASTER/);
  const [asking, silent, late] = [client(host), client(host), client(host)];
  for (const each of [asking, silent]) {
    each.say(GET);
    assert.doesNotMatch(await each.sees(/\r\n0\r\n\r\n$/), /connection: close/i);
  }
  daemon.process.kill('SIGTERM');
  await daemon.sees(/stopping: asked to stop/);
  await rest(500);
  assert.ok(host.addresses().includes(VIP), 'it still holds the address');
  asking.say(GET);
  assert.match(await asking.sees(/<END>/), /connection: close\r\n[\s\S]*hello/i);
  late.say(GET);
  assert.match(await late.sees(/<END>/), /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  // aborted: the client is on the same host, so that its own end of the connection is destroyed, too
  assert.match(await silent.sees(/<\w+>/), /^<ECONN(RESET|ABORTED)>$/);
  assert.equal(await daemon.ended(), 0);
  assert.ok(!host.addresses().includes(VIP));
  assert.match(daemon.log(), /stopping: [\s\S]*MASTER -> INIT/);
});

test('without clients nobody waits for the grace to be over', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CONFIG('grace 30s')));
  await daemon.sees(/BACKUP -> MASTER/);
  const begin_ms = performance.now();
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
  assert.ok(performance.now() - begin_ms < 25_000);
});
