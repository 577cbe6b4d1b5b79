/**
 * What one log line is about: a request or a TCP session, as the numbers that fields print. One record a thread is filled
 * again and again. Milliseconds are the reactor's; -1 stands for "it did not come to that".
 *
 *   accepted ──Ti──▶ first byte ──TR──▶ head ──Tw──▶ assigned ──Tc──▶ connected ──Tr──▶ response ──Td──▶ end
 *                        └────────────────────────────── Ta ─────────────────────────────────────────┘
 */
import type { Endpoint } from '../../config/model.ts';
import type { Socket } from '../../reactor/socket.ts';
import type { Assignment } from '../assignment.ts';
import { sourceText } from '../ends.ts';
import type { Frontend } from '../frontend.ts';
import type { Exchange } from '../http/exchange.ts';
import { FAILURE_NONE } from '../sample/failures.ts';
import type { Outcome, RequestHead, Subject } from '../sample/subject.ts';
import type { TcpSession } from '../tcp/tcp-session.ts';
import type { Captured } from './captures.ts';

/** A connection that never came to a request. */
export type Failed = { readonly socket: Socket; readonly accepted_ms: number; readonly failure: number };

export const NO_BYTES = new Uint8Array(0);

const decoder = new TextDecoder('latin1');

export class LogRecord implements Outcome {
  readonly frontend: Frontend;
  assignment!: Assignment;
  client_socket!: Socket;
  client_address: Uint8Array = NO_BYTES;
  client_port = 0;
  /** Where the request line lies in the reactor's buffers; no bytes: there is none. */
  line_offset = 0;
  line_length = 0;
  captured: Captured | null = null;
  unique_id: Uint8Array = NO_BYTES;
  /** What stands for a server's name where the daemon answered itself. */
  page_name: Uint8Array | null = null;
  /** Our end of the connection to the server, when a format names it. */
  source: Endpoint | null = null;

  /** The wall clock at the end, and the reactor's. */
  wall_ms = 0;
  end_ms = 0;
  accepted_ms = 0;
  /** When waiting for this request began. */
  idle_ms = 0;
  first_byte_ms = 0;
  head_ms = -1;
  assigned_ms = -1;
  connected_ms = -1;
  response_ms = -1;

  status = 0;
  bytes_sent = 0;
  bytes_received = 0;
  cause = '-';
  phase = '-';
  /** What became of the persistence cookie in request and response (manual, section 8.5). */
  request_cookie = '-';
  response_cookie = '-';
  /** Written before the end, by `option logasap`. */
  early = false;
  /** Why the connection failed before a request (sample/failures.ts). */
  failure = FAILURE_NONE;
  /** While it stands in the thread's request message. */
  request: RequestHead | null = null;
  /** Of the line among this frontend's in this thread: the first one is 0. */
  number = -1;

  constructor(frontend: Frontend) {
    this.frontend = frontend;
  }

  takeRequest(exchange: Exchange, wall_ms: number, end_ms: number): void {
    const { client } = exchange;
    this.assignment = exchange.assignment;
    this.client_socket = client.socket;
    this.client_address = client.address_bytes;
    this.client_port = client.port;
    this.failure = FAILURE_NONE;
    this.line_offset = exchange.first.offset;
    this.line_length = exchange.line_length;
    this.captured = exchange.captured;
    this.unique_id = exchange.unique_id;
    this.page_name = exchange.page ? exchange.page.name_bytes : null;
    this.source = exchange.source;
    this.accepted_ms = client.accepted_ms;
    this.idle_ms = client.idle_ms;
    this.first_byte_ms = client.request_ms;
    this.head_ms = exchange.head_ms;
    this.assigned_ms = exchange.assignment.assigned_ms;
    this.connected_ms = exchange.connected_ms;
    this.response_ms = exchange.response_ms;
    this.status = exchange.status === 0 ? -1 : exchange.status;
    this.bytes_sent = exchange.bytes_sent;
    this.bytes_received = exchange.bytes_received;
    this.cause = exchange.cause;
    this.phase = exchange.phase;
    this.request_cookie = exchange.persistence.requestLetter(exchange.assignment.redispatched);
    this.response_cookie = exchange.persistence.response_letter;
    this.finish(wall_ms, end_ms);
  }

