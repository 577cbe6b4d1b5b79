/** The frontends, backends and servers of a configuration with the numbers that statistics know them by. */
import type { Backend, Config, Frontend, Server } from '../../config/model.ts';

/** A section; a `listen` is both. HAProxy keeps number 1 for itself. */
export type StatProxy = {
  readonly iid: number;
  readonly name: string;
  readonly frontend: { readonly config: Frontend; readonly number: number } | undefined;
  readonly backend:
    | { readonly config: Backend; readonly number: number; readonly servers: readonly NumberedServer[] }
    | undefined;
};

/** `number`: through all backends, as in shared memory; `sid`: in its backend. */
export type NumberedServer = { readonly config: Server; readonly number: number; readonly sid: number };

const FIRST_IID = 2;

/** In the order of the files. */
export function listProxies({ files, frontends, backends }: Config): StatProxy[] {
  let servers = 0;
  const back = backends.map((config, number) => {
    const first = servers;
    servers += config.servers.length;
    const numbered = config.servers.map((server, position) => ({
      config: server,
      number: first + position,
      sid: server.id ?? position + 1,
    }));
    return { config, number, servers: numbered };
  });
  const front = frontends.map((config, number) => ({ config, number }));
  const alone = back.filter(({ config }) => !frontends.some((frontend) => isSame(frontend, config)));
  const sections = [
    ...front.map((frontend) => ({
      span: frontend.config.span,
      name: frontend.config.name,
      frontend,
      backend: back.find(({ config }) => isSame(frontend.config, config)),
    })),
    ...alone.map((backend) => ({ span: backend.config.span, name: backend.config.name, frontend: undefined, backend })),
  ];
  sections.sort((a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.line - b.span.line);
  return sections.map(({ name, frontend, backend }, position) => ({
    iid: FIRST_IID + position,
    name,
    frontend,
    backend,
  }));
}

function isSame(frontend: Frontend, backend: Backend): boolean {
  return frontend.kind === 'listen' && backend.kind === 'listen' && frontend.name === backend.name;
}
