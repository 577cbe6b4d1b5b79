import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { resolveServers } from '#src/control/resolve-servers.js';

const TEXT = `frontend f
    mode tcp
    bind 127.0.0.1:8000
    default_backend servers
backend servers
    mode tcp
    server a localhost:8001
    server b nowhere.invalid:8002
    server c 192.0.2.7:8003
`;

test('names become addresses; one that does not resolve is a warning at its place, and the others work', async () => {
  const { config } = loadConfig([{ file: 'a.cfg', text: TEXT }]);
  const resolved = await resolveServers(config!);
  const [a, b, c] = resolved.config.backends[0]!.servers.map((server) => server.endpoint.address);
  assert.ok(a === '127.0.0.1' || a === '::1', a);
  assert.equal(b, '');
  assert.equal(c, '192.0.2.7');
  assert.deepEqual(
    resolved.diagnostics.map(({ severity, code, span }) => `${span.file}:${span.line} ${severity} ${code}`),
    ['a.cfg:8 warning name-not-resolved'],
  );
});

test('init-addr says where a first address comes from, and whether there must be one', async () => {
  const { config } = loadConfig([
    {
      file: 'a.cfg',
      text: `${TEXT}    server d nowhere.invalid:80 init-addr libc,192.0.2.9
    server e localhost:80 init-addr 192.0.2.8,libc
    server f nowhere.invalid:80 init-addr last,libc
    server g localhost:80 init-addr none
    server-template h 2 nowhere.invalid:80
`,
    },
  ]);
  const { config: resolved, origins, diagnostics } = await resolveServers(config!);
  const addresses = resolved.backends[0]!.servers.slice(3).map((server) => server.endpoint.address);
  assert.deepEqual(addresses, ['192.0.2.9', '192.0.2.8', '', '', '', '']);
  assert.equal(origins.get('servers/d'), 'init-addr');
  assert.equal(origins.get('servers/a'), 'libc');
  assert.deepEqual(
    diagnostics.map(({ severity, span }) => `${span.line} ${severity}`),
    ['8 warning', '12 error', '13 warning', '14 warning'],
  );
});
