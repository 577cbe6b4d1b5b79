/**
 * One request and its response: finds a server, hands the request on, hands the response back, and says how it went.
 *
 *   STORING: with `option http-buffer-request`, until the body is there
 *
 *           server found, connecting        connected              response head            body complete       sent
 *   FREE ─────────────────────▶ CONNECTING ───────────▶ WAITING ────────────────▶ ANSWERING ──────────▶ SENDING ────▶ FREE
 *                                 ▲   │ failed              │ an idle connection died: again where that is safe
 *                                 └───┴─────────────────────┘
 */

import { localAddress } from '../../system/peer-address.ts';
import type { Row } from '../../threads/counters.ts';
import { REQUESTS } from '../../threads/counters.ts';
import { type Assignee, Assignment } from '../assignment.ts';
import type { Backend } from '../backend.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { Route } from '../rules/routes.ts';
import { sendBytes } from '../send-bytes.ts';
import type { Server } from '../server.ts';
import { Account } from './account.ts';
import { BODY_CHUNKED, BODY_UNTIL_CLOSE } from './body.ts';
import { leaksCookie } from './cacheable.ts';
import { BODY as CLIENT_BODY, type ClientConnection } from './client-connection.ts';
import type { ConnectionRules } from './connection-rules.ts';
import type { ErrorStatus } from './error-replies.ts';
import { clientFailed, refuseResponse } from './failures.ts';
import { FirstBytes } from './first-bytes.ts';
import { beginsTunnel, clientMayKeep, frameOfResponse, isIdempotent, mayUpgrade, serverMayKeep } from './framing.ts';
import { asksConnectionToLogIn, prefersOwn, takeKept } from './kept-connections.ts';
import * as m from './message.ts';
import type { Page } from './page.ts';
import { redirectionTo } from './redirect.ts';
import { ownReply, sendError } from './replies.ts';
import { restrictNames } from './restrict-names.ts';
import { sendDechunked, sendHead } from './send-response.ts';
import { BODY as SERVER_BODY, type ServerConnection } from './server-connection.ts';
import { Persistence } from './session-cookie.ts';
import { StoredBody } from './stored-body.ts';
import { Tunnel } from './tunnel.ts';

export const FREE = 0;
export const CONNECTING = 1;
export const WAITING = 2;
export const ANSWERING = 3;
export const SENDING = 4;
export const TUNNEL = 5;
export const STORING = 6;

export class Exchange extends Account implements Assignee {
  readonly client: ClientConnection;
  readonly thread: ProxyThread;
  readonly assignment = new Assignment(this);
  readonly persistence = new Persistence();
  connection: ServerConnection | null = null;
  /** After a 101, or a CONNECT that was granted. */
  tunnel: Tunnel | null = null;
  state = FREE;

  route: Route;
  rules: ConnectionRules;
  readonly first = new FirstBytes();
  /** What followed the first bytes before there was a server. */
  readonly stored: StoredBody;
  method = m.METHOD_OTHER;
  client_minor = 1;
  /** The client may send another request on its connection afterwards. */
  keep_alive = true;
  private asks_upgrade = false;
  repeatable = false;
  reused = false;
  private server_keeps = false;
  dechunks = false;
  /** The client has had some other interim response. */
  hinted = false;

  constructor(client: ClientConnection) {
    super(client.frontend);
    this.client = client;
    this.thread = client.thread;
    this.route = this.frontend.routes.otherwise;
    this.rules = this.route.rules;
    this.stored = new StoredBody(this);
  }

  get bind_counters(): Row | null {
    return this.client.bind_counters;
  }

  get backend(): Backend | null {
    return this.assignment.backend;
  }

  /** The server is there for what of the body is still to come. */
  get takes_body(): boolean {
    return this.state === STORING || (this.state >= WAITING && this.connection !== null);
  }

