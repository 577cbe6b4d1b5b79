/** `userlist` sections: whom HAProxy and carpool believe, with the same users, groups, hashes and conditions. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** `secret`, as `openssl passwd` with -1, -5 and -6 writes it. */
const HASHES = {
  md5: '$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1',
  sha256: '$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.',
  sha512: '$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.',
};

const USERS = `userlist people
  group staff users plain,sha512
  group guests
  user plain insecure-password sec:ret
  user md5 password ${HASHES.md5}
  user sha256 password ${HASHES.sha256} groups guests
  user sha512 password ${HASHES.sha512}
userlist others
  user plain insecure-password other
`;

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

const FIELDS: Readonly<Record<string, string | undefined>> = {
  nothing: undefined,
  'a plain password': basic('plain:sec:ret'),
  'the scheme in capitals': basic('plain:sec:ret').replace('Basic', 'BASIC'),
  'a wrong password': basic('plain:sec'),
  'the password of another list': basic('plain:other'),
  'an MD5 hash': basic('md5:secret'),
  'a SHA-256 hash': basic('sha256:secret'),
  'a SHA-512 hash': basic('sha512:secret'),
  'a SHA-512 hash again': basic('sha512:secret'),
  'a wrong password for a hash': basic('sha512:Secret'),
  'the hash as password': basic(`sha512:${HASHES.sha512}`),
  'an unknown user': basic('eve:secret'),
  'no colon': basic('plain'),
  'no base64': 'Basic !!!',
  'another scheme': 'Bearer abc',
};

const BACKENDS = ['staff', 'guests', 'others', 'known', 'eve', 'wrong', 'claimed', 'strangers'];

function configOf(port: number, probed: number, server: number): string {
  return `global
  log stderr format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${USERS}
frontend web
  bind 127.0.0.1:${port}
  log global
  log-format "went to %b"
  acl known http_auth(people)
  stats uri /stats
  stats http-request auth realm People unless known
  stats admin if { http_auth_group(people) staff }
  use_backend staff if { http_auth_group(people) staff }
  use_backend guests if { http_auth_group(people) guests }
  use_backend others if { http_auth(others) }
  use_backend known if known
  use_backend eve if { http_auth_user eve }
  use_backend wrong if { http_auth_pass Secret }
  use_backend claimed if { http_auth_type Basic }
  default_backend strangers
${BACKENDS.map((name) => `backend ${name}\n  server s 127.0.0.1:${server}`).join('\n')}
listen probed
  bind 127.0.0.1:${probed}
`;
}

/** What each of them gets: the statistics page or not, with its form or not, and the backend that other requests go to. */
async function answersOf(t: TestContext, program: Program, server: number): Promise<Record<string, string>> {
  const [port, probed] = [await freePort(), await freePort()];
  const balancer = await startBalancer(t, program, configOf(port, probed, server), probed);
  const backends = () => [...balancer.log().matchAll(/went to (?!web)(\w+)/g)].map(([, name]) => name);
  const answers: Record<string, string> = {};
  for (const [name, field] of Object.entries(FIELDS)) {
    const page = await ask(port, '/stats', field);
    const before = backends().length;
    await ask(port, '/', field);
    await until(`${program} logs ${name}`, () => backends().length > before);
    const acts = /<form[^>]+method="?post/i.test(page.body) ? ' with its form' : '';
    answers[name] = `${page.status}${acts} ${page.wants ?? ''}, ${backends().at(-1)}`;
  }
  return answers;
}

type Answer = { readonly status: number; readonly wants: string | undefined; readonly body: string };

async function ask(port: number, path: string, authorization: string | undefined): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization };
  const asked = request({ port, host: '127.0.0.1', path, headers, agent: false }).end();
  const [answer] = await once(asked, 'response');
  let body = '';
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode, wants: answer.headers['www-authenticate'], body };
}

test('HAProxy and carpool believe the same users, by password, hash and group', {
  skip: needs('haproxy'),
  timeout: 120_000,
}, async (t) => {
  const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const [theirs, ours] = await Promise.all(
    (['haproxy', 'carpool'] as const).map((program) => answersOf(t, program, port)),
  );
  assert.deepEqual(ours, theirs);
  assert.equal(ours!['a SHA-512 hash'], '200 with its form , staff');
  assert.equal(ours!['an unknown user'], '401 Basic realm="People", eve');
});
