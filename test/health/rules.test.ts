/** tcp-check and http-check rules, from the lines of a configuration to verdicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { type Method, Talk } from '../helpers/talk.js';

/** The check of a backend with these lines. */
function check(...lines: readonly string[]): Method {
  const text = [
    'backend web',
    '  timeout connect 1s',
    '  timeout server 1s',
    ...lines,
    '  server a 192.0.2.1:80 check',
    '',
  ];
  const front = ['frontend one', '  bind 127.0.0.1:1', '  timeout client 1s', '  default_backend web', ''];
  const source = { file: 'haproxy.cfg', text: [...front, ...text].join('\n') };
  const { config, diagnostics } = loadConfig([source], { env: {} });
  assert.ok(config, diagnostics.map(({ message }) => message).join('\n'));
  return config.backends[0].check as Method;
}

const tcp = (...rules: readonly string[]): Talk => {
  return new Talk(check('option tcp-check', ...rules.map((rule) => `tcp-check ${rule}`)));
};
const http = (...rules: readonly string[]): Talk => {
  return new Talk(check('option httpchk', ...rules.map((rule) => `http-check ${rule}`)));
};

test('rules without a word from the server: a connection, and what is sent', () => {
  assert.equal(tcp('connect').outcome, 'L4OK the server accepts connections');
  const talk = tcp('connect port 25', 'send PING\\r\\n', 'send-binary 0a0D');
  assert.deepEqual(talk.sent, ['PING\r\n', '\n\r']);
  assert.deepEqual(talk.connected_to, [{ address: '', port: 25 }]);
  assert.equal(talk.verdict?.code, 'L7OK');
});

test('expect waits until it can tell', () => {
  const talk = tcp('expect string +OK');
  assert.equal(talk.says('+').outcome, 'waits');
  assert.equal(talk.says('OK').verdict?.code, 'L7OK');
  assert.equal(tcp('expect string +OK').says('-ERR').outcome, 'waits', 'more may come');
  const closed = tcp('comment hallo', 'expect string +OK').says('-ERR').closes();
  assert.equal(closed.outcome, "L7RSP the answer does not hold '+OK' at step 2 (expect '+OK'), comment: 'hallo'");
});

test('min-recv makes a mismatch final', () => {
  assert.equal(tcp('expect min-recv 4 string +OK').says('-E').outcome, 'waits');
  assert.equal(tcp('expect min-recv 4 string +OK').says('-ERR').verdict?.code, 'L7RSP');
  assert.equal(tcp('expect min-recv 0 rstring ^.OK').says('-E').verdict?.code, 'L7RSP');
});

test('negated, binary, regular and formatted matches', () => {
  assert.equal(tcp('expect ! string ERR').says('fine').closes().verdict?.code, 'L7OK');
  assert.equal(tcp('expect ! string ERR').says('ERR').verdict?.code, 'L7RSP');
  assert.equal(tcp('expect binary 2b504F').says('x+POx').verdict?.code, 'L7OK');
  assert.equal(tcp('expect rbinary ^(FF)+00').says('\xff\xff\0').verdict?.code, 'L7OK');
  assert.equal(tcp('expect rbinary 00FF0A$').says('x\0\xff\n').verdict?.code, 'L7OK');
  assert.equal(tcp('expect rstring \\xff\\x00.$').says('\xff\0\x80').verdict?.code, 'L7OK');
  assert.equal(tcp('expect rstring (?i)ready').says('READY').verdict?.code, 'L7OK');
  assert.equal(tcp('expect string-lf "%[srv_name] of %b"').says('a of web').verdict?.code, 'L7OK');
  assert.equal(tcp('expect binary-lf "41%[str(B),hex]"').says('AB').verdict?.code, 'L7OK');
});

test('expectations side by side look at the same answer, those behind a send at a new one', () => {
  const both = ['expect string one', 'expect string two'];
  assert.equal(tcp(...both).says('one two').verdict?.code, 'L7OK');
  const asked = tcp('expect string one', 'send x', 'expect string two').says('one two');
  assert.equal(asked.outcome, 'waits');
  assert.equal(asked.says('two').verdict?.code, 'L7OK');
});