  /** The thread's request message is filled. Takes over one reference of the buffer; [request.start, end) is what came of it. */
  begin(buffer: number, end: number): void {
    const { request } = this.thread;
    const { bytes } = this.thread.reactor.buffers;
    const barred = restrictNames(this.frontend.config.http.restrict_names, bytes, request);
    this.route = this.frontend.routes.choose(this.thread.facts, this.frontend, this.client.socket, request);
    this.rules = this.route.rules;
    const { backend } = this.route;
    const refused = barred || (backend !== null && restrictNames(backend.config.http.restrict_names, bytes, request));
    this.page = refused ? null : this.findPage(backend, end);
    this.reset(barred || this.page?.of_frontend ? null : backend);
    this.noteRequest(request, end, this);
    this.method = request.method;
    this.client_minor = request.version_minor;
    this.keep_alive = clientMayKeep(request) && !this.rules.closes_client;
    this.repeatable = isIdempotent(request.method) && this.client.body.done;
    this.backend?.enter();
    if (backend)
      this.route.priorities?.apply(
        this.thread.facts.about(this.frontend, backend, this.client.socket, request),
        this.assignment,
      );
    this.persistence.takeRequest(this, end);
    this.state = CONNECTING;
    this.asks_upgrade = mayUpgrade(request);
    if (this.frontend.unique_id) this.unique_id = this.frontend.unique_id.make(this);
    const monitored = this.frontend.monitor?.answer(this, request) ?? 0;
    if (monitored !== 0) {
      this.thread.reactor.buffers.release(buffer);
      this.silence();
      this.keep_alive = false;
      this.fail(monitored, 'L', 'R');
      return;
    }
    const refusal = this.first.keep(this, buffer, end);
    if (refusal !== 0) {
      this.line_length = 0;
      this.fail(refusal, refusal === 400 ? 'P' : 'R', 'R');
    } else if (refused) {
      this.fail(403, 'P', 'R');
    } else if ((this.rules.buffers_request || this.page) && !this.client.body.done) {
      this.state = STORING;
      this.stored.begin(request.has(m.EXPECT_CONTINUE) && end === request.end);
    } else this.bodyStored();
  }

  private findPage(backend: Backend | null, end: number): Page | null {
    return this.frontend.pages?.find(this, null, end) ?? backend?.pages?.find(this, backend, end) ?? null;
  }

  /** The body waits here for more of itself: no server is asked yet. */
  get stores_body(): boolean {
    return this.state === STORING;
  }

  /** All of the body is there that may be stored. */
  bodyStored(): void {
    if (this.state === STORING) this.head_ms = this.thread.reactor.now_ms; // as of now the request is there
    this.state = this.page ? SENDING : CONNECTING;
    this.persistence.takeBody(this);
    if (!this.page) this.assignment.begin(prefersOwn(this) ? this.client.own : null);
    else if (!this.page.ask(this.stored.text)) this.fail(503, 'R', 'R');
  }

  private reset(backend: Backend | null): void {
    this.open();
    this.assignment.reset(backend);
    this.persistence.begin(backend?.cookie ?? null);
    this.reused = false;
    this.dechunks = false;
    this.hinted = false;
  }

  // ── servers ───────────────────────────────────────────────────────────────────────────────────

  useServer(server: Server): void {
    if (server.config.redirect !== undefined) {
      const { offset } = this.first;
      const line = this.thread.reactor.buffers.bytes.subarray(offset, offset + this.line_length);
      const reply = redirectionTo(server, this.method, line);
      if (reply) {
        this.redirect(reply);
        return;
      }
    }
    const idle = this.repeatable && this.assignment.retries === 0 ? takeKept(this, server) : null;
    this.reused = idle !== null;
    if (idle) {
      this.connection = idle;
      idle.reuse(this);
      this.connected();
      return;
    }
    this.state = CONNECTING;
    const connection = this.thread.connectTo(server, this);
    if (!connection) {
      this.assignment.notBegun();
      return;
    }
    this.connection = connection;
    connection.arm((this.backend as Backend).connect_ms);
  }

  noServer(cause: string, phase: string): void {
    this.fail(503, cause, phase);
  }

  wakeIn(after_ms: number): void {
    if (!this.client.listens) this.client.listen(); // or nobody would hear that it leaves
    this.client.arm(after_ms);
  }

  /** Also called for an idle connection, which is connected already. */
  connected(): void {
    const connection = this.connection as ServerConnection;
    this.state = WAITING;
    if (this.reused) this.assignment.countReuse();
    else this.assignment.server?.connected();
    this.connected_ms = this.thread.reactor.now_ms;
    if (this.frontend.log?.names_source) this.source = localAddress(connection.socket.fd) ?? null;
    if (!this.first.send(this, connection, !this.reused) || !this.stored.send(connection.socket)) {
      this.fail(503, 'R', 'D');
      return;
    }
    connection.armServer();
    if (this.client.state === CLIENT_BODY) this.client.goOnWithBody();
  }

  connectFailed(timed_out: boolean): void {
    this.connection = null;
    this.assignment.failed(timed_out);
  }

