/** Orders on a live pair without preempt: the address really moves, and comes back only as it was asked. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { eventually, needsNamespaces, type TestHost, TestNetwork } from '../helpers/carp-network.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { MAIN } from './host.js';

const VIP = '10.44.0.100';

type Node = {
  readonly host: TestHost;
  readonly process: ChildProcess;
  log(): string;
  /** `carpool WORDS` on this node. */
  run(...words: string[]): Promise<string>;
  sees(pattern: RegExp): Promise<unknown>;
  restart(): Node;
};

function startNode(t: TestContext, host: TestHost, directory: string, name: string, advskew: number): Node {
  const file = join(directory, `${name}.cfg`);
  const socket = join(directory, `${name}.sock`);
  writeFileSync(
    file,
    `carp web\n    interface eth0\n    vhid 1\n    pass "x"\n    address ${VIP}/24\n    advskew ${advskew}\n`,
  );
  const child = host.spawn(process.execPath, [MAIN, '-f', file, '--socket', socket]);
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  t.after(() => child.kill('SIGKILL'));
  return {
    host,
    process: child,
    log: () => log,
    sees: (pattern) => eventually(`${name} says ${pattern}; it said:\n${log}`, PATIENCE_MS, () => pattern.test(log)),
    restart: () => startNode(t, host, directory, name, advskew),
    async run(...words) {
      const asked = insideNetworkNamespace(host.link.namespace_fd, () =>
        spawn(process.execPath, [MAIN, ...words, '--socket', socket], { timeout: PATIENCE_MS }),
      );
      let text = '';
      for (const stream of [asked.stdout, asked.stderr])
        stream.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
      await new Promise((resolve) => asked.once('close', resolve));
      return text;
    },
  };
}

/** Two nodes, the first of which is MASTER and was heard by the second. */
async function startPair(t: TestContext): Promise<{ a: Node; b: Node }> {
  const directory = mkdtempSync('/tmp/carpool-orders-');
  const network = new TestNetwork();
  t.after(async () => {
    await network.close();
    rmSync(directory, { recursive: true });
  });
  const a = startNode(t, network.addHost('a', '10.44.0.1'), directory, 'a', 0);
  await a.sees(/BACKUP -> MASTER/);
  const b = startNode(t, network.addHost('b', '10.44.0.2'), directory, 'b', 100);
  await b.sees(/INIT -> BACKUP/);
  return { a, b };
}

const skip = needsNamespaces();

test('drain moves the address without preempt, "ready" ends it, and the other node keeps it', { skip }, async (t) => {
  const { a, b } = await startPair(t);
  const answer = await a.run('drain', '--for', '1h', '--reason', 'moving the rack');
  assert.match(answer, /^Drain of all vhids, ordered by \S.*, ends by itself in 1 h 0 min: moving the rack\.\n/);
  assert.match(answer, /^web: 10\.44\.0\.2 is MASTER now\.$/m);
  assert.ok(b.host.has(VIP) && !a.host.has(VIP));
  assert.match(b.log(), /BACKUP -> MASTER: 10\.44\.0\.1 bows out/);
  assert.match(await a.run('explain'), /BACKUP because it is demoted[\s\S]*moving the rack; ends by itself in 59 min/i);
  assert.match(await a.run('ready'), /^The drain of all vhids \(.*\) is over\.\n$/);
  assert.match(await a.run('status'), /^1 +web +eth0 +BACKUP .* 10\.44\.0\.2 /m);
  assert.match(await a.run('explain', 'web'), /BACKUP although it is preferred[\s\S]*preempt is off/);
});

test('a demotion that moves nothing says so, and one that does says who has the address', { skip }, async (t) => {
  const { a, b } = await startPair(t);
  assert.match(
    await a.run('demote', '50'),
    /^web: still MASTER: no other node is preferred to it now and has preempt/m,
  );
  assert.match(await a.run('undemote'), /^The demote of all vhids \(.*\) is over\.\n$/);
  assert.match(await a.run('demote', '240'), /^web: 10\.44\.0\.2 is MASTER now\.$/m);
  assert.ok(b.host.has(VIP));
});

test('a drained node takes over when the other one dies; one in maintenance does not', { skip }, async (t) => {
  const { a, b } = await startPair(t);
  await a.run('drain');
  b.process.kill('SIGKILL');
  await eventually('a has the address again', PATIENCE_MS, () => a.host.has(VIP));
  const answer = await a.run('maint', '--reason', 'new disks');
  assert.match(answer, /^web: given up, and NOBODY TOOK IT OVER: the address is not served\.$/m);
  assert.ok(!a.host.has(VIP));
  assert.match(await a.run('explain'), /INIT because it is in maintenance: ordered by \S.* \(new disks\)/);
  await a.run('ready');
  await eventually('a has the address again', PATIENCE_MS, () => a.host.has(VIP));
});

test('an order outlives the daemon, and expires by itself', { skip }, async (t) => {
  const { a, b } = await startPair(t);
  await a.run('maint', '--for', '15s');
  assert.ok(b.host.has(VIP));
  a.process.kill('SIGKILL');
  await eventually('a is dead', PATIENCE_MS, () => a.process.signalCode === 'SIGKILL');
  const again = a.restart();
  await again.sees(/maint of all vhids, ordered by .* \(still in force\)/);
  await again.sees(/maint of all vhids is over: its time has passed/);
  await again.sees(/INIT -> BACKUP: maintenance is over/);
  assert.match(await again.run('status', '--json'), /"orders":\[\]/);
});

test('doctor on either node says why both are MASTER when the switch drops adverts', { skip }, async (t) => {
  const { a, b } = await startPair(t);
  for (const { host } of [a, b]) host.filterMulticast();
  await b.sees(/BACKUP -> MASTER/);
  for (const node of [a, b]) {
    const found = await node.run('doctor', '--seconds', '1.5');
    assert.match(found, /error: web: 10\.44\.0\.100 is answered for by \S+ on eth0 as well: .* \[multicast-filtered\]/);
  }
});
