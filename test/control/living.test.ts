/** The process among others: the background, the pidfile, another user, another root directory, Debian's own file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PDU_AT_IPV4 } from '#src/carp/frame.js';
import { waitUntil } from '#src/control/shutdown.js';
import { ipv4Adverts, PacketSocket } from '#src/system/packet-socket.js';
import { listenForDatagrams } from '../helpers/datagrams.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { createHost, needsRoot } from './host.js';

const DEBIAN = fileURLToPath(new URL('../../../test/config/golden/shipped-by-debian/1-haproxy.cfg', import.meta.url));

const PROXY = `frontend www
    mode http
    bind 10.10.0.5:8080
    timeout client 5s
    default_backend servers
backend servers
    mode http
    timeout connect 1s
    timeout server 5s
    server a 10.10.0.5:9001
`;
const CARP = `carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
`;

const VIP = '10.10.0.1/32';
/** Of the carp thread alone: CAP_NET_ADMIN (12) and CAP_NET_RAW (13). */
const CARP_RIGHTS = '0000000000003000';
/** In an advert (packet.ts). */
const ADVBASE_AT = 5;
const BOW_OUT = 255;
const NOBODY = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout);

test('in the background the command returns when clients are served; SIGTERM ends the process of the pidfile', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const pidfile = join(host.directory, 'pid');
  const started = host.run('-D', '-p', pidfile, '-f', host.file('a.cfg', PROXY));
  assert.equal(started.status, 0, started.stderr);
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => endProcess(pid));
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 hello');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  process.kill(pid, 'SIGTERM');
  assert.ok(await waitUntil(() => !existsSync(`/proc/${pid}`), PATIENCE_MS));
});

test('in the background what hinders the start is told by the command, with exit status 1', {
  skip: needsRoot,
}, (t) => {
  const host = createHost(t);
  host.occupyPort(8080, false);
  const text = `global\n    daemon\n${PROXY}`;
  const started = host.run('-f', host.file('a.cfg', text));
  assert.equal(started.status, 1);
  assert.match(started.stderr, /Another program already listens on 10\.10\.0\.5:8080/);
});

test('as another user in a chroot it holds its address for 10 s and over the loss of the interface; only the carp thread has rights', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const root = join(host.directory, 'root');
  mkdirSync(root);
  const text = `global\n    nbthread 2\n    user nobody\n    group nogroup\n    chroot ${root}\n${PROXY}${CARP}`;
  const daemon = host.start('-f', host.file('a.cfg', text));
  await daemon.sees(/BACKUP -> MASTER/);
  const pid = daemon.process.pid!;
  const threads = threadsOf(pid);
  assert.deepEqual([...new Set(threads.map(({ uids }) => uids))], [`${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`]);
  assert.deepEqual(
    threads.filter(({ rights }) => !/^0+$/.test(rights)).map(({ rights }) => rights),
    [CARP_RIGHTS],
  );
  assert.equal(readlinkSync(`/proc/${pid}/root`), root);
  for (const end_ms = performance.now() + 10_000; performance.now() < end_ms; await rest(500)) {
    assert.ok(host.addresses().includes(VIP), host.addresses().join(' '));
  }
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 hello');

  host.netlink.deleteLink(host.netlink.indexOf('ctl0'));
  await daemon.sees(/MASTER -> INIT/);
  host.netlink.createVeth({ name: 'ctl0' }, { name: 'ctl1' });
  for (const name of ['ctl0', 'ctl1']) host.netlink.setLink(host.netlink.indexOf(name), { up: true });
  host.netlink.addAddress({
    index: host.netlink.indexOf('ctl0'),
    bytes: Uint8Array.of(10, 10, 0, 5),
    prefix_length: 16,
  });
  await daemon.sees(/MASTER -> INIT[\s\S]*BACKUP -> MASTER/);
  assert.equal(daemon.process.exitCode, null);
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

test('in a chroot a guardian that is killed has a spare one in its place, which bows out for a daemon that is killed then', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const root = join(host.directory, 'root');
  mkdirSync(root);
  const text = `global\n    user nobody\n    group nogroup\n    chroot ${root}\n${CARP}`;
  const daemon = host.start('-f', host.file('a.cfg', text));
  await daemon.sees(/BACKUP -> MASTER/);
  const pid = daemon.process.pid!;
  const guardians = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  assert.equal(guardians.length, 2);
  process.kill(guardians[1]!, 'SIGKILL');
  await daemon.sees(/warning: the guardian ended; the spare one takes its place/);
  assert.equal(JSON.parse(host.run('status', '--json').stdout).carp.guardian, true);

  const ear = host.inside(() => new PacketSocket(host.netlink.indexOf('ctl1'), ipv4Adverts()));
  t.after(() => ear.close());
  daemon.process.kill('SIGKILL');
  const hearsBowOut = () => {
    while (ear.receive() > 0) if (ear.frame[PDU_AT_IPV4 + ADVBASE_AT] === BOW_OUT) return true;
    return false;
  };
  assert.ok(await waitUntil(hearsBowOut, PATIENCE_MS), 'the spare guardian bows out');
  assert.ok(await waitUntil(() => !host.addresses().includes(VIP), PATIENCE_MS));
});

