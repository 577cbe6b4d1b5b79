import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { emptyConfig } from '#src/config/model-defaults.js';
import { answerClient } from '#src/control/answer-client.js';
import { createCarpNode } from '#src/control/carp-node.js';
import type { CommandContext } from '#src/control/commands.js';
import { ask } from '#src/control/control-client.js';
import { type ControlSocket, openControlSocket } from '#src/control/control-socket.js';
import { createEventLog } from '#src/control/event-log.js';
import { createOrders } from '#src/control/orders.js';
import { balancerSocketPaths, socketPaths } from '#src/control/socket-path.js';
import { PATIENCE_MS } from '../helpers/patience.js';

let directory: string;
let path: string;
let open: ControlSocket[] = [];

beforeEach(() => {
  directory = mkdtempSync('/tmp/carpool-socket-');
  path = join(directory, 'sub', 'control.sock');
});

afterEach(() => {
  for (const socket of open) socket.close();
  open = [];
  rmSync(directory, { recursive: true });
});

const events = createEventLog(() => undefined);
const CONTEXT: CommandContext = {
  version: '1.2.3',
  events,
  orders: createOrders({ names: () => [], post() {}, log() {}, store() {}, now_ms: Date.now }, []),
  status: () => Promise.reject(new Error('the carp thread gave no answer')),
  carp: () => Promise.resolve(undefined),
  names: () => [],
  listeners: () => [],
  offerVhids: () => () => {},
  workers: () => '',
  reload: undefined,
  node: createCarpNode(emptyConfig([]), [], () => undefined),
  setState: () => undefined,
  runtime: {
    status: () => assert.fail('nothing here asks for it'),
    resolverCounts: () => undefined,
    shutFrontend: () => assert.fail('nothing here asks for it'),
    generation: () => assert.fail('nothing here asks for it'),
    facts: () => assert.fail('nothing here asks for it'),
    data: () => [],
    beats: () => [],
    sockets: () => [],
    serversChanged: () => undefined,
    moveServer: () => undefined,
    log: () => undefined,
  },
};

async function listen(at = path) {
  const opened = await openControlSocket({ candidates: [at], named: true }, (line, client) => {
    void answerClient(line, client, CONTEXT);
  });
  if (opened.socket) open.push(opened.socket);
  return opened;
}

/** What the daemon answers to these bytes, until it closes. */
function say(bytes: string, at = path): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(at);
    let answer = '';
    socket.setTimeout(PATIENCE_MS, () => reject(new Error(`no end of the answer: ${answer}`)));
    socket.on('error', reject);
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer));
    socket.end(bytes);
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the socket stays open')), PATIENCE_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('error', () => undefined);
  });
}

test('one line in, the answer out, and the socket is closed', async () => {
  await listen();
  assert.equal(await say('version\n'), 'carpool 1.2.3\n');
  assert.equal(await say('  version'), 'carpool 1.2.3\n', 'the end of the input ends the line');
  assert.match(await say('help\n'), /^status \[--json \| --ifconfig\[=FORM\]\] {2,}who holds/);
});

test('only the owner may connect, and nothing is left behind', async () => {
  const { socket } = await listen();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  socket!.close();
  open = [];
  assert.equal(existsSync(path), false);
  assert.equal(existsSync(join(directory, 'sub')), false, 'the directory was ours');
});

test('a mistake and a failure are answered by a sentence', async () => {
  await listen();
  assert.equal(await say('shutdown\n'), 'error: There is no command "shutdown"; "help" lists them all.\n');
  assert.equal(await say('version now\n'), 'error: "version" takes no options, not "now".\n');
  assert.equal(await say('status\n'), 'error: The daemon could not answer: the carp thread gave no answer.\n');
});

test('a line that does not end is refused', async () => {
  await listen();
  assert.equal(await say('x'.repeat(5000)), 'error: A command is at most 1024 bytes long.\n');
});

test('the socket of a daemon that died is replaced', async () => {
  const dead = createServer().listen(join(directory, 'a'));
  await new Promise((resolve) => dead.once('listening', resolve));
  const { renameSync } = await import('node:fs');
  renameSync(join(directory, 'a'), join(directory, 'control.sock')); // closing removes the old name only
  await new Promise((resolve) => dead.close(resolve));
  path = join(directory, 'control.sock');
  assert.ok(existsSync(path));
  assert.ok((await listen()).socket);
  assert.equal(await say('version\n'), 'carpool 1.2.3\n');
});

test('the socket of a daemon that lives is refused and keeps working', async () => {
  await listen();
  const second = await listen();
  assert.equal(second.socket, undefined);
  assert.equal(second.diagnostic?.code, 'already-running');
  assert.equal(second.diagnostic?.severity, 'error');
  assert.equal(await say('version\n'), 'carpool 1.2.3\n');
});

test('a balancer beside a daemon that lives gets a socket of its own, and says where', async () => {
  await listen();
  const paths = balancerSocketPaths({ candidates: [path], named: false }, 4711);
  const second = await openControlSocket(paths, () => undefined);
  open.push(second.socket!);
  const own = join(directory, 'sub', 'carpool-4711.sock');
  assert.equal(second.socket?.path, own);
  assert.equal(second.diagnostic?.severity, 'warning');
  assert.equal(second.diagnostic?.message, `Another carpool answers on ${path}; this one answers on ${own}.`);
  assert.equal(await say('version\n'), 'carpool 1.2.3\n');
});

