/** Agents, programs, tracked servers, traffic that is observed: the checks thread with real servers, as the daemon runs it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import type { Config, Server } from '#src/config/model.js';
import { createExternalChecks } from '#src/control/external-checks.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import type { FromChecks } from '#src/threads/checks-messages.js';
import { noteLiveError, noteLiveSuccess } from '#src/threads/live-errors.js';
import * as shared from '#src/threads/shared-memory.js';
import { PATIENCE_MS } from '../helpers/patience.js';

class Running {
  readonly memory: shared.SharedMemory;
  readonly messages: FromChecks[] = [];
  readonly programs = createExternalChecks();
  readonly handle: ReturnType<typeof startChecksThread>;

  constructor(t: TestContext, config: Config) {
    const servers = config.backends.flatMap((backend) => backend.servers);
    const counts = { servers: servers.length, backends: config.backends.length, frontends: 0, binds: 0 };
    this.memory = shared.createSharedMemory({ threads: 3, ...counts });
    for (const [index, { weight }] of servers.entries()) {
      this.set(index, shared.SERVER_OPERATIONAL, shared.SERVER_UP);
      this.set(index, shared.SERVER_WEIGHT, weight);
    }
    const { memory } = this;
    this.handle = startChecksThread({
      config,
      memory,
      reactor: process.env['CARPOOL_REACTOR'],
      onMessage: (message) => {
        this.messages.push(message);
        if (message.kind === 'run-program') {
          const places = { endpointOf: ({ endpoint }: Server) => endpoint };
          this.programs.run(message, { config, memory, servers: places }, (end) =>
            this.handle.programEnded(message.run, end),
          );
        }
      },
    });
    t.after(async () => {
      await this.handle.stop(PATIENCE_MS);
      this.programs.stop();
    });
  }

  get(server: number, word: number): number {
    return Atomics.load(this.memory.words, shared.serverAt(this.memory, server) + word);
  }

  set(server: number, word: number, value: number): void {
    Atomics.store(this.memory.words, shared.serverAt(this.memory, server) + word, value);
  }

  /** `web/a UP`, with the reason. */
  get changes(): string[] {
    return this.messages.flatMap((message) =>
      message.kind === 'server' ? [`${message.backend}/${message.server} ${message.state}: ${message.reason}`] : [],
    );
  }

  get lines(): string[] {
    return this.messages.flatMap((message) => (message.kind === 'check' && message.line ? [message.line] : []));
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      assert.ok(performance.now() < end, `${what} did not happen: ${JSON.stringify(this.messages)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async change(line: string): Promise<void> {
    await this.until(() => this.changes.some((change) => change.startsWith(line)), line);
  }
}

/** A check that a busy machine holds up for its whole time tells nothing. */
const NEVER_DOWN = 'fall 1000';

function read(...lines: readonly string[]): Config {
  const defaults = ['defaults', '  timeout connect 1s', '  timeout server 5s', '  timeout client 5s'];
  const front = ['frontend one', '  bind 127.0.0.1:1', '  default_backend web'];
  const text = ['global', '  external-check', ...defaults, ...front, ...lines, ''].join('\n');
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }], { env: {} });
  assert.ok(config, diagnostics.map(({ message, span }) => `${span.line}: ${message}`).join('\n'));
  return config;
}

/** Answers every connection so; the port. */
async function serve(t: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}); // checks end with RST
    onConnection(socket);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

const accept = (t: TestContext): Promise<number> => serve(t, () => {});

test('an agent takes a server down, changes its weight and its limit, and brings it back', async (t) => {
  let words = 'up 50% maxconn:30';
  const questions: string[] = [];
  const agent = await serve(t, (socket) => {
    socket.once('data', (data) => {
      questions.push(String(data));
      socket.end(`${words}\n`);
    });
  });
  const options = `agent-check agent-port ${agent} agent-inter 50ms agent-send "who?\\n"`;
  const port = await accept(t);
  const running = new Running(
    t,
    read(
      'backend web',
      '  option log-health-checks',
      `  server a 127.0.0.1:${port} weight 20 check inter 100ms ${options}`,
    ),
  );
  await running.until(() => running.get(0, shared.SERVER_WEIGHT) === 10, 'half of the weight');
  await running.until(() => running.get(0, shared.SERVER_AGENT_MAXCONN) === 30, 'the limit, which comes after it');
  assert.equal(questions[0], 'who?\n');

  words = 'stopped # for tonight';
  await running.change('web/a DOWN: the agent says stopped (for tonight)');
  assert.equal(running.get(0, shared.SERVER_AGENT_HEALTH), 0);
  const done = running.get(0, shared.SERVER_CHECKS_DONE);
  await running.until(() => running.get(0, shared.SERVER_CHECKS_DONE) > done + 1, 'further checks');
  assert.equal(
    running.get(0, shared.SERVER_OPERATIONAL),
    shared.SERVER_DOWN,
    'a check that passes does not outvote it',
  );

  words = 'up 100%';
  await running.change('web/a UP: the agent says up');
  await running.until(() => running.get(0, shared.SERVER_WEIGHT) === 20, 'the whole weight');
  assert.ok(
    running.lines.some((line) => /^Agent check for server web\/a failed, reason: Layer7 wrong status, /.test(line)),
  );
});

test('an agent sets maintenance and drain, also of servers that track its own, and is heard in maintenance', async (t) => {
  let words = 'maint';
  const agent = await serve(t, (socket) => socket.end(`${words}\n`));
  const port = await accept(t);
  const running = new Running(
    t,
    read(
      'backend web',
      `  server a 127.0.0.1:${port} check inter 100ms agent-check agent-port ${agent} agent-inter 50ms`,
      `  server b 127.0.0.1:${port} track a`,
    ),
  );
  const both = (...words: readonly number[]): boolean =>
    words.every((word, server) => running.get(server, shared.SERVER_ADMINISTRATIVE) === word);
  await running.until(() => both(shared.ADMIN_MAINTENANCE, shared.ADMIN_INHERITED_MAINTENANCE), 'maintenance');
  words = 'drain';
  await running.until(() => both(shared.ADMIN_DRAIN, shared.ADMIN_INHERITED_DRAIN), 'drain');
  words = 'ready';
  await running.until(() => both(0, 0), 'ready');
});

test('an agent that cannot be reached or says nothing changes nothing', async (t) => {
  const silent = await serve(t, () => {});
  const port = await accept(t);
  const line = `127.0.0.1:${port} check inter 100ms agent-check agent-inter 50ms agent-port`;
  const running = new Running(t, read('backend web', `  server a ${line} 1`, `  server b ${line} ${silent}`));
  await running.until(() => running.get(0, shared.SERVER_CHECKS_DONE) > 3, 'checks');
  await running.until(() => running.get(1, shared.SERVER_AGENT_CODE) !== 0, 'the end of a question');
  assert.deepEqual(running.changes, []);
});

test('a tracking server follows, along a chain, and says whom', async (t) => {
  const running = new Running(
    t,
    read(
      'backend web',
      '  server a 127.0.0.1:1 check inter 100ms fall 1',
      '  server b 127.0.0.1:2 track other/c',
      'backend other',
      '  server c 127.0.0.1:3 track web/a',
    ),
  );
  await running.change('web/b DOWN: it tracks web/a: connection refused');
  await running.change('other/c DOWN: it tracks web/a: connection refused');
  for (const server of [0, 1, 2]) assert.equal(running.get(server, shared.SERVER_OPERATIONAL), shared.SERVER_DOWN);
});

test('404 takes a server out of the choice but leaves it up', async (t) => {
  let status = 200;
  const states: string[] = [];
  const port = await serve(t, (socket) => {
    socket.once('data', (data) => {
      states.push(/x-haproxy-server-state: (.*)\r/.exec(String(data))?.[1] ?? '');
      socket.end(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`);
    });
  });
  const rules = ['  timeout check 5s', '  option httpchk', '  http-check disable-on-404', '  http-check send-state'];
  const running = new Running(
    t,
    read('backend web', ...rules, `  server a 127.0.0.1:${port} check inter 50ms ${NEVER_DOWN}`),
  );
  await running.until(() => running.get(0, shared.SERVER_CHECKS_DONE) > 1, 'checks');
  status = 404;
  await running.change('web/a STOPPING: HTTP status 404');
  assert.equal(running.get(0, shared.SERVER_OPERATIONAL), shared.SERVER_STOPPING);
  await running.until(() => states.at(-1)!.startsWith('NOLB; '), 'the server is told');
  status = 200;
  await running.change('web/a UP: HTTP status 200');
  assert.match(
    states[0],
    /^UP 1\/1000; address=127\.0\.0\.1; port=\d+; name=web\/a; node=.*; weight=1\/1; scur=0\/0; qcur=0$/,
  );
});

