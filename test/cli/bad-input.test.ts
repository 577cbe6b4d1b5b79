/** What people get wrong: each is one diagnostic that names place and mend, exit status 1, and nothing left behind. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createHost, type Host, needsRoot } from '../control/host.js';

const CARP = `carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
`;

/** Runs the file and gives its only diagnostic. */
function diagnosticOf(host: Host, text: string, how: (file: string) => ReturnType<Host['run']>): string {
  const { status, stdout, stderr } = how(host.file('a.cfg', text));
  assert.equal(status, 1, stderr);
  assert.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.filter((line) => /: error: /.test(line) || line.startsWith('error: ')).length, 1, stderr);
  assert.ok(!/^\s+at /m.test(stderr), `a stack trace:\n${stderr}`);
  assert.equal(existsSync(host.socket), false);
  assert.deepEqual(readdirSync(host.directory), ['a.cfg']);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  return stderr;
}

const MISTAKES = [
  {
    name: 'an unknown keyword',
    text: CARP.replace('advbase', '').replace('vhid 1', 'vhid 1\n    advskw 100'),
    expected: /a\.cfg:4:5: error: .*advskw.*\[unknown-keyword\]\n {4}.*advskew/,
  },
  {
    name: 'a password over 19 bytes',
    text: CARP.replace('s3cret', 'a-password-of-24-letters'),
    expected: /a\.cfg:4:\d+: error: .*19.*\[password-too-long\]/,
  },
  {
    name: 'a placeholder',
    text: CARP.replace('"s3cret"', '<password>'),
    expected: /a\.cfg:4:\d+: error: .*<password>.*\[placeholder\]/,
  },
  {
    name: 'a missing interface',
    text: CARP.replace('ctl0', 'eth7'),
    expected: /a\.cfg:2:\d+: error: .*eth7.*\[interface-missing\]\n {4}.*ctl0/,
  },
];

for (const { name, text, expected } of MISTAKES) {
  test(`${name} is one diagnostic with place and mend`, { skip: needsRoot }, (t) => {
    const host = createHost(t);
    assert.match(
      diagnosticOf(host, text, (file) => host.run('-f', file)),
      expected,
    );
  });
}

test('a port in use is noticed before anything starts, also when its owner shares it', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  const text = `${CARP}
frontend http-in
    mode http
    bind 10.10.0.1:8080
    default_backend servers
backend servers
    mode http
    server a 10.10.0.6:80
`;
  for (const reuse_port of [false, true]) {
    host.occupyPort(8080, reuse_port);
    assert.match(
      diagnosticOf(host, text, (file) => host.run('-f', file)),
      /a\.cfg:9:\d+: error: Another program already listens on 10\.10\.0\.1:8080\. \[port-in-use\]\n {4}"ss -ltnp/,
    );
  }
});

test('no permission for packet sockets is one diagnostic that names the rights', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  assert.match(
    diagnosticOf(host, CARP, (file) => host.runWithout(['net_raw', 'net_admin'], '-f', file)),
    /error: .*\[\S*permi\S*\]\n {4}.*CAP_NET_RAW CAP_NET_ADMIN/,
  );
});

test('a low port without the right to it is one diagnostic', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  const text = 'listen a\n    mode tcp\n    bind 10.10.0.5:80\n    server a 10.10.0.6:80\n';
  assert.match(
    diagnosticOf(host, text, (file) => host.runWithout(['net_bind_service'], '-f', file)),
    /a\.cfg:3:\d+: error: This user may not listen on port 80\. \[port-forbidden\]\n {4}Run carpool as root/,
  );
});

test('a control socket that cannot be made where a person wants it is one diagnostic', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  assert.match(
    diagnosticOf(host, CARP, (file) => host.run('-f', file, '--socket', '/proc/nowhere/a.sock')),
    /^error: No control socket could be made \(\/proc\/nowhere\/a\.sock: [^)]+\).*\[no-control-socket\]/,
  );
});
