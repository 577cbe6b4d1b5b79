/** The clients of one data thread for those who ask (`show sess`), and the end of one or some of them. */
import type { Socket } from '../reactor/socket.ts';
import type { Assignment } from './assignment.ts';
import { sourceOf } from './ends.ts';
import { BODY, ClientConnection, TUNNEL } from './http/client-connection.ts';
import { serverMarked } from './http/failures.ts';
import { ParkedConnection } from './http/parked-connection.ts';
import { AnnouncedClient } from './proxy-protocol/announced-client.ts';
import type { ProxyThread } from './proxy-thread.ts';
import { Side, type TcpSession } from './tcp/tcp-session.ts';

/** What of a client's session people may see. Plain data. */
export type SessionReport = {
  /** As HAProxy has an address there: unique while the session lasts. */
  readonly id: string;
  /** `127.0.0.1:4711` */
  readonly source: string;
  readonly mode: 'http' | 'tcp';
  readonly frontend: string;
  readonly backend: string | null;
  readonly server: string | null;
  readonly age_ms: number;
  readonly fd: number;
  /** Of the connection to the server; -1: there is none. */
  readonly server_fd: number;
  readonly requests: number;
  readonly retries: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  /** Waits for its next request. */
  readonly idle: boolean;
};

/** More of one thread are left out. */
const MOST_SESSIONS = 1_000;

export function listSessions(proxy: ProxyThread): SessionReport[] {
  const found: SessionReport[] = [];
  proxy.reactor.forEachSocket((socket) => {
    const client = found.length < MOST_SESSIONS ? proxy.clientOf(socket) : null;
    if (client) found.push(describe(proxy, socket, client));
  });
  return found;
}

/** `server`: its number through all backends. Clients between two requests have none. */
export function endSessions(
  proxy: ProxyThread,
  isMeant: { readonly id: string } | { readonly server: number },
): number {
  let ended = 0;
  proxy.reactor.forEachSocket((socket) => {
    const client = proxy.clientOf(socket);
    if (!client) return;
    const meant =
      'id' in isMeant ? idOf(proxy, socket) === isMeant.id : assignmentOf(client)?.server?.number === isMeant.server;
    if (!meant) return;
    ended++;
    if (client instanceof ClientConnection && assignmentOf(client)) serverMarked(client.exchange, 'K');
    else if (socket.owner instanceof Side) (client as TcpSession).serverMarked('K');
    else socket.close();
  });
  return ended;
}

type Client = ClientConnection | ParkedConnection | TcpSession | AnnouncedClient;

function describe(proxy: ProxyThread, socket: Socket, client: Client): SessionReport {
  const assignment = assignmentOf(client);
  const tcp = socket.owner instanceof Side;
  const counts =
    client instanceof ParkedConnection
      ? NO_COUNTS
      : tcp
        ? (client as TcpSession)
        : (client as ClientConnection).exchange;
  return {
    id: idOf(proxy, socket),
    source: sourceText(socket),
    mode: tcp ? 'tcp' : 'http',
    frontend: client.frontend.config.name,
    backend: assignment?.backend?.config.name ?? null,
    server: assignment?.server?.config.name ?? null,
    age_ms: proxy.reactor.now_ms - client.accepted_ms,
    fd: socket.fd,
    server_fd: assignment ? serverFdOf(client) : -1,
    requests: 'requests' in client ? client.requests : 1,
    retries: assignment?.retries ?? 0,
    bytes_in: counts.bytes_received,
    bytes_out: counts.bytes_sent,
    idle: assignment === null,
  };
}

function serverFdOf(client: Client): number {
  if (client instanceof ClientConnection) return client.exchange.connection?.socket.fd ?? -1;
  return 'upstream' in client ? client.upstream.socket.fd : -1;
}

const NO_COUNTS = { bytes_received: 0, bytes_sent: 0 };

function assignmentOf(client: Client): Assignment | null {
  if (client instanceof ParkedConnection || client instanceof AnnouncedClient) return null;
  if (client instanceof ClientConnection) return isBusy(client) ? client.exchange.assignment : null;
  return client.assignment;
}

function isBusy({ state }: ClientConnection): boolean {
  return state >= BODY && state <= TUNNEL;
}

function sourceText(socket: Socket): string {
  const source = sourceOf(socket);
  if (!source) return '-';
  return `${source.address.includes(':') ? `[${source.address}]` : source.address}:${source.port}`;
}

function idOf({ number }: ProxyThread, { slot, generation }: Socket): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `0x${hex(number, 2)}${hex(slot, 6)}${hex(generation % 0x1000000, 6)}`;
}