test('errors of the traffic in a row take a server down, a success between them does not', async (t) => {
  const port = await accept(t);
  const observe = 'observe layer4 error-limit 3 on-error mark-down';
  const running = new Running(
    t,
    read('backend web', `  server a 127.0.0.1:${port} check inter 60s fastinter 50ms rise 1 ${observe}`),
  );
  await running.until(() => running.get(0, shared.SERVER_CHECKS_DONE) === 1, 'the first check');
  for (const errors of [2, 2]) {
    for (let count = 0; count < errors; count++) noteLiveError(running.memory, 0, 3);
    noteLiveSuccess(running.memory, 0);
  }
  assert.equal(running.get(0, shared.SERVER_ALARMS), 0);
  for (let count = 0; count < 3; count++) noteLiveError(running.memory, 0, 3);
  await running.change('web/a DOWN: 3 errors of the traffic in a row');
  await running.change('web/a UP: the server accepts connections');
});

test('a program decides by its exit status, with what HAProxy hands it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-external-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'check');
  const verdict = join(folder, 'verdict');
  writeFileSync(verdict, '0');
  const script = [
    '#!/bin/sh',
    `echo "$@" "$HAPROXY_SERVER_NAME" "$PATH" > ${folder}/seen`,
    `exit $(/bin/cat ${verdict})`,
    '',
  ];
  writeFileSync(program, script.join('\n'));
  chmodSync(program, 0o755);
  const command = ['  option external-check', `  external-check command ${program}`, '  external-check path /usr/bin'];
  const lines = ['  timeout check 30s', ...command];
  const server = '  server a 192.0.2.9:80 check inter 100ms fall 1 rise 1';
  const running = new Running(t, read('backend web', '  option log-health-checks', ...lines, server));
  await running.until(() => running.lines.length > 0, 'the first check');
  assert.match(
    running.lines[0],
    /^Health check for server web\/a succeeded, reason: External check passed, code: 0, check/,
  );
  assert.equal(readFileSync(join(folder, 'seen'), 'utf8'), 'NOT_USED NOT_USED 192.0.2.9 80 a /usr/bin\n');
  writeFileSync(verdict, '7');
  await running.change('web/a DOWN: the program ended with exit status 7');
});