test('sockets that killed balancers left are removed at the next start, and nobody else is touched', async () => {
  const dead = spawnSync('true').pid;
  const names = [`carpool-${dead}.sock`, `carpool-${process.pid}.sock`, `carpool-web-${dead}.sock`];
  const leave = "for (const path of process.argv.slice(1)) require('node:net').createServer().listen(path)";
  const paths = names.map((name) => join(directory, name));
  // ends without closing what it opened
  spawnSync(process.execPath, ['-e', `${leave}; setTimeout(() => process.kill(process.pid, 'SIGKILL'))`, ...paths]);
  assert.deepEqual(readdirSync(directory).sort(), [...names].sort());
  const opened = await openControlSocket({ candidates: [join(directory, 'carpool.sock')], named: false }, () => {});
  open.push(opened.socket!);
  assert.deepEqual(readdirSync(directory).sort(), ['carpool.sock', ...names.slice(1)].sort());
});

test('a path that cannot be made is an error when a person named it, else a warning', async () => {
  const impossible = '/proc/carpool/control.sock';
  assert.equal((await listen(impossible)).diagnostic?.severity, 'error');
  const unnamed = await openControlSocket({ candidates: [impossible], named: false }, () => undefined);
  assert.equal(unnamed.diagnostic?.severity, 'warning');
  assert.match(unnamed.diagnostic?.message ?? '', /"carpool status" will not find this daemon/);
});

test('what is no socket is never replaced, and a path that the kernel would cut is refused', async () => {
  const file = join(directory, 'carpool.cfg');
  writeFileSync(file, 'precious');
  for (const [at, why] of [
    [file, 'something else than a socket is there'],
    [directory, 'something else than a socket is there'],
    [join(directory, 'x'.repeat(120)), 'a path of more than 107 bytes'],
  ] as const) {
    const { diagnostic, socket } = await listen(at);
    assert.equal(socket, undefined);
    assert.deepEqual([diagnostic?.severity, diagnostic?.code], ['error', 'no-control-socket']);
    assert.ok(diagnostic?.message.includes(`(${at}: ${why})`), diagnostic?.message);
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.deepEqual(readdirSync(directory), ['carpool.cfg']);
});

test('more clients than the bound are turned away, and room comes back', async () => {
  await listen();
  const idle = Array.from({ length: 32 }, () => connect(path));
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const answered = await say('version\n').catch(() => '');
  assert.equal(answered, '', 'the 33rd is closed without an answer');
  const end = closed(idle[0]!);
  idle[0]!.destroy();
  await end;
  let answer = '';
  for (let tries = 0; tries < 50 && answer === ''; tries++) answer = await say('version\n').catch(() => '');
  assert.equal(answer, 'carpool 1.2.3\n');
  for (const socket of idle) socket.destroy();
});

test('events are remembered for who comes late, then follow one JSON object a line', async () => {
  await listen();
  events.record({ kind: 'ready', at_ns: 1 });
  const socket = connect(path).setEncoding('utf8');
  socket.write('events\n');
  let text = '';
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(PATIENCE_MS, () => reject(new Error(`only ${text}`)));
    socket.on('data', (piece) => {
      if (text === '') events.record({ kind: 'stop', at_ns: 2, reason: 'over' });
      text += piece;
      if (text.includes('over')) resolve();
    });
  });
  socket.destroy();
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { kind: 'ready', at_ns: 1 },
      { kind: 'stop', at_ns: 2, reason: 'over' },
    ],
  );
});

test('a follower that does not read is dropped', async () => {
  await listen();
  const slow = connect(path);
  slow.write('events\n');
  await new Promise((resolve) => slow.once('data', resolve));
  slow.pause();
  const text = 'x'.repeat(10_000);
  for (let i = 0; i < 300; i++) events.record({ kind: 'log', at_ns: i, level: 'info', text });
  const end = closed(slow);
  slow.resume();
  await end;
});

test('the client tells an absent daemon from one that refuses', async () => {
  const heard: string[] = [];
  const paths = socketPaths(path, {});
  assert.deepEqual(await ask(paths, 'version', (text) => heard.push(text)), { kind: 'absent' });
  await listen();
  assert.deepEqual(await ask(paths, 'version', (text) => heard.push(text)), { kind: 'answered' });
  assert.deepEqual(heard, ['carpool 1.2.3\n']);
  const refused = await ask(paths, 'status', (text) => heard.push(text));
  assert.deepEqual(refused, {
    kind: 'refused',
    sentence: 'The daemon could not answer: the carp thread gave no answer.',
  });
});

test('the socket is where the option says, else the variable, else the usual places', () => {
  const XDG = { XDG_RUNTIME_DIR: '/run/user/7/' };
  assert.deepEqual(socketPaths('/a', { CARPOOL_SOCKET: '/b' }), { candidates: ['/a'], named: true });
  assert.deepEqual(socketPaths(undefined, { CARPOOL_SOCKET: '/b', ...XDG }), { candidates: ['/b'], named: true });
  assert.deepEqual(socketPaths(undefined, XDG), {
    candidates: ['/run/carpool/carpool.sock', '/run/user/7/carpool.sock'],
    named: false,
  });
});
