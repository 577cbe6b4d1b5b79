/** The frontends, backends and servers of a configuration with the numbers that statistics know them by. */
import type { Backend, Config, Frontend, Server } from '../../config/model.ts';

/** A section; a `listen` is both. */
export type StatProxy = {
  readonly iid: number;
  readonly name: string;
  /** `first_bind`: the number of its first bind through all frontends, as in shared memory. */
  readonly frontend: { readonly config: Frontend; readonly number: number; readonly first_bind: number } | undefined;
  readonly backend:
    | { readonly config: Backend; readonly number: number; readonly servers: readonly NumberedServer[] }
    | undefined;
};

/** `number`: through all backends, as in shared memory; `sid`: in its backend. */
export type NumberedServer = {
  readonly config: Server;
  readonly number: number;
  readonly sid: number;
  /** Whose checks and agent say how it is: its own, or those of the one at the end of its `track`. */
  readonly judged: { readonly config: Server; readonly number: number };
};

/** Asked every second, made once for each configuration. */
const lists = new WeakMap<Config, readonly StatProxy[]>();

/** In the order of the files. Where there are stats sockets, HAProxy keeps number 1 for them. */
export function listProxies(config: Config): readonly StatProxy[] {
  const known = lists.get(config);
  if (known) return known;
  const made = makeList(config);
  lists.set(config, made);
  return made;
}

function makeList({ files, frontends, backends, global }: Config): StatProxy[] {
  const first_iid = global.stats_sockets.length > 0 ? 2 : 1;
  const judgedOf = judges(backends);
  let servers = 0;
  const back = backends.map((config, number) => {
    const first = servers;
    servers += config.servers.length;
    const numbered = config.servers.map((server, position) => ({
      config: server,
      number: first + position,
      sid: server.id ?? position + 1,
      judged: judgedOf(server),
    }));
    return { config, number, servers: numbered };
  });
  let binds = 0;
  const front = frontends.map((config, number) => {
    const first_bind = binds;
    binds += config.binds.length;
    return { config, number, first_bind };
  });
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
    iid: first_iid + position,
    name,
    frontend,
    backend,
  }));
}

function judges(backends: readonly Backend[]): (server: Server) => NumberedServer['judged'] {
  const all = backends.flatMap(({ name, servers }) => servers.map((config) => ({ name, config })));
  const named = new Map(all.map(({ name, config }, number) => [`${name}/${config.name}`, { config, number }]));
  const numbers = new Map(all.map(({ config }, number) => [config, number]));
  return (server) => {
    let found = { config: server, number: numbers.get(server)! };
    for (let { track } = server; track !== undefined; track = found.config.track)
      found = named.get(`${track.backend}/${track.server}`)!;
    return found;
  };
}

function isSame(frontend: Frontend, backend: Backend): boolean {
  return frontend.kind === 'listen' && backend.kind === 'listen' && frontend.name === backend.name;
}
