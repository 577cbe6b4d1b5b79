/**
 * `option ldap-check`: an anonymous simple bind, and its response says success (RFC 4511 4.2).
 *
 *   request    30 0c  02 01 01  60 07  02 01 03  04 00  80 00       message 1: bind, version 3, no name, no password
 *   response   30 LL  02 01 01  61 LL  0a 01 RR  …                  message 1: bind response, result RR
 */
import { fromHex } from './bytes.ts';
import { RawAnswer } from './raw.ts';
import { connectToServer, type Expectation, expectStep, type Program, sendBytes } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const BIND = fromHex('300c020101600702010304008000')!;
const NOT_LDAP = verdictOf('L7RSP', 'the answer is not LDAPv3', 0, 'Not LDAPv3 protocol');
const WELL: Verdict = verdictOf('L7OK', 'the LDAP bind succeeded', 0, 'Success');

export function ldapProgram(): Program<RawAnswer> {
  const steps = [connectToServer(true), sendBytes(BIND), expectStep(EXPECT_BOUND, 2)];
  return { steps, createAnswer: () => new RawAnswer() };
}

const EXPECT_BOUND: Expectation<RawAnswer> = {
  timeout: 'L7TOUT',
  judge(answer, ended) {
    const result = readResult(answer);
    if (result === 'short') return ended ? NOT_LDAP : 'wait';
    if (result === undefined) return NOT_LDAP;
    return result === 0
      ? 'matched'
      : verdictOf('L7STS', `LDAP result ${result}: ${RESULTS[result] ?? 'no success'}`, result);
  },
  success: () => WELL,
};

/** A few that a server answers to an anonymous bind. */
const RESULTS: Readonly<Record<number, string>> = {
  1: 'operations error',
  2: 'protocol error',
  7: 'authentication method not supported',
  8: 'stronger authentication required',
  48: 'inappropriate authentication',
  49: 'invalid credentials',
  51: 'busy',
  52: 'unavailable',
  53: 'unwilling to perform',
};

/** The result code; 'short' while bytes are missing; undefined when this is no bind response. */
function readResult({ bytes, length }: RawAnswer): number | 'short' | undefined {
  const reader = new Ber(bytes, length);
  const message = reader.open(0x30);
  const id = message === true ? reader.integer(0x02) : message;
  const response = typeof id === 'number' ? reader.open(0x61) : id;
  return response === true ? reader.integer(0x0a) : response;
}

/** Tag, length, contents; 'short' and undefined as above. */
class Ber {
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly length: number;

  constructor(bytes: Uint8Array, length: number) {
    this.bytes = bytes;
    this.length = length;
  }

  /** Goes into the contents of a constructed value. */
  open(tag: number): true | 'short' | undefined {
    const length = this.header(tag);
    return typeof length === 'number' ? true : length;
  }

  integer(tag: number): number | 'short' | undefined {
    const length = this.header(tag);
    if (typeof length !== 'number') return length;
    if (length < 1 || length > 4) return undefined;
    if (this.at + length > this.length) return 'short';
    let value = 0;
    for (let count = 0; count < length; count++) value = value * 256 + this.bytes[this.at++];
    return value;
  }

  /** The length of what follows; the long form has at most four bytes. */
  private header(tag: number): number | 'short' | undefined {
    if (this.at < this.length && this.bytes[this.at] !== tag) return undefined;
    if (this.at + 2 > this.length) return 'short';
    const first = this.bytes[this.at + 1];
    this.at += 2;
    if (first < 0x80) return first;
    const size = first & 0x7f;
    if (size < 1 || size > 4) return undefined;
    if (this.at + size > this.length) return 'short';
    let length = 0;
    for (let count = 0; count < size; count++) length = length * 256 + this.bytes[this.at++];
    return length;
  }
}
