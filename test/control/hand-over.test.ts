/** A new process in the place of an old one: `-x SOCKET -sf PID`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAddress, GROUP_IPV4_ADDRESS, NetlinkEvents } from '#src/system/netlink.js';
import { type Message, RTM_DELADDR } from '#src/system/netlink-message.js';
import { createHost, type Host, needsRoot } from './host.js';
import { steadyClient } from './steady.js';

const CONFIG = `global
    nbthread 2
carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
frontend www
    mode http
    bind 10.10.0.5:8080
    timeout client 10s
    default_backend servers
backend servers
    mode http
    timeout connect 1s
    timeout server 10s
    server a 10.10.0.5:9001
`;

test('a new process takes listeners and mastership over: no request fails, and the address never leaves', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const file = host.file('a.cfg', CONFIG);
  const old = host.start('-f', file);
  await old.sees(/BACKUP -> MASTER/);
  const client = await steadyClient(host, 4, 4);
  const news = watchAddress(host, '10.10.0.1');
  const next = host.start('-f', file, '-x', host.socket, '-sf', String(old.process.pid));
  await next.sees(/ ready$/m);
  await next.sees(/BACKUP -> MASTER/);
  assert.match(next.log(), new RegExp(`BACKUP -> MASTER: taking over from process ${old.process.pid} of this host`));
  assert.equal(await old.ended(), 0);
  const { answered, failed, reasons } = await client.stop();
  assert.equal(failed, 0, reasons.join('\n'));
  assert.ok(answered > 100);
  assert.match(host.run('status').stdout, new RegExp(`pid ${next.process.pid}`));
  assert.ok(host.addresses().includes('10.10.0.1/32'));
  assert.deepEqual(news(), [], 'the address has never been away');
});

test('without a process to replace it starts as always', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CONFIG), '-sf', '999999999');
  await daemon.sees(/BACKUP -> MASTER/);
});

test('with a virtual MAC the new process goes on with the link of the old one', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const file = host.file('a.cfg', CONFIG.replace('    pass', '    mac virtual\n    pass'));
  const link = () => /^(\d+): carp1\.\d+@/m.exec(host.runProgram('ip', 'link').stdout)?.[1];
  const old = host.start('-f', file);
  await old.sees(/BACKUP -> MASTER/);
  const before = link();
  assert.ok(before);
  const next = host.start('-f', file, '-x', host.socket, '-sf', String(old.process.pid));
  await next.sees(/BACKUP -> MASTER/);
  assert.equal(await old.ended(), 0);
  assert.equal(link(), before);
  assert.match(host.runProgram('ip', 'addr').stdout, /10\.10\.0\.1\/32/);
  next.process.kill('SIGTERM');
  assert.equal(await next.ended(), 0);
  assert.equal(link(), undefined);
  const conf = host.runProgram('sysctl', '-n', 'net.ipv4.conf.ctl0.arp_ignore', 'net.ipv4.conf.ctl0.arp_announce');
  assert.equal(conf.stdout, '0\n0\n', 'the interface has its settings back');
});

test('vhids that the new process does not run go as they always go', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const other = 'carp other\n interface ctl0\n vhid 2\n pass x\n address 10.10.0.2/16\n';
  const old = host.start('-f', host.file('a.cfg', CONFIG + other));
  await old.sees(/other: BACKUP -> MASTER/);
  await old.sees(/web: BACKUP -> MASTER/);
  const next = host.start('-f', host.file('b.cfg', CONFIG), '-x', host.socket, '-sf', String(old.process.pid));
  assert.equal(await old.ended(), 0);
  assert.match(old.log(), /carp other: MASTER -> INIT/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16', '10.10.0.1/32']);
  assert.match(next.log(), /web: BACKUP -> MASTER: taking over from process/);
});

/** The removals of the address that the kernel has told of since. */
function watchAddress(host: Host, address: string): () => string[] {
  const events = host.inside(() => new NetlinkEvents(GROUP_IPV4_ADDRESS));
  return () => {
    const gone: string[] = [];
    const message = (one: Message) => {
      if (one.type === RTM_DELADDR && decodeAddress(one)?.address === address) gone.push(address);
    };
    while (events.read({ message, lost: () => gone.push('news were lost') }));
    events.close();
    return gone;
  };
}
