import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { CARP_DEFAULTS } from '#src/config/model-defaults.js';
import { parseUcarpCommand, type UcarpCommand, type UcarpInputs } from '#src/config/ucarp/command.js';

const ENOUGH = '-s 10.10.0.11 -v 1 -p s3cret -a 10.10.0.1';

function parse(line: string, inputs?: UcarpInputs): UcarpCommand {
  return parseUcarpCommand(line.split(' '), inputs);
}

function said(line: string): string[] {
  return parse(line).diagnostics.map(({ code, span }) => `${span.column} ${code}`);
}

test("ucarp's least arguments are one vhid with ucarp's defaults", () => {
  const { config, exit_status, diagnostics } = parse(ENOUGH);
  assert.deepEqual(diagnostics, []);
  assert.equal(exit_status, 0);
  assert.equal(config?.carps.length, 1);
  const { span: _span, spans: _spans, addresses, ...carp } = config!.carps[0]!;
  assert.deepEqual(
    addresses.map(({ address, prefix_length }) => `${address}/${prefix_length}`),
    ['10.10.0.1/32'],
  );
  assert.deepEqual(carp, {
    ...CARP_DEFAULTS,
    name: '10.10.0.1',
    dialect: 'ucarp',
    vhid: 1,
    pass: 's3cret',
    source_address: '10.10.0.11',
  });
});

test('every option has its short, attached, bundled, long, long with =, and shortened form', () => {
  const forms = [
    '-i eth0 -v 7 -b 2 -k 100 -r 4 -P -n -z -u /up -d /down -x word -s 10.10.0.11 -p s3cret -a 10.10.0.1 -B',
    '-ieth0 -v7 -b2 -k100 -r4 -PnzB -u/up -d/down -xword -s10.10.0.11 -ps3cret -a10.10.0.1',
    '--interface eth0 --vhid 7 --advbase 2 --advskew 100 --deadratio 4 --preempt --neutral --shutdown --upscript /up --downscript /down --xparam word --srcip 10.10.0.11 --pass s3cret --addr 10.10.0.1 --daemonize',
    '--interface=eth0 --vhid=0x7 --advbase=2 --advskew=100 --deadratio=4 --pree --neu --shut --up=/up --down=/down --xp=word --src=10.10.0.11 --pass=s3cret --addr=10.10.0.1 --daem',
  ];
  const outlines = forms.map((form) => {
    const { config, diagnostics } = parse(form);
    assert.deepEqual(diagnostics.map(formatDiagnostic), []);
    return JSON.stringify(config, (key, value) => (/^spans?$/.test(key) ? undefined : value));
  });
  assert.equal(new Set(outlines).size, 1, outlines.join('\n'));
  const { global, carps } = parse(forms[0]!).config!;
  assert.equal(global.daemon, true);
  assert.deepEqual(carps[0]!.scripts, { up: '/up', down: '/down', xparam: 'word', down_at_exit: true, neutral: true });
  assert.deepEqual([carps[0]!.vhid, carps[0]!.advbase, carps[0]!.advskew, carps[0]!.deadratio], [7, 2, 100, 4]);
});

test('-S, -M, --mcastip (--mcast is enough) and --track are settings of the vhid', () => {
  const line = `${ENOUGH} -S -M --mcast=239.192.1.7 --track http://127.0.0.1/up --track tcp:127.0.0.1:3306`;
  const { config, diagnostics } = parse(line);
  assert.deepEqual(diagnostics, []);
  const { ignore_link_state, broadcast, multicast_address, tracks } = config!.carps[0]!;
  assert.deepEqual([ignore_link_state, broadcast, multicast_address], [true, true, '239.192.1.7']);
  assert.deepEqual(
    tracks.map(({ text, endpoint, method, amount }) => [text, endpoint.port, method.kind, amount]),
    [
      ['http://127.0.0.1/up', 80, 'http', 240],
      ['tcp 127.0.0.1:3306', 3306, 'tcp', 240],
    ],
  );
});

