import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '#src/cli/arguments.js';

const RUN = {
  kind: 'run',
  files: [],
  check_only: false,
  background: false,
  foreground: false,
  quiet: false,
  master: false,
  maxconn: undefined,
  memory_max_mb: undefined,
  socket: undefined,
  pidfile: undefined,
  master_socket: undefined,
  directory: undefined,
  replaces: undefined,
};

/** The command that a person's line means. */
function parse(line: string) {
  return parseArguments(line.split(' ').filter((word) => word !== ''));
}

function mistakeOf(line: string): string {
  const command = parse(line);
  assert.equal(command.kind, 'mistake', `${line} was accepted`);
  return command.kind === 'mistake' ? command.message : '';
}

test('a master of HAProxy is the process itself, and stays where the service manager sees it', () => {
  assert.deepEqual(parse('-Ws -f a.cfg -p /run/a.pid'), {
    ...RUN,
    files: ['a.cfg'],
    master: true,
    foreground: true,
    pidfile: '/run/a.pid',
  });
  assert.deepEqual(parse('-W -L here -N 100 -f a.cfg'), { ...RUN, files: ['a.cfg'], master: true });
});

test('"carpool -f FILE" and "carpool run -f FILE" are the same', () => {
  assert.deepEqual(parse('-f a.cfg'), { ...RUN, files: ['a.cfg'] });
  assert.deepEqual(parse('run -f a.cfg'), { ...RUN, files: ['a.cfg'] });
});

test("HAProxy's flags keep their meaning", () => {
  const command = parse('-f a.cfg -f conf.d -db -c -q -n 2000 -- b.cfg -strange.cfg');
  assert.deepEqual(command, {
    ...RUN,
    files: ['a.cfg', 'conf.d', 'b.cfg', '-strange.cfg'],
    foreground: true,
    check_only: true,
    quiet: true,
    maxconn: 2000,
  });
  assert.deepEqual(parse('-D -f a.cfg'), { ...RUN, files: ['a.cfg'], background: true });
});

test('nothing, -h and --help print the help; -v prints the version', () => {
  for (const line of ['', 'help', '-h', '--help', 'status --help', 'run --help']) {
    assert.equal(parse(line).kind, 'help', line);
  }
  for (const line of ['-v', '-vv', '--version', 'version']) assert.equal(parse(line).kind, 'version', line);
});

test('a command of the daemon becomes a line for its socket', () => {
  assert.deepEqual(parse('status'), { kind: 'ask', line: 'status', socket: undefined });
  assert.deepEqual(parse('status --json --socket /tmp/a'), { kind: 'ask', line: 'status --json', socket: '/tmp/a' });
  assert.deepEqual(parse('status --socket=/tmp/a --ifconfig'), {
    kind: 'ask',
    line: 'status --ifconfig',
    socket: '/tmp/a',
  });
  assert.deepEqual(parse('events'), { kind: 'ask', line: 'events', socket: undefined });
});

test('lab and ucarp get their words as they are', () => {
  assert.deepEqual(parse('lab two-addresses --json'), { kind: 'lab', words: ['two-addresses', '--json'] });
  assert.deepEqual(parse('ucarp --help'), { kind: 'ucarp', words: ['--help'] });
});

test('an unknown word is answered with the nearest known one', () => {
  assert.match(mistakeOf('statsu'), /no command "statsu" \(did you mean "status"\?\)/);
  assert.match(mistakeOf('-dbb -f a.cfg'), /no option -dbb \(did you mean "-db"\?\)/);
  assert.match(mistakeOf('xyzzy'), /no command "xyzzy"; "carpool --help"/);
});

test('every mistake is one sentence that says what to write', () => {
  assert.equal(mistakeOf('-c'), 'No configuration file was named: carpool -f FILE.');
  assert.equal(mistakeOf('-f'), '-f wants a file or a directory after it.');
  assert.equal(mistakeOf('run a.cfg'), 'Put -f before the file: carpool -f a.cfg.');
  assert.equal(mistakeOf('-f a.cfg -S'), '-S wants the path or address of a socket after it.');
  assert.equal(mistakeOf('-n zero -f a.cfg'), '-n wants a number of connections, 1 or more, and "zero" is none.');
  assert.equal(mistakeOf('-f a.cfg -m 1G'), '-m wants a number of megabytes, 1 or more, and "1G" is none.');
  assert.equal(mistakeOf('status --jsn'), '"status" takes --json or --ifconfig[=FORM], not "--jsn".');
  assert.equal(mistakeOf('status --json --ifconfig'), 'Choose one of --json and --ifconfig[=FORM].');
  assert.equal(mistakeOf('events now'), '"events" takes no options, not "now".');
  assert.equal(mistakeOf('status --socket'), '--socket wants the path of the control socket after it.');
});

test('-cc takes one condition, -vv tells the features', () => {
  assert.deepEqual(parseArguments(['-cc', 'version_atleast(2.4)']), {
    kind: 'condition',
    text: 'version_atleast(2.4)',
  });
  assert.match(mistakeOf('-cc'), /wants one condition/);
  assert.deepEqual(parse('-vv'), { kind: 'version', features: true });
});

test('-S is the socket of a master, whose words follow after commas', () => {
  assert.deepEqual(parse('-Ws -S /run/m.sock,level,operator -f a.cfg'), {
    ...RUN,
    files: ['a.cfg'],
    master: true,
    foreground: true,
    master_socket: '/run/m.sock,level,operator',
  });
});

test('what switches parts of HAProxy off is passed over, -C is the directory to begin in', () => {
  assert.deepEqual(parse('-dM -dS -de -m 512 -C /etc -f a.cfg'), {
    ...RUN,
    files: ['a.cfg'],
    directory: '/etc',
    memory_max_mb: 512,
  });
});
