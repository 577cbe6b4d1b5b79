/** The thread as the daemon meets it: started in this process, on a network of its own. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { checkCarpHost } from '#src/system/carp-host.js';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { type CarpHandle, startCarpThread } from '#src/threads/carp-handle.js';
import type { FromCarp } from '#src/threads/carp-messages.js';
import * as memory from '#src/threads/shared-memory.js';
import { eventually, needsNamespaces, type TestHost, type TestNetwork, vip } from '../helpers/carp-network.js';
import { scene } from '../helpers/carp-pair.js';
import { carpOf, configOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP = '10.44.0.50';

type Scene = {
  readonly host: TestHost;
  readonly carp: CarpHandle;
  readonly messages: FromCarp[];
  readonly shared: memory.SharedMemory;
};

/** A thread with one vhid, whose settings `spoil` may change. */
function start(network: TestNetwork, wait_for_ready: boolean, addresses?: string[]): Scene {
  const host = network.addHost('a', '10.44.0.1');
  const messages: FromCarp[] = [];
  const shared = memory.createSharedMemory({ threads: 3, servers: 0, backends: 0, frontends: 0, binds: 0 });
  const carp = insideNetworkNamespace(host.link.namespace_fd, () => {
    const { vhids } = checkCarpHost(configOf([carpOf({ vhid: 1, addresses: [vip(VIP)] })]));
    return startCarpThread({
      vhids: addresses ? [{ ...vhids[0], addresses }] : vhids,
      memory: shared,
      watched: [],
      guardian_fd: -1,
      wait_for_ready,
      onMessage: (message) => messages.push(message),
    });
  });
  return { host, carp, messages, shared };
}

const has = (messages: FromCarp[], kind: FromCarp['kind']) => messages.some((message) => message.kind === kind);

describe('the carp thread', { skip: needsNamespaces(), concurrency: true }, () => {
  scene('stays in INIT until it is told that the process is ready, then holds its address', async (network) => {
    const { host, carp, messages, shared } = start(network, true);
    await eventually('it starts', PATIENCE_MS, () => has(messages, 'started'));
    const [waiting] = (await carp.status(1000))!.vhids;
    assert.equal(waiting.state, 'INIT');
    assert.equal(waiting.demotions[0].owner, 'starting');
    carp.post({ kind: 'undemote', owner: 'starting' });
    await eventually('it holds the address', 5000, () => host.has(VIP));
    assert.ok(await carp.stop('the test is over', 1000));
    assert.ok(!host.has(VIP));
    assert.ok(await carp.stop('once more', 1000), 'stopping twice is no harm');
    assert.equal(await carp.status(100), undefined);
    assert.equal(Atomics.load(shared.words, memory.threadAt(shared, memory.THREAD_CARP) + memory.THREAD_STATE), 2);
  });

  scene('leaves at the stop word, though nobody wrote a message', async (network) => {
    const { carp, messages, shared } = start(network, true);
    await eventually('it starts', PATIENCE_MS, () => has(messages, 'started'));
    Atomics.store(shared.words, memory.STOP, memory.STOP_SOFT);
    carp.wake();
    await eventually('it stops', 1000, () => has(messages, 'stopped'));
  });

  scene('says what went wrong when it cannot run, and that it ended', async (network) => {
    const { carp, messages } = start(network, false, ['nonsense']);
    await eventually('it ends', PATIENCE_MS, () => has(messages, 'stopped'));
    assert.ok(has(messages, 'fatal'));
    assert.ok(await carp.stop('it is over anyway', 100));
  });

  scene('demotes and undemotes by owner', async (network) => {
    const { carp, messages } = start(network, false);
    await eventually('it starts', PATIENCE_MS, () => has(messages, 'started'));
    const owners = async () =>
      (await carp.status(1000))!.vhids[0].demotions.map(({ owner, amount }) => [owner, amount]);
    carp.post({ kind: 'demote', owner: 'config:few servers', amount: 100, reason: 'few servers', index: 0 });
    assert.deepEqual(await owners(), [['config:few servers', 100]]);
    carp.post({ kind: 'undemote', owner: 'config:few servers', index: 0 });
    assert.deepEqual(await owners(), []);
    await carp.stop('the test is over', 1000);
  });
});
