/** Which limit on memory holds, and what carpool takes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { findMemoryLimits, type MemoryLimits } from '#src/control/memory-limits.js';
import { bufferCounts, sizesWithin, sizeToMemory } from '#src/control/memory-sizes.js';
import { nextCap } from '#src/control/memory-watch.js';
import { DEFAULT_COUNTS } from '#src/reactor/options.js';

const MIB = 2 ** 20;
const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n';
const V1_MOUNT = '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';

/** Files of a host with 8 GiB. */
function hostOf(files: Readonly<Record<string, string>>) {
  const all: Readonly<Record<string, string>> = { '/proc/meminfo': 'MemTotal:  8388608 kB\n', ...files };
  return (path: string) => all[path];
}

const limitOf = (files: Readonly<Record<string, string>>, option_mb?: number) => {
  const { memory } = findMemoryLimits(option_mb, hostOf(files));
  return [memory!.bytes / MIB, memory!.name];
};

test('cgroup v2: the lowest limit of the group and of those that it lies in holds', () => {
  const files = {
    '/proc/self/cgroup': '0::/system.slice/carpool.service\n',
    '/proc/self/mountinfo': V2_MOUNT,
    '/sys/fs/cgroup/system.slice/carpool.service/memory.max': 'max\n',
    '/sys/fs/cgroup/system.slice/carpool.service/memory.high': `${512 * MIB}\n`,
    '/sys/fs/cgroup/system.slice/memory.max': `${400 * MIB}\n`,
  };
  assert.deepEqual(limitOf(files), [400, 'memory.max of /system.slice']);
  const { '/sys/fs/cgroup/system.slice/memory.max': _, ...own } = files;
  assert.deepEqual(limitOf(own), [512, 'memory.high of /system.slice/carpool.service']);
  assert.equal(findMemoryLimits(undefined, hostOf(own)).memory!.group!.usage.endsWith('.service/memory.current'), true);
});

test('cgroup v1: beside a v2 without memory, and none is the largest number of pages', () => {
  const files = {
    '/proc/self/cgroup': '4:cpu,memory:/a/b\n0::/\n',
    '/proc/self/mountinfo': V1_MOUNT + V2_MOUNT.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified'),
    '/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': `${200 * MIB}\n`,
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  };
  assert.deepEqual(limitOf(files), [200, 'memory.limit_in_bytes of /a']);
});

test('in a container the root of the mount is the group itself', () => {
  const limit = { '/sys/fs/cgroup/memory.max': `${300 * MIB}\n` };
  const own = { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': V2_MOUNT, ...limit };
  assert.deepEqual(limitOf(own), [300, 'memory.max of /']);
  const bound = {
    '/proc/self/cgroup': '0::/docker/1\n',
    '/proc/self/mountinfo': V2_MOUNT.replace(' / ', ' /docker/1 '),
  };
  assert.deepEqual(limitOf({ ...bound, ...limit }), [300, 'memory.max of /']);
});

test('-m holds where it is the lowest; without any limit the host has what it has', () => {
  assert.deepEqual(limitOf({}, 100), [100, '-m 100']);
  assert.deepEqual(limitOf({}, 10_000), [8192, 'all that this host has']);
  assert.equal(findMemoryLimits(undefined, () => undefined).memory, undefined);
});

const ofMemory = (mb: number): MemoryLimits => findMemoryLimits(mb, () => undefined);
const threadsOf = (mb: number, threads: number, must: boolean) => {
  const sizes = sizesWithin(ofMemory(mb), { threads, must, carp: false });
  return 'needed' in sizes ? `${sizes.needed / MIB} MB` : sizes.threads;
};

test('threads that only the number of cores asks for become fewer; nbthread is kept, or it does not start', () => {
  assert.equal(threadsOf(200, 8, false), 6);
  assert.equal(threadsOf(200, 8, true), '252 MB');
  assert.equal(threadsOf(50, 8, false), '70 MB');
});

test('each client within the limit may hold a small buffer, and the kernel has its own', () => {
  for (const mb of [70, 100, 150, 250, 400]) {
    const sizes = sizesWithin(ofMemory(mb), { threads: 1, must: true, carp: false });
    assert.ok(!('needed' in sizes));
    assert.ok(sizes.clients < bufferCounts(sizes.buffer_bytes).small_count - 256, `${mb} MB`);
    assert.ok(sizes.buffer_bytes + 44 * MIB + 18 * MIB <= mb * MIB, `${mb} MB`);
  }
});

const PROXY = 'frontend a\n bind 127.0.0.1:80\n timeout client 1s\n';
const sizedOf = (global: string, limits: MemoryLimits) =>
  sizeToMemory(loadConfig([{ file: 'haproxy.cfg', text: `global\n${global}${PROXY}` }]).config!, limits, 1);

test('with enough memory everything stays as it was', () => {
  const sized = sizedOf(' maxconn 8000\n', ofMemory(2000));
  assert.equal(sized.buffers, DEFAULT_COUNTS);
  assert.deepEqual([sized.notice, sized.diagnostics, sized.config.global.maxconn], [undefined, [], 8000]);
});

test('who allows more clients than there is memory for hears of it where it is written', () => {
  const { config, diagnostics, notice } = sizedOf(' maxconn 5000\n nbthread 1\n', ofMemory(100));
  const [{ severity, code, span, mend } = assert.fail()] = diagnostics;
  assert.deepEqual([severity, code, span.line, span.column], ['warning', 'memory-for-fewer', 2, 10]);
  assert.equal(mend, `Give -m more, or write \`maxconn ${config.global.maxconn}\`.`);
  assert.match(
    notice!,
    /^there are 100 MB of memory \(-m 100\), so it takes 1 data thread with \d+ MB of buffers each, and \d{3} clients at once$/,
  );
  assert.equal(sizedOf(' maxconn 5000\n strict-limits\n', ofMemory(100)).diagnostics[0]!.severity, 'error');
});

test('address space: buffers are what is left beside what V8 reserves', () => {
  const within = (mb: number) =>
    sizedOf('', { memory: undefined, address_space: { bytes: mb * MIB, used: 1000 * MIB } });
  assert.deepEqual(within(8000).buffers, DEFAULT_COUNTS);
  const { buffers, notice } = within(2600);
  assert.match(notice!, /2600 MB of address space \(ulimit -v\), so it takes 1 data thread with 64 MB of buffers/);
  assert.ok(buffers.small_count < DEFAULT_COUNTS.small_count);
  const [{ code, message } = assert.fail()] = within(2500).diagnostics;
  assert.equal(code, 'too-little-memory');
  assert.match(message, /needs 2544 MB of address space .* may have 2500 MB/);
});

test('while memory is short clients become fewer second by second, but never none; the limit is lifted well below', () => {
  assert.equal(nextCap(undefined, 0.9, 500), undefined);
  assert.equal(nextCap(undefined, 0.93, 500), 500);
  assert.equal(nextCap(500, 0.95, 480), 450);
  assert.equal(nextCap(33, 0.99, 480), 32);
  assert.equal(nextCap(450, 0.9, 300), 450);
  assert.equal(nextCap(450, 0.8, 300), undefined);
});
