/** Where the control socket is: for the daemon that makes it and for the commands that look for it. */

/** The environment as `process.env` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type SocketPaths = {
  /** In the order of preference. */
  readonly candidates: readonly string[];
  /** A person named the path, so no other will do. */
  readonly named: boolean;
};

export function socketPaths(option: string | undefined, environment: Environment): SocketPaths {
  const named = option ?? environment['CARPOOL_SOCKET'];
  if (named) return { candidates: [named], named: true };
  const candidates = [SYSTEM_SOCKET];
  const runtime_directory = environment['XDG_RUNTIME_DIR'];
  if (runtime_directory) candidates.push(`${runtime_directory.replace(/\/+$/, '')}/carpool.sock`);
  return { candidates, named: false };
}

const SYSTEM_SOCKET = '/run/carpool/carpool.sock';
