/** The checks of protocols, each against what real servers say, byte for byte and in every cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentProgram, parseAgentLine } from '#src/health/agent.js';
import type { Program } from '#src/health/steps.js';
import { type Method, Talk } from '../helpers/talk.js';

const bytes = (hex: string): string => Buffer.from(hex.replace(/\s/g, ''), 'hex').toString('latin1');
const hexOf = (text: string | undefined): string => Buffer.from(text ?? '', 'latin1').toString('hex');

/** MariaDB 10.11's greeting, shortened to what a packet must have. */
const GREETING = packet(0, `\x0a10.11.19-MariaDB\0\x01\0\0\0abcdefgh\0${'\0'.repeat(30)}`);
const LOGIN_OK = packet(2, '\0\0\0\x02\0\0\0');

function packet(sequence: number, payload: string): string {
  return String.fromCharCode(payload.length & 255, payload.length >> 8, 0, sequence) + payload;
}

function mysqlError(sequence: number, number: number, text: string): string {
  return packet(sequence, `\xff${String.fromCharCode(number & 255, number >> 8)}#HY000${text}`);
}

function pgsqlError(fields: string): string {
  return `E\0\0\0${String.fromCharCode(4 + fields.length)}${fields}`;
}

const MYSQL: Method = { kind: 'mysql', user: 'haproxy', protocol: 'post-41' };

type Case = { readonly method: Method | Program; readonly answers: readonly string[]; readonly says: string };

const CASES: readonly Case[] = [
  { method: { kind: 'redis' }, answers: ['+PONG\r\n'], says: 'L7OK Redis answers PONG' },
  {
    method: { kind: 'redis' },
    answers: ['-NOAUTH Authentication required.\r\n'],
    says: 'L7STS Redis says -NOAUTH Authentication required.',
  },
  { method: { kind: 'redis' }, answers: ['+PONGO\r\n'], says: 'L7STS Redis says +PONGO' },
  {
    method: { kind: 'smtp', hello: 'EHLO', domain: 'lb.test' },
    answers: ['220-mail.test\r\n220 ready\r\n', '250-mail.test\r\n250 SIZE\r\n', '221 bye\r\n'],
    says: 'L7OK SMTP reply 221 bye',
  },
  {
    method: { kind: 'smtp', hello: 'HELO', domain: 'localhost' },
    answers: ['421 too busy\r\n'],
    says: 'L7STS SMTP reply 421 too busy',
  },
  { method: { kind: 'smtp', hello: 'HELO', domain: 'a' }, answers: ['HTTP/1.1 400 Bad\r\n'], says: 'L7RSP' },
  { method: { kind: 'ldap' }, answers: [bytes('300c02010161070a010004000400')], says: 'L7OK the LDAP bind succeeded' },
  {
    method: { kind: 'ldap' },
    answers: [bytes('30840000001002010161840000000 70a013004000400'.replace(' ', ''))],
    says: 'L7STS LDAP result 48: inappropriate authentication',
  },
  { method: { kind: 'ldap' }, answers: ['HTTP/1.1 400\r\n'], says: 'L7RSP the answer is not LDAPv3' },
  { method: { kind: 'ssl-hello' }, answers: [bytes('15030000020228')], says: 'L6OK the server speaks TLS' },
  { method: { kind: 'ssl-hello' }, answers: [bytes('1603000001')], says: 'L6OK the server speaks TLS' },
  { method: { kind: 'ssl-hello' }, answers: ['HTTP/1.1 400'], says: 'L6RSP the answer is not TLS' },
  {
    method: { kind: 'pgsql', user: 'haproxy' },
    answers: [bytes('52 0000000c 00000005 01020304')],
    says: 'L7OK PostgreSQL takes connections',
  },
  {
    method: { kind: 'pgsql', user: 'haproxy' },
    answers: [pgsqlError('SFATAL\0C57P03\0Mthe database system is starting\0\0')],
    says: 'L7RSP PostgreSQL says the database system is starting',
  },
  {
    method: { kind: 'pgsql', user: 'haproxy' },
    answers: ['SSH-2.0-x\r\n'],
    says: 'L7STS the answer is not PostgreSQL',
  },
  { method: MYSQL, answers: [GREETING, LOGIN_OK], says: 'L7OK MySQL takes the login' },
  {
    method: { kind: 'mysql', user: undefined, protocol: 'post-41' },
    answers: [GREETING],
    says: 'L7OK MySQL 10.11.19-MariaDB greets',
  },
  {
    method: MYSQL,
    answers: [mysqlError(0, 1129, "Host 'lb' is blocked")],
    says: "L7STS MySQL error 1129: Host 'lb' is blocked",
  },
  {
    method: MYSQL,
    answers: [GREETING, mysqlError(2, 1045, 'Access denied')],
    says: 'L7STS MySQL error 1045: Access denied',
  },
  { method: MYSQL, answers: [GREETING, packet(2, '\xfemysql_native_password\0')], says: 'L7STS MySQL wants another' },
  { method: MYSQL, answers: ['+OK POP3\r\n'], says: 'L7RSP the answer is not MySQL' },
  { method: agentProgram(''), answers: ['up 50%\n'], says: 'L7OK the agent says up' },
  { method: agentProgram(''), answers: ['down # in flames\r\n'], says: 'L7STS the agent says down (in flames)' },
  { method: agentProgram(''), answers: ['quux\n'], says: 'L7RSP the agent says "quux", which means nothing' },
];

