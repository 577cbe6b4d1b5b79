/** What a head says about its body and about the connection after it (RFC 9112 sections 6.3 and 9.3). Pure. */
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE, type Body } from './body.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';

/** False: nobody can tell where it ends (RFC 9112 section 6.1). */
export function beginBody(body: Body, request: Message): boolean {
  if (request.has(m.CHUNKED)) {
    if (request.version_minor === 0) return false;
    body.begin(BODY_CHUNKED, 0);
  } else if (request.content_length !== m.NO_LENGTH) {
    body.begin(BODY_LENGTH, request.content_length);
  } else {
    body.begin(BODY_NONE, 0);
  }
  return true;
}

/** `method` is the request's. */
export function frameOfResponse(response: Message, method: number): number {
  const { status } = response;
  if (method === m.METHOD_HEAD || status === 204 || status === 304) return BODY_NONE;
  if (response.has(m.CHUNKED)) return BODY_CHUNKED;
  return response.content_length === m.NO_LENGTH ? BODY_UNTIL_CLOSE : BODY_LENGTH;
}

/** Whether the client may send another request afterwards. */
export function clientMayKeep(request: Message): boolean {
  if (request.has(m.CONNECTION_CLOSE) || hasTwoFramings(request)) return false;
  if (request.method === m.METHOD_CONNECT) return false; // what follows was meant for the tunnel, even if there is none
  return request.version_minor === 1 || request.has(m.CONNECTION_KEEP_ALIVE);
}

/** Whether the server takes another request on the connection of this response. */
export function serverMayKeep(response: Message, body_kind: number): boolean {
  if (body_kind === BODY_UNTIL_CLOSE || response.has(m.CONNECTION_CLOSE) || hasTwoFramings(response)) return false;
  return response.version_minor === 1 || response.has(m.CONNECTION_KEEP_ALIVE);
}

/** Somebody on the way may read it the other way: such a connection is not used again (RFC 9112 section 6.1). */
function hasTwoFramings(message: Message): boolean {
  return message.has(m.CHUNKED) && (message.content_length !== m.NO_LENGTH || message.version_minor === 0);
}

/** The connection is the server's and the client's own after this head. A 101 that nobody asked for makes no sense. */
export function beginsTunnel(response: Message, method: number): boolean {
  return response.status === 101 || (method === m.METHOD_CONNECT && response.status < 300);
}

/** The request asks for another protocol, and is let. Not to HTTP/2: what is spoken then is seen by nobody on the way. */
export function mayUpgrade(request: Message): boolean {
  const asked = request.has(m.HAS_UPGRADE) && request.has(m.CONNECTION_UPGRADE);
  return asked && request.version_minor === 1 && !request.has(m.UPGRADE_TO_H2C);
}

/** RFC 9110 section 9.2.2. */
export function isIdempotent(method: number): boolean {
  return method !== m.METHOD_OTHER && method !== m.METHOD_POST && method !== m.METHOD_CONNECT;
}
