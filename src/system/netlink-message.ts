/**
 * Netlink messages as bytes: built and taken apart here, sent elsewhere (netlink(7), rtnetlink(7)).
 *
 *   0        4      6      8       12      16
 *   | length | type | flags| seq   | port  | family header | attribute | attribute | …
 *                                            (ifinfomsg …)   0     2
 *                                                            | len | type | value, padded to 4 |
 *
 * All numbers are in the host's byte order.
 */

export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export const HEADER_LENGTH = 16;

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const NLMSGERR_ATTR_MSG = 1;

/** Appends messages to one buffer; a batch is several messages in a row. */
export class MessageBuilder {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  length = 0;
  #message = 0;

  /** Throws a RangeError when more is written than `bytes` holds: sizes are ours, not a person's. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  /** Starts a message; its length is filled in by `end`. */
  begin(type: number, flags: number, sequence: number): this {
    this.#message = this.length;
    return this.u32(0).u16(type).u16(flags).u32(sequence).u32(0);
  }

  end(): this {
    this.view.setUint32(this.#message, this.length - this.#message, LITTLE_ENDIAN);
    return this;
  }

  u8(value: number): this {
    this.view.setUint8(this.length, value);
    this.length += 1;
    return this;
  }

  u16(value: number): this {
    this.view.setUint16(this.length, value, LITTLE_ENDIAN);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.view.setUint32(this.length, value, LITTLE_ENDIAN);
    this.length += 4;
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    this.u16(4 + value.length).u16(type);
    this.bytes.set(value, this.length);
    this.length += value.length;
    while (this.length % 4 !== 0) this.u8(0);
    return this;
  }

  attributeU8(type: number, value: number): this {
    return this.u16(5).u16(type).u8(value).u8(0).u16(0);
  }

  attributeU32(type: number, value: number): this {
    return this.u16(8).u16(type).u32(value);
  }

  /** With the closing NUL. */
  attributeText(type: number, text: string): this {
    return this.attribute(type, new TextEncoder().encode(`${text}\0`));
  }

  /** An attribute whose value is what `fill` writes. */
  nest(type: number, fill: (builder: this) => void): this {
    const start = this.length;
    this.u16(0).u16(type | NLA_F_NESTED);
    fill(this);
    this.view.setUint16(start, this.length - start, LITTLE_ENDIAN);
    return this;
  }
}

/** One received message; `body` begins at the family header. */
export type Message = {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
};

/** The messages of one datagram; a truncated rest is left out. The bodies are views, not copies. */
export function parseMessages(datagram: Uint8Array): Message[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: Message[] = [];
  let offset = 0;
  while (offset + HEADER_LENGTH <= datagram.length) {
    const length = view.getUint32(offset, LITTLE_ENDIAN);
    if (length < HEADER_LENGTH || offset + length > datagram.length) break;
    messages.push({
      type: view.getUint16(offset + 4, LITTLE_ENDIAN),
      flags: view.getUint16(offset + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(offset + 8, LITTLE_ENDIAN),
      body: datagram.subarray(offset + HEADER_LENGTH, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

export type Attributes = ReadonlyMap<number, Uint8Array>;

/** The attributes from `offset` on; of two with one type the last counts. */
export function parseAttributes(bytes: Uint8Array, offset = 0): Attributes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = new Map<number, Uint8Array>();
  let at = offset;
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, LITTLE_ENDIAN);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(view.getUint16(at + 2, LITTLE_ENDIAN) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

export function readU32(value: Uint8Array | undefined): number | undefined {
  if (!value || value.length < 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, LITTLE_ENDIAN);
}

/** Text up to the closing NUL. */
export function readText(value: Uint8Array | undefined): string | undefined {
  if (!value) return undefined;
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}

/** What an NLMSG_ERROR says: 0 is the acknowledgement, else an errno, with the kernel's sentence if it gave one. */
export function parseError(message: Message): { errno: number; text: string } {
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const errno = -view.getInt32(0, LITTLE_ENDIAN);
  if (!(message.flags & NLM_F_ACK_TLVS)) return { errno, text: '' };
  // With NETLINK_CAP_ACK only the header of the refused request stands between the errno and the attributes.
  const attributes = parseAttributes(message.body, 4 + HEADER_LENGTH);
  return { errno, text: readText(attributes.get(NLMSGERR_ATTR_MSG)) ?? '' };
}

function align(length: number): number {
  return (length + 3) & ~3;
}