test('each protocol is understood, however its answers are cut', () => {
  for (const { method, answers, says } of CASES) {
    const whole = new Talk(method);
    const one_by_one = new Talk(method);
    for (const answer of answers) {
      whole.says(answer);
      for (const byte of answer) one_by_one.says(byte);
    }
    assert.ok(whole.outcome.startsWith(says), `${whole.outcome} is not ${says}`);
    assert.equal(one_by_one.verdict?.code, whole.verdict?.code, says);
  }
});

test('a server that closes, early or at once, is never taken for well', () => {
  for (const { method, answers } of CASES) {
    const [first] = answers;
    for (let length = 0; length < first.length - 1; length++) {
      const talk = new Talk(method).says(first.slice(0, length));
      if (talk.verdict === undefined) talk.closes();
      assert.ok(talk.verdict, 'a check ends when its server does');
      const decided_early = new Talk(method).says(first.slice(0, length)).verdict?.passed ?? false;
      assert.equal(talk.verdict.passed, decided_early, `${JSON.stringify(first.slice(0, length))}`);
    }
  }
});

test('a server that sends without end is judged at a bound', () => {
  const noise = ['\0', 'x', '2', '0', '\xff', '\n', '\r\n', '+', '220-', '\x16\x03', 'E\0\0\xff\xff', '\x0a\0\0\0'];
  for (const { method } of CASES) {
    for (const piece of noise) {
      const talk = new Talk(method);
      for (let sent = 0; sent < 20_000 && talk.verdict === undefined; sent += 1000) talk.says(piece.repeat(1000));
      assert.ok(talk.verdict, `${JSON.stringify(piece)} without end`);
    }
  }
});

test('what is sent is what HAProxy sends', () => {
  const sent = (method: Method, ...answers: string[]): string[] => {
    const talk = new Talk(method);
    for (const answer of answers) talk.says(answer);
    return talk.sent;
  };
  assert.deepEqual(sent({ kind: 'redis' }), ['*1\r\n$4\r\nPING\r\n']);
  assert.equal(hexOf(sent({ kind: 'ldap' })[0]), '300c020101600702010304008000');
  assert.equal(hexOf(sent({ kind: 'pgsql', user: 'bob' })[0]).slice(0, 30), '00000012000300007573657200626f');
  assert.deepEqual(sent({ kind: 'smtp', hello: 'EHLO', domain: 'foo' }, '220 a\r\n', '250 b\r\n'), [
    'EHLO foo\r\n',
    'QUIT\r\n',
  ]);
  const [login] = sent({ kind: 'mysql', user: 'bob', protocol: 'post-41' }, GREETING);
  assert.equal(hexOf(login), `2500000100820000ffffff0021${'00'.repeat(23)}626f620000${'0100000001'}`);
  assert.equal(
    hexOf(sent({ kind: 'mysql', user: 'bob', protocol: 'pre-41' }, GREETING)[0]),
    '0a0000010100ffffff626f6200000100000001',
  );
  assert.match(hexOf(sent({ kind: 'ssl-hello' })[0]), /^160300....01......0300/);
});

test("an agent's line is words in any order, and a description", () => {
  const line = 'ready, 75%\tmaxconn:30 UP # all is well';
  assert.deepEqual(parseAgentLine(line), {
    state: 'up',
    administrative: 'ready',
    weight_percent: 75,
    maxconn: 30,
    text: 'UP (all is well)',
    unknown: undefined,
  });
  assert.equal(parseAgentLine('drain').administrative, 'drain');
  assert.equal(parseAgentLine('maint stopped').state, 'down');
  assert.equal(parseAgentLine('fail').text, 'fail');
  assert.equal(parseAgentLine('').state, undefined);
});
