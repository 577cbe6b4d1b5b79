/** When a head must be written anew, and what is then in it. */
import { destinationOf, isAddress } from '../ends.ts';
import type { Exchange } from './exchange.ts';
import { mayUpgrade } from './framing.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';
import { CLOSE, CONNECTION, KEEP_ALIVE, UPGRADE } from './write-head.ts';

export function requestMustChange(exchange: Exchange, request: Message): boolean {
  return (
    request.version_said !== 1 ||
    (request.flags & (m.HAS_CONNECTION | m.HAS_UPGRADE | m.REPEATED_LENGTH | m.PADDED | m.LACKS_FIELDS)) !== 0 ||
    (request.has(m.CHUNKED) && request.content_length !== m.NO_LENGTH) ||
    exchange.route.forwardfor !== null ||
    exchange.route.originalto !== null ||
    exchange.backend?.name_field != null ||
    exchange.frontend.unique_id?.header != null ||
    exchange.persistence.editsRequest ||
    exchange.rules.tells_server
  );
}

/** There is no buffer for the new head; or it has no room in one. */
export const NO_BUFFER = -1;
export const TOO_LONG = -2;

/** Writes the request's head into a new buffer and returns that, or NO_BUFFER, or TOO_LONG. */
export function writeRequest(exchange: Exchange, request: Message): number {
  const { writer } = exchange.thread;
  const { buffers } = exchange.thread.reactor;
  const buffer = buffers.takeSmall();
  if (buffer < 0) return NO_BUFFER;
  writer.begin(buffers.offsetOf(buffer), buffers.sizeOf(buffer));
  writer.startLine(request);
  if (request.version_minor === 1) buffers.bytes[writer.end - VERSION_MINOR_BEFORE_FIELDS] = ONE; // not 1.2 and above
  const upgrades = mayUpgrade(request);
  const { persistence } = exchange;
  const cookie_editor = persistence.editsRequest ? (persistence.cookie?.request_editor ?? null) : null;
  const editor = exchange.backend?.name_field?.before(cookie_editor) ?? cookie_editor;
  writer.endToEndFields(request, false, upgrades, editor);
  if (upgrades) writer.field(CONNECTION, UPGRADE);
  else if (exchange.rules.tells_server) writer.field(CONNECTION, CLOSE);
  else if (request.version_minor === 0) writer.field(CONNECTION, KEEP_ALIVE);
  const { unique_id } = exchange.frontend;
  if (unique_id?.header) writer.field(unique_id.header, exchange.unique_id);
  const { forwardfor } = exchange.route;
  const { address_bytes } = exchange.client;
  if (forwardfor?.appliesTo(buffers.bytes, request, address_bytes)) {
    if (isAddress(address_bytes)) writer.field(forwardfor.name, address_bytes);
  }
  const { originalto } = exchange.route;
  if (originalto) {
    const wanted = new TextEncoder().encode(destinationOf(exchange.client.socket)?.address ?? '-');
    if (isAddress(wanted) && originalto.appliesTo(buffers.bytes, request, wanted))
      writer.field(originalto.name, wanted);
  }
  writer.blankLine();
  return whole(exchange, buffer);
}

export function responseMustChange(exchange: Exchange, response: Message): boolean {
  if (exchange.persistence.editsResponse) return true;
  if ((response.flags & (m.HAS_CONNECTION | m.REPEATED_LENGTH | m.PADDED)) !== 0) return true;
  if (response.has(m.CHUNKED) && (exchange.client_minor === 0 || response.content_length !== m.NO_LENGTH)) return true;
  if (response.status === 204 && (response.has(m.CHUNKED) || response.content_length !== m.NO_LENGTH)) return true;
  if (exchange.client_minor === 0) return exchange.keep_alive;
  return !exchange.keep_alive || response.version_said !== 1;
}

/** Writes the response's head into a new buffer and returns that, or NO_BUFFER, or TOO_LONG. */
export function writeResponse(exchange: Exchange, response: Message): number {
  const { writer } = exchange.thread;
  const { buffers } = exchange.thread.reactor;
  const buffer = buffers.takeSmall();
  if (buffer < 0) return NO_BUFFER;
  const offset = buffers.offsetOf(buffer);
  writer.begin(offset, buffers.sizeOf(buffer));
  writer.startLine(response);
  if (exchange.client_minor === 1) buffers.bytes[offset + VERSION_MINOR_AT] = ONE; // each hop speaks its own version
  const { persistence } = exchange;
  const { cookie } = persistence;
  const drop_coding = exchange.client_minor === 0 || response.status === 204;
  writer.endToEndFields(response, drop_coding, true, cookie ? cookie.editorFor(persistence) : null);
  cookie?.addFields(writer, persistence);
  if (!exchange.keep_alive) writer.field(CONNECTION, CLOSE);
  else if (exchange.client_minor === 0) writer.field(CONNECTION, KEEP_ALIVE);
  writer.blankLine();
  return whole(exchange, buffer);
}

function whole({ thread }: Exchange, buffer: number): number {
  if (!thread.writer.full) return buffer;
  thread.reactor.buffers.release(buffer);
  return TOO_LONG;
}

/** `HTTP/1.x` */
const VERSION_MINOR_AT = 7;
/** `x` CR LF */
const VERSION_MINOR_BEFORE_FIELDS = 3;
const ONE = 49;
