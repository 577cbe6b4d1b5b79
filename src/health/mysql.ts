/**
 * `option mysql-check`: the server's greeting, and with a user a login without a password and a goodbye (MySQL internals
 * manual, "Connection Phase"; MariaDB knowledge base, "Connecting").
 *
 *   packet     length:24 (little endian) | sequence:8 | payload
 *   greeting   protocol:8 = 10 or 9 | version, 0 | …
 *   error      ff | number:16 | '#' state:5 | message
 *   login      post-41: capabilities:32 | longest packet:32 | character set:8 | 23 zeros | user, 0 | password's length:8 = 0
 *              pre-41:  capabilities:16 | longest packet:24 | user, 0 | 0
 *   ok         00 …
 */
import { bytesOfText } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const HEADER_BYTES = 4;
const OK = 0x00;
const END_OF_FILE = 0xfe;
const ERROR = 0xff;
const QUIT = 0x01;

/** CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION; CLIENT_LONG_PASSWORD for old servers. */
const CAPABILITIES_41 = 0x0200 | 0x8000;
const CAPABILITIES_320 = 0x0001;
const LONGEST_PACKET = 0x01_00_00_00 - 1;
const UTF8 = 33;

const NOT_MYSQL = verdictOf('L7RSP', 'the answer is not MySQL');

export function mysqlProgram(user: string | undefined, protocol: 'pre-41' | 'post-41'): Program<RawAnswer> {
  const greeting = expectStep(EXPECT_GREETING, 1);
  const createAnswer = () => new RawAnswer();
  if (user === undefined) return { steps: [connectToServer(true), greeting], createAnswer };
  const login = packet(1, protocol === 'post-41' ? loginPost41(user) : loginPre41(user));
  const goodbye = packet(0, Uint8Array.of(QUIT));
  const steps = [connectToServer(true), greeting, sendBytes(Buffer.concat([login, goodbye])), expectStep(EXPECT_OK, 3)];
  return { steps, createAnswer };
}

function packet(sequence: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  return Uint8Array.of(length & 255, (length >> 8) & 255, length >> 16, sequence, ...payload);
}

function loginPost41(user: string): Uint8Array {
  const name = bytesOfText(`${user}\0`);
  const payload = new Uint8Array(32 + name.length + 1);
  const view = new DataView(payload.buffer);
  view.setUint32(0, CAPABILITIES_41, true);
  view.setUint32(4, LONGEST_PACKET, true);
  payload[8] = UTF8;
  payload.set(name, 32);
  return payload;
}

function loginPre41(user: string): Uint8Array {
  const size = [LONGEST_PACKET & 255, (LONGEST_PACKET >> 8) & 255, LONGEST_PACKET >> 16];
  return Uint8Array.of(CAPABILITIES_320, 0, ...size, ...bytesOfText(`${user}\0`), 0);
}

const EXPECT_GREETING: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const first = firstByte(answer, 0, ended);
    if (typeof first !== 'number') return first;
    if (first === ERROR) return refusal(answer);
    return first === 10 || first === 9 ? 'matched' : NOT_MYSQL;
  },
  success: (answer) => verdictOf('L7OK', `MySQL ${versionOf(answer)} greets`, 0, versionOf(answer)),
};

const WELL = verdictOf('L7OK', 'MySQL takes the login');

const EXPECT_OK: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const first = firstByte(answer, 2, ended);
    if (typeof first !== 'number') return first;
    if (first === ERROR) return refusal(answer);
    if (first === END_OF_FILE) return verdictOf('L7STS', 'MySQL wants another kind of login');
    return first === OK ? 'matched' : NOT_MYSQL;
  },
  success: () => WELL,
};

/** The first byte of a packet's payload when the whole packet is here. */
function firstByte({ bytes, length }: RawAnswer, sequence: number, ended: boolean): number | 'wait' | Verdict {
  const wait = ended ? NOT_MYSQL : 'wait';
  if (length < HEADER_BYTES + 1) return wait;
  const payload_bytes = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  if (payload_bytes === 0 || bytes[3] !== sequence) return NOT_MYSQL;
  return length < HEADER_BYTES + payload_bytes ? wait : bytes[HEADER_BYTES];
}

/** `Host … is blocked`, `Access denied for user …`; the message may begin with `#` and five letters. */
function refusal(answer: RawAnswer): Verdict {
  const { bytes, length } = answer;
  if (length < HEADER_BYTES + 3) return NOT_MYSQL;
  const number = bytes[HEADER_BYTES + 1] | (bytes[HEADER_BYTES + 2] << 8);
  const message = answer.text(HEADER_BYTES + 3).replace(/^#.{5}/s, '');
  return verdictOf('L7STS', `MySQL error ${number}: ${message}`, number, message);
}

function versionOf(answer: RawAnswer): string {
  return answer.text(HEADER_BYTES + 1).replace(/\0.*$/s, '');
}
