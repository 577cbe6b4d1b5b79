/**
 * Debian's own ifupdown, with the hooks of packaging/debian and the package ucarp's vip-up and vip-down, on a host whose
 * /etc/network and /run are its own (network, mount and process namespaces).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsNamespaces } from '../helpers/carp-network.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';

const root = new URL('../../../', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/main.js', root));
const scripts = existsSync('/usr/share/ucarp/vip-up') && existsSync('/sbin/ifup');
const skip = needs('ucarp', 'ip', 'unshare') || needsNamespaces() || (scripts ? false : 'needs ifupdown and vip-up');

/** The hosts' own stanza, as far as the second document leaves it out. */
const OWN = 'auto eth0\niface eth0 inet static\n  address 10.10.0.11/24\n';
const UCARP = '  ucarp-vid 1\n  ucarp-vip 10.10.0.10\n  ucarp-password some_password\n';
/** Scripts of the user: the up script adds the address with the network's length, the down script leaves it there. */
const SCRIPTS = '  ucarp-upscript /usr/local/sbin/up\n  ucarp-downscript /bin/true\n';
const MAKE_UP = `printf '#!/bin/sh\\nexec ip address add "$2/24" dev "$1"\\n' > /usr/local/sbin/up
chmod +x /usr/local/sbin/up`;
const DOCUMENT = readFileSync(new URL('test/config/golden/second-document/interfaces', root), 'utf8');

/** Runs a shell script on a fresh Debian host with these interfaces; what it prints. `settle` waits for a state. */
function onHost(t: TestContext, interfaces: string, script: string): Promise<string> {
  const directory = mkdtempSync('/tmp/carpool-debian-');
  t.after(() => rmSync(directory, { recursive: true }));
  const etc = join(directory, 'etc');
  for (const name of ['if-pre-up.d', 'if-up.d', 'if-down.d', 'if-post-down.d'])
    mkdirSync(join(etc, name), { recursive: true });
  for (const hook of ['if-up.d', 'if-down.d']) {
    const path = join(etc, hook, 'carpool');
    copyFileSync(new URL(`packaging/debian/${hook}/carpool`, root), path);
    chmodSync(path, 0o755);
  }
  writeFileSync(join(etc, 'interfaces'), interfaces);
  writeFileSync(join(directory, 'run.sh'), `${SET_UP}\n${script}\n`);
  const words = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    'sh',
    join(directory, 'run.sh'),
    etc,
    MAIN,
  ];
  return new Promise((resolve, reject) => {
    execFile('unshare', words, { timeout: 2 * PATIENCE_MS }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (error?.killed) reject(new Error(`it did not end:\n${output}`));
      else resolve(output);
    });
  });
}

const SET_UP = `
set -e
mount --make-rprivate /
mount --bind "$1" /etc/network
mount -t tmpfs none /run
mount -t tmpfs none /usr/local/sbin
mkdir /run/network
printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' "${process.execPath}" "$2" > /usr/local/sbin/carpool
chmod +x /usr/local/sbin/carpool
export PATH=/usr/local/sbin:$PATH:/usr/sbin:/sbin
ip link set lo up
ip link add eth0 type veth peer name peer
ip link set peer up
until_shows() { for i in $(seq 600); do "$@" 2>/dev/null && return; sleep 0.1; done; echo "not in time: $*"; ip address show eth0; exit 1; }
has() { ip -o -4 address show eth0 | grep -q "$1"; }
has_not() { ! has "$1"; }
`;

