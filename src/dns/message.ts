/**
 * DNS messages (RFC 1035, 4.1; SRV: RFC 2782; EDNS: RFC 6891): the questions that we ask and the answers that we understand.
 *
 *   | id:16 | QR:1 opcode:4 AA:1 TC:1 RD:1 RA:1 Z:3 rcode:4 | questions:16 | answers:16 | authority:16 | additional:16 |
 *   question  | name | type:16 | class:16 |
 *   record    | name | type:16 | class:16 | ttl:32 | length:16 | data |
 *   SRV data  | priority:16 | weight:16 | port:16 | target |
 */
import { canonicalName, encodeName, readName } from './name.ts';

export const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, OPT: 41 } as const;
export type QuestionType = 'A' | 'AAAA' | 'SRV';

export const RCODE_NONE = 0;
export const RCODE_NX = 3;
export const RCODE_REFUSED = 5;

export type Question = { readonly name: string; readonly type: QuestionType };

/** Names are in lower case, without the last dot. Other types are left out. */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly address: string }
  | { readonly type: 'CNAME'; readonly name: string; readonly target: string }
  | Service;

export type Service = {
  readonly type: 'SRV';
  readonly name: string;
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
};

export type Answer = {
  readonly truncated: boolean;
  readonly rcode: number;
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
};

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
/** type, class, ttl, length */
const RECORD_BYTES = 10;
/** An alias of an alias …: as many as resolvers follow. */
const LONGEST_CHAIN = 16;

/** Asks for recursion and says how long an answer over UDP may be. Undefined: the name cannot be asked for. */
export function encodeQuestion(id: number, { name, type }: Question, payload_bytes: number): Uint8Array | undefined {
  const encoded = encodeName(name);
  if (encoded === undefined) return undefined;
  const bytes = new Uint8Array(HEADER_BYTES + encoded.length + 4 + 11);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, RECURSION_DESIRED);
  view.setUint16(4, 1);
  view.setUint16(10, 1);
  bytes.set(encoded, HEADER_BYTES);
  const at = HEADER_BYTES + encoded.length;
  view.setUint16(at, TYPES[type]);
  view.setUint16(at + 2, CLASS_IN);
  // an OPT record: the root's name, and the length in the place of the class
  view.setUint16(at + 5, TYPES.OPT);
  view.setUint16(at + 7, payload_bytes);
  return bytes;
}

/** Undefined: the bytes are not a response, or not to this question. A part that is cut off ends a truncated one. */
export function decodeAnswer(bytes: Uint8Array, id: number, question: Question): Answer | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if (view.getUint16(0) !== id || (flags & RESPONSE) === 0 || (flags & OPCODE) !== 0) return undefined;
  const start = readQuestion(bytes, view, question);
  if (start === undefined) return undefined;
  const truncated = (flags & TRUNCATED) !== 0;
  const base = { truncated, rcode: flags & 15 };
  const answers = readRecords(bytes, view, start, view.getUint16(6));
  const authority = answers && readRecords(bytes, view, answers.end, view.getUint16(8));
  const additional = authority && readRecords(bytes, view, authority.end, view.getUint16(10));
  if (additional) return { ...base, answers: answers.records, additional: additional.records };
  return truncated ? { ...base, answers: [], additional: [] } : undefined;
}

/** Where the answers begin; undefined: it is not our question. */
function readQuestion(bytes: Uint8Array, view: DataView, { name, type }: Question): number | undefined {
  if (view.getUint16(4) !== 1) return undefined;
  const read = readName(bytes, HEADER_BYTES);
  if (read === undefined || read.end + 4 > bytes.length || read.name !== canonicalName(name)) return undefined;
  const same = view.getUint16(read.end) === TYPES[type] && view.getUint16(read.end + 2) === CLASS_IN;
  return same ? read.end + 4 : undefined;
}

type RecordsRead = { readonly records: DnsRecord[]; readonly end: number };

/** Undefined when one is broken. The message's length bounds the number of records that there can be. */
function readRecords(bytes: Uint8Array, view: DataView, start: number, count: number): RecordsRead | undefined {
  const records: DnsRecord[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const owner = readName(bytes, at);
    if (owner === undefined || owner.end + RECORD_BYTES > bytes.length) return undefined;
    const data = owner.end + RECORD_BYTES;
    const end = data + view.getUint16(owner.end + 8);
    if (end > bytes.length) return undefined;
    const type = view.getUint16(owner.end);
    const of_internet = view.getUint16(owner.end + 2) === CLASS_IN;
    const record = of_internet ? readData(bytes, view, owner.name, type, data, end) : undefined;
    if (record === BROKEN) return undefined;
    if (record !== undefined) records.push(record);
    at = end;
  }
  return { records, end: at };
}

const BROKEN = 'broken';

/** Undefined: a type that is nothing to us. */
function readData(
  bytes: Uint8Array,
  view: DataView,
  name: string,
  type: number,
  start: number,
  end: number,
): DnsRecord | typeof BROKEN | undefined {
  if (type === TYPES.A) {
    if (end - start !== 4) return BROKEN;
    return { type: 'A', name, address: bytes.subarray(start, end).join('.') };
  }
  if (type === TYPES.AAAA) {
    if (end - start !== 16) return BROKEN;
    return { type: 'AAAA', name, address: formatIPv6(view, start) };
  }
  if (type !== TYPES.CNAME && type !== TYPES.SRV) return undefined;
  const head_bytes = type === TYPES.SRV ? 6 : 0;
  if (end - start < head_bytes + 1) return BROKEN;
  const target = readName(bytes, start + head_bytes);
  if (target?.end !== end) return BROKEN;
  if (type === TYPES.CNAME) return { type: 'CNAME', name, target: target.name };
  const [priority, weight, port] = [0, 2, 4].map((offset) => view.getUint16(start + offset));
  return { type: 'SRV', name, target: target.name, port, priority, weight };
}

/** As RFC 5952 writes it. */
function formatIPv6(view: DataView, start: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(start + 2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** The records that answer a question, aliases followed. */
export function recordsFor({ answers }: Answer, { name, type }: Question): DnsRecord[] {
  let owner = canonicalName(name);
  for (let length = 0; length < LONGEST_CHAIN; length++) {
    const found = answers.filter((record) => record.type === type && record.name === owner);
    if (found.length > 0) return found;
    const alias = answers.find((record) => record.type === 'CNAME' && record.name === owner);
    if (alias?.type !== 'CNAME') return [];
    owner = alias.target;
  }
  return [];
}
