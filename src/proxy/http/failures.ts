/**
 * What goes wrong while a request is answered, and what comes of it: another try that nobody sees, a reply of our own, or an end in
 * the middle. The letters are HAProxy's termination state (manual, section 8.5).
 *
 *              before the response       in the middle of it
 *   server     another try, or a reply   an end in the middle (abort)
 *   client     a reply, if it listens    an end in the middle
 */

import type { Backend } from '../backend.ts';
import type { Mark } from '../marked-servers.ts';
import { BODY_UNTIL_CLOSE } from './body.ts';
import { BODY as CLIENT_BODY } from './client-connection.ts';
import type { ErrorStatus } from './error-replies.ts';
import { ANSWERING, CONNECTING, type Exchange, SENDING, STORING, TUNNEL, WAITING } from './exchange.ts';
import type { ServerConnection } from './server-connection.ts';

// ── the server ──────────────────────────────────────────────────────────────────────────────────

/** It closed its side (FIN). */
export function serverEnded(exchange: Exchange, connection: ServerConnection): void {
  if (exchange.tunnel) {
    exchange.tunnel.serverEnded();
  } else if (exchange.state === ANSWERING && connection.body.kind === BODY_UNTIL_CLOSE) {
    exchange.responseComplete(connection, true);
  } else {
    const { answered } = connection;
    exchange.connection = null; // it may serve somebody else as soon as it is closed
    connection.abandon();
    serverFailed(exchange, answered);
  }
}

/** The connection broke and closes itself. `answered`: some of the response had come. */
export function serverFailed(exchange: Exchange, answered: boolean): void {
  const retry = exchange.backend?.retry;
  if (exchange.state === ANSWERING || exchange.state === TUNNEL) {
    exchange.abort('S', 'D');
  } else if (exchange.reused && exchange.repeatable && !answered) {
    exchange.connection = null;
    exchange.assignment.again();
  } else if (!exchange.retry(answered ? retry?.on_junk : retry?.on_empty)) {
    exchange.assignment.server?.answerFailed();
    exchange.fail(502, 'S', 'H');
  }
}

/** Its timer: is it the server that neither reads nor writes, or do we wait for the client? */
export function serverSilent(exchange: Exchange, connection: ServerConnection): void {
  const { socket } = connection;
  const server_ms = (exchange.backend as Backend).server_ms;
  const silent_ms = exchange.thread.reactor.now_ms - socket.progress_ms;
  const client_writes = exchange.client.state === CLIENT_BODY && socket.idle;
  const client_reads = socket.full && exchange.state === ANSWERING;
  if (silent_ms < server_ms) connection.arm(server_ms - silent_ms);
  else if (client_writes || client_reads) connection.arm(server_ms);
  else if (exchange.state === WAITING) serverTimedOut(exchange);
  else exchange.abort('s', 'D');
}

function serverTimedOut(exchange: Exchange): void {
  if (exchange.retry(exchange.backend?.retry.on_timeout)) return;
  exchange.assignment.server?.answerFailed();
  exchange.fail(504, 's', 'H');
}

/** It went down, or an active one came up (marked-servers.ts). */
export function serverMarked(exchange: Exchange, mark: Mark): void {
  const { state } = exchange;
  if (state === CONNECTING) exchange.fail(503, mark, 'C');
  else if (state === WAITING) exchange.fail(502, mark, 'H');
  else exchange.abort(mark, 'D');
}

/** Bytes [start, end) of it, with their one reference; `begins`: with the head. */
export function refuseResponse(exchange: Exchange, buffer: number, start: number, end: number, begins: boolean): void {
  const { buffers } = exchange.thread.reactor;
  exchange.thread.bad_messages.takeResponse(exchange, buffers.bytes.subarray(start, end), begins);
  buffers.release(buffer);
  responseMalformed(exchange);
}

export function responseMalformed(exchange: Exchange): void {
  const waited = exchange.state === WAITING;
  if (waited && exchange.retry(exchange.backend?.retry.on_junk)) return;
  exchange.assignment.server?.answerFailed();
  if (waited) exchange.fail(502, 'P', 'H');
  else exchange.abort('P', 'D');
}

// ── the client ──────────────────────────────────────────────────────────────────────────────────

/** Its timer: is it the client that does not read? */
export function clientSilent({ client, thread, frontend }: Exchange): void {
  const silent_ms = thread.reactor.now_ms - client.socket.progress_ms;
  if (client.socket.idle) return;
  if (silent_ms < frontend.client_ms) client.arm(frontend.client_ms - silent_ms);
  else client.exchange.abort('c', 'D');
}

/** Its timer while its body is expected: does it not send, or does the server not take what is here already? */
export function bodySilent(exchange: Exchange): void {
  const { state, connection } = exchange;
  if (state === SENDING) clientSilent(exchange);
  else if (state !== STORING && connection && !connection.socket.idle) exchange.client.arm(exchange.frontend.client_ms);
  else clientFailed(exchange, 408);
}

/** Found while its body came: too slow, not to be understood, or no room for it (503). */
export function clientFailed(exchange: Exchange, status: ErrorStatus): void {
  const cause = status === 408 ? 'c' : status === 503 ? 'R' : 'P';
  if (exchange.state === ANSWERING) exchange.abort(cause, 'D');
  else if (exchange.state === STORING) exchange.fail(status, cause, 'R');
  else exchange.fail(status, cause, cause === 'R' ? 'D' : 'H');
}

/** It went away. */
export function clientGone(exchange: Exchange): void {
  const { state, assignment } = exchange;
  // HAProxy, too, calls everything after the connection data for a client that resets
  exchange.abort('C', state === STORING ? 'R' : state === CONNECTING ? assignment.phase : 'D');
}

/** It sends no more. It may still wait for its answer, unless `option abortonclose` says that it does not. */
export function clientEnded(exchange: Exchange): void {
  const { state, rules, assignment } = exchange;
  if (!rules.aborts_on_close) return;
  exchange.keep_alive = false; // nor is there somebody for what it asked before its end
  if (state === WAITING) exchange.fail(400, 'C', 'H');
  else if (state === CONNECTING) exchange.fail(503, 'C', assignment.phase);
}
