/**
 * Requests that two parsers might read in two ways, sent through carpool to real servers: no server ever sees a second request
 * where the client did not rightly send one.
 *
 *   client ──▶ carpool ──▶ node:http, nginx, apache2
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs, peerPath } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';
import type { Case } from './smuggling/case.js';
import { type Outcome, type Sending, send } from './smuggling/client.js';
import { corpus } from './smuggling/corpus.js';
import { differenceOf } from './smuggling/differences.js';
import * as servers from './smuggling/servers.js';

/** Cases under way at once. */
const CONCURRENCY = 16;
const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

test('the corpus has at least 300 different requests', () => {
  assert.equal(new Set(corpus.map(({ bytes }) => bytes)).size, corpus.length);
  assert.ok(corpus.length >= 300);
});

for (const [reactor, piece] of [
  ['ring', undefined],
  ['epoll', undefined],
  ['epoll', 7],
] as const) {
  const how = piece ? `in pieces of ${piece} bytes` : 'at once';
  test(`node:http reads every request as carpool does: ${reactor}, sent ${how}`, async (t) => {
    const node = await startNode(t);
    const { port } = await startProxy(t, 'carpool', node, reactor);
    const cases = piece ? corpus.filter(({ bytes }) => bytes.length < 1_000) : corpus;
    const outcomes = await sendAll(cases, { port, ...(piece && { piece }) });
    const wrong = cases.flatMap((one, index) => complaints(one, outcomes[index] as Outcome, node.seen));
    nothingIsWrong(wrong);
    assert.ok(
      node.seen.every(({ version }) => version === '1.1' || version === '1.0'),
      'each hop speaks its own version',
    );
    const doubtful = cases.filter(({ expected }) => expected.kind === 'answered');
    assert.ok(node.refused.length <= doubtful.length, `node could not read: ${node.refused.join('; ')}`);
  });
}

for (const [name, peer, start] of [
  ['nginx', 'nginx', servers.startNginx],
  ['apache2', 'apache', servers.startApache],
] as const) {
  test(`${name} never sees a second request`, {
    skip: peer === 'nginx' ? needs('nginx') : needs('apache'),
  }, async (t) => {
    const folder = temporaryFolder();
    const server = await start(folder);
    t.after(async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    });
    const { port, stop } = await startProxy(t, 'carpool', server, 'epoll');
    const outcomes = await sendAll(corpus, { port });
    await stop();
    const log = (await server.stop()).map((target) => ({ target }));
    const wrong = corpus.flatMap((one, index) => [
      ...complaintsOfReplies(one, outcomes[index] as Outcome),
      ...complaintsOfLog(one, log),
    ]);
    nothingIsWrong(wrong);
    assert.ok(log.length > 100, 'the log was written');
  });
}

test('HAProxy reads differently only where we say so', { skip: needs('haproxy') }, async (t) => {
  const node = await startNode(t);
  const { port } = await startProxy(t, 'haproxy', node);
  const outcomes = await sendAll(corpus, { port });
  const unsaid = corpus.flatMap((one, index) => {
    const theirs = verdictOf(one, outcomes[index] as Outcome, node.seen);
    return theirs === expectedVerdict(one) || differenceOf(one) ? [] : [`${one.name}: HAProxy: ${theirs}`];
  });
  nothingIsWrong(unsaid);
});

// ── judging ─────────────────────────────────────────────────────────────────────────────────────

function nothingIsWrong(sentences: readonly string[]): void {
  assert.ok(sentences.length === 0, `${sentences.length} complaints:\n${sentences.join('\n')}`);
}

/** Everything that is wrong about one case, as sentences. */
function complaints(one: Case, outcome: Outcome, seen: readonly servers.Seen[]): string[] {
  const { expected } = one;
  const first = seen.filter(({ target }) => target.includes(pathOf(one)));
  const wrong = [...complaintsOfReplies(one, outcome), ...complaintsOfLog(one, seen)];
  if (expected.kind === 'one' && (first.length !== 1 || first[0]?.length !== expected.length)) {
    wrong.push(`${one.name}: node saw ${JSON.stringify(first)} instead of a body of ${expected.length}`);
  }
  if (expected.kind === 'two' && first.length !== 1) wrong.push(`${one.name}: the first request did not arrive`);
  return wrong;
}

