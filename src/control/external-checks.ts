/**
 * The programs of `external-check`: the checks thread asks, here they are run, because no thread with traffic may start
 * one. The environment and the arguments are HAProxy's (manual, "external-check command"), and nothing else is handed on.
 *
 *   program PROXY_ADDRESS PROXY_PORT SERVER_ADDRESS SERVER_PORT
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Backend, Config } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import type { FromChecks, ProgramEnd } from '../threads/checks-messages.ts';
import { SERVER_CONNECTIONS, type SharedMemory, serverAt } from '../threads/shared-memory.ts';
import type { ServerTable } from './server-table.ts';
import { listProxies } from './stats/objects.ts';

type Request = Extract<FromChecks, { kind: 'run-program' }>;

/** The configuration that holds, and its servers' states. */
type Now = {
  readonly config: Config;
  readonly memory: SharedMemory;
  readonly servers: Pick<ServerTable, 'endpointOf'>;
};

export type ExternalChecks = {
  /** `onEnd` is called once. */
  run(request: Request, now: Now, onEnd: (end: ProgramEnd) => void): void;
  /** Ends what runs. */
  stop(): void;
};

const NOT_USED = 'NOT_USED';

export function createExternalChecks(): ExternalChecks {
  const running = new Set<ChildProcess>();
  return {
    run(request, now, onEnd) {
      const child = startProgram(request, now);
      if (child === undefined) return onEnd({ kind: 'not-started', problem: 'the server is gone' });
      running.add(child);
      void endOf(child, request.timeout_ms).then((end) => {
        running.delete(child);
        onEnd(end);
      });
    },
    stop() {
      for (const child of running) killGroup(child);
    },
  };
}

/** Undefined when the configuration has changed meanwhile and has no such server. */
function startProgram(request: Request, { config, memory, servers }: Now): ChildProcess | undefined {
  const places = config.backends.flatMap((backend) => backend.servers.map((server) => ({ backend, server })));
  const at = places.findIndex(
    ({ backend, server }) => backend.name === request.backend && server.name === request.server,
  );
  if (at < 0) return undefined;
  const { backend, server } = places[at]!;
  const connections = Atomics.load(memory.words, serverAt(memory, at) + SERVER_CONNECTIONS);
  const { check } = backend;
  const { command, path } = check.kind === 'external' ? check : { command: '', path: '' };
  const proxy = proxyEndpoint(backend, config);
  const { address, port } = servers.endpointOf(server);
  const server_port = isUnixAddress(address) ? '' : String(port);
  const args = [proxy?.address ?? NOT_USED, String(proxy?.port ?? NOT_USED), address, server_port || NOT_USED];
  const env = {
    HAPROXY_PROXY_ADDR: proxy?.address ?? '',
    HAPROXY_PROXY_ID: String(listProxies(config).find((each) => each.backend?.config === backend)?.iid),
    HAPROXY_PROXY_NAME: backend.name,
    HAPROXY_PROXY_PORT: String(proxy?.port ?? ''),
    HAPROXY_SERVER_ADDR: address,
    HAPROXY_SERVER_CURCONN: String(connections),
    HAPROXY_SERVER_ID: String(server.id ?? backend.servers.indexOf(server) + 1),
    HAPROXY_SERVER_MAXCONN: String(server.maxconn ?? 0),
    HAPROXY_SERVER_NAME: server.name,
    HAPROXY_SERVER_PORT: server_port,
    HAPROXY_SERVER_SSL: '0',
    HAPROXY_SERVER_PROTO: backend.mode === 'http' ? 'h1' : 'tcp',
    PATH: path,
  };
  return spawn(command, args, { env, stdio: 'ignore', detached: true });
}

/** A listen section's first listener; a backend has none. */
function proxyEndpoint({ kind, name }: Backend, { frontends }: Config) {
  if (kind !== 'listen') return undefined;
  return frontends.find((frontend) => frontend.kind === 'listen' && frontend.name === name)?.binds[0]?.endpoint;
}

/** At the time-out the whole process group is killed: what the program itself started must not stay behind. */
function endOf(child: ChildProcess, timeout_ms: number): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    let timed_out = false;
    const limit = setTimeout(() => {
      timed_out = true;
      killGroup(child);
    }, timeout_ms);
    const end = (how: ProgramEnd): void => {
      clearTimeout(limit);
      resolve(how);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      end({ kind: 'not-started', problem: error.code ?? error.message });
    });
    child.once('exit', (status, signal) => {
      if (status !== null) end({ kind: 'exited', status });
      else end({ kind: 'killed', signal: signal ?? '', timed_out });
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}
