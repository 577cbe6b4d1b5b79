import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { resolveCheckNames } from '#src/control/resolve-check-names.js';

const TEXT = `listen servers
    mode tcp
    bind 127.0.0.1:8000
    server a 192.0.2.1:80 check addr localhost port 81 agent-check agent-port 82
    server b 192.0.2.2:80 check agent-check agent-addr localhost agent-port 82
    server c 192.0.2.3:80 check addr 192.0.2.9
    server d 192.0.2.4:80 check addr nowhere.invalid
`;

test('names of what is checked become addresses; one that does not resolve is a mistake at its place', async () => {
  const { config, diagnostics: mistakes } = loadConfig([{ file: 'a.cfg', text: TEXT }]);
  assert.ok(config, JSON.stringify(mistakes));
  const { config: resolved, diagnostics } = await resolveCheckNames(config);
  const [a, b, c] = resolved.backends[0]!.servers;
  assert.match(a!.check!.endpoint!.address, /^(127\.0\.0\.1|::1)$/);
  assert.equal(a!.check!.endpoint!.port, 81);
  assert.match(a!.agent!.address, /^(127\.0\.0\.1|::1)$/);
  assert.match(b!.agent!.address, /^(127\.0\.0\.1|::1)$/);
  assert.equal(b!.check!.endpoint, undefined);
  assert.equal(c!.check!.endpoint!.address, '192.0.2.9');
  assert.deepEqual(
    diagnostics.map(({ severity, code, span }) => `${span.line}:${span.column} ${severity} ${code}`),
    ['7:33 error name-not-resolved'],
  );
});
