/** No text that anybody could write makes a parser throw, hang, or report without a place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UCARP_KEYWORDS } from '#src/config/debian/interfaces.js';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { runSysctl } from '#src/config/freebsd/sysctl-command.js';
import { BIND_WORDS } from '#src/config/haproxy/bind.js';
import { CARP_KEYWORDS } from '#src/config/haproxy/carp.js';
import { GLOBAL_KEYWORDS } from '#src/config/haproxy/global.js';
import { OPTIONS } from '#src/config/haproxy/options.js';
import { PROXY_KEYWORDS } from '#src/config/haproxy/proxy.js';
import { SERVER_WORDS } from '#src/config/haproxy/server.js';
import { TIMEOUTS } from '#src/config/haproxy/timeouts.js';
import { type IfconfigBefore, runIfconfig } from '#src/config/ifconfig/command.js';
import { loadConfig } from '#src/config/load.js';
import { CARP_HOST_DEFAULTS } from '#src/config/model-defaults.js';
import { Reporter } from '#src/config/reporter.js';
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
  ...[
    'ifconfig_em0_aliases="inet vhid',
    'inet6',
    'carpnodes',
    '1:0,2:100',
    'balancing',
    'peer',
    'carpdev',
    '2001:db8::1-f',
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

const fileName = fc.constantFrom(
  'haproxy.cfg',
  'rc.conf',
  'sysctl.conf',
  'interfaces',
  'hostname.carp0',
  'ifconfig.carp0',
  'some.conf',
);

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

test('any words after ifconfig or sysctl either change the node or are refused with a diagnostic', () => {
  const argument = fc.oneof(
    fc.constantFrom(
      ...['carp0', 'carp1', 'em0', 'carp', 'create', 'destroy', 'vhid', '1', '255', 'advskew', '100', 'pass', 'x'],
      ...['10.10.0.1/16', '10.10.0.5-9', '2001:db8::1', 'alias', '-alias', 'state', 'backup', 'up', 'down', '-g', '-a'],
      ...[
        'carpnodes',
        '1:0,2:100',
        'balancing',
        'arp',
        'ip',
        'name',
        'netmask',
        '255.255.0.0',
        '0xff',
        'peer',
        'carpdemote',
      ],
      ...['net.inet.carp', 'net.inet.carp.preempt=1', 'net.inet.carp.demotion=-5', 'net.inet.carp.', '=', '-n'],
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const span = { file: 'command', line: 0, column: 0, end_column: 0 };
  fc.assert(
    fc.property(fc.array(fc.array(argument, { maxLength: 8 }), { maxLength: 6 }), (commands) => {
      let node: IfconfigBefore = { drafts: [], interface_names: [] };
      for (const command of commands) {
        const words = command.map((text) => ({ text, span }));
        const report = new Reporter();
        const after = runIfconfig(words, node, report);
        assert.equal(after === undefined, report.hasErrors, command.join(' '));
        node = after ?? node;
        const sysctl = new Reporter();
        const outcome = runSysctl(words, CARP_HOST_DEFAULTS, { demotion: 0, suppress_preempt: 0 }, sysctl);
        assert.equal(outcome === undefined, sysctl.hasErrors, command.join(' '));
      }
    }),
    { numRuns: RUNS },
  );
});
