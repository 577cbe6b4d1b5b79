/** Keeps the carp thread's demotions equal to what the rules of the configuration say about the servers now. */
import type { Config } from '../config/model.ts';
import { trackedBackendName } from '../config/tracked-backends.ts';
import { evaluateRule, evaluateTrack, ruleOwner, type ServersOf } from './demotion-rules.ts';

/** One rule's verdict has changed; amount 0 ends the demotion. `name` is the carp section's. */
export type DemotionChange = {
  readonly name: string;
  readonly owner: string;
  readonly amount: number;
  readonly reason: string;
};

export type Demoter = {
  /** Call it at the start and after each change of a server's state. */
  evaluate(): void;
  /** Why each rule demotes now, by rule; '' where it does not. For the demoter of the next configuration. */
  readonly reasons: ReadonlyMap<string, DemotionChange>;
};

/** `earlier` is that of the configuration before, whose demotions stand; those of rules that are gone end. */
export function createDemoter(
  config: Config,
  serversOf: ServersOf,
  apply: (change: DemotionChange) => void,
  earlier?: Demoter,
): Demoter {
  const entries = config.carps.flatMap((carp) => [
    ...carp.demotions.map((rule) => ({
      name: carp.name,
      amount: rule.amount,
      owner: ruleOwner(rule),
      evaluate: () => evaluateRule(rule, serversOf),
    })),
    ...carp.tracks.map((track) => ({
      name: carp.name,
      amount: track.amount,
      owner: `track ${track.text}`,
      evaluate: () => evaluateTrack(track.text, serversOf(trackedBackendName(carp, track))),
    })),
  ]);
  const keyOf = ({ name, owner }: { name: string; owner: string }) => `${name} ${owner}`;
  const reasons = new Map(earlier?.reasons);
  return {
    reasons,
    evaluate() {
      for (const [key, change] of reasons) {
        if (entries.some((entry) => keyOf(entry) === key)) continue;
        reasons.delete(key);
        if (change.reason !== '') apply({ ...change, amount: 0, reason: '' });
      }
      for (const entry of entries) {
        const { demoted, reason } = entry.evaluate();
        if (reason === (reasons.get(keyOf(entry))?.reason ?? '')) continue;
        const change = { name: entry.name, owner: entry.owner, amount: demoted ? entry.amount : 0, reason };
        reasons.set(keyOf(entry), change);
        apply(change);
      }
    },
  };
}
