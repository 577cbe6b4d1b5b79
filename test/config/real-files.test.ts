/** Lines that many files of HAProxy's users have: they are taken as HAProxy takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import type { Config } from '#src/config/model.js';

const TIMEOUTS = ' timeout connect 5s\n timeout client 5s\n timeout server 5s\n';
const read = (lines: string, global = '') =>
  loadConfig([{ file: 'haproxy.cfg', text: `global\n${global}defaults\n mode http\n${TIMEOUTS}${lines}` }]);

function accepted(lines: string, global = ''): Config {
  const { config, diagnostics } = read(lines, global);
  assert.deepEqual(diagnostics, []);
  return config!;
}

test('a page of statistics needs neither servers nor a backend', () => {
  for (const kind of ['listen', 'frontend']) accepted(`${kind} stats\n bind :8404\n stats enable\n`);
  accepted('listen metrics\n bind :8404\n http-request use-service prometheus-exporter if { path /metrics }\n');
});

test('statistics in mode tcp are warned of where they are written, not where the defaults bring them', () => {
  const tcp = ' mode tcp\n bind :8404\n server s 10.0.0.1:80\n';
  const { diagnostics } = read(`listen stats\n${tcp} stats enable\n stats uri /\n`);
  assert.deepEqual(
    diagnostics.map(({ code, span }) => [code, span.line]),
    [['no-effect', 11]],
  );
  assert.deepEqual(read(` stats enable\nlisten tcp\n${tcp}`).diagnostics, []);
});

test('`balance` alone is roundrobin', () => {
  const [backend] = accepted('listen a\n bind :80\n balance\n server s 10.0.0.1:80\n').backends;
  assert.deepEqual(backend?.balance, { kind: 'roundrobin' });
});

test('localhost is an address to listen on and to log to', () => {
  const lines = 'listen a\n bind localhost:80\n log global\n option httplog\n server s 10.0.0.1:80\n';
  const { frontends, global } = accepted(lines, ' log localhost local0\n stats socket localhost:9999 level admin\n');
  assert.equal(frontends[0]?.binds[0]?.endpoint.address, '127.0.0.1');
  assert.deepEqual(global.log_targets[0]?.to, { kind: 'udp', endpoint: { address: '127.0.0.1', port: 514 } });
});

test('a stats socket may listen on every address, but not without a port', () => {
  const lines = 'listen a\n bind :80\n server s 10.0.0.1:80\n';
  for (const address of ['*:1999', ':1999', '0.0.0.0:1999', 'ipv4@*:1999']) {
    const [socket] = accepted(lines, ` stats socket ${address} level admin\n`).global.stats_sockets;
    assert.deepEqual(socket?.to, { kind: 'tcp', endpoint: { address: '0.0.0.0', port: 1999 } }, address);
  }
  for (const address of ['127.0.0.1', 'www.example.com:1999']) {
    const { diagnostics } = read(lines, ` stats socket ${address} level admin\n`);
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ['bad-address'],
      address,
    );
  }
});

test('a log target that is a name is told to be an address', () => {
  const { diagnostics } = read('listen a\n bind :80\n server s 10.0.0.1:80\n', ' log rsyslog:514 local0\n');
  assert.deepEqual(
    diagnostics.map(({ code, mend }) => [code, mend]),
    [['bad-address', 'Names are not looked up here: write the address of `rsyslog`.']],
  );
});

test('a server in a frontend is an error, as in HAProxy, and a balance there a warning', () => {
  const { diagnostics } = read(
    'frontend a\n bind :80\n balance source\n server s 10.0.0.1:80\n default_backend a\nbackend a\n server s 10.0.0.1:80\n',
  );
  assert.deepEqual(
    diagnostics.map(({ severity, code, span }) => [severity, code, span.line]),
    [
      ['warning', 'keyword-in-wrong-section', 9],
      ['error', 'keyword-in-wrong-section', 10],
    ],
  );
});
