import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileMappings, lockProgram } from '#src/system/locked-memory.js';

const MAPS = `00400000-00ff0000 r--p 00000000 fe:00 1234                               /usr/bin/node
00ff0000-02ff0000 r-xp 00bf0000 fe:00 1234                               /usr/bin/node
03000000-03010000 rw-p 02bf0000 fe:00 1234                               /usr/bin/node
7f0000000000-7f0000100000 r-xp 00000000 00:00 0
7f0000200000-7f0000300000 rw-p 00000000 00:00 0                          [heap]
7f0000400000-7f0000500000 r--s 00000000 fe:00 99                         /usr/lib/gconv-modules.cache
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]
`;

test('what is locked are the files of the program, not the heaps of V8', () => {
  assert.deepEqual(fileMappings(MAPS), [
    { begin: 0x400000, length: 0xbf0000 },
    { begin: 0xff0000, length: 0x2000000 },
  ]);
});

test('the program stays in memory where the system allows it', { skip: process.getuid?.() !== 0 }, () => {
  const locked_kib = () => Number(/^VmLck:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = locked_kib();
  assert.equal(lockProgram(), true);
  assert.ok(locked_kib() - before > 20_000, `${locked_kib()} KiB`);
});