test('in a chroot a reload reads the files where they were', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  await Promise.all([host.serve(9001, 'one').listening, host.serve(9002, 'two').listening]);
  const root = join(host.directory, 'root');
  mkdirSync(root);
  spawnSync('chmod', ['755', host.directory]);
  const text = `global\n    user nobody\n    chroot ${root}\n${PROXY}`;
  const file = host.file('a.cfg', text);
  const daemon = host.start('-f', file);
  await daemon.sees(/ ready$/m);
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 one');
  writeFileSync(file, text.replace('9001', '9002'));
  daemon.process.kill('SIGHUP');
  await daemon.sees(/configuration 2 holds/);
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 two');
});

test('systemd is told of the start, of a reload and of the end, also from within a chroot', {
  skip: needsRoot,
}, async (t) => {
  const path = `/tmp/carpool-notify-${process.pid}-living`;
  const manager = listenForDatagrams(path);
  t.after(() => {
    manager.close();
    rmSync(path);
  });
  const hears = async (...expected: RegExp[]) => {
    for (const pattern of expected) {
      let said = '';
      await waitUntil(() => (said = manager.hear()) !== '', PATIENCE_MS);
      assert.match(said, pattern);
    }
  };
  const host = createHost(t, { NOTIFY_SOCKET: path });
  await host.serve(9001, 'hello').listening;
  const root = join(host.directory, 'root');
  mkdirSync(root);
  const text = `global\n    chroot ${root}\n    master-worker\n${PROXY}`;
  const daemon = host.start('-Ws', '-f', host.file('a.cfg', text));
  await hears(/^STATUS=/, new RegExp(`^READY=1\nMAINPID=${daemon.process.pid}$`));
  const before_us = Number(process.hrtime.bigint() / 1000n);
  daemon.process.kill('SIGUSR2');
  let said = '';
  await waitUntil(() => (said = manager.hear()) !== '', PATIENCE_MS);
  const [, reload_us] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(said) ?? [];
  assert.ok(Number(reload_us) >= before_us && Number(reload_us) <= Number(process.hrtime.bigint() / 1000n), said);
  await hears(/^READY=1$/);
  await daemon.sees(/configuration 2 holds/);
  daemon.process.kill('SIGTERM');
  await hears(/^STOPPING=1$/);
  assert.equal(await daemon.ended(), 143); // as HAProxy's master
});

test("Debian's shipped file with a frontend and a backend runs as it is", {
  skip: needsRoot || !existsSync('/etc/haproxy/errors'),
}, async (t) => {
  const host = createHost(t);
  const own = '/run/haproxy/admin.sock';
  if (existsSync(own)) return t.skip('this host has an HAProxy of its own');
  mkdirSync('/var/lib/haproxy', { recursive: true });
  const pidfile = join(host.directory, 'pid');
  const started = host.run('-f', DEBIAN, '-f', host.file('b.cfg', PROXY), '-p', pidfile);
  assert.equal(started.status, 0, started.stderr);
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => {
    endProcess(pid);
    rmSync(own, { force: true }); // from within the chroot it cannot
  });
  assert.equal(statSync(own).mode & 0o777, 0o660);
  const [line] = await talk(own, 'status');
  assert.match(line!, /^carpool /);
  assert.equal(readlinkSync(`/proc/${pid}/root`), '/var/lib/haproxy');
  const text = await host.get('http://10.10.0.5:8080/');
  assert.equal(text, `503 ${readFileSync('/etc/haproxy/errors/503.http', 'utf8').split('\r\n\r\n')[1] ?? ''}`);
});

type Thread = { readonly uids: string; readonly rights: string };

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)![1]!;
    return { uids: field('Uid').replaceAll('\t', ' '), rights: field('CapEff') };
  });
}

/** The answer's lines. */
async function talk(path: string, line: string): Promise<string[]> {
  const socket = connect(path);
  socket.end(`${line}\n`);
  let text = '';
  for await (const bytes of socket) text += bytes;
  return text.split('\n');
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