describe("ifupdown with carpool's hooks", { skip, concurrency: 4 }, () => {
  test('the second document: ifup starts, vip-up adds its own entry, ifdown takes everything away', async (t) => {
    const filled_in = OWN + DOCUMENT.replaceAll('n.n.n', '10.10.0');
    const output = await onHost(
      t,
      filled_in,
      `ifup eth0
       carpool status | grep -q 'ifup eth0' && echo runs
       until_shows has '10.10.0.10/32'
       until_shows has '10.10.0.10/24.*eth0:ucarp'
       ifdown eth0
       ip -o -4 address show eth0
       ls /run/carpool 2>/dev/null || echo gone
       cat /run/network/ifstate*`,
    );
    assert.equal(output.trim(), 'runs\ngone', output);
  });

  test('in maintenance every entry of the address goes, with the route of the stanza', async (t) => {
    const output = await onHost(
      t,
      OWN + DOCUMENT.replaceAll('n.n.n', '10.10.0'),
      `ifup eth0
       until_shows has '10.10.0.10/24.*eth0:ucarp'
       until_shows sh -c 'ip route show default | grep -q 10.10.0.1' && echo routed
       carpool maint >/dev/null
       until_shows has_not 10.10.0.10
       until_shows sh -c '! ip route show default | grep -q .'
       until_shows sh -c '! grep -q ucarp /run/network/ifstate'
       carpool ready >/dev/null
       until_shows has '10.10.0.10/24.*eth0:ucarp'
       echo back`,
    );
    assert.equal(output.trim(), 'routed\nback', output);
  });

  test('a /32 stanza, which is the very entry that carpool holds, neither fails nor stays', async (t) => {
    const label = 'iface eth0:ucarp inet static\n  address 10.10.0.10\n  netmask 255.255.255.255\n';
    const output = await onHost(
      t,
      OWN + UCARP + label,
      `ifup eth0
       until_shows has '10.10.0.10/32'
       sleep 1
       has '10.10.0.10/32' && echo held
       ifdown eth0
       until_shows has_not 10.10.0.10
       echo gone`,
    );
    assert.equal(output.trim(), 'held\ngone', output);
  });

  test('a script of the user may add the address again with its own length, and leave it', async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP + SCRIPTS,
      `${MAKE_UP}
       ifup eth0
       until_shows has '10.10.0.10/24'
       kill -USR2 $(carpool status --json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
       until_shows has_not 10.10.0.10
       has '10.10.0.11/24' && echo own address stays`,
    );
    assert.equal(output.trim(), 'own address stays', output);
  });

  test('a daemon that is killed leaves no entry of the address, and neither does its next start', async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP + SCRIPTS,
      `${MAKE_UP}
       ifup eth0
       until_shows has '10.10.0.10/24'
       kill -KILL $(carpool status --json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
       until_shows has_not 10.10.0.10
       ip address add 10.10.0.10/24 dev eth0
       carpool debian up eth0
       has_not 10.10.0.10 && echo gone`,
    );
    assert.equal(output.trim(), 'gone', output);
  });

  test("beside the package ucarp's own hook ours starts nothing, and says so", async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP,
      `printf '#!/bin/sh\\n' > /etc/network/if-up.d/ucarp
       chmod +x /etc/network/if-up.d/ucarp
       ifup eth0
       ls /run/carpool 2>/dev/null || echo nothing runs`,
    );
    assert.match(
      output,
      /if-up\.d\/ucarp starts ucarp for eth0, so carpool is not started\nnothing runs|nothing runs\n.*so carpool is not started/,
    );
  });

  test('a mistake in the stanza is told, and the interface comes up all the same', async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP.replace('ucarp-vid 1', 'ucarp-vid 999'),
      `ifup eth0 && has 10.10.0.11 && echo is up`,
    );
    assert.match(output, /^IF_UCARP_VID: error: ucarp-vid `999` is out of range\. \[out-of-range\]$/m);
    assert.match(output, /^is up$/m);
  });

  test("the second document's own `ifconfig eth0:ucarp up` starts the stanza, and `down` ends its service", async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP,
      `ip address add 10.10.0.11/24 dev eth0
       ip link set eth0 up
       carpool ifconfig eth0:ucarp up
       until_shows has 10.10.0.10/32
       carpool ifconfig eth0:ucarp
       carpool ifconfig eth0:ucarp down
       until_shows has_not 10.10.0.10
       carpool ifconfig eth0:ucarp up
       until_shows has 10.10.0.10/32
       echo back`,
    );
    assert.match(
      output,
      /^carp0: .*\n\tinet 10\.10\.0\.10 netmask 0xffffffff\n\tcarp: MASTER vhid 1 advbase 1 advskew 0\nback\n$/,
    );
  });

  test('by hand, the stanza of /etc/network/interfaces counts', async (t) => {
    const output = await onHost(
      t,
      OWN + UCARP,
      `ip address add 10.10.0.11/24 dev eth0
       ip link set eth0 up
       carpool debian up eth0 && carpool status | grep -o 'ifup eth0'
       carpool debian up eth0
       carpool debian up eth7 || echo status $?
       carpool debian down eth0 && ls /run/carpool 2>/dev/null || echo gone`,
    );
    assert.match(output, /^ifup eth0$/m);
    assert.match(output, /^carpool: eth0 has its daemon already, pid \d+\.$/m);
    assert.match(output, /^carpool: No stanza of eth7 in \/etc\/network\/interfaces has options of ucarp\.$/m);
    assert.match(output, /^status 1\n/m);
    assert.match(output, /^gone$/m);
  });
});
