import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { loadConfig } from '#src/config/load.js';
import { probeLogs } from '#src/control/log-probe.js';

test('a syslog socket that is not there is told once, at the place of its line; others are quiet', () => {
  const text = `global
    log /nowhere/log local0
    log 127.0.0.1:514 local0
    log stdout format raw local0
defaults
    log global
    timeout client 5s
frontend a
    bind 127.0.0.1:1
    default_backend b
frontend c
    bind 127.0.0.1:2
    default_backend b
backend b
`;
  const { config } = loadConfig([{ file: 'a.cfg', text }]);
  assert.deepEqual(probeLogs(config!).map(formatDiagnostic), [
    'a.cfg:2:5: warning: No syslog server listens on /nowhere/log now, so lines for it are lost. [log-unreachable]\n' +
      '    Start it first, or write `log stdout format raw local0`, which systemd keeps in its journal.',
  ]);
});
