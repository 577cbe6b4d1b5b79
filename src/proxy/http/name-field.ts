/**
 * `http-send-name-header`: the field that tells a server its own name. Which server that is, is known when the head has been
 * written, and a retry may change it. So the head is kept without its end, and each try sends the field and the end behind it.
 */
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import type { Message } from './message.ts';
import type { FieldEditor, HeadWriter } from './write-head.ts';

/** Of the blank line that ends a head; the field stands before it. */
export const BLANK_LINE_BYTES = 2;

export class NameField implements FieldEditor {
  private readonly lower: Uint8Array;
  private next: FieldEditor | null = null;
  /** The field and the blank line, by the server's position. */
  private readonly lines: readonly Uint8Array[];

  constructor(name: string, servers: readonly { readonly name: string }[]) {
    this.lower = lowerCaseBytes(name);
    this.lines = servers.map((server) => new TextEncoder().encode(`${name}: ${server.name}\r\n\r\n`));
  }

  lineFor(position: number): Uint8Array {
    return this.lines[position];
  }

  /** The editor that leaves out the field where a client sent one, and asks `next` of the others. */
  before(next: FieldEditor | null): this {
    this.next = next;
    return this;
  }

  edit(writer: HeadWriter, message: Message, index: number): boolean {
    const is_ours = equalsIgnoringCase(writer.bytes, message.name_start[index], message.name_end[index], this.lower);
    return is_ours || (this.next?.edit(writer, message, index) ?? false);
  }
}
