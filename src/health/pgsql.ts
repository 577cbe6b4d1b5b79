/**
 * `option pgsql-check`: the startup message of protocol 3.0, and the server asks for authentication (PostgreSQL manual, 55.7).
 *
 *   request   length:32 | 00 03 00 00 | "user" 0 | name 0 | 0
 *   answer    'R' | length:32 | kind of authentication:32 …          or   'E' | length:32 | fields: (letter, text 0)… 0
 */
import { bytesOfText } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const PROTOCOL_3_0 = 0x0003_0000;
const HEADER_BYTES = 5;
/** 'R' and the kind. */
const AUTHENTICATION_BYTES = 9;

const WELL = verdictOf('L7OK', 'PostgreSQL takes connections', 0, 'PostgreSQL server is ok');
const SILENT = verdictOf('L7RSP', 'the server closed without an answer');
/** HAProxy calls this a wrong status. */
const NOT_POSTGRES = verdictOf('L7STS', 'the answer is not PostgreSQL', 0, 'PostgreSQL unknown error');

export function pgsqlProgram(user: string): Program<RawAnswer> {
  const steps = [connectToServer(true), sendBytes(startup(user)), expectStep(EXPECT_AUTHENTICATION, 2)];
  return { steps, createAnswer: () => new RawAnswer() };
}

function startup(user: string): Uint8Array {
  const parameters = bytesOfText(`user\0${user}\0\0`);
  const message = new Uint8Array(8 + parameters.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, PROTOCOL_3_0);
  message.set(parameters, 8);
  return message;
}

const EXPECT_AUTHENTICATION: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const { bytes, length } = answer;
    const kind = length > 0 ? String.fromCharCode(bytes[0]) : '';
    if (kind !== '' && kind !== 'R' && kind !== 'E') return NOT_POSTGRES;
    const needed = kind === 'R' ? AUTHENTICATION_BYTES : HEADER_BYTES;
    if (length < needed && !ended) return 'wait';
    if (length < needed) return length === 0 ? SILENT : NOT_POSTGRES;
    const message_bytes = 1 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    if (kind === 'R') return message_bytes >= AUTHENTICATION_BYTES ? 'matched' : NOT_POSTGRES;
    return length < message_bytes && !ended ? 'wait' : refusal(answer, message_bytes);
  },
  success: () => WELL,
};

/** The error's text: field M; older servers send plain text. */
function refusal(answer: RawAnswer, message_bytes: number): Verdict {
  const text = answer.text(HEADER_BYTES, message_bytes);
  const message = text.split('\0').find((field) => field.startsWith('M'));
  return verdictOf('L7RSP', `PostgreSQL says ${message?.slice(1) ?? text}`);
}
