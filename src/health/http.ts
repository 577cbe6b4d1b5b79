/**
 * `option httpchk`: one request, and an answer whose status is 2xx or 3xx. What is sent, byte for byte, is what HAProxy
 * sends: no header for HTTP/1.0, `connection: close` for HTTP/1.1.
 *
 *   answer:   HTTP/ d.d SP ddd (SP phrase)? CRLF   header lines CRLF   CRLF   …
 *             └────────── judged ─────────┘        └─ read to the end, not judged ─┘
 *
 * A head that never ends is no answer, so the verdict waits for the empty line. Lines may end in a bare LF.
 */
import type { CheckMethod } from '../config/model.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Verdict } from './verdict.ts';

/** As much as HAProxy's buffer takes. */
export const LONGEST_HEAD_BYTES = 16_384;

type HttpMethod = Extract<CheckMethod, { kind: 'http' }>;

export function httpExchange({ method, uri, version }: HttpMethod): Exchange {
  const headers = version === 'HTTP/1.0' ? '' : 'connection: close\r\n';
  const request = new TextEncoder().encode(`${method} ${uri} ${version}\r\n${headers}\r\n`);
  return { request, createAnswer: () => new HttpAnswer() };
}

const NOT_HTTP: Verdict = { code: 'L7RSP', passed: false, reason: 'the answer is not HTTP' };
const HEAD_TOO_LONG: Verdict = {
  code: 'L7RSP',
  passed: false,
  reason: `the answer's head is longer than ${LONGEST_HEAD_BYTES} bytes`,
};
const CLOSED_EMPTY: Verdict = { code: 'L7RSP', passed: false, reason: 'the server closed without an answer' };
const CLOSED_EARLY: Verdict = { code: 'L7RSP', passed: false, reason: 'the server closed in the middle of its answer' };

/** By status, 100..999; filled as they occur. */
const verdicts: (Verdict | undefined)[] = new Array(1000).fill(undefined);

function verdictOf(status: number): Verdict {
  const known = verdicts[status];
  if (known) return known;
  const passed = status >= 200 && status < 400;
  return (verdicts[status] = { code: passed ? 'L7OK' : 'L7STS', passed, reason: `HTTP status ${status}` });
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const ZERO = 48;

/** `0` stands for any digit, `1` for a digit of the status that is not 0. */
const STATUS_LINE = 'HTTP/0.0 100';
/** Positions after the status line's fixed part. */
const AFTER_STATUS = STATUS_LINE.length;
const IN_LINE = AFTER_STATUS + 1;
const LINE_BEGINS = AFTER_STATUS + 2;
const EMPTY_LINE_CR = AFTER_STATUS + 3;

class HttpAnswer implements Answer {
  private position = 0;
  private status = 0;
  private length = 0;

  onConnected(): null {
    this.position = 0;
    this.status = 0;
    this.length = 0;
    return null;
  }

  onBytes(bytes: Uint8Array, offset: number, length: number): Verdict | null {
    const end = offset + Math.min(length, LONGEST_HEAD_BYTES - this.length);
    for (let at = offset; at < end; at++) {
      const byte = bytes[at];
      if (this.position < AFTER_STATUS) {
        if (!this.takeOfStatusLine(byte)) return NOT_HTTP;
      } else if (this.position === AFTER_STATUS && byte !== SPACE && byte !== CR && byte !== LF) return NOT_HTTP;
      else if (this.takeOfHead(byte)) return verdictOf(this.status);
    }
    this.length += length;
    return this.length >= LONGEST_HEAD_BYTES ? HEAD_TOO_LONG : null;
  }

  onEnd(): Verdict {
    return this.length === 0 ? CLOSED_EMPTY : CLOSED_EARLY;
  }

  /** False: this is no status line. */
  private takeOfStatusLine(byte: number): boolean {
    const expected = STATUS_LINE.charCodeAt(this.position++);
    const digit = byte - ZERO;
    if (expected !== ZERO && expected !== ZERO + 1) return byte === expected;
    if (this.position > AFTER_STATUS - 3) this.status = this.status * 10 + digit;
    return digit >= expected - ZERO && digit <= 9;
  }

  /** True: this byte ends the head. */
  private takeOfHead(byte: number): boolean {
    const position = this.position;
    if (byte !== LF) {
      this.position = byte === CR && position === LINE_BEGINS ? EMPTY_LINE_CR : IN_LINE;
      return false;
    }
    this.position = LINE_BEGINS;
    return position === LINE_BEGINS || position === EMPTY_LINE_CR;
  }
}
