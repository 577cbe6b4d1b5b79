/** Adverts that are milliseconds apart: real-time scheduling, the warning without it, and what a short stall does. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { always, type Carpool, eventually, needsNamespaces, type TestNetwork, vip } from '../helpers/carp-network.js';
import { scene } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const carp = (advskew: number) =>
  carpOf({ vhid: 1, advbase: 0, advskew, preempt: true, addresses: [vip('10.44.0.50')] });

function warnings({ messages }: Carpool): string[] {
  return messages.flatMap((message) => (message.kind === 'log' && message.level === 'warning' ? message.text : []));
}

async function schedulingOf(network: TestNetwork, advskew: number, real_time: boolean) {
  const carpool = network.startCarpool(network.addHost('us', '10.44.0.1'), [carp(advskew)], {
    guardian: false,
    real_time,
  });
  await carpool.becomes('MASTER', PATIENCE_MS);
  return { scheduling: (await carpool.status()).scheduling, warned: warnings(carpool) };
}

describe('adverts that are milliseconds apart', { skip: needsNamespaces(), concurrency: 3 }, () => {
  scene('without real-time scheduling there is a warning with its mend', async (network) => {
    const { scheduling, warned } = await schedulingOf(network, 7, false);
    assert.equal(scheduling, 'SCHED_OTHER');
    assert.equal(warned.length, 1);
    assert.match(warned[0], /vhid 1 on eth0 adverts every 27\.3 ms, but .*LimitRTPRIO=10.* advskew 8 or more/);
  });

  scene('from advskew 8 on there is none', async (network) => {
    assert.deepEqual(await schedulingOf(network, 8, false), { scheduling: 'SCHED_OTHER', warned: [] });
  });

  scene('nor is there with real-time scheduling', async (network) => {
    assert.deepEqual(await schedulingOf(network, 7, true), { scheduling: 'SCHED_RR', warned: [] });
  });

  scene('a master that stood still for less than a tenth of a second stays MASTER', async (network) => {
    const carpool = network.startCarpool(network.addHost('us', '10.44.0.1'), [carp(2)], { guardian: false });
    await carpool.becomes('MASTER', PATIENCE_MS);
    const before = (await carpool.status()).stalls;
    carpool.signal('SIGSTOP');
    await always('it is not heard', 40, () => carpool.states.length > 0);
    carpool.signal('SIGCONT');
    const { stalls, longest_stall_ms } = await carpool.status();
    assert.ok(stalls > before && longest_stall_ms >= 20, `${stalls} stalls, the longest of ${longest_stall_ms} ms`);
    // a machine that itself stood still for longer meanwhile proves nothing
    if (longest_stall_ms < 100) assert.equal(carpool.state, 'MASTER');
    await eventually('it is MASTER', 1000, () => carpool.state === 'MASTER');
  });
});
