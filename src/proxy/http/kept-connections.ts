/**
 * Connections to servers that lie idle, and who may use them again (manual 4.2 "http-reuse"): those of a pool serve any client's
 * request that the rule allows, a client's own serves nobody else.
 *
 *   never        the client's own
 *   safe         the pool, but not for a client's first request: it could not be repeated unnoticed
 *   aggressive   the pool; for a first request only what was used more than once already
 *   always       the pool
 */
import type { Server } from '../server.ts';
import { equalsIgnoringCase, lowerCaseBytes, sameStart } from './characters.ts';
import type { Exchange } from './exchange.ts';
import type { Message } from './message.ts';
import type { ServerConnection } from './server-connection.ts';

/** A kept connection for this request, or null: a new one must be made. */
export function takeKept({ client, rules }: Exchange, server: Server): ServerConnection | null {
  const own = client.takeOwn();
  if (own) {
    if (own.server === server && own.up_to_date) return own;
    own.close();
  }
  if (rules.reuse === 'always' || (client.requests > 1 && rules.reuse !== 'never')) return server.takeIdle();
  return rules.reuse === 'aggressive' ? server.takeProven() : null;
}

function isWornOut({ uses, server: { config } }: ServerConnection): boolean {
  return config.max_reuse !== undefined && uses > config.max_reuse;
}

/** The request goes to the server that keeps a connection for the client alone, as far as nothing else binds it. */
export function prefersOwn({ client: { own }, rules, backend }: Exchange): boolean {
  if (own === null || !(own.has_login || rules.prefers_last_server)) return false;
  const { server } = own;
  return own.up_to_date && backend?.servers[server.position] === server && server.usable && server.weight > 0;
}

/** The response is complete, and the connection may serve another request. */
export function keep({ client, rules }: Exchange, connection: ServerConnection): void {
  if (!connection.up_to_date || isWornOut(connection)) connection.close();
  else if (connection.is_private || rules.reuse === 'never') client.keepOwn(connection);
  else connection.server.putIdle(connection, connection.thread.reactor.now_ms);
}

/** The server asks for a login of the connection, not of each request (NTLM, Negotiate): it must stay with its client. */
export function asksConnectionToLogIn(bytes: Uint8Array, response: Message): boolean {
  for (let index = 0; index < response.field_count; index++) {
    if (!equalsIgnoringCase(bytes, response.name_start[index], response.name_end[index], WWW_AUTHENTICATE)) continue;
    const [start, end] = [response.value_start[index], response.value_end[index]];
    if (sameStart(bytes, start, end, NEGOTIATE) || sameStart(bytes, start, end, NTLM)) return true;
  }
  return false;
}

const WWW_AUTHENTICATE = lowerCaseBytes('www-authenticate');
const NEGOTIATE = lowerCaseBytes('negotiate');
const NTLM = lowerCaseBytes('ntlm');
