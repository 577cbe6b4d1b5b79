/** No text that anybody could write makes a parser throw, hang, or report without a place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UCARP_KEYWORDS } from '#src/config/debian/interfaces.js';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { BIND_WORDS } from '#src/config/haproxy/bind.js';
import { CARP_KEYWORDS } from '#src/config/haproxy/carp.js';
import { GLOBAL_KEYWORDS } from '#src/config/haproxy/global.js';
import { OPTIONS } from '#src/config/haproxy/options.js';
import { PROXY_KEYWORDS } from '#src/config/haproxy/proxy.js';
import { SERVER_WORDS } from '#src/config/haproxy/server.js';
import { TIMEOUTS } from '#src/config/haproxy/timeouts.js';
import { loadConfig } from '#src/config/load.js';
import { parseUcarpCommand } from '#src/config/ucarp/command.js';

const RUNS = 1000;

const words = [
  ...[GLOBAL_KEYWORDS, PROXY_KEYWORDS, CARP_KEYWORDS, OPTIONS, TIMEOUTS, BIND_WORDS, SERVER_WORDS].flatMap((table) =>
    table.map(({ name }) => name),
  ),
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'carp', 'peers'],
  ...['if', 'unless', '{', '}', '!', '||', 'or', 'nbsrv(b)', 'ge', 'TRUE', 'from', 'no', '.if', 'ifconfig', 'carp0'],
  ...[
    '0',
    '1',
    '255',
    '256',
    '-1',
    '1e9',
    '5s',
    '99999999999',
    ':80',
    '[::]:80',
    '*:1-65535',
    '10.0.0.1/16',
    'n.n.n.1',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\\x',
    '\\x41',
    '#',
    '$',
    '${A}',
    '"${A-b}"',
    '`',
    ';',
    '=',
    '\0',
    '\r',
    '\ud800',
    'ä',
    '<password>',
  ],
  ...['ifconfig_carp0="vhid', 'cloned_interfaces="carp0"', 'net.inet.carp.preempt=1', 'iface', 'eth0:ucarp'],
  ...UCARP_KEYWORDS,
  ...['track', 'http://127.0.0.1/', 'tcp', 'tcp:127.0.0.1:80', 'source', 'inet', 'static', 'address', 'netmask'],
];

const configText = fc
  .array(fc.oneof({ arbitrary: fc.constantFrom(...words), weight: 8 }, fc.string({ unit: 'binary', maxLength: 8 })), {
    maxLength: 60,
  })
  .chain((parts) =>
    fc
      .array(fc.constantFrom(' ', '\n', '\n', '\t', ''), { minLength: parts.length, maxLength: parts.length })
      .map((gaps) => parts.map((part, index) => part + gaps[index]).join('')),
  );

const fileName = fc.constantFrom('haproxy.cfg', 'rc.conf', 'sysctl.conf', 'interfaces', 'some.conf');

test('any text in any file is either a model or a diagnostic with its place', () => {
  fc.assert(
    fc.property(fileName, configText, (file, text) => {
      const { config, diagnostics } = loadConfig([{ file, text }], { env: { A: 'x' } });
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      assert.equal(config === undefined, errors.length > 0);
      const lines = text.split('\n').length;
      for (const diagnostic of diagnostics) {
        assert.equal(diagnostic.span.file, file, formatDiagnostic(diagnostic));
        assert.ok(diagnostic.span.line <= lines, formatDiagnostic(diagnostic));
      }
    }),
    { numRuns: RUNS },
  );
});

test('any arguments of ucarp are either a vhid or a diagnostic', () => {
  const argument = fc.oneof(
    fc.constantFrom(
      '-i',
      '-v',
      '1',
      '-s',
      '10.0.0.1',
      '-a',
      '10.0.0.2',
      '-p',
      'x',
      '-zPn',
      '--',
      '-',
      '--vh=1',
      '--=',
      '-b0',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 16 }), (argv) => {
      const { config, diagnostics, shows_usage } = parseUcarpCommand(argv);
      assert.equal(config === undefined, shows_usage || diagnostics.some(({ severity }) => severity === 'error'));
    }),
    { numRuns: RUNS },
  );
});
