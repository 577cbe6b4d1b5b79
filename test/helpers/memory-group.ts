/** A control group of its own with a limit on memory, below the one that the tests run in: version 1 or 2, whichever has memory here. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type MemoryGroup = {
  readonly limit: number;
  /** Words for a shell that puts it, and what it becomes, into the group. */
  readonly enter: string;
  used(): number;
  /** How often the kernel ended a process of the group. */
  killed(): number;
  /** Of its sockets' buffers; false where the kernel has no such limit (version 2). */
  limitSockets(bytes: number): boolean;
  /** The most that they have had. */
  mostInSockets(): number;
  /** When no process is in it any more. */
  remove(): void;
};

const V1 = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', events: 'memory.oom_control' };
const V2 = { limit: 'memory.max', used: 'memory.current', events: 'memory.events' };

/** Or why there can be none. */
export function makeMemoryGroup(name: string, limit: number): MemoryGroup | string {
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const v1 = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup \S+ (?:\S+,)?memory\b/m.exec(mounts);
  const v2 = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(mounts);
  const [mount, files, group] = v1
    ? [v1, V1, /^\d+:(?:\S+,)?memory(?:,\S+)?:(.*)$/m.exec(groups)]
    : [v2, V2, /^0::(.*)$/m.exec(groups)];
  if (mount === null || group === null) return 'no control groups are mounted here';
  const [, root, mounted] = mount;
  const own = mounted + (root === '/' ? group[1]! : group[1]!.replace(root!, ''));
  // version 2 has no limits below a group with processes: then beside it
  for (const parent of v1 ? [own] : [own, dirname(own)]) {
    const folder = `${parent}/${name}`;
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    if (existsSync(`${folder}/${files.limit}`)) {
      writeFileSync(`${folder}/${files.limit}`, String(limit));
      return groupAt(folder, files, limit);
    }
    rmdirSync(folder);
  }
  return 'control groups with a limit on memory cannot be made here';
}

function groupAt(folder: string, { used, events }: typeof V1, limit: number): MemoryGroup {
  const read = (file: string) => readFileSync(`${folder}/${file}`, 'utf8');
  return {
    limit,
    enter: `echo $$ > ${folder}/cgroup.procs`,
    used: () => Number(read(used)),
    killed: () => Number(/^oom_kill (\d+)$/m.exec(read(events))?.[1] ?? 0),
    limitSockets(bytes) {
      const file = `${folder}/memory.kmem.tcp.limit_in_bytes`;
      if (!existsSync(file)) return false;
      writeFileSync(file, String(bytes));
      return true;
    },
    mostInSockets: () => Number(read('memory.kmem.tcp.max_usage_in_bytes')),
    remove: () => rmdirSync(folder),
  };
}
