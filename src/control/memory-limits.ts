/**
 * How much memory this process may have, and who says so.
 *
 *   cgroup v2   memory.max, memory.high            of its group and of all that this one lies in
 *   cgroup v1   memory.limit_in_bytes              the same
 *   -m          megabytes on the command line
 *   the host    all that it has
 *   ulimit -v   address space: what is only reserved counts as well, so it is a limit of its own
 *
 *   /proc/self/cgroup      | 4:memory:/a/b |  | 0::/a/b |
 *   /proc/self/mountinfo   | 36 31 0:33 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory |
 *                                      └ what of the hierarchy is mounted there
 */
import { readFileSync } from 'node:fs';

export type MemoryLimit = {
  readonly by: 'group' | 'option' | 'host';
  readonly bytes: number;
  /** As people know it: `memory.max of /system.slice/carpool.service`. */
  readonly name: string;
  /** Where the group's use is read. */
  readonly group: GroupFiles | undefined;
};

export type GroupFiles = {
  readonly usage: string;
  readonly stat: string;
  /** Lines of `stat` whose pages the kernel takes back by itself. */
  readonly file_pages: readonly string[];
};

export type MemoryLimits = {
  /** The lowest one; undefined: nothing could be read. */
  readonly memory: MemoryLimit | undefined;
  readonly address_space: { readonly bytes: number; readonly used: number } | undefined;
};

/** The text of a file, or undefined. */
export type Read = (path: string) => string | undefined;

const MIB = 2 ** 20;
/** cgroup v1 says "none" as the largest number of whole pages. */
const NO_LIMIT = 2 ** 60;
/** A group that lies deeper than that is none. */
const MOST_LEVELS = 64;

/** `option_mb`: `-m`. */
export function findMemoryLimits(option_mb: number | undefined, read: Read = readText): MemoryLimits {
  const found = [...groupLimits(read)];
  if (option_mb !== undefined)
    found.push({ by: 'option', bytes: option_mb * MIB, name: `-m ${option_mb}`, group: undefined });
  const host_kib = Number(/^MemTotal:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? 0);
  if (host_kib > 0)
    found.push({ by: 'host', bytes: host_kib * 1024, name: 'all that this host has', group: undefined });
  const memory = found.reduce<MemoryLimit | undefined>(
    (least, limit) => (least === undefined || limit.bytes < least.bytes ? limit : least),
    undefined,
  );
  return { memory, address_space: addressSpace(read) };
}

function addressSpace(read: Read): MemoryLimits['address_space'] {
  const bytes = /^Max address space\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const used_kib = /^VmSize:\s+(\d+) kB/m.exec(read('/proc/self/status') ?? '')?.[1];
  return bytes === undefined ? undefined : { bytes: Number(bytes), used: Number(used_kib ?? 0) * 1024 };
}

// ── control groups ──────────────────────────────────────────────────────────────────────────────

type Hierarchy = {
  readonly limits: readonly string[];
  readonly usage: string;
  readonly file_pages: readonly string[];
};

const V1: Hierarchy = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  file_pages: ['total_active_file', 'total_inactive_file'],
};
const V2: Hierarchy = {
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  file_pages: ['active_file', 'inactive_file'],
};

function* groupLimits(read: Read): Generator<MemoryLimit> {
  const groups = read('/proc/self/cgroup') ?? '';
  for (const line of (read('/proc/self/mountinfo') ?? '').split('\n')) {
    const [place = '', kind = ''] = line.split(' - ');
    const [type, , options = ''] = kind.split(' ');
    const is_v1 = type === 'cgroup' && options.split(',').includes('memory');
    if (!is_v1 && type !== 'cgroup2') continue;
    const pattern = is_v1 ? /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m : /^0::(.*)$/m;
    const group = pattern.exec(groups)?.[1];
    const [, , , root = '/', mounted = ''] = place.split(' ').map(withBlanks);
    if (group !== undefined) yield* limitsUpwards(read, mounted, below(root, group), is_v1 ? V1 : V2);
  }
}

/** A group's way from what is mounted; a container may see its own group as the root. */
function below(root: string, group: string): string {
  if (root === '/' && !group.startsWith('/..')) return group === '/' ? '' : group;
  return group.startsWith(`${root}/`) ? group.slice(root.length) : '';
}

function* limitsUpwards(read: Read, mounted: string, group: string, hierarchy: Hierarchy): Generator<MemoryLimit> {
  const { limits, usage, file_pages } = hierarchy;
  let at = group;
  for (let level = 0; level < MOST_LEVELS; level++) {
    const folder = mounted + at;
    const files = { usage: `${folder}/${usage}`, stat: `${folder}/memory.stat`, file_pages };
    for (const file of limits) {
      const bytes = Number(read(`${folder}/${file}`)?.trim() || Number.NaN);
      if (bytes < NO_LIMIT) yield { by: 'group', bytes, name: `${file} of ${at || '/'}`, group: files };
    }
    if (at === '') return;
    at = at.slice(0, at.lastIndexOf('/'));
  }
}

/** The kernel writes blanks in paths as octal numbers. */
function withBlanks(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