test('-B, -D and -f are for the process; an unknown facility is only worth a line', () => {
  assert.deepEqual(parse(ENOUGH).process, { background: false, debug: false, facility: 3 });
  assert.deepEqual(parse(`${ENOUGH} -BD -f local3`).process, { background: true, debug: true, facility: 19 });
  assert.deepEqual(parse(`${ENOUGH} --facility=none`).process.facility, undefined);
  const { diagnostics, exit_status, process } = parse(`${ENOUGH} -f lokal0`);
  assert.deepEqual([diagnostics.map(({ code }) => code), exit_status, process.facility], [['unknown-value'], 0, 3]);
});

test('numbers may be octal and hexadecimal, as strtoul reads them', () => {
  const { vhid, advskew } = parse(`${ENOUGH} -v 0x2a -k 010`).config!.carps[0]!;
  assert.deepEqual([vhid, advskew], [42, 8]);
});

test('the last of several equal options wins', () => {
  assert.equal(parse(`${ENOUGH} -k 1 -k 2`).config?.carps[0]?.advskew, 2);
});

test('a password file gives its first line, without the newline', () => {
  const line = '-s 10.10.0.11 -v 1 -o /secret -a 10.10.0.1';
  const { config } = parse(line, { readPassFile: (path) => ({ text: `${path.slice(1)} word\nsecond line\n` }) });
  assert.equal(config?.carps[0]?.pass, 'secret word');
  const unreadable = parse(line, { readPassFile: () => ({ problem: 'It is not there.' }) });
  assert.equal(unreadable.config, undefined);
  assert.match(unreadable.diagnostics.map(formatDiagnostic).join('\n'), /command line:1:23: error: It is not there\./);
});

test('help and what cannot be read as an option shows the usage and leaves with 0, as ucarp does', () => {
  for (const line of ['--help', '-h', `${ENOUGH} -q`, `${ENOUGH} --adv 1`, '-v', '--preempt=1', '-m']) {
    const { shows_usage, exit_status, config } = parse(line);
    assert.deepEqual(
      { line, shows_usage, exit_status, config },
      { line, shows_usage: true, exit_status: 0, config: undefined },
    );
  }
});

test('words that belong to no option are passed over, as ucarp does, with a warning', () => {
  for (const line of [`${ENOUGH} -x two words`, `${ENOUGH} -- -P`]) {
    const { config, diagnostics, shows_usage } = parse(line);
    assert.deepEqual([diagnostics.map(({ code }) => code), shows_usage], [['unexpected-word'], false]);
    assert.equal(config?.carps[0]?.preempt, false);
  }
});

test('a mistake in a value leaves with 1, a password too long with 2', () => {
  for (const line of [
    '-v 1',
    `${ENOUGH} -v 256`,
    `${ENOUGH} -b 256`,
    `${ENOUGH} -b 0 -k 0`,
    `${ENOUGH} -r 0`,
    `${ENOUGH} --mcastip 10.0.0.1`,
    `${ENOUGH} --track ftp://10.0.0.1`,
  ]) {
    assert.deepEqual([line, parse(line).exit_status, parse(line).config], [line, 1, undefined]);
  }
  assert.equal(parse(`${ENOUGH} -p 12345678901234567890`).exit_status, 2);
  assert.equal(parse(`${ENOUGH} -p 1234567890123456789`).exit_status, 0);
});

test('every mistake names its place in the command line', () => {
  const option = ENOUGH.length + 2;
  const value = option + 3;
  assert.deepEqual(said(`${ENOUGH} -v x`), [`${value} not-a-number`]);
  assert.deepEqual(said(`${ENOUGH} -vx`), [`${option + 2} not-a-number`]);
  assert.deepEqual(said(`${ENOUGH} -a 10.10.0.1/16`), [`${value} bad-address`]);
  assert.deepEqual(said(`${ENOUGH} -p <password>`), [`${value} placeholder`]);
  assert.deepEqual(said(`${ENOUGH} -a 10.10.0.11`), [`${value} vip-is-own-address`]);
  assert.deepEqual(said(`${ENOUGH} -z`), [`${option} no-effect`]);
  assert.deepEqual(said('-i eth0'), ['0 vhid-missing', '0 addr-missing', '0 srcip-missing', '0 pass-missing']);
});
