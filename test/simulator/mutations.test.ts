/** The simulator finds mistakes: every mutation of the rules breaks an invariant within a few runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore } from './explore.js';
import { MUTATIONS } from './mutations.js';

const RUNS = 600;

for (const { rule, core, caught_by, scope = { plain: true } } of MUTATIONS) {
  test(`it is found out when ${rule}`, () => {
    const { broken, text } = explore({
      seed: 1,
      runs: RUNS,
      core,
      hosts_max: 3,
      advbases: [1],
      shrink: false,
      ...scope,
    });
    assert.ok(broken, text);
    assert.ok(caught_by.includes(broken.invariant), text);
  });
}
