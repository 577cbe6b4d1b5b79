/** A command to a stats socket, and its whole answer. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from '../../helpers/patience.js';

/** `input` is written at once and ended with a FIN. */
export async function askRuntime(path: string, input: string): Promise<string> {
  const socket = connect(path).setEncoding('utf8');
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer to ${input}`)));
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  socket.end(`${input}\n`);
  await once(socket, 'close');
  return answer;
}

/** A web server on loopback that answers with the path's status: `/404`; else 200. */
export async function startWebServer(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = Number(/^\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200);
    response.end('hello');
  }).listen(0, '127.0.0.1');
  t.after(() => void server.close().closeAllConnections());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The answer of `show stat`, by `proxy/name`. */
export function parseStats(csv: string): Map<string, Record<string, string>> {
  const [head, ...lines] = csv.trim().split('\n');
  const names = head!.slice(2).split(',');
  return new Map(
    lines.map((line) => {
      const cells = line.split(',');
      const row = Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
      return [`${row['pxname']}/${row['svname']}`, row];
    }),
  );
}
