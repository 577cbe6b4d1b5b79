/** `http-error` and `errorloc`: what is refused, and which line counts. That the replies are HAProxy's is in test/interop/error-files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';

function read(lines: string, defaults = '') {
  const text = `defaults\n mode http\n${defaults}listen l\n bind :80\n${lines}`;
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  const replies = config?.frontends[0]?.error_files.map(
    ({ status, path, content }) =>
      `${status} ${
        path ??
        Buffer.from(content ?? [])
          .toString()
          .split('\r\n')[0]
      }`,
  );
  return { errors, replies };
}

const REFUSED: readonly (readonly [line: string, code: string])[] = [
  ['errorloc 503', 'missing-value'],
  ['errorloc303 503 /a /b', 'unexpected-word'],
  ['errorloc302 503 "/a\\r\\nX: y"', 'bad-value'],
  ['http-error 503 string x', 'unknown-keyword'],
  ['http-error content-type text/plain string x', 'missing-value'],
  ['http-error status 503 string x', 'missing-value'],
  ['http-error status 503 hdr x', 'missing-value'],
  ['http-error status 503 hdr "x y" z', 'bad-header-name'],
  ['http-error status 503 hdr x %[src]', 'unsupported-value'],
  ['http-error status 503 content-type text/plain lf-string %ci', 'unsupported-value'],
  ['http-error status 503 content-type text/plain lf-file /a', 'unsupported-keyword'],
  ['http-error status 503 content-type text/plain string x errorfile /a', 'unexpected-word'],
  ['http-error status 503 errorfiles nowhere', 'unknown-section'],
  [`http-error status 503 content-type text/plain string ${'x'.repeat(16_384)}`, 'bad-reply-length'],
];

test('what cannot be a stored reply is refused', () => {
  for (const [line, code] of REFUSED) assert.deepEqual(read(` ${line}\n`).errors, [code], line);
});

test('the last line for a status counts, whichever keyword it has', () => {
  const lines = ' errorfile 503 /a\n errorloc 503 /b\n errorloc303 502 /c\n http-error status 502 errorfile /d\n';
  assert.deepEqual(read(lines).replies, ['503 HTTP/1.1 302 Found', '502 /d']);
});

test('`default-errorfiles` undoes what earlier lines and the defaults say', () => {
  const { replies } = read(' http-error status 503 default-errorfiles\n', ' errorloc 503 /a\n errorloc 500 /b\n');
  assert.deepEqual(replies, ['500 HTTP/1.1 302 Found']);
});

test('an `errorfiles` of `http-error` that has none for the status leaves what there was', () => {
  const section = 'http-errors site\n errorfile 502 /of-site\n';
  const lines = ` errorfile 503 /own\n http-error status 503 errorfiles site\n http-error status 502 errorfiles site\n${section}`;
  assert.deepEqual(read(lines).replies, ['503 /own', '502 /of-site']);
});
