/** Real MariaDB, PostgreSQL, Redis and OpenLDAP servers behind `mode tcp`, checked in their own languages. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startMariadb, startPostgres, startRedis, startSlapd } from '../helpers/databases.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
/** Soon down; and a check may take as long as `inter` on a busy machine. */
const QUICK = 'inter 2s fastinter 100ms downinter 100ms rise 1 fall 2';

type Balancer = { sees(pattern: RegExp): Promise<void> };

/** carpool with this file; every wait for its log is bounded. */
async function balance(t: TestContext, lines: readonly string[]): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-databases-'));
  const file = join(folder, 'haproxy.cfg');
  const defaults = ['defaults', '  mode tcp', '  timeout connect 1s', '  timeout client 30s', '  timeout server 30s'];
  writeFileSync(file, ['global', '  nbthread 1', ...defaults, ...lines, ''].join('\n'));
  const env = { ...process.env, CARPOOL_SOCKET: join(folder, 'socket') };
  const child = spawn(process.execPath, [MAIN, '-f', file, '-db'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(folder, { recursive: true });
  });
  let log = '';
  let look = (): void => {};
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    look();
  });
  const balancer: Balancer = {
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the log does not match ${pattern}:\n${log}`)), PATIENCE_MS);
        look = () => {
          if (!pattern.test(log)) return;
          clearTimeout(timer);
          resolve();
        };
        look();
      }),
  };
  await balancer.sees(/ ready$/m);
  return balancer;
}

/** Which of the databases answers: each has a port of its own. */
async function askMariadb(port: number): Promise<number> {
  const place = ['--no-defaults', '--protocol=tcp', '-h127.0.0.1', `-P${port}`, '-uhaproxy', '--skip-ssl'];
  const words = [...place, '-N', '-B', '-e', 'SELECT @@port'];
  const { stdout } = await promisify(execFile)(peerPath('mariadb-client'), words, { timeout: PATIENCE_MS });
  return Number(stdout);
}

test('of a MariaDB pair one is killed: questions go on at the other', {
  skip: needs('mariadb', 'mariadb-client'),
}, async (t) => {
  const [one, other] = await Promise.all([startMariadb(t, { user: 'haproxy' }), startMariadb(t, { user: 'haproxy' })]);
  const port = await freePort();
  const balancer = await balance(t, [
    'listen mysql',
    `  bind 127.0.0.1:${port}`,
    '  option mysql-check user haproxy',
    `  server one 127.0.0.1:${one.port} check ${QUICK}`,
    `  server other 127.0.0.1:${other.port} check ${QUICK}`,
    'backend strangers',
    '  option mysql-check user nobody',
    `  server one 127.0.0.1:${one.port} check ${QUICK}`,
  ]);
  const answered = [await askMariadb(port), await askMariadb(port)];
  assert.deepEqual(new Set(answered), new Set([one.port, other.port]));
  await balancer.sees(/server strangers\/one is down: MySQL error 1045: Access denied for user 'nobody'/);

  await one.kill();
  await balancer.sees(/server mysql\/one is down: connection refused/);
  for (let count = 0; count < 4; count++) assert.equal(await askMariadb(port), other.port);
});

test('PostgreSQL, Redis and LDAP servers are well until they are killed', {
  skip: needs('postgres', 'redis', 'slapd'),
}, async (t) => {
  const [postgres, redis, guarded, directory] = await Promise.all([
    startPostgres(t),
    startRedis(t),
    startRedis(t, '--requirepass', 's3cret'),
    startSlapd(t),
  ]);
  const balancer = await balance(t, [
    'listen postgres',
    `  bind 127.0.0.1:${await freePort()}`,
    '  option pgsql-check user postgres',
    '  option log-health-checks',
    `  server one 127.0.0.1:${postgres.port} check ${QUICK}`,
    'backend redis',
    '  option redis-check',
    `  server one 127.0.0.1:${redis.port} check ${QUICK}`,
    `  server guarded 127.0.0.1:${guarded.port} check ${QUICK}`,
    'backend redis-master',
    '  option tcp-check',
    '  tcp-check send PING\\r\\n',
    '  tcp-check expect string +PONG',
    '  tcp-check send info\\ replication\\r\\n',
    '  tcp-check expect string role:master',
    '  tcp-check send QUIT\\r\\n',
    '  tcp-check expect string +OK',
    `  server one 127.0.0.1:${redis.port} check ${QUICK}`,
    'backend directory',
    '  option ldap-check',
    '  option log-health-checks',
    `  server one 127.0.0.1:${directory.port} check ${QUICK}`,
    'backend not-a-database',
    '  option pgsql-check user postgres',
    `  server one 127.0.0.1:${redis.port} check ${QUICK}`,
  ]);
  await balancer.sees(/Health check for server postgres\/one succeeded, reason: Layer7 check passed, code: 0/);
  await balancer.sees(/Health check for server directory\/one succeeded, .*status: 2\/2 UP\.$/m);
  await balancer.sees(/server redis\/guarded is down: Redis says -NOAUTH/);
  await balancer.sees(/server not-a-database\/one is down: /);

  await Promise.all([postgres.kill(), redis.kill(), directory.kill()]);
  for (const name of ['postgres', 'redis', 'redis-master', 'directory']) {
    await balancer.sees(new RegExp(`server ${name}/one is down: `));
  }
});
