/**
 * One request that two parsers might read in two ways, and what must become of it.
 *
 * Where a lax parser could see a second request stands TAIL, which names its case: whoever finds `/smuggled/` in a server's
 * log knows which case got through. A case that is read in one way carries TAIL inside its body or after its last request.
 */

export type Expectation =
  /** The proxy's own reply, and a closed connection. */
  | { readonly kind: 'refused'; readonly status: number }
  /** One request with a body of so many bytes; what follows it is not looked at. */
  | { readonly kind: 'one'; readonly length: number }
  /** One request that the server itself may refuse. */
  | { readonly kind: 'answered' }
  /** Its body never ends: the client gives up. */
  | { readonly kind: 'unfinished' }
  /** TAIL is a request of its own, rightly. */
  | { readonly kind: 'two' };

export type Case = { readonly name: string; readonly bytes: string; readonly expected: Expectation };

/** Every `####` becomes the number of the case. */
export const PATH = '/case/####';
export const TAIL = 'GET /smuggled/#### HTTP/1.1\r\nHost: a\r\n\r\n';
/** TAIL as a chunk, and a whole chunked body of it. */
export const CHUNK = `${TAIL.length.toString(16)}\r\n${TAIL}\r\n`;
export const CHUNKED_TAIL = `${CHUNK}0\r\n\r\n`;

export function refused(name: string, bytes: string, status = 400): Case {
  return { name, bytes, expected: { kind: 'refused', status } };
}

/** `body` as the server shall read it. */
export function one(name: string, bytes: string, body: string): Case {
  return { name, bytes, expected: { kind: 'one', length: body.length } };
}

export function answered(name: string, bytes: string): Case {
  return { name, bytes, expected: { kind: 'answered' } };
}

export function unfinished(name: string, bytes: string): Case {
  return { name, bytes, expected: { kind: 'unfinished' } };
}

export function two(name: string, bytes: string): Case {
  return { name, bytes, expected: { kind: 'two' } };
}

/** A POST with these field lines beside Host, and what follows its head. */
export function post(fields: readonly string[], rest: string): string {
  return request(`POST ${PATH} HTTP/1.1`, ['Host: a', ...fields], rest);
}

export function request(line: string, fields: readonly string[], rest: string): string {
  return [line, ...fields, '', rest].join('\r\n');
}

/** A value as a name can show it. */
export function show(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 40)}… (${text.length} bytes)` : text;
  return JSON.stringify(shown).replace(/[\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** The bytes to send: `number` identifies the case in every log. */
export function bytesOf({ bytes }: Case, number: number): Buffer {
  return Buffer.from(bytes.replaceAll('####', String(number).padStart(4, '0')), 'latin1');
}
