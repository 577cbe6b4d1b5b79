/** `carpool ucarp` as its own process: exit statuses, signals, scripts, the background, and the link named ucarp. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createHost, type Host, MAIN, needsRoot } from '../control/host.js';
import { eventually } from '../helpers/carp-network.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP = '10.10.0.9';
const ARGUMENTS = ['ucarp', '-i', 'ctl0', '-s', '10.10.0.5', '-v', '21', '-p', 's3cret', '-a', VIP, '-f', 'none'];
/** MASTER after one second. Quicker ones step back when a busy machine holds them up for a moment. */
const QUICK = ['-r', '1'];

function writeScript(host: Host, name: string, body: string): string {
  const path = join(host.directory, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Scripts that note how they were called, in order. */
function notingScripts(host: Host): { words: string[]; calls: () => string[] } {
  const out = join(host.directory, 'calls');
  const up = writeScript(host, 'up.sh', `echo "up $# $*" >> ${out}`);
  const down = writeScript(host, 'down.sh', `echo "down $# $*" >> ${out}`);
  const calls = () => (existsSync(out) ? readFileSync(out, 'utf8').trimEnd().split('\n') : []);
  return { words: ['-u', up, '-d', down], calls };
}

describe('carpool ucarp', { skip: needsRoot, concurrency: 4 }, () => {
  test('what this host refuses leaves with status 2', (t) => {
    const host = createHost(t);
    const refused = host.run(...ARGUMENTS, '-i', 'eth7');
    assert.deepEqual([refused.status, /\[interface-missing\]/.test(refused.stderr)], [2, true], refused.stderr);
    const elsewhere = host.run(...ARGUMENTS, '-s', '10.10.0.6');
    assert.deepEqual([elsewhere.status, /\[source-address-elsewhere\]/.test(elsewhere.stderr)], [2, true]);
  });

  test('without -i the interface is the one that has the source address', async (t) => {
    const host = createHost(t);
    const daemon = host.start(...ARGUMENTS.filter((word) => word !== '-i' && word !== 'ctl0'), ...QUICK);
    await daemon.sees(/Switching to state: MASTER/);
    assert.deepEqual(host.addresses(), ['10.10.0.5/16', `${VIP}/32`]);
  });

  test('runs its scripts with interface, address and the word of -x, and the down script at the start and with -z at the end', async (t) => {
    const host = createHost(t);
    const { words, calls } = notingScripts(host);
    const daemon = host.start(...ARGUMENTS, ...QUICK, ...words, '-x', 'two words', '-z');
    await daemon.sees(/Switching to state: MASTER/);
    await eventually('the up script', PATIENCE_MS, () => calls().length === 2);
    daemon.process.kill('SIGTERM');
    assert.equal(await daemon.ended(), 0);
    const said = `ctl0 ${VIP} two words`;
    assert.deepEqual(calls(), [`down 3 ${said}`, `up 3 ${said}`, `down 3 ${said}`]);
    assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const) {
    test(`${signal} ends it with status 0 and takes the address away, without -z as well`, async (t) => {
      const host = createHost(t);
      const daemon = host.start(...ARGUMENTS, ...QUICK);
      await daemon.sees(/Switching to state: MASTER/);
      daemon.process.kill(signal);
      assert.equal(await daemon.ended(), 0);
      assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
    });
  }

  test('USR1 says the state; USR2 gives the address away; both are heard while the link is down', async (t) => {
    const host = createHost(t);
    const { words, calls } = notingScripts(host);
    const daemon = host.start(...ARGUMENTS, ...QUICK, ...words, '-n');
    await daemon.sees(/Switching to state: MASTER/);
    daemon.process.kill('SIGUSR2');
    await daemon.sees(/Switching to state: BACKUP \(asked to give the address away \(SIGUSR2\)\)/);
    // being alone it takes the address again soon, so more may follow
    const both = `up 2 ctl0 ${VIP},down 2 ctl0 ${VIP}`;
    await eventually('the down script', PATIENCE_MS, () => calls().slice(0, 2).join() === both);
    host.netlink.setLink(host.netlink.indexOf('ctl1'), { up: false });
    await daemon.sees(/Switching to state: INIT/);
    daemon.process.kill('SIGUSR1');
    await eventually('the answer', PATIENCE_MS, () => /^\[INFO\] INIT on ctl0 id 21$/m.test(daemon.output()));
    daemon.process.kill('SIGTERM');
    assert.equal(await daemon.ended(), 0);
  });

  test('a script that hangs delays neither the protocol nor the address', async (t) => {
    const host = createHost(t);
    const up = writeScript(host, 'up.sh', 'exec sleep 20 > /dev/null 2>&1');
    const daemon = host.start(...ARGUMENTS, ...QUICK, '-u', up);
    await daemon.sees(/Switching to state: MASTER/);
    assert.ok(host.addresses().includes(`${VIP}/32`));
    const sent = () => JSON.parse(host.run('status', '--json').stdout).vhids[0].adverts_sent;
    const before = sent();
    await eventually('adverts', PATIENCE_MS, () => sent() > before + 1);
    daemon.process.kill('SIGTERM');
    await eventually('the address is gone', PATIENCE_MS, () => !host.addresses().includes(`${VIP}/32`));
    daemon.process.kill('SIGTERM');
    assert.equal(await daemon.ended(), 0);
  });

  test('an up script that adds the address when this node is MASTER no longer leaves nothing behind', async (t) => {
    const host = createHost(t);
    const mark = join(host.directory, 'go');
    const body = `while [ ! -e ${mark} ]; do sleep 0.05; done; ip address add "$2/24" dev "$1"`;
    const daemon = host.start(...ARGUMENTS, ...QUICK, '-n', '-u', writeScript(host, 'up.sh', body));
    await daemon.sees(/Switching to state: MASTER/);
    host.netlink.setLink(host.netlink.indexOf('ctl1'), { up: false });
    await daemon.sees(/Switching to state: INIT/);
    writeFileSync(mark, '');
    await eventually('the script ends', PATIENCE_MS, () =>
      /up script .* ended with exit status 0/.test(daemon.output()),
    );
    await eventually('the address goes', PATIENCE_MS, () => host.addresses().join() === '10.10.0.5/16');
  });

  test('-S goes on while the carrier is down', async (t) => {
    const host = createHost(t);
    host.netlink.setLink(host.netlink.indexOf('ctl1'), { up: false });
    const daemon = host.start(...ARGUMENTS, ...QUICK, '-S');
    await daemon.sees(/Switching to state: MASTER/);
  });

  test('-D tells what was sent and heard', async (t) => {
    const host = createHost(t);
    const daemon = host.start(...ARGUMENTS, ...QUICK, '-D');
    await eventually('details', PATIENCE_MS, () =>
      /^\[DEBUG\] MASTER on ctl0 id 21: \d+ adverts sent, /m.test(daemon.output()),
    );
  });

  test('-B comes back when it cares for the address, and goes on in the background', async (t) => {
    const host = createHost(t);
    const { words, calls } = notingScripts(host);
    const { status, stdout, stderr } = host.run(...ARGUMENTS, ...QUICK, ...words, '-n', '-B');
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
    const { pid } = JSON.parse(host.run('status', '--json').stdout);
    t.after(() => !hasEnded(pid) && process.kill(pid, 'SIGKILL'));
    await eventually('the up script', PATIENCE_MS, () => calls().join() === `up 2 ctl0 ${VIP}`);
    assert.ok(host.addresses().includes(`${VIP}/32`));
    process.kill(pid, 'SIGTERM');
    await eventually('its end', PATIENCE_MS, () => hasEnded(pid));
    assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  });

  test('its process is called ucarp, and shows no password', async (t) => {
    const host = createHost(t);
    const daemon = host.start(...ARGUMENTS);
    await daemon.sees(/Switching to state: BACKUP/);
    const read = (name: string) => readFileSync(`/proc/${daemon.process.pid}/${name}`, 'utf8').replace(/[\0\n]+$/, '');
    assert.deepEqual([read('comm'), read('cmdline')], ['ucarp', 'ucarp']);
  });

  test('-B says what hinders the start, with status 2', (t) => {
    const host = createHost(t);
    const { status, stderr } = host.run(...ARGUMENTS, '-i', 'eth7', '-B');
    assert.equal(status, 2);
    assert.equal(stderr.match(/\[interface-missing\]/g)?.length, 1, stderr);
  });

  test('a link named ucarp takes the options as ucarp does', (t) => {
    const host = createHost(t);
    const link = join(host.directory, 'ucarp');
    symlinkSync(MAIN, link);
    const usage = host.runProgram(process.execPath, link, '--help');
    assert.deepEqual([usage.status, /--vhid VALUE/.test(usage.stdout)], [0, true]);
    // the link itself is a command
    assert.equal(host.runProgram(link, '-v', '1').status, 1);
  });
});

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
