/** Files for old versions of HAProxy: what it has dropped is refused here as there, with what is written for it today. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatDiagnostics } from '#src/config/diagnostic.js';
import { DROPPED_KEYWORDS, DROPPED_OPTIONS } from '#src/config/haproxy/dropped.js';
import { loadConfig } from '#src/config/load.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';

const read = (text: string) => loadConfig([{ file: 'haproxy.cfg', text }]);

/** The line stands alone in a `listen`, or in the global section. */
function fileWith(line: string): string {
  const timeouts = ['connect', 'client', 'server'].map((name) => ` timeout ${name} 5s\n`).join('');
  const own = line.startsWith('nbproc') ? ['', ` ${line}\n`] : [` ${line}\n`, ''];
  return `global\n${own[1]}defaults\n mode http\n${timeouts}listen a\n bind 127.0.0.1:8080\n${own[0]} server s 127.0.0.1:80\n`;
}

const LINES = [
  ...DROPPED_KEYWORDS.map(({ name }) => `${name} 10.0.0.0/8`),
  ...DROPPED_OPTIONS.map(({ name }) => `option ${name}`),
];

test('each dropped keyword is one error at its place, which says what to write', () => {
  for (const line of LINES) {
    const errors = read(fileWith(line)).diagnostics.filter(({ severity }) => severity === 'error');
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['dropped-keyword'],
      line,
    );
    assert.ok(errors[0]!.mend, line);
  }
});

test('HAProxy refuses them too', { skip: needs('haproxy') }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carpool-dropped-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'haproxy.cfg');
  for (const line of LINES) {
    writeFileSync(file, fileWith(line));
    const { status } = spawnSync(peerPath('haproxy'), ['-c', '-f', file], { timeout: PATIENCE_MS });
    assert.equal(status, 1, line);
  }
});

test('the timeouts and the address of a file for HAProxy 1.4 can be pasted', () => {
  const old =
    'defaults\n contimeout 5000\n clitimeout 50000\n srvtimeout 50000\nlisten a 0.0.0.0:80\n server s 10.0.0.1:80\n';
  const mends = read(old).diagnostics.flatMap(({ severity, mend }) => (severity === 'error' ? [mend] : []));
  assert.deepEqual(mends, [
    'Write `timeout connect 5000`.',
    'Write `timeout client 50000`.',
    'Write `timeout server 50000`.',
    'Write `bind 0.0.0.0:80` below.',
  ]);
  const pasted = mends.map((mend) => / `(.*)`/.exec(mend ?? '')![1]);
  const { diagnostics } = read(
    `defaults\n ${pasted.slice(0, 3).join('\n ')}\nlisten a\n ${pasted[3]}\n server s 10.0.0.1:80\n`,
  );
  assert.deepEqual(diagnostics, []);
});

test('what is the same on many lines is told once, with the lines', () => {
  const rules = Array.from({ length: 30 }, (_, index) => ` http-request set-header X-${index} a\n`).join('');
  const { diagnostics } = read(`listen a\n mode http\n bind :80\n${rules} http-response del-header Server\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  assert.equal(errors.length, 31, 'programs still get each of them');
  const told = formatDiagnostics(errors).map(({ text }) => text);
  assert.equal(told.length, 2);
  assert.match(
    told[0]!,
    /^haproxy.cfg:4:15: error: .*\n.*\n {4}The same on lines 5, 6, 7, 8, 9, 10, 11 and 22 others\.$/,
  );
  assert.match(told[1]!, /^haproxy.cfg:34:2: error: [^\n]*\n[^\n]*$/);
});

test('a few lines are all named', () => {
  const { diagnostics } = read('listen a\n mode http\n bind :80\n stick on src\n stick on src\n stick on src\n');
  const [told] = formatDiagnostics(diagnostics.filter(({ severity }) => severity === 'error'));
  assert.match(told!.text, /\n {4}The same on lines 5 and 6\.$/);
});

test('hundreds of lines of one kind do not hide what comes behind them', () => {
  const rules = ' http-request set-header X-A a\n'.repeat(300);
  const { diagnostics } = read(`listen a\n mode http\n bind :80\n${rules} nonsense\n`);
  assert.ok(diagnostics.some(({ code, span }) => code === 'unknown-keyword' && span.line === 304));
});

test('a line that needs TLS is told once', () => {
  const text = `listen a
 mode http
 bind :443 ssl crt /etc/ssl/site.pem alpn h2,http/1.1 no-sslv3
 server s 10.0.0.1:443 check check-ssl verify none check-sni www ssl sni str(www)
 server t 10.0.0.2:443 check verify none check-ssl
`;
  const errors = read(text).diagnostics.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ span, message }) => [span.line, /`(\S+)`/.exec(message)![1]]),
    [
      [3, 'ssl'],
      [4, 'ssl'],
      [5, 'check-ssl'],
    ],
  );
});