  // ── the request's body ────────────────────────────────────────────────────────────────────────

  /** A slice of the body, with its reference. */
  passBody(buffer: number, offset: number, length: number): void {
    const { connection } = this;
    this.bytes_received += length;
    if (this.backend?.retry.keeps_request && this.state === WAITING) this.stored.record(buffer, offset, length);
    if (this.state === STORING) this.stored.put(buffer, offset, length);
    else if (!connection || length === 0) this.thread.reactor.buffers.release(buffer);
    else if (connection.socket.send(buffer, offset, length)) connection.armServer();
    else clientFailed(this, 503);
  }

  // ── the response ──────────────────────────────────────────────────────────────────────────────

  /** The thread's response message is filled; [response.end, end) of the buffer follows the head. Takes over one reference. */
  respond(connection: ServerConnection, buffer: number, end: number): void {
    const { response } = this.thread;
    const { buffers } = this.thread.reactor;
    const { body } = connection;
    if (this.backend?.retry.statuses?.has(response.status) && this.retry(true)) {
      buffers.release(buffer);
      return;
    }
    this.assignment.server?.answered(response.status);
    if (this.rules.checks_cache && leaksCookie(buffers.bytes, response, this.method)) {
      buffers.release(buffer);
      this.withheld = true;
      this.fail(502, 'P', 'H');
      return;
    }
    this.status = response.status;
    this.response_ms = this.thread.reactor.now_ms;
    if (this.frontend.log?.captures_headers) this.capture('response', response, this);
    if (beginsTunnel(response, this.method)) {
      this.beginTunnel(connection, buffer, end);
      return;
    }
    body.begin(frameOfResponse(response, this.method), response.content_length);
    this.server_keeps = !this.rules.closes_server && serverMayKeep(response, body.kind);
    if (response.status === 401 && asksConnectionToLogIn(buffers.bytes, response)) connection.bindToClient();
    this.dechunks = body.kind === BODY_CHUNKED && this.client_minor === 0;
    if (body.kind === BODY_UNTIL_CLOSE || this.dechunks || this.frontend.ends_connections) this.keep_alive = false;
    const taken = this.dechunks ? 0 : body.take(buffers.bytes, response.end, end);
    if (taken < 0) {
      refuseResponse(this, buffer, response.start, end, true);
      return;
    }
    connection.state = SERVER_BODY;
    this.state = ANSWERING;
    const surplus = !this.dechunks && response.end + taken < end;
    const head_end = response.end;
    if (this.dechunks) buffers.retain(buffer);
    this.persistence.takeResponse(this);
    if (!this.keep_alive && body.done) this.client.socket.ends_next = true;
    const sent = sendHead(this, buffer, head_end, head_end + taken);
    if (this.state === ANSWERING) this.logEarly(this);
    if (this.dechunks) sendDechunked(this, connection, buffer, head_end, end);
    else if (sent && body.done) this.responseComplete(connection, surplus);
    else if (sent) {
      if (!this.client.listens) this.client.listen();
      connection.chooseBuffers();
      connection.armServer();
    }
  }

  /** A response is under way. */
  get answering(): boolean {
    return this.state === ANSWERING;
  }

  /** Takes over one reference. False: no room for it, and the exchange is over. */
  passToClient(buffer: number, offset: number, length: number): boolean {
    if (length === 0) {
      this.thread.reactor.buffers.release(buffer);
      return true;
    }
    this.bytes_sent += length;
    this.client.arm(this.frontend.client_ms);
    if (this.client.socket.send(buffer, offset, length)) return true;
    this.abort('R', 'D');
    return false;
  }

  /** `surplus`: the server sent more than its response; such a connection is not used again. */
  responseComplete(connection: ServerConnection, surplus: boolean): void {
    const request_sent = this.client.state !== CLIENT_BODY && connection.socket.flushed;
    const reusable = this.server_keeps && !surplus && request_sent && connection.socket.unburdened;
    this.connection = null;
    this.assignment.leave();
    if (reusable && !this.thread.draining) connection.becomeIdle();
    else connection.abandon();
    this.state = SENDING;
    const { client } = this;
    if (client.state === CLIENT_BODY) this.keep_alive = false; // it was answered before it was complete
    if (client.socket.idle) this.replySent();
    else client.socket.notify_drain = true;
  }

  replySent(): void {
    if (this.state !== SENDING || this.page?.sendNext()) return;
    this.over();
    this.client.next(this.keep_alive);
  }

