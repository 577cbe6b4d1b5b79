/**
 * The head of a request or a response as offsets into the bytes that came: no strings.
 *
 *   GET /path HTTP/1.1 CRLF  Host: example.org CRLF  CRLF
 *   ^start  ^target          ^name ^value            ^... end
 *
 * One Message per thread is filled again and again; whoever needs something later copies the number.
 */

/** HAProxy's tune.http.maxhdr. */
export const MAX_FIELDS = 101;
/** Each is compared with each field's name. */
export const MAX_OPTIONS = 16;

/** Methods that matter to framing, retries and logs; every other one is OTHER. */
export const METHOD_OTHER = 0;
export const METHOD_GET = 1;
export const METHOD_HEAD = 2;
export const METHOD_POST = 3;
export const METHOD_PUT = 4;
export const METHOD_DELETE = 5;
export const METHOD_OPTIONS = 6;
export const METHOD_TRACE = 7;
export const METHOD_CONNECT = 8;

/** What the fields say about connection and body; bits of `flags`. */
export const CONNECTION_CLOSE = 1 << 0;
export const CONNECTION_KEEP_ALIVE = 1 << 1;
export const CONNECTION_UPGRADE = 1 << 2;
export const HAS_CONNECTION = 1 << 3; // any hop-by-hop field: the head must be written anew
export const CHUNKED = 1 << 4;
export const EXPECT_CONTINUE = 1 << 5;
export const HAS_UPGRADE = 1 << 6;
export const HAS_HOST = 1 << 7;
export const HAS_TRANSFER_ENCODING = 1 << 8;
export const REPEATED_LENGTH = 1 << 9; // the same length twice
export const PADDED = 1 << 10; // blanks around a field of ours: not every parser takes off a tab
export const UPGRADE_TO_H2C = 1 << 11;
export const LACKS_FIELDS = 1 << 12; // some were taken out: the head must be written anew

/** What a field is to us; every other one is ORDINARY. */
export const ORDINARY = 0;
export const FIELD_CONNECTION = 1;
export const FIELD_KEEP_ALIVE = 2;
export const FIELD_PROXY_CONNECTION = 3;
export const FIELD_CONTENT_LENGTH = 4;
export const FIELD_TRANSFER_ENCODING = 5;
export const FIELD_UPGRADE = 6;
export const FIELD_HOST = 7;
export const FIELD_EXPECT = 8;

export const NO_LENGTH = -1;

export class Message {
  /** Where the start line begins, and where the byte after the blank line is. */
  start = 0;
  end = 0;
  /** HTTP/1.x: x, or 1 where x is more, as that is the most we speak. */
  version_minor = 1;
  /** x as it was said. */
  version_said = 1;
  method = METHOD_OTHER;
  method_end = 0;
  target_start = 0;
  target_end = 0;
  status = 0;
  /** Where the fields begin: after the start line. */
  fields_start = 0;
  flags = 0;
  /** Bytes that no standard has there are taken in names, targets and ordinary values (characters.ts). Set before it is parsed. */
  lax = false;
  /** Content-Length, or NO_LENGTH. */
  content_length = NO_LENGTH;
  field_count = 0;
  /** Options of Connection that are none of ours. */
  option_count = 0;
  readonly name_start = new Int32Array(MAX_FIELDS);
  readonly name_end = new Int32Array(MAX_FIELDS);
  readonly value_start = new Int32Array(MAX_FIELDS);
  readonly value_end = new Int32Array(MAX_FIELDS);
  readonly meaning = new Uint8Array(MAX_FIELDS);

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
}
