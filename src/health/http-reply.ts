/**
 * The answer to a check's HTTP request. The status line is judged while it comes; headers and body are looked at only when
 * something is expected of them, and only then their bytes are kept.
 *
 *   HTTP/ d.d SP ddd (SP phrase)? CRLF   header lines CRLF   CRLF   body: Content-Length, chunked, or to the end
 *   └────────── judged ─────────┘        └── head ends ──────────┘
 *
 * A head that never ends is no answer, so every verdict waits for the empty line. Lines may end in a bare LF.
 */
import { MOST_BYTES, Received } from './received.ts';
import type { Answer } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const NOT_HTTP = verdictOf('L7RSP', 'the answer is not HTTP', 0, '');
const HEAD_TOO_LONG = verdictOf('L7RSP', `the answer's head is longer than ${MOST_BYTES} bytes`);
const CLOSED_EMPTY = verdictOf('L7RSP', 'the server closed without an answer');
const CLOSED_EARLY = verdictOf('L7RSP', 'the server closed in the middle of its answer');

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
const HEAD_ENDED = AFTER_STATUS + 4;

const LONGEST_PHRASE = 80;
const FIRST_SUCCESS = 200;
const FIRST_ERROR = 400;

export type Body = { readonly text: string; readonly complete: boolean };

export class HttpReply implements Answer {
  private readonly keeps: boolean;
  private readonly keeps_phrase: boolean;
  private readonly received = new Received();
  private position = 0;
  private code = 0;
  private length = 0;
  private head_length = 0;
  private broken = false;
  private in_status_line = true;
  private said = '';

  /** `keeps`: something will look behind the status. `has_rules`: also a status below 400 may be unwanted. */
  constructor(keeps: boolean, has_rules = keeps) {
    this.keeps = keeps;
    this.keeps_phrase = has_rules;
  }

  clear(): void {
    this.received.clear();
    this.position = 0;
    this.code = 0;
    this.length = 0;
    this.head_length = 0;
    this.broken = false;
    this.in_status_line = true;
    this.said = '';
  }

  add(bytes: Uint8Array, offset: number, length: number): void {
    if (this.keeps) this.received.add(bytes, offset, length);
    const end = offset + Math.min(length, MOST_BYTES - this.length);
    for (let at = offset; at < end && !this.broken && !this.headEnded; at++) {
      this.take(bytes[at]);
      this.head_length++;
    }
    this.length = Math.min(this.length + length, MOST_BYTES);
  }

  get begun(): boolean {
    return this.length > 0;
  }

  get full(): boolean {
    return this.length >= MOST_BYTES;
  }

  get headEnded(): boolean {
    return this.position === HEAD_ENDED;
  }

  /** What is wrong with the head; 'wait' while it may still become one; undefined when it is whole. */
  problem(ended: boolean): Verdict | 'wait' | undefined {
    if (this.broken) return NOT_HTTP;
    if (this.headEnded) return undefined;
    if (this.full) return HEAD_TOO_LONG;
    if (!ended) return 'wait';
    return this.length === 0 ? CLOSED_EMPTY : CLOSED_EARLY;
  }

  status(): number {
    return this.headEnded ? this.code : 0;
  }

  /** What stands behind the status, as far as it may be wanted in a verdict. */
  phrase(): string {
    return this.said.trim();
  }

  /** Name (lower case) and value, in order. */
  headers(): [string, string][] {
    const lines = this.received.text(0, this.head_length).split('\n').slice(1);
    return lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon <= 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
    });
  }

  header(name: string): string | undefined {
    return this.headers().find((header) => header[0] === name)?.[1];
  }

  /** As far as it is here. */
  body(): Body {
    const raw = this.received.text(this.head_length);
    const codings = this.header('transfer-encoding');
    if (codings !== undefined && /(^|[\s,])chunked\s*$/i.test(codings)) return dechunk(raw);
    const length = Number(this.header('content-length') ?? Number.NaN);
    if (Number.isNaN(length)) return { text: raw, complete: false };
    return { text: raw.slice(0, length), complete: raw.length >= length };
  }

  payload(): string {
    return this.headEnded ? this.body().text : '';
  }

  // ── byte by byte ──────────────────────────────────────────────────────────────────────────────

  private take(byte: number): void {
    if (this.position < AFTER_STATUS) this.broken = !this.takeOfStatusLine(byte);
    else if (this.position === AFTER_STATUS && byte !== SPACE && byte !== CR && byte !== LF) this.broken = true;
    else this.takeOfHead(byte);
  }

  /** False: this is no status line. */
  private takeOfStatusLine(byte: number): boolean {
    const expected = STATUS_LINE.charCodeAt(this.position++);
    const digit = byte - ZERO;
    if (expected !== ZERO && expected !== ZERO + 1) return byte === expected;
    if (this.position > AFTER_STATUS - 3) this.code = this.code * 10 + digit;
    return digit >= expected - ZERO && digit <= 9;
  }

  private takeOfHead(byte: number): void {
    const { position } = this;
    if (this.in_status_line) this.takeOfPhrase(byte);
    if (byte !== LF) this.position = byte === CR && position === LINE_BEGINS ? EMPTY_LINE_CR : IN_LINE;
    else if (position === LINE_BEGINS || position === EMPTY_LINE_CR) this.position = HEAD_ENDED;
    else this.position = LINE_BEGINS;
  }

  private takeOfPhrase(byte: number): void {
    if (byte === LF) this.in_status_line = false;
    else if (
      this.said.length < LONGEST_PHRASE &&
      (this.keeps_phrase || this.code >= FIRST_ERROR || this.code < FIRST_SUCCESS)
    )
      this.said += String.fromCharCode(byte);
  }
}

function dechunk(raw: string): Body {
  let text = '';
  for (let at = 0; ; ) {
    const line_end = raw.indexOf('\n', at);
    const size = /^([0-9a-fA-F]{1,8})\s*(;.*)?\r?$/.exec(raw.slice(at, Math.max(line_end, at)))?.[1];
    if (line_end < 0 || size === undefined) return { text, complete: line_end >= 0 };
    const length = Number.parseInt(size, 16);
    if (length === 0) return { text, complete: true };
    text += raw.slice(line_end + 1, line_end + 1 + length);
    at = line_end + 1 + length;
    if (raw.length < at + 1) return { text, complete: false };
    at += raw[at] === '\r' ? 2 : 1;
  }
}
