/**
 * `option ssl-hello-chk`: an SSLv3 hello, and any TLS record of a handshake or an alert comes back (RFC 6101 5.2).
 * It works without TLS here: servers that have long refused SSLv3 say so with an alert, which is TLS enough.
 *
 *   record  16 | 03 00 | length:16 | 01 | length:24 | 03 00 | random:32 | 00 | ciphers | 01 00 |
 *           handshake              └ client hello                         └ no session    └ no compression
 */
import { fromHex } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { verdictOf } from './verdict.ts';

/** RFC 6101 A.6 and RFC 3268: those that servers of any age know. */
const CIPHERS = [
  '0001',
  '0002',
  '0003',
  '0004',
  '0005',
  '0006',
  '0007',
  '0008',
  '0009',
  '000a',
  '0016',
  '002f',
  '0033',
  '0035',
  '0039',
];
/** A check shares no secret, so that it need not surprise. */
const RANDOM = '63617270'.repeat(8);

const RECORD_BYTES = 5;
const ALERT = 0x15;
const HANDSHAKE = 0x16;

const WELL = verdictOf('L6OK', 'the server speaks TLS', 0, '');
const NOT_TLS = verdictOf('L6RSP', 'the answer is not TLS', 0, '');

export function sslHelloProgram(): Program<RawAnswer> {
  const steps = [connectToServer(false), sendBytes(clientHello()), expectStep(EXPECT_RECORD, 2)];
  return { steps, createAnswer: () => new RawAnswer() };
}

function clientHello(): Uint8Array {
  const hello = `0300${RANDOM}00${hex(CIPHERS.length * 2, 2)}${CIPHERS.join('')}0100`;
  const handshake = `01${hex(hello.length / 2, 3)}${hello}`;
  return fromHex(`160300${hex(handshake.length / 2, 2)}${handshake}`)!;
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, '0');
}

const EXPECT_RECORD: Expectation<RawAnswer> = {
  timeout: 'L6TOUT',
  judge({ bytes, length }, ended) {
    if (length < RECORD_BYTES) return ended ? NOT_TLS : 'wait';
    return bytes[0] === ALERT || bytes[0] === HANDSHAKE ? 'matched' : NOT_TLS;
  },
  success: () => WELL,
};
