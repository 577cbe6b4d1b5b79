/**
 * A frontend's log: one line a request or TCP session, in HAProxy's formats (manual, section 8.2), to each of its targets.
 *
 *   httplog  client:port [date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes - - ---- ac/fc/bc/sc/rc sq/bq "request"
 *   tcplog   client:port [date] frontend backend/server Tw/Tc/Tt bytes -- ac/fc/bc/sc/rc sq/bq
 *   default  Connect from client:port to address:port (frontend/MODE)
 */
import type * as model from '../../config/model.ts';
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import type { Assignment } from '../assignment.ts';
import type { Frontend } from '../frontend.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { TcpSession } from '../tcp/tcp-session.ts';
import { LineWriter } from './line-writer.ts';
import { accessDate, LogDate, syslogDate } from './log-date.ts';
import type { Sink } from './sink.ts';

export type Target = { readonly sink: Sink; readonly config: model.LogTarget };

/** LOG_INFO: what a request is logged as. */
const INFO = 6;
/** HAProxy's default maximum of a syslog line. */
const LINE_BYTES = 1024;
const NEWLINE = 10;

const encode = (text: string) => new TextEncoder().encode(text);
const TAG = encode(`carpool[${process.pid}]: `);
const NO_SERVER = encode('<NOSRV>');
const BAD_REQUEST = encode('<BADREQ>');
const COOKIES_AND_QUEUE = encode(' 0/0');
const NO_CAPTURED_COOKIES = encode(' - - ');
const NO_COOKIE_STATE = encode('--');
const COLON = 58;
const SLASH = 47;
const QUOTE = 34;
const OPEN = 91;
const CLOSE = 93;

export class RequestLog {
  private readonly thread: ProxyThread;
  private readonly frontend: Frontend;
  private readonly targets: readonly Target[];
  private readonly priorities: readonly Uint8Array[];
  private readonly writer: LineWriter;
  private readonly access_date = new LogDate(accessDate);
  private readonly syslog_date = new LogDate(syslogDate);

  constructor(thread: ProxyThread, frontend: Frontend, targets: readonly Target[]) {
    this.thread = thread;
    this.frontend = frontend;
    this.targets = targets.filter(({ config }) => config.max_level >= INFO);
    this.priorities = this.targets.map(({ config }) => encode(`<${config.facility * 8 + INFO}>`));
    this.writer = new LineWriter(thread.reactor.buffers.bytes);
  }

  request(exchange: Exchange): void {
    for (let index = 0; index < this.targets.length; index++) this.send(index, exchange, null);
  }

  session(session: TcpSession): void {
    for (let index = 0; index < this.targets.length; index++) this.send(index, null, session);
  }

  private send(index: number, exchange: Exchange | null, session: TcpSession | null): void {
    const { sink, config } = this.targets[index];
    const { buffers } = this.thread.reactor;
    const buffer = buffers.takeSmall();
    if (buffer < 0) {
      sink.dropped++;
      return;
    }
    const { writer } = this;
    const offset = buffers.offsetOf(buffer);
    writer.begin(offset, Math.min(LINE_BYTES, SMALL_BYTES) - 1);
    const now_ms = Date.now();
    this.writeHeader(config.format, this.priorities[index], now_ms);
    if (exchange) this.writeRequest(exchange, now_ms);
    else if (session) this.writeSession(session, now_ms);
    const end = writer.end;
    buffers.bytes[end] = NEWLINE;
    const whole = config.to.kind === 'stdout' || config.to.kind === 'stderr' ? end + 1 : end;
    sink.send(buffer, offset, whole - offset);
  }

  private writeHeader(format: model.LogTarget['format'], priority: Uint8Array, now_ms: number): void {
    const { writer } = this;
    if (format === 'raw') return;
    writer.text(priority);
    if (format === 'short') return;
    this.syslog_date.write(writer, now_ms);
    writer.space();
    writer.text(TAG);
  }

  private writeRequest(exchange: Exchange, now_ms: number): void {
    const { client } = exchange;
    const format = this.frontend.config.log_format;
    if (format === 'none') {
      this.writeConnect(client.address_bytes, client.port);
      return;
    }
    const start_ms = client.request_ms;
    const end_ms = this.thread.reactor.now_ms;
    this.writeClient(client.address_bytes, client.port, now_ms - (end_ms - start_ms));
    this.writeNames(exchange.assignment);
    if (format === 'httplog') this.writeHttp(exchange, start_ms, end_ms);
    else this.writeTcp(-1, exchange.connected_ms - start_ms, end_ms - start_ms, exchange.bytes_sent, exchange);
    this.writeCounts(exchange.assignment);
    if (format === 'httplog') this.writeRequestLine(exchange);
  }

