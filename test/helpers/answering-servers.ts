/**
 * Servers that behave as told, in a process of their own, so that a test may block in a reactor meanwhile.
 *
 *   const servers = await startAnsweringServers(['accept', { status: 200 }]);
 *   servers.ports; await servers.set(1, { status: 503 }); servers.counts(); await servers.stop();
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from './patience.js';

export type Behaviour =
  /** Accepts connections and stays silent. */
  | 'accept'
  /** FIN, or RST, as soon as the request is there. */
  | 'close'
  | 'reset'
  /** A complete answer with this status, from a real HTTP server's head on. */
  | { readonly status: number }
  /** These bytes (or hexadecimal digits of them); then silence, or FIN. */
  | { readonly bytes: string; readonly end?: boolean; readonly one_by_one?: boolean; readonly hex?: boolean };

type ToServers = { readonly set: number; readonly behaviour: Behaviour } | { readonly ask: true };
type FromServers =
  | { readonly ports: readonly number[] }
  | { readonly done: true }
  | { readonly accepted: readonly number[]; readonly open: number; readonly received: readonly string[] };

export type AnsweringServers = {
  readonly ports: readonly number[];
  set(index: number, behaviour: Behaviour): Promise<void>;
  /** Connections accepted per server, connections open now, and the last request each got. */
  ask(): Promise<Extract<FromServers, { open: number }>>;
  stop(): Promise<void>;
};

export async function startAnsweringServers(behaviours: readonly Behaviour[]): Promise<AnsweringServers> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(behaviours)]);
  const { ports } = (await nextMessage(child)) as { ports: readonly number[] };
  const call = async (message: ToServers): Promise<FromServers> => {
    const answer = nextMessage(child);
    child.send(message);
    return answer;
  };
  return {
    ports,
    set: async (set, behaviour) => void (await call({ set, behaviour })),
    ask: async () => (await call({ ask: true })) as Extract<FromServers, { open: number }>,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<FromServers> {
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  return message as FromServers;
}

// ── the child ───────────────────────────────────────────────────────────────────────────────────

async function serve(behaviours: Behaviour[]): Promise<void> {
  const accepted = behaviours.map(() => 0);
  const received = behaviours.map(() => '');
  let open = 0;
  const ports = await Promise.all(
    behaviours.map(async (_, index) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        accepted[index]++;
        open++;
        socket.on('close', () => open--);
        socket.on('error', () => {}); // checks end with RST
        socket.on('data', (data) => {
          received[index] = data.toString('latin1');
          answer(socket, behaviours[index]);
        });
      });
      server.listen(0, '127.0.0.1', 4096);
      await once(server, 'listening');
      return (server.address() as { port: number }).port;
    }),
  );
  process.on('message', (message: ToServers) => {
    if ('ask' in message) {
      process.send!({ accepted, open, received });
      return;
    }
    behaviours[message.set] = message.behaviour;
    process.send!({ done: true });
  });
  process.on('disconnect', () => process.exit());
  process.send!({ ports });
}

function answer(socket: Socket, behaviour: Behaviour): void {
  if (behaviour === 'accept') return;
  if (behaviour === 'close') socket.end();
  else if (behaviour === 'reset') socket.resetAndDestroy();
  else if ('status' in behaviour) socket.write(`HTTP/1.1 ${behaviour.status} x\r\nContent-Length: 2\r\n\r\nok`);
  else if (behaviour.hex) socket.write(Buffer.from(behaviour.bytes, 'hex'));
  else if (behaviour.one_by_one) writeSlowly(socket, behaviour.bytes, 0);
  else if (behaviour.end) socket.end(behaviour.bytes);
  else socket.write(behaviour.bytes);
}

/** Each byte is a segment. */
function writeSlowly(socket: Socket, bytes: string, at: number): void {
  socket.setNoDelay(true);
  if (at < bytes.length) socket.write(bytes[at], () => setImmediate(writeSlowly, socket, bytes, at + 1));
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(JSON.parse(process.argv[2]) as Behaviour[]);
}
