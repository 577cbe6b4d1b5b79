/**
 * Requests that the daemon answers itself: the statistics page and the Prometheus exporter. Main writes the whole reply; the data
 * thread only carries the question there and the reply out, piece by piece as the client takes it, so that a large page needs one
 * buffer and nobody waits for it.
 *
 *   exchange ── PageQuestion ──▶ main ── reply ──▶ first piece ── sent ──▶ next piece … ──▶ over
 */
import type * as model from '../../config/model.ts';
import * as c from '../../threads/counters.ts';
import { sourceOf } from '../ends.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import { BODY as CLIENT_BODY } from './client-connection.ts';
import type { Exchange } from './exchange.ts';

/** What main is asked. Plain data. */
export type PageQuestion = {
  readonly ask: number;
  readonly frontend: string;
  readonly page: 'stats' | 'metrics';
  /** `GET`, `HEAD`, `POST` or something else. */
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
  /** The client's address; undefined: it is gone. */
  readonly source: string | undefined;
  /** Of a POST. */
  readonly body: string;
  readonly keeps: boolean;
};

export type PageReply = { readonly status: number; readonly bytes: Uint8Array };

/** At once in one thread; more get 503. */
const MOST_PAGES = 32;
const PIECE_BYTES = 12 * 1024;
const decoder = new TextDecoder('latin1');
const AUTHORIZATION = lowerCaseBytes('authorization');

/** Which requests of a frontend these are. */
export class PageRoutes {
  private readonly thread: ProxyThread;
  private readonly stats: Uint8Array | null;
  private readonly exporters: readonly model.Exporter[];

  constructor(thread: ProxyThread, stats: model.StatsPage | undefined, exporters: readonly model.Exporter[]) {
    this.thread = thread;
    this.stats = stats ? new TextEncoder().encode(stats.uri) : null;
    this.exporters = exporters;
  }

  /** Null: the request is not for us. The thread's request message is filled. */
  find(exchange: Exchange, end: number): Page | null {
    const { request, reactor } = this.thread;
    const { bytes } = reactor.buffers;
    const { target_start, target_end } = request;
    const page = this.isStats(bytes, target_start, target_end)
      ? 'stats'
      : this.exporters.length > 0 && this.isExporter(decoder.decode(bytes.subarray(target_start, target_end)))
        ? 'metrics'
        : null;
    return page && new Page(exchange, page, end);
  }

  private isStats(bytes: Uint8Array, start: number, end: number): boolean {
    const { stats } = this;
    if (!stats || end - start < stats.length) return false;
    for (let index = 0; index < stats.length; index++) if (bytes[start + index] !== stats[index]) return false;
    return true;
  }

  private isExporter(target: string): boolean {
    const path = target.split('?', 1)[0]!;
    return this.exporters.some(({ path: own, prefix }) => (prefix ? path.startsWith(own) : own === '' || path === own));
  }
}

export class Page {
  private readonly exchange: Exchange;
  private readonly question: Omit<PageQuestion, 'ask' | 'body' | 'keeps'>;
  private readonly body: string;
  private reply: Uint8Array | null = null;
  private sent = 0;

  /** [request.end, end) is what came of the body. */
  constructor(exchange: Exchange, page: 'stats' | 'metrics', end: number) {
    const { request, reactor } = exchange.thread;
    const { bytes } = reactor.buffers;
    const text = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
    let authorization: string | undefined;
    for (let index = 0; index < request.field_count; index++) {
      if (equalsIgnoringCase(bytes, request.name_start[index], request.name_end[index], AUTHORIZATION))
        authorization = text(request.value_start[index], request.value_end[index]);
    }
    this.exchange = exchange;
    this.question = {
      frontend: exchange.frontend.config.name,
      page,
      method: text(request.start, request.target_start - 1),
      target: text(request.target_start, request.target_end),
      authorization,
      source: sourceOf(exchange.client.socket)?.address,
    };
    this.body = text(request.end, end);
  }

  /** False: too many are asked for already. `more`: what of the body came later. */
  ask(more: string): boolean {
    const { exchange, question } = this;
    if (exchange.client.state === CLIENT_BODY) exchange.keep_alive = false;
    exchange.client.disarm();
    exchange.cause = 'L';
    exchange.phase = 'R';
    exchange.frontend.counters[c.INTERCEPTED]++;
    return exchange.thread.pages.ask(this, { ...question, body: this.body + more, keeps: exchange.keep_alive });
  }

  /** Main's reply; the client may be gone. */
  take({ status, bytes }: PageReply): void {
    const { exchange } = this;
    if (exchange.page !== this) return;
    exchange.status = status;
    this.reply = bytes;
    if (!this.sendNext()) exchange.replySent();
  }

  /** False: everything is sent. */
  sendNext(): boolean {
    const { reply, exchange } = this;
    const { buffers } = exchange.thread.reactor;
    if (!reply) return true;
    if (this.sent >= reply.length) return false;
    const buffer = buffers.takeSmall();
    const piece = reply.subarray(this.sent, this.sent + PIECE_BYTES);
    if (buffer < 0) {
      exchange.abort('R', 'D');
      return true;
    }
    const offset = buffers.offsetOf(buffer);
    buffers.bytes.set(piece, offset);
    this.sent += piece.length;
    exchange.client.arm(exchange.frontend.client_ms);
    if (!exchange.passToClient(buffer, offset, piece.length)) return true;
    if (exchange.client.socket.idle) return this.sendNext();
    exchange.client.socket.notify_drain = true;
    return true;
  }
}

/** Those of one proxy that main was asked for. */
export class Pages {
  /** Set by the thread's shell. */
  send: (question: PageQuestion) => void = () => {};
  private readonly waiting = new Map<number, Page>();
  private last = 0;

  ask(page: Page, question: Omit<PageQuestion, 'ask'>): boolean {
    if (this.waiting.size >= MOST_PAGES) return false;
    const ask = ++this.last;
    this.waiting.set(ask, page);
    this.send({ ...question, ask });
    return true;
  }

  answer(ask: number, reply: PageReply): void {
    const page = this.waiting.get(ask);
    this.waiting.delete(ask);
    page?.take(reply);
  }
}
