/** What a kind of check says on a new connection, and who judges the answer. One file per kind beside this one. */
import type { CheckMethod } from '../config/model.ts';
import { httpExchange } from './http.ts';
import { tcpExchange } from './tcp.ts';
import type { Verdict } from './verdict.ts';

export type Exchange = {
  /** Sent as soon as the connection stands; empty: nothing. */
  readonly request: Uint8Array;
  /** One for each server, used for all its checks. */
  createAnswer(): Answer;
};

/** Judges one answer after the other. Keeps no bytes. Null: not decided yet. */
export interface Answer {
  /** A new connection stands. */
  onConnected(): Verdict | null;
  onBytes(bytes: Uint8Array, offset: number, length: number): Verdict | null;
  /** The server sends no more. */
  onEnd(): Verdict;
}

export function exchangeOf(method: CheckMethod): Exchange {
  switch (method.kind) {
    case 'tcp':
      return tcpExchange();
    case 'http':
      return httpExchange(method);
  }
}
