/** Findings that take a rare host or a second machine: each is provoked, mended as it says, and gone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as tick } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BPF_RETURN, BPF_WHOLE } from '#src/system/packet-filter.js';
import { ETH_P_ARP, PacketSocket } from '#src/system/packet-socket.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';
import { apply, CARP, codesOf, doctor, find, VIP } from './doctor.js';
import { createHost, type Host, MAIN, needsRoot } from './host.js';
import { createSegment } from './segment.js';

const skip = needsRoot || needs('ip', 'sysctl');
const REFUSING = fileURLToPath(new URL('../reactor/refused-process.js', import.meta.url));
const IO_URING_SETUP = '425';
/** Adverts each 78 ms, so that nothing here waits for them. */
const QUICK = CARP.replace('advskew 10', 'advbase 0\n    advskew 20');
const ON_ETH0 = QUICK.replace('ctl0', 'eth0');
const LATER = ON_ETH0.replace('advskew 20', 'advskew 30');

const FRONTEND = `defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend f
    bind 127.0.0.1:8099
`;
/** What waits for a reader is a megabyte at most. */
const LINE_BYTES = 900;
const LINES = 2000;
/** Asks on one connection, without waiting in between, and prints how many answers came. */
const ASK_MANY = `let text = '';
const client = require('node:net').connect(8099, '127.0.0.1');
client.setEncoding('utf8').on('data', (piece) => (text += piece));
client.on('close', () => process.stdout.write(String(text.split('HTTP/1.1 503').length - 1)));
const ask = (more) => 'GET / HTTP/1.1\\r\\nhost: a\\r\\n' + more + '\\r\\n';
client.write(ask('').repeat(${LINES} - 1) + ask('connection: close\\r\\n'));`;
const ARP = { ethertype: ETH_P_ARP, filter: [[BPF_RETURN, 0, 0, BPF_WHOLE]], groups: [] } as const;

async function isGone(code: string, host: Host, ...words: string[]): Promise<void> {
  const codes = await codesOf(host, ...words);
  assert.ok(!codes.includes(code), codes.join());
}

