/**
 * A client's timer: what it means in each state of the connection.
 *
 *   before the first request, HEAD   408, and the connection ends
 *   IDLE                             parked, and closed when it has been quiet for `timeout http-keep-alive`
 *   BODY, ANSWERING                  the exchange knows who is to blame (failures.ts)
 *   LEAVING                          closed; but while the client takes what is queued, it may
 */
import { OPEN } from '../../reactor/socket.ts';
import { BODY, type ClientConnection, HEAD, IDLE, LEAVING } from './client-connection.ts';
import { bodySilent, clientSilent } from './failures.ts';
import { PARK_AFTER_MS } from './parked-connection.ts';

export function clientTimedOut(client: ClientConnection): void {
  const { exchange, state } = client;
  if (exchange.assignment.waits) exchange.assignment.onTimer();
  // a first request that never came is answered like one that came too slowly
  else if (client.is_probe) client.close();
  else if (state === HEAD || (state === IDLE && client.requests === 0)) client.reject(408, 'c');
  else if (state === IDLE) parkOrClose(client);
  else if (state === BODY) bodySilent(exchange);
  else if (state === LEAVING) closeIfStuck(client);
  else if (!client.listens)
    client.listen(); // should it leave, it must be heard
  else clientSilent(exchange);
}

/** Nothing has come since the last reply. */
function parkOrClose(client: ClientConnection): void {
  const { frontend, socket } = client;
  const left_ms = client.request_ms + frontend.keep_alive_ms - client.thread.reactor.now_ms;
  if (left_ms <= 0) client.close();
  else if (socket.state !== OPEN || !socket.idle || client.own) client.arm(Math.min(left_ms, PARK_AFTER_MS));
  else {
    client.forgetTimer();
    frontend.park(client, left_ms);
    client.forgetSocket();
  }
}

function closeIfStuck(client: ClientConnection): void {
  const { client_ms } = client.frontend;
  const silent_ms = client.thread.reactor.now_ms - client.socket.progress_ms;
  if (!client.socket.idle && silent_ms < client_ms) client.arm(client_ms - silent_ms);
  else client.close();
}
