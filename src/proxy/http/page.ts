/**
 * Requests that the daemon answers itself: the statistics page and the Prometheus exporter. Main writes the whole reply; the data
 * thread only carries the question there and the reply out, piece by piece as the client takes it, so that a large page needs one
 * buffer and nobody waits for it.
 *
 *   exchange ── PageQuestion ──▶ main ── reply ──▶ first piece ── sent ──▶ next piece … ──▶ over
 */
import * as c from '../../threads/counters.ts';
import { BODY_CHUNKED } from './body.ts';
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import { BODY as CLIENT_BODY } from './client-connection.ts';
import { dataOf } from './dechunk.ts';
import type { Exchange } from './exchange.ts';

/** What main is asked. Plain data. */
export type PageQuestion = {
  readonly ask: number;
  readonly page: 'stats' | 'metrics';
  /** The name of the frontend, or else of the backend, whose page it is. */
  readonly proxy: string;
  readonly of_backend: boolean;
  readonly admission: Admission;
  /** `GET`, `HEAD`, `POST` or something else. */
  readonly method: string;
  readonly target: string;
  /** Of these fields the last value; undefined: the request has none. */
  readonly fields: Readonly<Record<PageField, string | undefined>>;
  /** Of a POST, as far as one buffer holds it. */
  readonly body: string;
  readonly body_is_whole: boolean;
  readonly keeps: boolean;
};

/** What the conditions of the page say of the client. `users`: whoever is one of them, and asked for a password, may look. */
export type Admission = {
  readonly may_look: 'yes' | 'no' | 'users';
  /** What the browser is to say when it asks; undefined: as configured. */
  readonly realm: string | undefined;
  readonly may_act: boolean;
};

export type PageReply = { readonly status: number; readonly bytes: Uint8Array };

/** At once in one thread; more get 503. */
const MOST_PAGES = 32;
const STATS_NAME = new TextEncoder().encode('<STATS>');
const METRICS_NAME = new TextEncoder().encode('<PROMEX>');
const PIECE_BYTES = 12 * 1024;
const decoder = new TextDecoder('latin1');
const FIELDS = ['authorization', 'host', 'origin', 'referer', 'sec-fetch-site'] as const;
export type PageField = (typeof FIELDS)[number];
const NO_FIELDS = {
  authorization: undefined,
  host: undefined,
  origin: undefined,
  referer: undefined,
  'sec-fetch-site': undefined,
};
const FIELD_NAMES = FIELDS.map((name) => ({ name, bytes: lowerCaseBytes(name) }));

export class Page {
  /** What the log has instead of a server's name. */
  readonly name_bytes: Uint8Array;
  /** The frontend answers, whatever backend the request would go to. */
  readonly of_frontend: boolean;
  private readonly exchange: Exchange;
  private readonly question: Omit<PageQuestion, 'ask' | 'body' | 'body_is_whole' | 'keeps'>;
  private readonly body: string;
  private reply: Uint8Array | null = null;
  private sent = 0;

  /** [request.end, end) is what came of the body. */
  constructor(
    exchange: Exchange,
    what: Pick<PageQuestion, 'page' | 'proxy' | 'of_backend' | 'admission'>,
    end: number,
  ) {
    const { request, reactor } = exchange.thread;
    const { bytes } = reactor.buffers;
    const text = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
    const fields: Record<PageField, string | undefined> = { ...NO_FIELDS };
    for (let index = 0; index < request.field_count; index++) {
      const [start, end] = [request.name_start[index], request.name_end[index]];
      const known = FIELD_NAMES.find(({ bytes: name }) => equalsIgnoringCase(bytes, start, end, name));
      if (known) fields[known.name] = text(request.value_start[index], request.value_end[index]);
    }
    this.exchange = exchange;
    this.name_bytes = what.page === 'stats' ? STATS_NAME : METRICS_NAME;
    this.of_frontend = !what.of_backend;
    this.question = {
      ...what,
      method: text(request.start, request.target_start - 1),
      target: text(request.target_start, request.target_end),
      fields,
    };
    this.body = text(request.end, end);
  }

  /** False: too many are asked for already. `more`: what of the body came later. */
  ask(more: string): boolean {
    const { exchange, question } = this;
    const body_is_whole = exchange.client.state !== CLIENT_BODY && exchange.stored.is_whole;
    if (exchange.client.state === CLIENT_BODY) exchange.keep_alive = false;
    exchange.client.disarm();
    exchange.cause = question.admission.may_look === 'no' ? 'P' : 'L';
    exchange.phase = 'R';
    // the log takes a page for a server that is there at once
    exchange.connected_ms = exchange.thread.reactor.now_ms;
    exchange.assignment.assigned_ms = exchange.connected_ms;
    if (this.of_frontend) exchange.frontend.counters[c.INTERCEPTED]++;
    return exchange.thread.pages.ask(this, {
      ...question,
      body: exchange.client.body.kind === BODY_CHUNKED ? dechunk(this.body + more) : this.body + more,
      body_is_whole,
      keeps: exchange.keep_alive,
    });
  }

  /** Main's reply; the client may be gone. */
  take({ status, bytes }: PageReply): void {
    const { exchange } = this;
    if (exchange.page !== this) return;
    exchange.status = status;
    if (status !== 401 && status !== 403) exchange.response_ms = exchange.thread.reactor.now_ms;
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

function dechunk(text: string): string {
  return decoder.decode(dataOf(Buffer.from(text, 'latin1')));
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
