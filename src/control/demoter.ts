/** Keeps the carp thread's demotions equal to what the rules of the configuration say about the servers now. */
import type { Config } from '../config/model.ts';
import { trackedBackendName } from '../config/tracked-backends.ts';
import { evaluateRule, evaluateTrack, ruleOwner, type ServersOf } from './demotion-rules.ts';

/** One rule's verdict has changed; amount 0 ends the demotion. `index` is the vhid's position in `config.carps`. */
export type DemotionChange = {
  readonly index: number;
  readonly owner: string;
  readonly amount: number;
  readonly reason: string;
};

export type Demoter = {
  /** Call it at the start and after each change of a server's state. */
  evaluate(): void;
};

export function createDemoter(config: Config, serversOf: ServersOf, apply: (change: DemotionChange) => void): Demoter {
  const entries = config.carps.flatMap((carp, index) => [
    ...carp.demotions.map((rule) => ({
      index,
      amount: rule.amount,
      owner: ruleOwner(rule),
      reason: '',
      evaluate: () => evaluateRule(rule, serversOf),
    })),
    ...carp.tracks.map((track) => ({
      index,
      amount: track.amount,
      owner: `track ${track.text}`,
      reason: '',
      evaluate: () => evaluateTrack(track.text, serversOf(trackedBackendName(carp, track))),
    })),
  ]);
  return {
    evaluate() {
      for (const entry of entries) {
        const { demoted, reason } = entry.evaluate();
        if (reason === entry.reason) continue;
        entry.reason = reason;
        apply({ index: entry.index, owner: entry.owner, amount: demoted ? entry.amount : 0, reason });
      }
    },
  };
}
