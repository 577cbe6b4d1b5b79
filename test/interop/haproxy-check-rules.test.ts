/** The same file is read by HAProxy and by carpool, and both check the same servers: each check's code must be the same. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import type { Config } from '#src/config/model.js';
import { CODES } from '#src/health/verdict.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import * as shared from '#src/threads/shared-memory.js';
import { type AnsweringServers, type Behaviour, startAnsweringServers } from '../helpers/answering-servers.js';
import { askHaproxy } from '../helpers/haproxy-opinions.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';

/** Only who is silent is waited for so long: a busy machine may take its time with the others. */
const interOf = (behaviour: Behaviour) => (behaviour === 'accept' ? '2s' : '20s');

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Up: yes, very\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
const GONE = 'HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n';

type Case = readonly [behaviour: Behaviour, ...lines: string[]];

const says = (bytes: string, end = false): Behaviour => ({ bytes, end });
const http = (behaviour: Behaviour, ...rules: string[]): Case => [
  behaviour,
  'option httpchk',
  ...rules.map((rule) => `http-check ${rule}`),
];
const tcp = (behaviour: Behaviour, ...rules: string[]): Case => [
  behaviour,
  'option tcp-check',
  ...rules.map((rule) => `tcp-check ${rule}`),
];

/** Headers and a body behind the version, as they were written before there was `http-check send`. */
const hiding = (words: string, ...lines: string[]): Case => [says(HELLO), `option httpchk ${words}`, ...lines];

const CASES: readonly Case[] = [
  tcp('accept', 'connect'),
  tcp('accept', 'send PING\\r\\n'),
  tcp('accept', 'connect linger', 'send-binary 50494e470d0a'),
  tcp('accept', 'send x', 'expect string y'),
  tcp(says('+PONG\r\n'), 'send PING\\r\\n', 'expect string +PONG'),
  tcp(says('+PONG\r\n', true), 'send PING\\r\\n', 'expect string -PONG'),
  tcp(says('+PONG\r\n'), 'send PING\\r\\n', 'expect min-recv 5 ! string +PONG'),
  tcp(says('+PONG\r\n'), 'send PING\\r\\n', 'expect rstring ^[+]P.NG'),
  tcp(says('+PONG\r\n'), 'send PING\\r\\n', 'expect binary 2b504F4e47', 'expect rbinary ^2B50'),
  tcp(says('+PONG\r\n', true), 'send PING\\r\\n', 'expect error-status L7STS status-code int(7) string nothing'),
  tcp(says('+PONG\r\n'), 'send x', 'expect ok-status L6OK string PONG'),
  tcp('accept', 'send x', 'expect tout-status L4TOUT string y'),
  tcp(says('1'), 'set-var(check.x) int(41),add(1)', 'send-lf %[var(check.x)]', 'expect string 1'),
  tcp('close', 'send x', 'expect string y'),
  tcp('reset', 'send x', 'expect string y'),
  http({ status: 200 }),
  http({ status: 503 }),
  http(says(HELLO), 'send meth GET uri /x ver HTTP/1.1 hdr Host www hdr X-Who %[srv_name] body hello'),
  http(says(HELLO), 'send meth POST uri /x body-lf "%[srv_name] asks"'),
  http(says(HELLO), 'expect status 200,300-310'),
  http(says(HELLO), 'expect ! rstatus ^2'),
  http(says(HELLO), 'expect string hello'),
  http(says(CHUNKED), 'expect rstring ^hello$'),
  http(says(HELLO), 'expect ! string hello'),
  http(says(HELLO), 'expect string nothing'),
  http(says(HELLO), 'expect hdr name x-up value very'),
  http(says(HELLO), 'expect fhdr name X-Up value very'),
  http(says(HELLO), 'expect hdr name -m beg X- value -m end ery'),
  http(says(GONE), 'disable-on-404'),
  http(says(GONE), 'disable-on-404', 'expect string x'),
  http(says(GONE), 'expect status 404'),
  http({ status: 200 }, 'connect', 'send meth GET uri /a', 'expect status 200', 'connect linger', 'send uri /b'),
  hiding('HEAD / HTTP/1.1\\r\\nHost:\\ localhost\\r\\nX-A:b'),
  hiding('GET /b "HTTP/1.0\\r\\nAuthorization: Basic YTpi\\r\\n\\r\\nthe body"'),
  hiding('GET /c HTTP/1.1\\r\\nHost:\\ %[srv_name]\\r\\n'),
  hiding('GET /d HTTP/1.1\\r\\nHost:\\ www\\r\\nConnection:\\ keep-alive', 'http-check send hdr X-More 1'),
  hiding(
    'GET /e HTTP/1.1\\r\\nHost:\\ www\\r\\n\\r\\nBODY',
    'http-check send body other',
    'http-check expect status 200',
  ),
  hiding(
    'GET /f HTTP/1.1\\r\\nHost:\\ www',
    'http-check connect',
    'http-check send uri /g',
    'http-check expect status 200',
  ),
  ['accept', 'option redis-check'],
  [says('+PONG\r\n'), 'option redis-check'],
  [says('-NOAUTH\r\n', true), 'option redis-check'],
  [{ bytes: '300c02010161070a010004000400', hex: true }, 'option ldap-check'],
  [{ bytes: '300c02010161070a013004000400', hex: true }, 'option ldap-check'],
  [says('no LDAP at all, surely'), 'option ldap-check'],
  [{ bytes: '15030000020228', hex: true }, 'option ssl-hello-chk'],
  [says('HTTP/1.1 400 Bad\r\n'), 'option ssl-hello-chk'],
  ['accept', 'option ssl-hello-chk'],
  [{ bytes: '520000000800000000', hex: true }, 'option pgsql-check user bob'],
  [{ bytes: '45000000094d6f6f7000', hex: true }, 'option pgsql-check user bob'],
  ['accept', 'option smtpchk'],
  ['accept', 'option mysql-check user bob'],
];

