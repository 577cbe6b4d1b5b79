/**
 * Real web servers that keep a log of every request they see, each in its own way:
 *
 *   node:http   in this process; also knows how long each body was
 *   nginx       access log, read when it has quit
 *   apache2     the same
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../helpers/patience.js';
import { peerPath } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';

export type LoggingServer = {
  readonly name: string;
  readonly port: number;
  /** Lets it finish what it works on; then one line for each request that it saw. */
  stop(): Promise<readonly string[]>;
};

/** A request as node:http saw it. `length`: of its body; -1 when that never ended. */
export type Seen = { readonly target: string; readonly version: string; length: number };

export class NodeServer implements LoggingServer {
  readonly name = 'node:http';
  readonly seen: Seen[] = [];
  /** What came on a connection and could not be read; without bodies that just ended. */
  readonly refused: string[] = [];
  private readonly server = createServer({ keepAliveTimeout: 60_000 });

  async start(): Promise<this> {
    const { server } = this;
    server.on('request', (request, response) => this.answer(request, response));
    server.on('checkContinue', (request, response) => {
      response.writeContinue();
      this.answer(request, response);
    });
    server.on('checkExpectation', (request, response) => this.answer(request, response));
    server.on('clientError', (error: Error & { code?: string }, socket) => {
      if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') this.refused.push(error.message);
      if (socket.writable)
        socket.end(`HTTP/1.1 400 Bad Request\r\n${OURS}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  forget(): void {
    this.seen.length = 0;
    this.refused.length = 0;
  }

  async stop(): Promise<readonly string[]> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
    return this.seen.map(({ target }) => target);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const seen: Seen = { target: `${request.url}`, version: request.httpVersion, length: -1 };
    this.seen.push(seen);
    let length = 0;
    request.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    request.on('error', () => {});
    request.on('end', () => {
      seen.length = length;
      response.writeHead(200, { 'X-Server': 'node', 'Content-Length': '2' }).end('ok');
    });
  }
}

/** Only servers behind the proxy say so. */
export const OURS = 'X-Server: node';

/** A program with an access log; `signal` makes it finish its work and quit. */
class LoggingProgram implements LoggingServer {
  readonly name: string;
  readonly port: number;
  private readonly child: ChildProcess;
  private readonly log: string;
  private readonly signal: NodeJS.Signals;
  private seen: Promise<readonly string[]> | undefined;

  constructor(name: string, port: number, child: ChildProcess, log: string, signal: NodeJS.Signals) {
    this.name = name;
    this.port = port;
    this.child = child;
    this.log = log;
    this.signal = signal;
  }

  stop(): Promise<readonly string[]> {
    this.seen ??= stopProgram(this.child, this.signal).then(() => readFileSync(this.log, 'utf8').split('\n'));
    return this.seen;
  }
}

export async function startNginx(folder: string): Promise<LoggingServer> {
  const port = await freePort();
  const log = join(folder, 'nginx.log');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.error;
     events {}
     http {
       ${paths.join(' ')}
       log_format seen '$request $status'; access_log ${log} seen;
       keepalive_requests 100000; client_max_body_size 0;
       server { listen 127.0.0.1:${port}; location / { return 200 ok; } }
     }\n`,
  );
  const child = spawn(peerPath('nginx'), ['-p', folder, '-e', `${folder}/nginx.error`, '-c', `${folder}/nginx.conf`], {
    stdio: 'ignore',
  });
  await accepts(port);
  return new LoggingProgram('nginx', port, child, log, 'SIGQUIT');
}

export async function startApache(folder: string): Promise<LoggingServer> {
  const port = await freePort();
  const log = join(folder, 'apache.log');
  const modules = '/usr/lib/apache2/modules';
  writeFileSync(
    join(folder, 'apache.conf'),
    `ServerRoot ${folder}
     ServerName localhost
     LoadModule mpm_event_module ${modules}/mod_mpm_event.so
     LoadModule authz_core_module ${modules}/mod_authz_core.so
     Listen 127.0.0.1:${port}
     StartServers 1
     ServerLimit 1
     ThreadsPerChild 16
     MaxRequestWorkers 16
     AsyncRequestWorkerFactor 64
     MaxKeepAliveRequests 0
     DefaultRuntimeDir ${folder}
     PidFile ${folder}/apache.pid
     DocumentRoot ${folder}
     ErrorLog ${folder}/apache.error
     LogFormat "%r %>s" seen
     CustomLog ${log} seen\n`,
  );
  const child = spawn(peerPath('apache'), ['-X', '-f', join(folder, 'apache.conf')], { stdio: 'ignore' });
  await accepts(port);
  return new LoggingProgram('apache', port, child, log, 'SIGTERM');
}

/** SIGKILL when it does not heed `signal` in time. */
export async function stopProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await exited;
  clearTimeout(timer);
}

/** Waits until somebody accepts connections there. */
export async function accepts(port: number): Promise<void> {
  for (const end_ms = performance.now() + PATIENCE_MS; ; ) {
    const socket = connect(port, '127.0.0.1');
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
    assert.ok(performance.now() < end_ms, `nobody listens on port ${port}`);
    await sleep(20);
  }
}
