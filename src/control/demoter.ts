/** Keeps the carp thread's demotions equal to what the rules of the configuration say about the servers now. */
import type { Config } from '../config/model.ts';
import { evaluateRule, ruleOwner, type ServersOf } from './demotion-rules.ts';

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
  const entries = config.carps.flatMap((carp, index) =>
    carp.demotions.map((rule) => ({ index, rule, owner: ruleOwner(rule), reason: '' })),
  );
  return {
    evaluate() {
      for (const entry of entries) {
        const { demoted, reason } = evaluateRule(entry.rule, serversOf);
        if (reason === entry.reason) continue;
        entry.reason = reason;
        apply({ index: entry.index, owner: entry.owner, amount: demoted ? entry.rule.amount : 0, reason });
      }
    },
  };
}