test('HAProxy and carpool agree about every rule, and say the same to servers', {
  skip: needs('haproxy'),
}, async (t) => {
  const answering = await startAnsweringServers(CASES.map(([behaviour]) => behaviour));
  t.after(() => answering.stop());
  const sections = CASES.flatMap(([behaviour, ...lines], index) => [
    `backend backend${index}`,
    ...lines.map((line) => `  ${line}`),
    `  server one 127.0.0.1:${answering.ports[index]} check inter ${interOf(behaviour)}`,
  ]);
  const theirs = await askHaproxy(t, sections);
  const they_sent = await takeSent(answering);
  const ours = await askCarpool(t, sections);
  const we_sent = await takeSent(answering);
  for (const [index, { code, status, up, info }] of theirs.entries()) {
    const what = CASES[index].slice(1).join(' | ');
    assert.equal(`${ours[index].code} ${ours[index].up}`, `${code} ${up}`, what);
    if (/httpchk|tcp-check|redis|ssl-hello|smtp/.test(what)) assert.equal(ours[index].info, info, what);
    // a status that nobody gave is '' or 0 in HAProxy
    assert.equal(ours[index].status, Number(status), what);
    if (!what.includes('ssl-hello') && !what.includes('mysql')) assert.equal(we_sent[index], they_sent[index], what);
  }
  assert.ok(new Set(theirs.map(({ code }) => code)).size >= 10, 'HAProxy tells them apart');
});

async function takeSent(answering: AnsweringServers): Promise<readonly string[]> {
  const { received } = await answering.ask();
  return received;
}

async function askCarpool(t: TestContext, sections: readonly string[]) {
  const config = read(sections);
  const servers = config.backends.length;
  const memory = shared.createSharedMemory({ threads: 3, servers, backends: servers, frontends: 0, binds: 0 });
  const word = (server: number, offset: number): number =>
    Atomics.load(memory.words, shared.serverAt(memory, server) + offset);
  for (let server = 0; server < servers; server++) {
    Atomics.store(memory.words, shared.serverAt(memory, server) + shared.SERVER_OPERATIONAL, shared.SERVER_UP);
  }
  const infos = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(reject, PATIENCE_MS, new Error('the first checks did not end'));
    const handle = startChecksThread({
      config,
      memory,
      reactor: process.env['CARPOOL_REACTOR'],
      onMessage: (message) => {
        if (message.kind === 'fatal') reject(new Error(message.text));
        if (message.kind === 'check') infos.set(message.backend, message.info);
        if (message.kind !== 'checked-once') return;
        clearTimeout(timer);
        resolve();
      },
    });
    t.after(() => handle.stop(PATIENCE_MS));
  });
  return config.backends.map(({ name }, server) => ({
    info: infos.get(name) ?? '',
    code: CODES[word(server, shared.SERVER_CHECK_CODE)],
    status: word(server, shared.SERVER_CHECK_STATUS),
    up: word(server, shared.SERVER_OPERATIONAL) !== shared.SERVER_DOWN,
  }));
}

function read(sections: readonly string[]): Config {
  const defaults = ['defaults', '  mode http', '  timeout connect 5s', '  timeout server 5s', '  timeout client 5s'];
  const front = ['frontend one', '  bind 127.0.0.1:1', '  default_backend backend0'];
  const text = [...defaults, ...front, ...sections, ''].join('\n');
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }], { env: {} });
  assert.ok(config, diagnostics.map(({ message, span }) => `${span.line}: ${message}`).join('\n'));
  return config;
}