  takeSession(session: TcpSession, wall_ms: number, end_ms: number): void {
    const { client, peer, accepted_ms } = session;
    this.assignment = session.assignment;
    this.client_socket = client.socket;
    this.client_address = peer.addressOf(client.socket);
    this.client_port = peer.portOf(client.socket);
    this.failure = FAILURE_NONE;
    this.line_length = 0;
    this.captured = null;
    this.unique_id = NO_BYTES;
    this.page_name = null;
    this.source = session.source;
    this.accepted_ms = accepted_ms;
    this.idle_ms = accepted_ms;
    this.first_byte_ms = accepted_ms;
    this.head_ms = accepted_ms;
    this.assigned_ms = session.assignment.assigned_ms;
    this.connected_ms = session.connected_ms;
    this.response_ms = -1;
    this.status = -1;
    this.bytes_sent = session.bytes_sent;
    this.bytes_received = client.received;
    this.cause = session.cause;
    this.phase = session.phase;
    this.request_cookie = '-';
    this.response_cookie = '-';
    this.finish(wall_ms, end_ms);
  }

  /** A connection that failed before anything was read from it. `nobody`: an assignment without servers. */
  takeFailure({ socket, accepted_ms, failure }: Failed, nobody: Assignment, wall_ms: number, end_ms: number): void {
    const { address, port } = sourceText(socket) ?? { address: NO_BYTES, port: 0 };
    this.assignment = nobody;
    this.client_socket = socket;
    this.client_address = address;
    this.client_port = port;
    this.failure = failure;
    this.line_length = 0;
    this.captured = null;
    this.unique_id = NO_BYTES;
    this.source = null;
    this.accepted_ms = accepted_ms;
    this.idle_ms = accepted_ms;
    this.first_byte_ms = accepted_ms;
    this.head_ms = this.assigned_ms = this.connected_ms = this.response_ms = -1;
    this.status = 0;
    this.bytes_sent = 0;
    this.bytes_received = 0;
    this.cause = 'P';
    this.phase = 'R';
    this.request_cookie = this.response_cookie = '-';
    this.finish(wall_ms, end_ms);
  }

  /** What samples of formats that are written now are about. */
  get subject(): Subject {
    const { frontend, assignment, client_socket, request } = this;
    return frontend.thread.facts.about(frontend, assignment.backend, client_socket, request).withOutcome(this);
  }

  get backend_name(): string {
    return this.assignment.backend?.config.name ?? this.frontend.config.name;
  }

  get server_name(): string | undefined {
    return this.assignment.server_seen?.config.name;
  }

  get request_line(): string | null {
    const { line_offset, line_length } = this;
    const { bytes } = this.frontend.thread.reactor.buffers;
    return line_length === 0 ? null : decoder.decode(bytes.subarray(line_offset, line_offset + line_length));
  }

  get response_version(): string | null {
    return this.captured?.response_version ?? null;
  }

  private finish(wall_ms: number, end_ms: number): void {
    this.wall_ms = wall_ms;
    this.end_ms = end_ms;
    this.number++;
  }

  /** Since 1970, of one of the reactor's times. */
  wall(reactor_ms: number): number {
    return this.wall_ms - (this.end_ms - reactor_ms);
  }

  // ── times of the manual, section 8.4 ──────────────────────────────────────────────────────────

  get idle_time(): number {
    return this.first_byte_ms - this.idle_ms;
  }

  get request_time(): number {
    return this.head_ms < 0 ? -1 : this.head_ms - this.first_byte_ms;
  }

  get queue_time(): number {
    return this.assigned_ms < 0 || this.head_ms < 0 ? -1 : this.assigned_ms - this.head_ms;
  }

  get connect_time(): number {
    return this.connected_ms < 0 || this.assigned_ms < 0 ? -1 : this.connected_ms - this.assigned_ms;
  }

  get response_time(): number {
    return this.response_ms < 0 ? -1 : this.response_ms - this.connected_ms;
  }

  get data_time(): number {
    return this.response_ms < 0 ? -1 : this.end_ms - this.response_ms;
  }

  get active_time(): number {
    return this.end_ms - this.first_byte_ms;
  }

  get total_time(): number {
    return this.end_ms - this.idle_ms;
  }

  /** Nothing that `option dontlog-normal` would want to see. */
  get normal(): boolean {
    return this.status < 500 && (this.cause === '-' || this.cause === 'L') && this.assignment.retries === 0;
  }
}