test('an unwanted word is found while a later expectation still waits', () => {
  const talk = tcp('expect min-recv 1 ! string ERR', 'expect string OK').says('so far');
  assert.equal(talk.outcome, 'waits');
  assert.equal(talk.says(' ERR').verdict?.code, 'L7RSP');
});

test('a check goes to several ports, and each step may fail', () => {
  const rules = ['connect port 110', 'expect string +OK', 'connect port 143 linger', 'expect string *\\ OK'];
  const talk = tcp(...rules).says('+OK');
  assert.deepEqual(
    talk.connected_to.map(({ port }) => port),
    [110, 143],
  );
  assert.equal(talk.says('* OK').verdict?.code, 'L7OK');
  const failed = tcp(...rules).says('+OK');
  assert.match(failed.closes().outcome, /at step 4 \(expect '\* OK'\)$/);
});

test('statuses, texts and codes are as the rule says', () => {
  const options =
    'ok-status L7OKC error-status L4CON on-success "is %[res.payload(0,2)]" on-error "no: %[res.payload(0,0)]"';
  assert.equal(tcp(`expect ${options} string up`).says('up').outcome, 'L7OKC is up');
  assert.equal(tcp(`expect ${options} string up`).says('dn').closes().outcome, 'L4CON no: dn');
  const code = tcp('expect status-code res.payload(0,3) string 250').says('250 fine');
  assert.equal(code.verdict?.status, 250);
});

test('a pattern that would try everything again and again takes no longer than another', () => {
  const answer = `${'a'.repeat(8_000)}!`;
  const began = process.cpuUsage();
  assert.equal(tcp('expect rstring ^(a+)+$').says(answer).closes().verdict?.code, 'L7RSP');
  assert.equal(tcp('expect rbinary ^((61)+)+$').says(answer).closes().verdict?.code, 'L7RSP');
  const page = `HTTP/1.0 200 OK\r\nX-Up: ${answer}\r\n\r\n${answer}`;
  assert.equal(http('expect rstring ^(a|a)*$').says(page).closes().verdict?.code, 'L7RSP');
  assert.equal(http('expect hdr name -m reg ^(x|X)+-UP$ value -m reg ^(a*)*$').says(page).verdict?.code, 'L7STS');
  const { user, system } = process.cpuUsage(began);
  assert.ok(user + system < 2_000_000, `${user + system} µs`);
});

test('what needs backtracking is refused where it stands', () => {
  for (const rule of [
    'tcp-check expect rstring (?=OK)',
    'tcp-check expect rbinary (00)\\\\1',
    'http-check expect rstatus ^(?!5)',
    'http-check expect hdr name -m reg (?<=x)y',
  ]) {
    const text = `backend web\n  option ${rule.startsWith('tcp') ? 'tcp-check' : 'httpchk'}\n  ${rule}\n`;
    const found = loadConfig([{ file: 'haproxy.cfg', text }], { env: {} }).diagnostics.find(
      ({ code }) => code === 'bad-pattern',
    );
    assert.ok(found, rule);
    const pattern = rule.split(' ').at(-1)!;
    assert.deepEqual([found.span.line, found.span.column], [3, 3 + rule.length - pattern.length], rule);
    assert.match(found.mend ?? '', /Lookaround and back-references are not/);
  }
});

test('variables carry values from step to step', () => {
  const rules = [
    'set-var(check.port) int(8000),add(80)',
    'set-var-fmt(check.hello,ifnotexists) "%s@%b"',
    'set-var(check.hello,ifnotexists) str(other)',
    'connect port var(check.port)',
    'send-lf "%[var(check.hello)] %[var(check.gone,none)]"',
    'unset-var(check.hello)',
    'send-lf "[%[var(check.hello)]]"',
  ];
  const talk = tcp(...rules);
  assert.deepEqual(talk.connected_to, [{ address: '', port: 8080 }]);
  assert.deepEqual(talk.sent, ['a@web none', '[]']);
});