function complaintsOfReplies(one: Case, { replies, ended }: Outcome): string[] {
  const { expected } = one;
  const wrong: string[] = [];
  const due = expected.kind === 'two' ? 2 : expected.kind === 'unfinished' ? 0 : 1;
  const count_fits = expected.kind === 'unfinished' ? replies.length <= 1 : replies.length === due;
  if (!count_fits) wrong.push(`${one.name}: ${replies.length} replies`);
  if (ended === 'hung') wrong.push(`${one.name}: the connection stayed open`);
  if (expected.kind !== 'refused') return wrong;
  const [reply] = replies;
  if (reply?.status !== expected.status) wrong.push(`${one.name}: ${reply?.status} instead of ${expected.status}`);
  else if (!isFromProxy(reply.head)) wrong.push(`${one.name}: the reply is the server's`);
  else if (!/^connection: close/im.test(reply.head)) wrong.push(`${one.name}: the connection is kept`);
  return wrong;
}

function complaintsOfLog(one: Case, log: readonly { readonly target: string }[]): string[] {
  const count = log.filter(({ target }) => target.includes(pathOf(one).replace('case', 'smuggled'))).length;
  if (one.expected.kind === 'two') return count === 1 ? [] : [`${one.name}: the second request arrived ${count} times`];
  return count === 0 ? [] : [`${one.name}: SMUGGLED`];
}

/** What became of a case, in a word or two, to compare two proxies. */
function verdictOf(one: Case, { replies }: Outcome, seen: readonly servers.Seen[]): string {
  const of = (path: string) => seen.filter(({ target }) => target.includes(path));
  const first = of(pathOf(one));
  const second = of(pathOf(one).replace('case', 'smuggled'));
  if (second.length > 0) return 'two';
  const [reply] = replies;
  if (reply && isFromProxy(reply.head)) return 'refused';
  if (one.expected.kind === 'answered' || one.expected.kind === 'unfinished') return one.expected.kind;
  if (!reply) return 'silence';
  return `one of ${first[0]?.length ?? 'no'} bytes`;
}

function expectedVerdict({ expected }: Case): string {
  return expected.kind === 'one' ? `one of ${expected.length} bytes` : expected.kind;
}

function isFromProxy(head: string): boolean {
  return !/^(x-server|server):/im.test(head);
}

function pathOf(one: Case): string {
  return `case/${String(corpus.indexOf(one)).padStart(4, '0')}`;
}

// ── running ─────────────────────────────────────────────────────────────────────────────────────

async function sendAll(cases: readonly Case[], sending: Sending): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < cases.length) {
      const index = next++;
      const one = cases[index] as Case;
      outcomes[index] = await send(one, corpus.indexOf(one), sending);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return outcomes;
}

async function startNode(t: TestContext): Promise<servers.NodeServer> {
  const node = await new servers.NodeServer().start();
  t.after(() => node.stop());
  return node;
}

type Proxy = { readonly port: number; stop(): Promise<void> };

/** Both run the same file. */
async function startProxy(
  t: TestContext,
  program: 'carpool' | 'haproxy',
  { port: server_port }: { readonly port: number },
  reactor = 'epoll',
): Promise<Proxy> {
  const folder = temporaryFolder();
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  timeout http-request 5s
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server one 127.0.0.1:${server_port}\n`,
  );
  const child = spawnProxy(program, file, join(folder, 'control'), reactor);
  const stop = () => servers.stopProgram(child, 'SIGTERM');
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  await servers.accepts(port);
  return { port, stop };
}

function spawnProxy(program: 'carpool' | 'haproxy', file: string, socket: string, reactor: string): ChildProcess {
  if (program === 'haproxy') return spawn(peerPath('haproxy'), ['-db', '-f', file], { stdio: 'ignore' });
  return spawn(process.execPath, [MAIN, '-f', file, '--socket', socket], {
    stdio: 'ignore',
    env: { ...process.env, CARPOOL_REACTOR: reactor },
  });
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'carpool-smuggling-'));
}
