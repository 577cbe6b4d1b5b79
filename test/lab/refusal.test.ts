/** Where the system refuses namespaces, one sentence says which setting does, and that sudo helps. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** A namespace of users with that limit, and nobody in it who could make namespaces. */
const POWERLESS = `
  echo "$1" > /proc/sys/user/max_user_namespaces &&
  shift && exec setpriv --bounding-set=-all --inh-caps=-all "$@"`;

test('the refusing setting is named', { skip: needs('unshare') }, () => {
  const lab = [process.execPath, main, 'lab', 'host-death'];
  const run = spawnSync('unshare', ['--user', '--map-root-user', 'sh', '-c', POWERLESS, 'sh', '0', ...lab], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  assert.equal(run.stdout, '');
  assert.match(
    run.stderr,
    /^carpool: .*user\.max_user_namespaces = 0.*sysctl -w user\.max_user_namespaces=.*sudo\.\n$/,
  );
  assert.equal(run.status, 1);
});

test('a scenario that does not exist is answered with the nearest one', () => {
  const run = spawnSync(process.execPath, [main, 'lab', 'host-deth'], { encoding: 'utf8', timeout: PATIENCE_MS });
  assert.equal(run.stderr, 'carpool: There is no scenario "host-deth". Did you mean "host-death"?\n');
  assert.equal(run.status, 1);
});
