/** Every dialect into every other: what is printed is read again as the same vhids, or the loss is told. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { convert, TARGETS, type Target } from '#src/config/convert/convert.js';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { loadConfig } from '#src/config/load.js';
import type { Carp, Config } from '#src/config/model.js';
import { parseUcarpCommand } from '#src/config/ucarp/command.js';

const RUNS = 300;

const password = fc.oneof(
  fc.stringMatching(/^[a-z0-9_.:@%+=-]{1,19}$/),
  fc.stringMatching(/^[ -~]{1,19}$/).filter((text) => text.trim() !== '' && !/[<>{}]/.test(text)),
);
const host = fc.integer({ min: 2, max: 250 });
const skew = fc.integer({ min: 0, max: 254 });

/** Lines of a carp section that may stand together; each vhid has addresses of its own. */
const section = fc
  .record(
    {
      link: fc.constant('eth0'),
      pass: password,
      advskew: skew,
      advbase: fc.integer({ min: 1, max: 255 }),
      second: host,
      v6: host,
      preempt: fc.boolean(),
      peer: host,
      mac: fc.constant('virtual'),
      also: password,
      deadratio: fc.integer({ min: 1, max: 255 }),
      no: fc.subarray(['no nodad', 'no hash-link-locals', 'openbsd-demote-byte', 'ignore-link-state', 'disabled']),
      script: fc.stringMatching(/^\/[ -~]{1,10}$/),
    },
    { requiredKeys: ['pass', 'advskew'] },
  )
  .map((drawn) => (position: number) => {
    const third = position + 1;
    const lines = [
      drawn.link === undefined ? '' : `interface ${drawn.link}`,
      `vhid ${third}`,
      `pass ${quote(drawn.pass)}`,
      `address 10.10.${third}.1/16`,
      drawn.second === undefined ? '' : `address 10.20.${third}.${drawn.second}/24`,
      drawn.v6 === undefined ? '' : `address 2001:db8:${third}::${drawn.v6.toString(16)}/64`,
      `advskew ${drawn.advskew}`,
      drawn.advbase === undefined ? '' : `advbase ${drawn.advbase}`,
      drawn.preempt ? 'preempt' : '',
      drawn.peer === undefined ? '' : `peer 10.10.0.${drawn.peer}`,
      drawn.mac === undefined ? '' : `mac ${drawn.mac}`,
      drawn.also === undefined ? '' : `also accept pass ${quote(drawn.also)}`,
      drawn.deadratio === undefined ? '' : `deadratio ${drawn.deadratio}`,
      ...(drawn.no ?? []),
      drawn.script === undefined ? '' : `upscript ${quote(drawn.script)}`,
    ];
    return `carp web${position}\n${lines.map((line) => `    ${line}\n`).join('')}`;
  });

const nativeText = fc
  .array(section, { minLength: 1, maxLength: 4 })
  .map((all) => all.map((make, i) => make(i)).join('\n'));

/** In double quotes, where a backslash takes the next character as it is. */
function quote(text: string): string {
  return `"${text.replace(/["\\$]/g, '\\$&')}"`;
}

function load(files: readonly { file: string; text: string }[]): Config {
  const { config, diagnostics } = loadConfig(files);
  assert.ok(config, `${files.map(({ text }) => text).join('\n')}${diagnostics.map(formatDiagnostic).join('\n')}`);
  return config;
}

function reread(config: Config, target: Target): { again: Config; losses: readonly unknown[] } {
  const { files, losses } = convert(config, target);
  return { again: load(files.map(({ name = 'ucarp', text }) => ({ file: name, text }))), losses };
}

/** What the vhids are, without where they were written and what they are called there. */
function meaning({ carps, carp_host }: Config): unknown {
  const told = carps.map(({ span, spans, name, dialect, addresses, preempt, ...rest }: Carp) => {
    const plain = addresses.map(({ address, prefix_length }) => `${address}/${prefix_length}`);
    return { ...rest, addresses: plain, preempt: preempt || carp_host.preempt };
  });
  return JSON.parse(JSON.stringify(told.sort((a, b) => a.vhid - b.vhid)));
}

test('native sections are read again as they were', () => {
  fc.assert(
    fc.property(nativeText, (text) => {
      const config = load([{ file: 'haproxy.cfg', text }]);
      const { again, losses } = reread(config, 'native');
      assert.deepEqual(meaning(again), meaning(config));
      assert.deepEqual(losses, []);
    }),
    { numRuns: RUNS },
  );
});

for (const target of ['freebsd9', 'freebsd10', 'openbsd'] as const) {
  test(`what ${target} has words for is read again as it was, and the rest is told`, () => {
    fc.assert(
      fc.property(nativeText, (text) => {
        const config = load([{ file: 'haproxy.cfg', text }]);
        const { again, losses } = reread(config, target);
        // every BSD has the virtual MAC, and whoever reads a file of OpenBSD knows its rules
        const asThere = (vhids: unknown) =>
          (vhids as Record<string, unknown>[]).map(
            ({ mac, advert_mac, hash_link_locals, openbsd_demote_byte, ...rest }) =>
              target === 'openbsd' ? rest : { hash_link_locals, openbsd_demote_byte, ...rest },
          );
        if (losses.length === 0) assert.deepEqual(asThere(meaning(again)), asThere(meaning(config)));
        else assert.deepEqual(again.carps.length, config.carps.length);
      }),
      { numRuns: RUNS },
    );
  });
}

test('ucarp gets one vhid in words that carpool reads again', () => {
  const words = 'ucarp -i eth0 -s 10.10.0.11 -v 42 -p s3cret -a 10.10.0.1 -k 100 -P -u /etc/up -z -d /etc/down';
  const { config } = parseUcarpCommand(words.split(' ').slice(1));
  const { files, losses } = convert(config!, 'ucarp');
  assert.deepEqual(losses, []);
  const again = parseUcarpCommand(files[0]!.text.trim().split(' ').slice(1));
  assert.deepEqual(meaning(again.config!), meaning(config!));
});

const golden = fileURLToPath(new URL('../../../test/config/golden', import.meta.url));

const converted = fileURLToPath(new URL('../../../test/config/converted', import.meta.url));

/** test/config/converted/NAME.txt; REWRITE_GOLDEN=1 writes it anew. */
for (const name of ['native-carp', 'freebsd10', 'openbsd', 'third-document-b-mended', 'second-document-filled-in']) {
  test(`"${name}" is said to every system just so, and what it has no words for`, () => {
    const files = readdirSync(join(golden, name)).filter((file) => file !== 'expected.txt');
    const config = load(files.sort().map((file) => ({ file, text: readFileSync(join(golden, name, file), 'utf8') })));
    const actual = TARGETS.map((target) => describeConversion(config, target)).join('\n');
    const path = join(converted, `${name}.txt`);
    if (process.env['REWRITE_GOLDEN'] === '1') writeFileSync(path, actual);
    assert.equal(actual, existsSync(path) ? readFileSync(path, 'utf8') : '');
  });
}

function describeConversion(config: Config, target: Target): string {
  const { files, losses } = convert(config, target);
  if (target !== 'ucarp') load(files.map(({ name: file = '', text }) => ({ file, text })));
  const texts = files.map(({ name = 'command', text }) => `--- ${name}\n${text}`);
  return `====== ${target}\n${texts.join('')}${losses.map((loss) => `${formatDiagnostic(loss)}\n`).join('')}`;
}
