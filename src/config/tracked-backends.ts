/**
 * Tracked services as backends, so that they are resolved, checked and shown as every other server: one backend with one
 * server each, behind those of the configuration. No frontend leads there.
 */
import { newDefaults, newProxy } from './haproxy/drafts.ts';
import { finishBackend } from './haproxy/finish-proxy.ts';
import { NO_UNIX_BIND } from './haproxy/unix-bind.ts';
import type { Backend, Carp, Config, Track } from './model.ts';
import { Reporter } from './reporter.ts';

const TRACKED_SERVER = 'service';

export function withTrackedBackends(config: Config): Config {
  const known = new Set(config.backends.map(({ name }) => name));
  const tracked = config.carps
    .flatMap((carp) => carp.tracks.map((track) => trackedBackend(carp, track)))
    .filter(({ name }) => !known.has(name));
  return tracked.length === 0 ? config : { ...config, backends: [...config.backends, ...tracked] };
}

/** No section of a file can have this name: it holds spaces. */
export function trackedBackendName({ name }: Pick<Carp, 'name'>, { text }: Pick<Track, 'text'>): string {
  return `${name} tracks ${text}`;
}

const NOTHING_AROUND = { global_targets: [], error_files: [], unix_bind: NO_UNIX_BIND };

function trackedBackend(carp: Carp, track: Track): Backend {
  const { host, endpoint, method, check, span } = track;
  const name = { text: trackedBackendName(carp, track), span };
  const draft = newProxy('backend', name, span, newDefaults());
  const settings = { ...draft.default_server, ...check, check: true };
  const server = { name: TRACKED_SERVER, host, ...endpoint, port_offset: 0, settings, span };
  const mode = method.kind === 'http' ? 'http' : 'tcp';
  // none of its words was written as a keyword, so nothing can be wrong with them
  return { ...finishBackend({ ...draft, mode, servers: [server] }, NOTHING_AROUND, new Reporter()), check: method };
}
