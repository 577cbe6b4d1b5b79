/** Headers that `capture` lines keep for the log: copied when a head passes, since its bytes are gone by the time of the line. */
import type { Capture } from '../../config/model.ts';
import type { Message } from '../http/message.ts';

const encoder = new TextEncoder();

/** One exchange's values, each null where the message had no such header. */
export type Captured = { readonly request: (Uint8Array | null)[]; readonly response: (Uint8Array | null)[] };

/** The captures of one side of a frontend, compiled. */
export class CaptureList {
  readonly count: number;
  private readonly names: readonly Uint8Array[];
  private readonly lengths: readonly number[];

  constructor(captures: readonly Capture[]) {
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