test('a port that is none ends the check with a reason', () => {
  assert.equal(tcp('connect port var(check.none)').outcome, 'SOCKERR the port is no port at step 1 (connect)');
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Up: yes, very\r\n\r\nhello';

test('a request has what option httpchk and send say, and the headers that HAProxy adds', () => {
  const method = check(
    'option httpchk PUT /a',
    'http-check send ver HTTP/1.1 hdr Host www hdr X-Who %[srv_name] body-lf "it is %H"',
  );
  assert.deepEqual(new Talk(method).sent, [
    'PUT /a HTTP/1.1\r\nhost: www\r\nx-who: a\r\ncontent-length: 11\r\nconnection: close\r\n\r\nit is node1',
  ]);
  assert.deepEqual(http('send-state').sent, ['OPTIONS / HTTP/1.0\r\nx-haproxy-server-state: UP; name=web/a\r\n\r\n']);
});

test('nothing that an expression brings along begins another header', () => {
  const talk = http('set-var(check.x) str("a\\r\\nEvil: yes")', 'send hdr X %[var(check.x)]');
  assert.doesNotMatch(talk.sent[0], /^Evil/m);
});

test('expectations of an HTTP answer', () => {
  const CASES: readonly [string, string][] = [
    ['expect status 200,300-310', 'L7OK'],
    ['expect status 404', 'L7STS'],
    ['expect ! status 200', 'L7STS'],
    ['expect rstatus ^2', 'L7OK'],
    ['expect ! rstatus ^5', 'L7OK'],
    ['expect string hello', 'L7OK'],
    ['expect string nothing', 'L7RSP'],
    ['expect ! string hello', 'L7RSP'],
    ['expect rstring ^h.*o$', 'L7OK'],
    ['expect hdr name x-up', 'L7OK'],
    ['expect hdr name X-Up value very', 'L7OK'],
    ['expect fhdr name X-Up value very', 'L7STS'],
    ['expect fhdr name -m beg x- value -m end very', 'L7OK'],
    ['expect hdr name -m reg ^x-.p$ value -m reg ^V', 'L7STS'],
    ['expect hdr name x-down', 'L7STS'],
    ['expect ! hdr name x-down', 'L7OK'],
    ['expect error-status L6RSP status 500', 'L6RSP'],
  ];
  for (const [rule, code] of CASES) assert.equal(http(rule).says(OK).verdict?.code, code, rule);
});

test('a body is judged when it is whole, however it is framed and cut', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n';
  const to_the_end = 'HTTP/1.0 200 OK\r\n\r\nhello';
  for (const answer of [OK, chunked, to_the_end]) {
    const talk = http('expect string hello');
    for (const byte of answer) talk.says(byte);
    assert.equal(talk.verdict?.code, 'L7OK');
    const other = http('expect ! string nothing');
    for (const byte of answer) other.says(byte);
    assert.equal((other.verdict ? other : other.closes()).verdict?.code, 'L7OK');
  }
  const empty = http('expect ! string x').says('HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n');
  assert.equal(empty.outcome, "L7RSP there is no body at step 1 (expect ! 'x')");
});

test('behind the last request a good status is expected, unasked', () => {
  const rules = ['send meth GET uri /a', 'expect status 200', 'send meth GET uri /b'];
  const talk = http(...rules).says(OK);
  assert.deepEqual(
    talk.sent.map((request) => request.split('\r\n')[0]),
    ['GET /a HTTP/1.0', 'GET /b HTTP/1.0'],
  );
  assert.equal(talk.says('HTTP/1.1 503 x\r\n\r\n').outcome, 'L7STS HTTP status 503');
});

test('404 takes an UP server gently out, and a DOWN one stays DOWN', () => {
  const method = check('option httpchk', 'http-check disable-on-404', 'http-check expect status 200');
  const gone = 'HTTP/1.1 404 x\r\n\r\n';
  assert.equal(new Talk(method).says(gone).verdict?.code, 'L7OKC');
  assert.equal(new Talk(method, { isUp: () => false }).says(gone).verdict?.code, 'L7STS');
});
