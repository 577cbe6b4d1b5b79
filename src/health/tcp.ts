/** The plain check: a server that accepts a connection is well. Nothing is sent. */
import type { Answer, Exchange } from './exchange.ts';
import type { Verdict } from './verdict.ts';

const CONNECTED: Verdict = { code: 'L4OK', passed: true, reason: 'the server accepts connections' };

export function tcpExchange(): Exchange {
  return { request: new Uint8Array(0), createAnswer: () => ACCEPTANCE };
}

const ACCEPTANCE: Answer = {
  onConnected: () => CONNECTED,
  onBytes: () => CONNECTED,
  onEnd: () => CONNECTED,
};
