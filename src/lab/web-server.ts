/** A process in a web server's namespace: answers every HTTP request with 200 and its name. Arguments: NAME PORT. */
import { createServer } from 'node:http';

const [name, port] = process.argv.slice(2);

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'x-server': name! });
  response.end(`${name}\n`);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), () => process.stdout.write('"ready"\n'));

function stop(): void {
  server.closeAllConnections();
  server.close();
  process.exit(0);
}
process.on('SIGTERM', stop);
process.stdin.on('end', stop).resume();
