/** What people type: ucarp's arguments, and the BSDs' ifconfig and sysctl against a node that runs. */
import assert from 'node:assert/strict';
import { runSysctl } from '#src/config/freebsd/sysctl-command.js';
import { type IfconfigBefore, runIfconfig } from '#src/config/ifconfig/command.js';
import { CARP_HOST_DEFAULTS } from '#src/config/model-defaults.js';
import { Reporter } from '#src/config/reporter.js';
import { parseUcarpCommand } from '#src/config/ucarp/command.js';
import type { Word } from '#src/config/word.js';
import { parseOrderWords } from '#src/control/order-words.js';
import { between, type Random } from '#src/simulator/random.js';
import { EDGES, once, pick } from './dice.js';
import type { Target, Trial } from './target.js';
import { word } from './texts.js';
import * as w from './words.js';

const GOOD_UCARP = '-i eth0 -v 1 -p secret -a 10.0.0.1 -s 10.0.0.2 -k 1 -b 1 -r 3 -P -z -n -u /up -d /down -x x'.split(
  ' ',
);
const GOOD_COMMANDS = [
  'carp0 create',
  'carp0 vhid 1 pass x 10.10.0.1/16',
  'carp0 vhid 2 advskew 100 pass x 10.10.0.2 netmask 255.255.0.0',
  'em0 vhid 1 state backup',
  'em0 vhid 3 advskew 100 pass x alias 10.0.0.3/32',
  'carp1 inet6 2001:db8::1 prefixlen 64 vhid 4 carpdev em0',
  'carp1 carpnodes 5:0,6:100 balancing ip carpdev em0',
  'carp0 destroy',
  'carp0 -alias 10.10.0.1',
  '-g carp carpdemote 10',
  '-a',
  'net.inet.carp',
  'net.inet.carp.preempt=1',
].map((line) => line.split(' '));
const GOOD_ORDERS = ['100 web --for 10m --reason x --json', 'web', '1@eth0 --for 1d', '--json'].map((line) =>
  line.split(' '),
);

export const COMMANDS: readonly Target[] = [
  { name: 'ucarp', draw: (random) => ucarpTrial(drawWords(random, GOOD_UCARP, w.UCARP_WORDS)) },
  { name: 'ifconfig', draw: drawCommands },
  { name: 'orders', draw: drawOrder },
];

/** Some of the good words, a few of them changed. */
function drawWords(random: Random, good: readonly string[], words: readonly string[]): string[] {
  const drawn = good.slice(once(random, 4) ? between(random, 0, good.length) : 0);
  const changes = between(random, 0, 4);
  for (let i = 0; i < changes; i++) {
    const fresh = once(random, 4) ? [] : [once(random, 5) ? pick(random, EDGES) : word(random, words)];
    drawn.splice(between(random, 0, drawn.length), between(random, 0, 1), ...fresh);
  }
  return drawn;
}

function ucarpTrial(argv: readonly string[]): Trial {
  const run = () => {
    const readPassFile = (path: string) => (path.length % 2 ? { problem: 'unreadable' } : { text: path });
    const { config, diagnostics, shows_usage } = parseUcarpCommand(argv, { readPassFile });
    assert.equal(config === undefined, shows_usage || diagnostics.some(({ severity }) => severity === 'error'));
    return config ? 'accepted' : shows_usage ? 'usage' : 'refused';
  };
  return { run, print: () => JSON.stringify(argv) };
}

function drawCommands(random: Random): Trial {
  const commands = Array.from({ length: between(random, 1, 6) }, () =>
    drawWords(random, pick(random, GOOD_COMMANDS), w.COMMAND_WORDS),
  );
  return { run: () => runCommands(commands), print: () => commands.map((each) => JSON.stringify(each)).join('\n') };
}

function runCommands(commands: readonly (readonly string[])[]): string {
  const span = { file: 'command', line: 0, column: 0, end_column: 0 };
  let node: IfconfigBefore = { drafts: [], interface_names: [{ name: 'em0', link: 'eth0', span }] };
  let host = CARP_HOST_DEFAULTS;
  let accepted = 0;
  for (const command of commands) {
    const words: Word[] = command.map((text) => ({ text, span }));
    const report = new Reporter();
    const after = runIfconfig(words, node, report);
    assert.equal(after === undefined, report.hasErrors, command.join(' '));
    if (after) accepted++;
    node = after ?? node;
    const sysctl = new Reporter();
    const outcome = runSysctl(words, host, { demotion: 0, suppress_preempt: 0, vhids: [] }, sysctl);
    assert.equal(outcome === undefined, sysctl.hasErrors, command.join(' '));
    host = outcome?.host ?? host;
  }
  return accepted === commands.length ? 'accepted' : 'refused';
}

function drawOrder(random: Random): Trial {
  const command = pick(random, ['drain', 'maint', 'demote', 'undemote', 'ready']);
  const words = drawWords(random, pick(random, GOOD_ORDERS), [
    '--for',
    '--reason',
    '--json',
    '10m',
    '30s',
    '100',
    'web',
  ]);
  const run = () => {
    const order = parseOrderWords(command, words);
    if ('mistake' in order) return order.mistake === '' ? assert.fail('no sentence') : 'refused';
    assert.ok(order.for_ms === undefined || (order.for_ms >= 1000 && order.for_ms < 2 ** 31), `${order.for_ms}`);
    return 'accepted';
  };
  return { run, print: () => `${command} ${JSON.stringify(words)}` };
}
