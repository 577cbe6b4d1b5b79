/** What would move a vhid next: the facts that `carpool explain` puts into words. */
import type { Prospect } from './events.ts';
import { obstacle } from './obstacles.ts';
import { type Engine, MASTER_DOWN, MASTER_DOWN6, type Vhid } from './state.ts';

export function outlookOf(engine: Engine, vhid: Vhid): readonly Prospect[] {
  if (vhid.state === 'MASTER') return outlookOfMaster(vhid);
  if (vhid.state === 'BACKUP') return outlookOfBackup(vhid);
  const what = engine.stopped ? undefined : obstacle(engine, vhid);
  return what === undefined ? [] : [{ when: 'obstacle', to: 'BACKUP', what }];
}

function outlookOfMaster(vhid: Vhid): Prospect[] {
  return [{ when: 'faster-master', to: 'BACKUP', interval_ns: 1000 * vhid.interval_us }];
}

function outlookOfBackup(vhid: Vhid): Prospect[] {
  const prospects: Prospect[] = vhid.families
    .map((family) => ({ family, at_ns: vhid.due_ns[family === 4 ? MASTER_DOWN : MASTER_DOWN6] }))
    .sort((a, b) => a.at_ns - b.at_ns)
    .map(({ family, at_ns }) => ({ when: 'silence', to: 'MASTER', at_ns, family }));
  const { preempt, preempt_delay_ns = 0 } = vhid.settings;
  if (preempt && vhid.slower_since_ns !== Number.POSITIVE_INFINITY) {
    const at_ns = Math.max(vhid.slower_since_ns + preempt_delay_ns, vhid.calm_until_ns);
    prospects.unshift({ when: 'preempt', to: 'MASTER', at_ns });
  }
  // without preempt only a master that this node would have given up waiting for
  const slower_us = preempt ? vhid.interval_us : vhid.master_down_ns / 1000;
  if (preempt || vhid.settings.advbase !== 0)
    prospects.push({ when: 'slower-master', to: 'MASTER', interval_ns: 1000 * slower_us });
  prospects.push({ when: 'bow-out', to: 'MASTER' });
  return prospects;
}
