/** A thread that blocks in the kernel: how it is woken and stopped, and which back end it gets. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { chooseReactor } from '#src/reactor/choose.js';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { countDescriptors, KINDS, Rig } from './harness.js';

const STOP_MS = 500;
const IO_URING_CALLS = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 };

for (const kind of KINDS) {
  test(`${kind}: what is written to the eventfd ends a wait, is told once, and nothing spins after it`, () => {
    const rig = new Rig(kind);
    for (let round = 1; round <= 3; round++) {
      wake(rig.wake_fd);
      wake(rig.wake_fd);
      const begin_ms = performance.now();
      rig.until('the wake-up is told', () => rig.wakes === round);
      assert.ok(performance.now() - begin_ms < 1000);
      assert.ok(rig.passesWithin(120, 40) < 8, 'nothing spins');
      assert.equal(rig.wakes, round);
    }
    rig.everythingIsHome();
  });

  for (const flags of [EFD_CLOEXEC, EFD_CLOEXEC | EFD_NONBLOCK]) {
    const which = flags & EFD_NONBLOCK ? 'non-blocking' : 'blocking';
    test(`${kind}: a thread that blocks is woken by another one and stops within ${STOP_MS} ms (${which} eventfd)`, async () => {
      const wake_fd = libc.eventfd(0, flags);
      const worker = new Worker(new URL('./loop-worker.js', import.meta.url), { workerData: { kind, wake_fd } });
      const exited = once(worker, 'exit');
      try {
        assert.deepEqual(await once(worker, 'message'), ['ready']);
        wake(wake_fd); // nothing to hear, only to look
        await new Promise((resolve) => setTimeout(resolve, 50));
        worker.postMessage('stop');
        wake(wake_fd);
        const begin_ms = performance.now();
        const [{ woken, passes }] = await once(worker, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
        const time_ms = performance.now() - begin_ms;
        assert.ok(time_ms < STOP_MS, `it took ${time_ms} ms`);
        assert.equal(woken, 2);
        assert.ok(passes <= 4, `${passes} passes for two wake-ups`);
        assert.deepEqual(await exited, [0]);
      } finally {
        wake(wake_fd);
        await worker.terminate();
        libc.close(wake_fd);
      }
    });
  }

  test(`CARPOOL_REACTOR=${kind} decides by force, and the reason says so`, () => {
    const descriptors = countDescriptors();
    const wake_fd = libc.eventfd(0, EFD_CLOEXEC);
    const { reactor, reason } = chooseReactor(
      { small_count: 16, large_count: 1, reserve: 0, pipe_count: 0, socket_count: 4, wake_fd, onWake: () => {} },
      kind,
    );
    assert.equal(reactor.kind, kind);
    assert.match(reason, /CARPOOL_REACTOR/);
    reactor.destroy();
    libc.close(wake_fd);
    assert.equal(countDescriptors(), descriptors);
  });
}

for (const [name, number] of Object.entries(IO_URING_CALLS)) {
  test(`where a filter forbids ${name}, epoll is chosen and the reason names it`, () => {
    assert.deepEqual(chooseIn(number, ''), {
      kind: 'epoll',
      reason: `the kernel refuses io_uring (${name}: EPERM)`,
    });
  });
}

test('where io_uring is forbidden and CARPOOL_REACTOR=ring, the refusal is told instead of another choice', () => {
  assert.deepEqual(chooseIn(IO_URING_CALLS.io_uring_setup, 'ring'), {
    kind: 'RingRefused',
    reason: 'io_uring_setup: EPERM',
  });
});

test('where nothing is forbidden, the kernel decides, and the reason says what it said', () => {
  const { kind, reason } = chooseIn(0, '');
  assert.match(reason, kind === 'ring' ? /allows io_uring/ : /io_uring/);
});

function chooseIn(refused: number, forced: string): { kind: string; reason: string } {
  const program = fileURLToPath(new URL('./refused-process.js', import.meta.url));
  const result = spawnSync(process.execPath, [program, String(refused), forced], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout);
}

function wake(fd: number): void {
  const one = libc.allocatePinned(8);
  one.words[0] = 1;
  assert.equal(libc.write(fd, one.address, 8), 8);
  libc.munmap(one.address, 8);
}
