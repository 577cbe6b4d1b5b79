/**
 * Writes a head anew where the one that came must not go on as it is: hop-by-hop fields (RFC 9110 section 7.6.1) belong to
 * one connection, and some fields are added. Most heads need none of this and go on as the bytes they came in.
 */

import { isNominated } from './fields.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

/** Has a say in single fields as they are written. */
export interface FieldEditor {
  /** True: it has written the field itself, or left it out. */
  readonly edit: (writer: HeadWriter, message: Message, index: number) => boolean;
}

/** Writes to `bytes` from `to`, where the head to copy stands too, and never beyond its room: what is added may not fit. */
export class HeadWriter {
  readonly bytes: Uint8Array;
  /** Something had no room, and the head is of no use. */
  full = false;
  private at = 0;
  private limit = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  begin(to: number, room_bytes: number): void {
    this.at = to;
    this.limit = to + room_bytes;
    this.full = false;
  }

  get end(): number {
    return this.at;
  }

  copy(start: number, end: number): void {
    if (start === end || !this.hasRoom(end - start)) return;
    this.bytes.copyWithin(this.at, start, end);
    this.at += end - start;
  }

  write(text: Uint8Array): void {
    if (!this.hasRoom(text.length)) return;
    this.bytes.set(text, this.at);
    this.at += text.length;
  }

  private hasRoom(length: number): boolean {
    if (this.at + length > this.limit) this.full = true;
    return !this.full;
  }

  /** The start line with its CRLF. */
  startLine(message: Message): void {
    this.copy(message.start, message.fields_start);
  }

  /**
   * Every field but those that end here, with one length at most, and none in a 204. `drop_coding`: there are no chunks, or not
   * any more. What else frames or routes the message stays, whatever Connection says. Neighbours that stay as they came are copied together.
   */
  endToEndFields(message: Message, drop_coding: boolean, keep_upgrade: boolean, editor: FieldEditor | null): void {
    const repeats_length = message.has(m.REPEATED_LENGTH) && message.status !== 204;
    const drop_length = message.has(m.CHUNKED) || message.has(m.REPEATED_LENGTH) || message.status === 204;
    let start = 0;
    let end = 0; // [start, end) is still to be copied
    for (let index = 0; index < message.field_count; index++) {
      const meaning = message.meaning[index];
      if (meaning === m.FIELD_CONNECTION || meaning === m.FIELD_KEEP_ALIVE) continue;
      if (meaning === m.FIELD_PROXY_CONNECTION) continue;
      if (meaning === m.FIELD_CONTENT_LENGTH && drop_length) continue;
      if (meaning === m.FIELD_TRANSFER_ENCODING && drop_coding) continue;
      if (meaning === m.FIELD_UPGRADE && !keep_upgrade) continue;
      const name_start = message.name_start[index];
      const name_end = message.name_end[index];
      if (meaning === m.ORDINARY && message.option_count > 0 && isNominated(this.bytes, message, name_start, name_end))
        continue;
      if (editor !== null || name_start !== end) {
        this.copy(start, end);
        start = end = name_start;
        if (editor?.edit(this, message, index)) continue;
      }
      if (this.isPlain(message, index)) {
        end = message.value_end[index] + 2;
        continue;
      }
      this.copy(start, end);
      start = end = 0;
      this.copy(name_start, name_end);
      this.write(COLON_SPACE);
      this.copy(message.value_start[index], message.value_end[index]);
      this.write(CRLF);
    }
    this.copy(start, end);
    if (repeats_length && !message.has(m.CHUNKED)) {
      this.field(CONTENT_LENGTH, encode(String(message.content_length)));
    }
  }

  /** `name: value` CRLF, with one blank and none at the end. */
  private isPlain(message: Message, index: number): boolean {
    const value_start = message.value_start[index];
    const one_blank = value_start === message.name_end[index] + 2 && this.bytes[value_start - 1] === SPACE;
    return one_blank && this.bytes[message.value_end[index]] === CR;
  }

  /** A field whose value is written piece by piece. */
  beginField(name: Uint8Array): void {
    this.write(name);
    this.write(COLON_SPACE);
  }

  endField(): void {
    this.write(CRLF);
  }

  field(name: Uint8Array, value: Uint8Array): void {
    this.write(name);
    this.write(COLON_SPACE);
    this.write(value);
    this.write(CRLF);
  }

  blankLine(): void {
    this.write(CRLF);
  }
}

const SPACE = 32;
const CR = 13;
const encode = (text: string) => new TextEncoder().encode(text);
const COLON_SPACE = encode(': ');
const CRLF = encode('\r\n');
const CONTENT_LENGTH = encode('Content-Length');
export const CONNECTION = encode('Connection');
export const CLOSE = encode('close');
export const KEEP_ALIVE = encode('keep-alive');
export const UPGRADE = encode('upgrade');
