/** TODO */
import type { Exchange } from './http/exchange.ts';
export interface RequestLog {
  request(exchange: Exchange): void;
  session(session: TcpSession): void;
}

import type { TcpSession } from './tcp/tcp-session.ts';
