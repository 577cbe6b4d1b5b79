/**
 * Namespaces to play in: network and processes, and users too for everybody but root. util-linux's unshare makes them,
 * because a process with threads (and Node is one) may not make a user namespace for itself.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const AS_ROOT = ['--net', '--pid', '--fork', '--kill-child'];
const AS_USER = ['--user', '--map-root-user', ...AS_ROOT];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long inside may take to end its processes before all of it is killed. */
const LEAVE_MS = 3000;

/** Runs a JavaScript file inside; its exit status, or a sentence about why the system refuses. */
export async function enterNamespaces(entry: string, args: readonly string[]): Promise<number | string> {
  const flags = usableFlags();
  if (flags === undefined) return explainRefusal();
  // its standard input is the life line: inside ends when it closes, so also when this process is killed
  const child = spawn('unshare', [...flags, '--', process.execPath, entry, ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
  });
  return leaveInOrder(child);
}

function usableFlags(): readonly string[] | undefined {
  const choices = process.getuid?.() === 0 ? [AS_ROOT, AS_USER] : [AS_USER];
  return choices.find((flags) => spawnSync('unshare', [...flags, '--', 'true'], { timeout: 5000 }).status === 0);
}

function leaveInOrder(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let status_by_signal: number | undefined;
    const leave = () => {
      status_by_signal = 130;
      child.stdin!.end();
      setTimeout(() => child.kill('SIGKILL'), LEAVE_MS).unref();
    };
    for (const signal of SIGNALS) process.on(signal, leave);
    child.stdin!.on('error', () => {}); // inside is gone already
    child.once('error', () => resolve(1));
    child.once('exit', (status) => {
      for (const signal of SIGNALS) process.off(signal, leave);
      resolve(status_by_signal ?? status ?? 1);
    });
  });
}

/** One sentence: which setting refuses, and what helps. */
export function explainRefusal(): string {
  const refusing = SETTINGS.find(({ path, value }) => readSetting(path) === value);
  const sudo = 'or run it with sudo';
  if (spawnSync('unshare', ['--version']).error) {
    return 'carpool: the lab needs the program unshare (Debian package util-linux).';
  }
  if (refusing) {
    const { name, value, mend } = refusing;
    return `carpool: this system refuses network namespaces to ordinary users (${name} = ${value}): run \`sysctl -w ${name}=${mend}\` as root, ${sudo}.`;
  }
  return process.getuid?.() === 0
    ? 'carpool: this system refuses network namespaces even to root: a container needs CAP_SYS_ADMIN (docker run --privileged), or a seccomp profile that lets unshare through.'
    : `carpool: this system refuses network namespaces to ordinary users (no sysctl says so: most likely a container's seccomp profile or a security module does): allow unshare there, ${sudo}.`;
}

const SETTINGS = [
  setting('kernel.unprivileged_userns_clone', '0', '1'),
  setting('kernel.apparmor_restrict_unprivileged_userns', '1', '0'),
  setting('user.max_user_namespaces', '0', '10000'),
  setting('user.max_net_namespaces', '0', '10000'),
];

function setting(name: string, value: string, mend: string) {
  return { name, value, mend, path: `/proc/sys/${name.replaceAll('.', '/')}` };
}

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // this kernel does not have it
  }
}
