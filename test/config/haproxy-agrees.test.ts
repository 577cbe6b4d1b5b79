/**
 * The real HAProxy reads the same files: what it accepts we accept, what it refuses we refuse. The folders of
 * test/config/golden/ whose names begin with `haproxy-` hold nothing that only one of the two knows.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '#src/config/load.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';

const folder = fileURLToPath(new URL('../../../test/config/golden', import.meta.url));

for (const name of readdirSync(folder).filter((each) => each.startsWith('haproxy-'))) {
  test(`HAProxy judges the configuration "${name}" as we do`, { skip: needs('haproxy') }, () => {
    const file = join(folder, name, 'haproxy.cfg');
    const { config } = loadConfig([{ file, text: readFileSync(file, 'utf8') }]);
    const theirs = spawnSync(peerPath('haproxy'), ['-c', '-f', file], { encoding: 'utf8', timeout: PATIENCE_MS });
    assert.equal(config !== undefined, theirs.status === 0, theirs.stderr);
  });
}
