/** What is kept of messages for the log, since their bytes are gone by the time of the line: `capture` lines and samples of formats. */
import type * as model from '../../config/model.ts';
import { equalsIgnoringCase } from '../http/characters.ts';
import { CookieList } from '../http/cookie-list.ts';
import type { Message } from '../http/message.ts';
import type { Subject } from '../sample/subject.ts';
import { bytesOfValue, compileSample, type Read } from '../sample/value.ts';

const encoder = new TextEncoder();

/** One exchange's values, each null where the message had no such header. */
export type Captured = {
  readonly request: (Uint8Array | null)[];
  readonly response: (Uint8Array | null)[];
  /** `NAME=VALUE` as the client, and as the server sent it. */
  readonly cookies: Record<Side, Uint8Array | null>;
  /** By the numbers that `samplePlace` gives. */
  readonly samples: Record<Side, (Uint8Array | null)[]>;
  /** `HTTP/1.1`, when the response is there. */
  response_version: string | null;
};

export type Side = 'request' | 'response';

/** What a frontend captures, compiled. */
export class Captures {
  readonly any: boolean;
  private readonly headers: Record<Side, CaptureList>;
  private readonly cookies: Record<Side, CookieCapture> | null;
  private readonly samples: Record<Side, KeptSample[]> = { request: [], response: [] };

  constructor({ captures, log_format, error_log_format, log_format_sd }: model.Frontend) {
    const { request, response, cookie } = captures;
    for (const format of [log_format, error_log_format, log_format_sd]) {
      for (const part of format?.kind === 'text' ? format.parts : []) {
        if (part.kind !== 'sample' || (part.moment !== 'request' && part.moment !== 'response')) continue;
        this.samples[part.moment].push({ part, read: compileSample(part.sample) });
      }
    }
    const { request: of_request, response: of_response } = this.samples;
    this.any = request.length + response.length + of_request.length + of_response.length > 0 || cookie !== undefined;
    this.headers = { request: new CaptureList(request), response: new CaptureList(response) };
    this.cookies = cookie
      ? { request: new CookieCapture(cookie, COOKIE), response: new CookieCapture(cookie, SET_COOKIE) }
      : null;
  }

  /** Where the value of a format's sample is kept; -1: it is not, as it can be had at any time. */
  samplePlace(part: SamplePart): number {
    if (part.moment !== 'request' && part.moment !== 'response') return -1;
    return this.samples[part.moment].findIndex((kept) => kept.part === part);
  }

  /** Fills one side of `captured` from a parsed head. `subject` is about it. */
  take(side: Side, bytes: Uint8Array, message: Message, captured: Captured, subject: Subject): void {
    this.headers[side].take(bytes, message, captured[side]);
    if (this.cookies) captured.cookies[side] = this.cookies[side].find(bytes, message);
    for (let index = 0; index < this.samples[side].length; index++) {
      const value = this.samples[side][index].read(subject);
      captured.samples[side][index] = value === undefined ? null : bytesOfValue(value);
    }
  }
}

export type SamplePart = Extract<model.LogPart, { readonly kind: 'sample' }>;
type KeptSample = { readonly part: SamplePart; readonly read: Read };

export function nothingCaptured(): Captured {
  return {
    request: [],
    response: [],
    cookies: { request: null, response: null },
    samples: { request: [], response: [] },
    response_version: null,
  };
}

/** The first cookie that begins with a text. */
class CookieCapture {
  private readonly field: Uint8Array;
  private readonly beginning: Uint8Array;
  private readonly length: number;
  private readonly list = new CookieList();

  constructor({ name, length }: model.CookieCapture, field: Uint8Array) {
    this.field = field;
    this.beginning = encoder.encode(name);
    this.length = length;
  }

  find(bytes: Uint8Array, message: Message): Uint8Array | null {
    const { list, field } = this;
    for (let index = 0; index < message.field_count; index++) {
      if (!equalsIgnoringCase(bytes, message.name_start[index], message.name_end[index], field)) continue;
      list.begin(bytes, message.value_start[index], message.value_end[index]);
      while (list.next()) {
        if (list.beginsWith(this.beginning))
          return bytes.slice(list.name_start, Math.min(list.value_end, list.name_start + this.length));
        if (field === SET_COOKIE) break; // attributes follow
      }
    }
    return null;
  }
}

const COOKIE = encoder.encode('cookie');
const SET_COOKIE = encoder.encode('set-cookie');

/** The captured headers of one side of a frontend. */
class CaptureList {
  readonly count: number;
  private readonly names: readonly Uint8Array[];
  private readonly lengths: readonly number[];

  constructor(captures: readonly model.Capture[]) {
    this.count = captures.length;
    this.names = captures.map(({ header }) => encoder.encode(header.toLowerCase()));
    this.lengths = captures.map(({ length }) => length);
  }

  /** Fills `values` from a parsed head; of a repeated header the last one counts. */
  take(bytes: Uint8Array, message: Message, values: (Uint8Array | null)[]): void {
    for (let capture = 0; capture < this.count; capture++) {
      values[capture] = null;
      for (let field = message.field_count - 1; field >= 0; field--) {
        if (!isNamed(bytes, message.name_start[field], message.name_end[field], this.names[capture])) continue;
        const start = message.value_start[field];
        values[capture] = bytes.slice(start, Math.min(message.value_end[field], start + this.lengths[capture]));
        break;
      }
    }
  }
}

/** `name` is in lower case. */
function isNamed(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[start + index];
    if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== name[index]) return false;
  }
  return true;
}
