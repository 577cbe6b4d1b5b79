/**
 * Keywords of the global section that real files carry and that carpool can do without: each is read, and a warning says what is
 * lost. What would let traffic pass that HAProxy stops, or change what clients and servers see, is not among them.
 */
import { type Keyword, withoutEffect } from './keyword.ts';

const LOST: Readonly<Record<string, string>> = {
  'TLS is not supported': `
    ca-base crt-base key-base issuers-chain-path maxsslconn maxsslrate noktls ssl-dh-param-file ssl-engine
    ssl-load-extra-del-ext ssl-load-extra-files ssl-mode-async ssl-propquery ssl-provider ssl-provider-path
    ssl-security-level ssl-server-verify ssl-skip-self-issued-ca ocsp-update.disable ocsp-update.maxdelay
    ocsp-update.mindelay ocsp-update.mode
    ssl-default-bind-ciphers ssl-default-bind-ciphersuites ssl-default-bind-client-sigalgs ssl-default-bind-curves
    ssl-default-bind-options ssl-default-bind-sigalgs ssl-default-server-ciphers ssl-default-server-ciphersuites
    ssl-default-server-client-sigalgs ssl-default-server-curves ssl-default-server-options ssl-default-server-sigalgs`,
  'QUIC is not supported': 'no-quic limited-quic',
  'HTTP/2 is not supported': 'h2-workaround-bogus-websocket-clients',
  'answers are not compressed': 'maxcompcpuusage maxcomprate maxzlibmem',
  'there is one process': 'master-worker mworker-max-reloads',
  'the descriptor limit stays as it is': 'ulimit-n fd-hard-limit prealloc-fd',
  'nothing shows it': 'description',
  'the kernel places the threads': `
    cpu-affinity cpu-map cpu-policy cpu-set max-threads-per-group numa-cpu-mapping thread-group thread-groups`,
  'nbthread says how many threads there are': 'thread-hard-limit',
  'CARPOOL_REACTOR chooses the reactor': 'busy-polling noepoll noevports nokqueue nopoll',
  'carpool chooses how bytes move': 'maxpipes nosplice',
  'names are looked up by the system, or by `resolvers`': 'nogetaddrinfo',
  'memory is given back as Node does it': 'no-memory-trimming',
  'the system decides about core files': 'set-dumpable',
  'messages are written as always': 'quiet',
  'nothing is measured for it': 'profiling.tasks warn-blocked-traffic-after',
  'there is no HTTP client inside': `
    httpclient.resolvers.disabled httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries
    httpclient.ssl.ca-file httpclient.ssl.verify httpclient.timeout.connect`,
  'there are no peers': 'cluster-secret localpeer',
  'a reload closes no connection of its own accord': 'close-spread-time',
  'nothing is hidden': 'expose-deprecated-directives expose-experimental-directives',
  'names of header fields are sent on as they came': 'h1-case-adjust h1-case-adjust-file',
};

export const GLOBAL_WITHOUT_EFFECT: readonly Keyword<unknown>[] = Object.entries(LOST).flatMap(([lost, names]) =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => withoutEffect(name, ['global'], lost)),
);
