/** What an exchange has to tell when it is over: the numbers of its log line, and when that is written. */
import type { Endpoint } from '../../config/model.ts';
import { REQUESTS } from '../../threads/counters.ts';
import { countEnd } from '../count.ts';
import type { Frontend } from '../frontend.ts';
import { type Captured, nothingCaptured, type Side } from '../log/captures.ts';
import { NO_BYTES } from '../log/log-record.ts';
import type { Exchange } from './exchange.ts';
import type { Message } from './message.ts';
import type { Page } from './page.ts';

export class Account {
  readonly frontend: Frontend;
  /** Of the request line, with which the first bytes begin. */
  line_length = 0;
  status = 0;
  bytes_sent = 0;
  bytes_received = 0;
  /** Monotonic milliseconds; -1: it did not come to that. */
  head_ms = -1;
  connected_ms = -1;
  response_ms = -1;
  /** HAProxy's termination state: who, and when (manual, section 8.5). */
  cause = '-';
  phase = '-';
  /** The server's response must not go on. */
  withheld = false;
  captured: Captured | null = null;
  unique_id: Uint8Array = NO_BYTES;
  /** The daemon answers itself. */
  page: Page | null = null;
  /** Our end of the connection to the server, when the log wants it. */
  source: Endpoint | null = null;
  /** Its line is written already (`option logasap`). */
  private logged = false;

  constructor(frontend: Frontend) {
    this.frontend = frontend;
  }

  /** For a new request. */
  protected open(): void {
    this.status = 0;
    this.bytes_sent = 0;
    this.bytes_received = 0;
    this.connected_ms = -1;
    this.response_ms = -1;
    this.cause = '-';
    this.phase = '-';
    this.withheld = false;
    this.captured = null;
    this.unique_id = NO_BYTES;
    this.source = null;
    this.logged = false;
  }

  /** `end`: where what has come of it ends. */
  protected noteRequest(request: Message, end: number, exchange: Exchange): void {
    this.head_ms = exchange.thread.reactor.now_ms;
    this.line_length = request.target_end + VERSION_LENGTH - request.start;
    this.bytes_received = end - request.start;
    if (this.frontend.log?.captures_headers) this.capture('request', request, exchange);
    this.frontend.counters[REQUESTS]++;
  }

  /** There will be no line about it. */
  protected silence(): void {
    this.logged = true;
    this.line_length = 0;
  }

  /** The client is to get another one. */
  protected forgetResponse(): void {
    this.status = 0;
    this.response_ms = -1;
    if (!this.captured) return;
    this.captured.response.length = 0;
    this.captured.cookies.response = null;
    this.captured.samples.response.length = 0;
  }

  /** `message`: the thread's own, filled. */
  protected capture(side: Side, message: Message, { thread, backend, client }: Exchange): void {
    this.captured ??= nothingCaptured();
    if (side === 'response') this.captured.response_version = `HTTP/1.${message.version_minor}`;
    const facts = thread.facts.about(this.frontend, backend, client.socket, side === 'request' ? message : null);
    const subject = side === 'request' ? facts : facts.answeredBy(message);
    this.frontend.captures.take(side, facts.bytes, message, this.captured, subject);
  }

  /** With `option logasap` the line tells how the response began. */
  protected logEarly(exchange: Exchange): void {
    const { log } = this.frontend;
    if (!log?.asap || this.logged) return;
    this.logged = true;
    log.request(exchange, true);
  }

  /** Once, when it is over: counts it and writes its line. */
  protected close(exchange: Exchange): void {
    const { now_ms } = exchange.thread.reactor;
    countEnd(exchange, this.head_ms < 0 ? now_ms : this.head_ms, now_ms);
    if (!this.logged) this.frontend.log?.request(exchange, false);
    this.page = null;
  }
}

/** ` HTTP/1.1` */
const VERSION_LENGTH = 9;
