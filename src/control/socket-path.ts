/** Where the control socket is: for the daemon that makes it and for the commands that look for it. */

/** The environment as `process.env` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type SocketPaths = {
  /** In the order of preference. */
  readonly candidates: readonly string[];
  /** A person named the path, so no other will do. */
  readonly named: boolean;
  /** Another daemon's live socket is passed over instead of refused; is the person told? */
  readonly shares?: 'silently' | 'aloud';
  /** Another daemon's live socket is taken over: this process takes its place. */
  readonly replaces?: boolean;
};

export function socketPaths(option: string | undefined, environment: Environment): SocketPaths {
  const named = option ?? environment['CARPOOL_SOCKET'];
  if (named) return { candidates: [named], named: true };
  const candidates = [SYSTEM_SOCKET];
  const runtime_directory = environment['XDG_RUNTIME_DIR'];
  if (runtime_directory) candidates.push(`${runtime_directory.replace(/\/+$/, '')}/carpool.sock`);
  return { candidates, named: false };
}

/** One ucarp per address is usual, so the second one on a host gets a name of its own beside the usual one. */
export function ucarpSocketPaths(name: string, environment: Environment): SocketPaths {
  const { candidates, named } = socketPaths(undefined, environment);
  return named ? { candidates, named } : { ...besideOthers(candidates, `ucarp-${name}`), shares: 'silently' };
}

/** Several balancers on one host are usual as well; they hold no address that another one could hold too. */
export function balancerSocketPaths(paths: SocketPaths, pid: number): SocketPaths {
  return paths.named ? paths : besideOthers(paths.candidates, String(pid));
}

function besideOthers(candidates: readonly string[], name: string): SocketPaths {
  const own = candidates.map((path) => `${path.slice(0, path.lastIndexOf('/'))}/carpool-${name}.sock`);
  return { candidates: [...candidates, ...own], named: false, shares: 'aloud' };
}

const SYSTEM_SOCKET = '/run/carpool/carpool.sock';