  // ── tunnels ───────────────────────────────────────────────────────────────────────────────────

  private beginTunnel(connection: ServerConnection, buffer: number, end: number): void {
    const { response } = this.thread;
    if (this.method !== m.METHOD_CONNECT && !this.asks_upgrade) {
      refuseResponse(this, buffer, response.start, end, true);
      return;
    }
    this.state = TUNNEL;
    this.keep_alive = false;
    if (!this.passToClient(buffer, response.start, end - response.start)) return;
    this.tunnel = new Tunnel(this.client, connection);
    this.tunnel.begin();
  }

  // ── what goes wrong ───────────────────────────────────────────────────────────────────────────

  /** Another try that the client does not see. False: it is not wanted, or not possible. */
  retry(wanted: boolean | undefined): boolean {
    if (!wanted || this.stored.incomplete || this.hinted || !this.assignment.mayRetry) return false;
    const { connection, client } = this;
    this.connection = null;
    this.forgetResponse();
    connection?.abandon();
    this.state = CONNECTING;
    if (client.state === CLIENT_BODY) client.pauseBody();
    client.disarm();
    this.assignment.retry();
    return true;
  }

  /** Answers with a status of our own. */
  fail(status: ErrorStatus, cause: string, phase: string): void {
    const { client } = this;
    this.beginReply(status, cause, phase);
    if (client.state === CLIENT_BODY || this.frontend.ends_connections) this.keep_alive = false;
    if (ownReply(client, status)) this.keep_alive = false;
    this.endReply(sendError(client, status, !this.keep_alive, this.method === m.METHOD_HEAD));
  }

  /** Sends the client elsewhere, and closes. */
  private redirect(reply: Uint8Array): void {
    this.beginReply(302, 'L', 'C');
    this.keep_alive = false;
    this.endReply(sendBytes(this.client.socket, reply) ? reply.length : 0);
  }

  private beginReply(status: number, cause: string, phase: string): void {
    this.dropConnection();
    this.page = null;
    if (this.state === STORING) this.head_ms = -1; // it never was whole
    this.status = status;
    this.response_ms = -1; // of one that was refused
    this.cause = cause;
    this.phase = phase;
    this.state = SENDING;
  }

  /** `sent`: bytes of it. */
  private endReply(sent: number): void {
    const { client } = this;
    if (sent === 0) this.keep_alive = false; // without a reply to this request, the next one's would be taken for it
    this.bytes_sent += sent;
    client.arm(this.frontend.client_ms);
    if (client.socket.idle) this.replySent();
    else client.socket.notify_drain = true;
  }

  /** Ends in the middle: the client sees that something is missing, if need be by a reset. */
  abort(cause: string, phase: string): void {
    const until_close = this.dechunks || this.connection?.body.kind === BODY_UNTIL_CLOSE;
    const cut = cause !== '-' && this.state === ANSWERING && until_close;
    this.dropConnection();
    if (this.state === STORING) this.head_ms = this.thread.reactor.now_ms;
    // a server may fail because its client goes
    if (cause !== '-' && (this.cause === '-' || this.cause === 'S')) {
      this.cause = cause;
      this.phase = phase;
    }
    this.over();
    if (cut) this.client.socket.reset();
    else if (this.cause === 'C' || this.cause === 'c') this.client.close();
    else this.client.leave();
  }

  private dropConnection(): void {
    const { connection } = this;
    this.connection = null;
    this.assignment.leave();
    connection?.abandon();
  }

  /** The client's socket is gone: whatever was going on ends here. */
  abandon(): void {
    if (this.state === FREE) return;
    this.dropConnection();
    if (this.cause === '-' && this.state !== TUNNEL) {
      this.cause = 'C';
      this.phase = 'D';
    }
    this.over();
  }

  /** A request that never became one; it counts as one when it was answered. */
  rejected(status: ErrorStatus, bytes_sent: number, cause: string): void {
    this.reset(null);
    this.head_ms = -1;
    this.line_length = 0;
    this.status = status;
    this.bytes_sent = bytes_sent;
    this.cause = cause;
    this.phase = 'R';
    if (bytes_sent > 0) this.frontend.counters[REQUESTS]++;
    this.close(this);
  }

  private over(): void {
    this.state = FREE;
    this.tunnel = null;
    this.thread.countRequest();
    this.backend?.leave(); // the line counts those who stay, as HAProxy's does
    this.close(this);
    this.first.release(this);
    this.stored.clear();
  }
}