test('a program that does not end is killed, with what it started; one that is not there is no reason to stop', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-external-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'hang');
  writeFileSync(program, '#!/bin/sh\n/bin/sleep 600\n');
  chmodSync(program, 0o755);
  const backend = (name: string, command: string): string[] => [
    `backend ${name}`,
    '  option external-check',
    `  external-check command ${command}`,
    '  server a 192.0.2.9:80 check inter 200ms fall 1',
  ];
  const running = new Running(t, read(...backend('web', program), ...backend('gone', join(folder, 'nothing'))));
  await running.change('web/a DOWN: the program did not end within 200 ms');
  await running.change('gone/a DOWN: the program could not be started: ENOENT');
});

test('a check begins with a PROXY line where the server line or the rule wants it', async (t) => {
  const seen: string[] = [];
  const port = await serve(t, (socket) => socket.once('data', (data) => seen.push(String(data))));
  const running = new Running(
    t,
    read(
      'backend web',
      `  server a 127.0.0.1:${port} check inter 100ms ${NEVER_DOWN} check-send-proxy`,
      'backend rules',
      '  option tcp-check',
      '  tcp-check connect send-proxy linger',
      '  tcp-check send x',
      `  server a 127.0.0.1:${port} check inter 100ms ${NEVER_DOWN}`,
    ),
  );
  const line = /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n(x)?$/;
  await running.until(
    () => seen.some((text) => text.endsWith('\n')) && seen.some((text) => text.endsWith('x')),
    'both',
  );
  for (const text of seen) assert.match(text, line);
  assert.deepEqual(running.changes, []);
});

test('whatever a server does, each kind of check ends in time', async (t) => {
  const endless = await serve(t, (socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(Buffer.alloc(16_384, 0x20)));
    };
    socket.on('drain', more);
    more();
  });
  const dripping = await serve(t, (socket) => {
    const timer = setInterval(() => socket.writable && socket.write('x'), 5);
    socket.on('close', () => clearInterval(timer));
  });
  const closing = await serve(t, (socket) => socket.end());
  const silent = await accept(t);
  const kinds = [
    ['option httpchk'],
    ['option httpchk', 'http-check expect string y'],
    ['option tcp-check', 'tcp-check expect string y'],
    ['option smtpchk'],
    ['option ldap-check'],
    ['option mysql-check user x'],
    ['option pgsql-check user x'],
    ['option redis-check'],
    ['option ssl-hello-chk'],
  ];
  const ports = { endless, dripping, closing, silent };
  const lines = kinds.flatMap((kind, index) => [
    `backend ${index === 0 ? 'web' : `web${index}`}`,
    ...kind.map((line) => `  ${line}`),
    ...Object.entries(ports).map(([name, port]) => `  server ${name} 127.0.0.1:${port} check inter 500ms fall 1`),
  ]);
  const running = new Running(t, read(...lines));
  const servers = kinds.length * Object.keys(ports).length;
  await running.until(
    () => running.messages.some(({ kind }) => kind === 'checked-once'),
    'the end of every first check',
  );
  for (let server = 0; server < servers; server++) {
    assert.equal(running.get(server, shared.SERVER_OPERATIONAL), shared.SERVER_DOWN, lines[server]);
    assert.ok(running.get(server, shared.SERVER_CHECK_DURATION_MS) < 5000);
  }
});