  private writeHttp(exchange: Exchange, start_ms: number, end_ms: number): void {
    const { writer } = this;
    const { head_ms, connected_ms, response_ms } = exchange;
    writer.space();
    writer.integer(head_ms < 0 ? -1 : head_ms - start_ms);
    writer.byte(SLASH);
    writer.integer(head_ms < 0 || exchange.backend === null ? -1 : 0);
    writer.byte(SLASH);
    writer.integer(connected_ms < 0 ? -1 : connected_ms - head_ms);
    writer.byte(SLASH);
    writer.integer(response_ms < 0 ? -1 : response_ms - connected_ms);
    writer.byte(SLASH);
    writer.integer(end_ms - start_ms);
    writer.space();
    writer.integer(exchange.status === 0 ? -1 : exchange.status);
    writer.space();
    writer.integer(exchange.bytes_sent);
    writer.text(NO_CAPTURED_COOKIES);
    this.writeState(exchange.cause, exchange.phase);
    writer.text(NO_COOKIE_STATE);
  }

  private writeSession(session: TcpSession, now_ms: number): void {
    const { accepted_ms, connected_ms } = session;
    const end_ms = this.thread.reactor.now_ms;
    const address = session.peer.addressOf(session.client.socket);
    const port = session.peer.portOf(session.client.socket);
    if (this.frontend.config.log_format === 'none') {
      this.writeConnect(address, port);
      return;
    }
    this.writeClient(address, port, now_ms - (end_ms - accepted_ms));
    this.writeNames(session.assignment);
    const connect_ms = connected_ms < 0 ? -1 : connected_ms - accepted_ms;
    this.writeTcp(0, connect_ms, end_ms - accepted_ms, session.bytes_sent, session);
    this.writeCounts(session.assignment);
  }

  private writeTcp(wait_ms: number, connect_ms: number, total_ms: number, bytes: number, state: State): void {
    const { writer } = this;
    writer.space();
    writer.integer(wait_ms);
    writer.byte(SLASH);
    writer.integer(connect_ms);
    writer.byte(SLASH);
    writer.integer(total_ms);
    writer.space();
    writer.integer(bytes);
    writer.space();
    this.writeState(state.cause, state.phase);
  }

  // ── parts that formats share ──────────────────────────────────────────────────────────────────

  private writeClient(address: Uint8Array, port: number, date_ms: number): void {
    const { writer } = this;
    writer.text(address);
    writer.byte(COLON);
    writer.integer(port);
    writer.space();
    writer.byte(OPEN);
    this.access_date.write(writer, date_ms);
    this.access_date.writeMilliseconds(writer, date_ms);
    writer.byte(CLOSE);
  }

  private writeNames({ backend, server_seen }: Assignment): void {
    const { writer } = this;
    writer.space();
    writer.text(this.frontend.name_bytes);
    writer.space();
    writer.text(backend ? backend.name_bytes : this.frontend.name_bytes);
    writer.byte(SLASH);
    writer.text(server_seen ? server_seen.name_bytes : NO_SERVER);
  }

  private writeState(cause: string, phase: string): void {
    this.writer.byte(cause.charCodeAt(0));
    this.writer.byte(phase.charCodeAt(0));
  }

  private writeCounts({ backend, server_seen, retries }: Assignment): void {
    const { writer } = this;
    writer.space();
    writer.integer(this.thread.all_clients);
    writer.byte(SLASH);
    writer.integer(this.frontend.connection_count);
    writer.byte(SLASH);
    writer.integer(backend ? backend.connections : 0);
    writer.byte(SLASH);
    writer.integer(server_seen ? server_seen.connections : 0);
    writer.byte(SLASH);
    writer.integer(retries);
    writer.text(COOKIES_AND_QUEUE);
  }

  private writeRequestLine(exchange: Exchange): void {
    const { writer } = this;
    writer.space();
    writer.byte(QUOTE);
    const { first, line_length } = exchange;
    if (line_length === 0) writer.text(BAD_REQUEST);
    else writer.foreign(this.thread.reactor.buffers.bytes, first.offset, first.offset + line_length);
    writer.byte(QUOTE);
  }

  private writeConnect(address: Uint8Array, port: number): void {
    const { writer } = this;
    const { endpoint } = this.frontend.config.binds[0];
    writer.text(CONNECT_FROM);
    writer.text(address);
    writer.byte(COLON);
    writer.integer(port);
    writer.text(encode(` to ${endpoint.address}:${endpoint.port} (`));
    writer.text(this.frontend.name_bytes);
    writer.text(this.frontend.config.mode === 'http' ? MODE_HTTP : MODE_TCP);
  }
}

type State = { readonly cause: string; readonly phase: string };
const CONNECT_FROM = encode('Connect from ');
const MODE_HTTP = encode('/HTTP)');
const MODE_TCP = encode('/TCP)');