/** The processes that a process started, from whichever thread (proc(5)). */
function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`;
  const read = (task: string) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return readdirSync(tasks).flatMap(read);
}

/** A MASTER on the first host, a BACKUP on the second. */
async function startPair(a: Host, b: Host): Promise<void> {
  const master = a.start('-f', a.file('a.cfg', ON_ETH0));
  await master.sees(/BACKUP -> MASTER/);
  const backup = b.start('-f', b.file('b.cfg', LATER));
  await backup.sees(/INIT -> BACKUP/);
}

describe('found, mended as it says, and gone', { skip, concurrency: 3 }, () => {
  test('a third machine has the address by hand', async (t) => {
    const [a, b, c] = createSegment(t, '10.10.0.11', '10.10.0.12', '10.10.0.13') as [Host, Host, Host];
    await startPair(a, b);
    c.runProgram('ip', 'addr', 'add', `${VIP}/32`, 'dev', 'eth0');
    const seen = await find(b, 'address-twice');
    assert.match(
      seen.message,
      /^10\.10\.0\.1 is answered for by 02:00:0a:0a:00:0\S and 02:00:0a:0a:00:0\S: two machines/,
    );
    apply(c, await find(c, 'address-without-mastership', '-f', c.file('c.cfg', ON_ETH0)));
    await isGone('address-twice', b);
  });

  test('the MASTER does not answer for its address', async (t) => {
    const [a, b] = createSegment(t, '10.10.0.11', '10.10.0.12') as [Host, Host];
    await startPair(a, b);
    a.runProgram('sysctl', '-w', 'net.ipv4.conf.all.arp_ignore=8');
    const seen = await find(b, 'address-unanswered');
    assert.match(seen.message, /^10\.10\.0\.11 is MASTER, but nobody answers ARP for 10\.10\.0\.1\.$/);
    apply(a, await find(a, 'arp-ignore'));
    await isGone('address-unanswered', b);
  });

  test('another program takes the address from a MASTER again and again', async (t) => {
    const host = createHost(t);
    const daemon = host.start('-f', host.file('a.cfg', QUICK));
    await daemon.sees(/BACKUP -> MASTER/);
    const words = ['-c', `while sleep 0.05; do ip addr del ${VIP}/32 dev ctl0 2>/dev/null; done`];
    const taker = host.inside(() => spawn('sh', words, { stdio: 'ignore' }));
    t.after(() => taker.kill('SIGKILL'));
    const { message } = await find(host, 'mastership-without-address');
    assert.match(message, /^This node is MASTER, but 10\.10\.0\.1 was removed \d+ times while the doctor listened\.$/);
    taker.kill('SIGKILL');
    await once(taker, 'close');
    await isGone('mastership-without-address', host);
  });

  test('a service could not bind the address on a BACKUP, of either family', async (t) => {
    const host = createHost(t);
    const daemon = host.start('-f', host.file('a.cfg', `${QUICK}    address fd00::1/64\n`));
    await daemon.sees(/BACKUP -> MASTER/);
    const found = await find(host, 'nonlocal-bind');
    assert.match(found.message, /^net\.ipv4\.ip_nonlocal_bind and net\.ipv6\.ip_nonlocal_bind are 0: /);
    apply(host, found);
    await isGone('nonlocal-bind', host);
  });

  test('a MASTER cannot have its IPv6 address, as the link has none', async (t) => {
    const host = createHost(t);
    host.runProgram('ip', 'addr', 'add', 'fd00::5/64', 'dev', 'ctl0', 'nodad');
    const daemon = host.start('-f', host.file('a.cfg', `${QUICK}    address fd00::1/64\n`));
    await daemon.sees(/BACKUP -> MASTER/);
    host.runProgram('sysctl', '-w', 'net.ipv6.conf.ctl0.disable_ipv6=1');
    const found = await find(host, 'mastership-without-address');
    assert.match(found.message, /fd00::1 is not on any interface: net\.ipv6\.conf\.ctl0\.disable_ipv6 is 1\.$/);
    apply(host, found);
    await isGone('mastership-without-address', host);
  });

  test('a MASTER with a virtual MAC answers from its own, and drops what comes for the virtual one', async (t) => {
    const host = createHost(t);
    const daemon = host.start('-f', host.file('a.cfg', `${QUICK}    mac virtual\n`));
    await daemon.sees(/BACKUP -> MASTER/);
    const macvlan = host.netlink.listLinks().find(({ kind }) => kind === 'macvlan')!.name;
    await isGone('arp-mode', host);
    host.runProgram('sysctl', '-w', 'net.ipv4.conf.ctl0.arp_ignore=0', 'net.ipv4.conf.all.rp_filter=1');
    host.runProgram('sysctl', '-w', `net.ipv4.conf.${macvlan.replaceAll('.', '/')}.rp_filter=1`);
    const { findings } = await doctor(host);
    const found = findings.filter(({ code }) => code === 'arp-mode' || code === 'rp-filter');
    assert.equal(found.length, 2, JSON.stringify(findings));
    for (const one of found) apply(host, one);
    const codes = await codesOf(host);
    assert.ok(!codes.includes('arp-mode') && !codes.includes('rp-filter'), codes.join());
  });

  test('a bridge of this host snoops on multicast, and adverts go to a group of their own', async (t) => {
    const host = createHost(t);
    const words = ['link', 'add', 'br0', 'up', 'type', 'bridge', 'mcast_snooping', '1', 'mcast_querier', '0'];
    host.runProgram('ip', ...words);
    host.runProgram('ip', 'link', 'set', 'ctl0', 'master', 'br0');
    const own_group = `${QUICK.replace('ctl0', 'br0')}    multicast 239.1.2.3\n`;
    const path = host.file('a.cfg', own_group);
    apply(host, await find(host, 'bridge-snoops', '-f', path));
    await isGone('bridge-snoops', host, '-f', path);
  });

  test('the guardians were killed, and a daemon that is nobody can start no other', async (t) => {
    const host = createHost(t);
    const path = host.file('a.cfg', `global\n    user nobody\n${QUICK}`);
    const daemon = host.start('-f', path);
    await daemon.sees(/BACKUP -> MASTER/);
    const guardians = childrenOf(daemon.process.pid!);
    assert.equal(guardians.length, 2, 'one, and a spare one');
    for (const pid of guardians) process.kill(pid, 'SIGKILL');
    await daemon.sees(/the guardian ended; from now on only the leases guard the addresses/);
    const found = await find(host, 'no-guardian');
    assert.match(found.mend, /\(where it runs under "user" or "chroot": a restart\)/);
    daemon.process.kill('SIGTERM');
    await daemon.ended();
    const again = host.start('-f', path);
    await again.sees(/BACKUP -> MASTER/);
    await isGone('no-guardian', host);
  });

  test('the kernel refuses io_uring, or somebody forbade it to the daemon', async (t) => {
    const forced = createHost(t, { CARPOOL_REACTOR: 'epoll' });
    const path = forced.file('a.cfg', `${QUICK}${FRONTEND}`);
    const words = [IO_URING_SETUP, '', MAIN, 'doctor', '--json', '--seconds', '0.2', '-f', path];
    const refused = forced.runProgram(process.execPath, REFUSING, ...words);
    assert.match(refused.stdout, /"no-io-uring".*io_uring_setup: EPERM/);
    await isGone('no-io-uring', forced, '-f', path);

    const daemon = forced.start('-f', path);
    await daemon.sees(/ ready$/m);
    const found = await find(forced, 'no-io-uring');
    assert.match(found.mend, /^Take CARPOOL_REACTOR out of the daemon's environment and restart it\.$/);
    daemon.process.kill('SIGTERM');
    await daemon.ended();
    const free = createHost(t);
    const again = free.start('-f', path);
    await again.sees(/ ready$/m);
    await isGone('no-io-uring', free);
  });

  test('nobody reads what the daemon logs', async (t) => {
    const host = createHost(t);
    const log = `    log stdout format raw local0\n    log-format "${'x'.repeat(LINE_BYTES)}"\n`;
    const daemon = host.start('-f', host.file('a.cfg', `${QUICK}${FRONTEND}${log}`));
    await daemon.sees(/ ready$/m);
    daemon.process.stdout!.pause();
    const asked = host.runProgram(process.execPath, '-e', ASK_MANY);
    assert.equal(asked.stdout, String(LINES), asked.stderr);
    assert.match(
      (await find(host, 'log-lines-lost')).message,
      /^\d+ log lines were lost, the last \S.* s ago, because/,
    );
  });

  test('the machine stands still while the doctor listens', async (t) => {
    const host = createHost(t);
    const ear = host.inside(() => new PacketSocket(host.netlink.indexOf('ctl1'), ARP));
    t.after(() => ear.close());
    const words = [MAIN, 'doctor', '--json', '--seconds', '1', '-f', host.file('a.cfg', QUICK)];
    const child = host.inside(() => spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] }));
    let text = '';
    child.stdout.on('data', (piece) => (text += piece));
    for (const end_ms = performance.now() + PATIENCE_MS; ear.receive() < 0; await tick())
      assert.ok(performance.now() < end_ms);
    child.kill('SIGSTOP');
    await tick(1200);
    child.kill('SIGCONT');
    await once(child, 'close');
    assert.match(text, /"machine-stalls".*"This machine stood still for \d{4} ms while the doctor listened\."/);
    await isGone('machine-stalls', host, '-f', host.file('a.cfg', QUICK));
  });
});
