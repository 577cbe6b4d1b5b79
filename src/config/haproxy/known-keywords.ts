/**
 * Every keyword that HAProxy 3.5 itself registers (`haproxy -dKall`) or that its manual's tables list, as data.
 * A keyword that stands here and in no table of ours is "known to HAProxy, not supported yet"; one that stands
 * nowhere is a typing mistake.
 */

const words = (text: string): string[] => text.trim().split(/\s+/);

export const HAPROXY_SECTIONS: readonly string[] = words(`
  acme backend cache crt-store defaults fcgi-app frontend global http-errors listen log-forward log-profile mailers
  peers program resolvers ring traces userlist
`);

export const HAPROXY_GLOBAL: ReadonlySet<string> = new Set(
  words(`
  51degrees-cache-size 51degrees-data-file 51degrees-property-name-list 51degrees-property-separator acme.scheduler
  anonkey busy-polling ca-base chroot close-spread-time cluster-secret cpu-affinity cpu-map cpu-policy cpu-set
  crt-base daemon debug default-path description deviceatlas-json-file deviceatlas-log-level
  deviceatlas-properties-cookie deviceatlas-separator dns-accept-family expose-deprecated-directives
  expose-experimental-directives external-check fd-hard-limit force-cfg-parser-pause gid grace group
  h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file h1-do-not-close-on-insecure-transfer-encoding
  h2-workaround-bogus-websocket-clients hard-stop-after harden.reject-privileged-ports.quic
  harden.reject-privileged-ports.tcp hostname http-err-codes http-fail-codes httpclient.resolvers.disabled
  httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries httpclient.ssl.ca-file httpclient.ssl.verify
  httpclient.timeout.connect insecure-fork-wanted insecure-setuid-wanted issuers-chain-path jwt.decrypt_alg_list
  jwt.decrypt_enc_list key-base limited-quic localpeer log log-send-hostname log-tag lua-load lua-load-per-thread
  lua-prepend-path master-worker max-spread-checks max-threads-per-group maxcompcpuusage maxcomprate maxconn
  maxconnrate maxpipes maxsessrate maxsslconn maxsslrate maxzlibmem mworker-max-reloads nbthread
  no-memory-trimming no-quic node noepoll noevports nogetaddrinfo nokqueue noktls nopoll noreuseport nosplice
  numa-cpu-mapping ocsp-update.disable ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay
  ocsp-update.mode pidfile pp2-never-send-local prealloc-fd presetenv profiling.tasks quiet resetenv
  server-state-base server-state-file set-dumpable set-var set-var-fmt setcap setenv shm-stats-file
  shm-stats-file-max-objects spread-checks ssl-default-bind-ciphers ssl-default-bind-ciphersuites
  ssl-default-bind-client-sigalgs ssl-default-bind-curves ssl-default-bind-options ssl-default-bind-sigalgs
  ssl-default-server-ciphers ssl-default-server-ciphersuites ssl-default-server-client-sigalgs
  ssl-default-server-curves ssl-default-server-options ssl-default-server-sigalgs ssl-dh-param-file ssl-engine
  ssl-load-extra-del-ext ssl-load-extra-files ssl-mode-async ssl-passphrase-cmd ssl-propquery ssl-provider
  ssl-provider-path ssl-security-level ssl-server-verify ssl-skip-self-issued-ca stats stress-level strict-limits
  thread-group thread-groups thread-hard-limit tune.applet.zero-copy-forwarding tune.buffers.limit
  tune.buffers.reserve tune.bufsize tune.bufsize.large tune.bufsize.small tune.chksize tune.cli.max-payload-size
  tune.comp.maxlevel tune.defaults.purge tune.disable-fast-forward tune.disable-zero-copy-forwarding
  tune.epoll.mask-events tune.events.max-events-at-once tune.fail-alloc tune.fd.edge-triggered tune.fd.tables
  tune.glitches.kill.cpu-usage tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold tune.h1.zero-copy-fwd-recv
  tune.h1.zero-copy-fwd-send tune.h2.be.glitches-threshold tune.h2.be.initial-window-size
  tune.h2.be.max-concurrent-streams tune.h2.be.max-frames-at-once tune.h2.be.rxbuf tune.h2.fe.glitches-threshold
  tune.h2.fe.initial-window-size tune.h2.fe.max-concurrent-streams tune.h2.fe.max-frames-at-once
  tune.h2.fe.max-rst-at-once tune.h2.fe.max-total-streams tune.h2.fe.rxbuf tune.h2.header-table-size
  tune.h2.initial-window-size tune.h2.log-errors tune.h2.max-concurrent-streams tune.h2.max-frame-size
  tune.h2.zero-copy-fwd-send tune.http.cookielen tune.http.logurilen tune.http.maxhdr tune.idle-pool.shared
  tune.idletimer tune.listener.default-shards tune.listener.multi-queue tune.lua.bool-sample-conversion
  tune.lua.burst-timeout tune.lua.forced-yield tune.lua.log.loggers tune.lua.log.stderr tune.lua.maxmem
  tune.lua.openlibs tune.lua.service-timeout tune.lua.session-timeout tune.lua.task-timeout
  tune.max-checks-per-thread tune.max-rules-at-once tune.maxaccept tune.maxpollevents tune.maxrewrite
  tune.memory.hot-size tune.notsent-lowat.client tune.notsent-lowat.server tune.pattern.cache-size
  tune.peers.max-updates-at-once tune.pipesize tune.pool-high-fd-ratio tune.pool-low-fd-ratio
  tune.pt.zero-copy-forwarding tune.quic.frontend.conn-tx-buffers.limit tune.quic.frontend.max-idle-timeout
  tune.quic.frontend.max-streams-bidi tune.quic.retry-threshold tune.quic.socket-owner tune.rcvbuf.backend
  tune.rcvbuf.client tune.rcvbuf.frontend tune.rcvbuf.server tune.recv_enough tune.renice.runtime tune.renice.startup
  tune.ring.queues tune.runqueue-depth tune.sched.low-latency tune.sndbuf.backend tune.sndbuf.client
  tune.sndbuf.frontend tune.sndbuf.server tune.ssl.cachesize tune.ssl.capture-buffer-size
  tune.ssl.capture-cipherlist-size tune.ssl.certificate-compression tune.ssl.default-dh-param
  tune.ssl.force-private-cache tune.ssl.hard-maxrecord tune.ssl.keylog tune.ssl.keyupdate-rate-limit
  tune.ssl.lifetime tune.ssl.maxrecord tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay
  tune.ssl.ssl-ctx-cache-size tune.stick-counters tune.streams-elasticity tune.takeover-other-tg-connections
  tune.vars.check-max-size tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size
  tune.vars.sess-max-size tune.vars.txn-max-size tune.zlib.memlevel tune.zlib.windowsize uid ulimit-n unix-bind
  unsetenv user warn-blocked-traffic-after wurfl-cache-size wurfl-data-file wurfl-information-list
  wurfl-information-list-separator zero-warning
`),
);

/** Keywords of proxies, by the sections that take them: D defaults, F frontend, L listen, B backend. */
export const HAPROXY_PROXY: ReadonlyMap<string, string> = bySections({
  DFLB: `
    acl be-unpublished bind-process compression disabled email-alert enabled errorfile
    errorfiles errorloc errorloc302 errorloc303 filter-sequence force-be-switch guid hash-preserve-affinity
    http-after-response http-error http-request http-response log log-steps log-tag mode option ssl-f-use stats
    tcp-request timeout
  `,
  DFL: `
    backlog clitcpka-cnt clitcpka-idle clitcpka-intvl default_backend error-log-format log-format log-format-sd
    maxconn monitor-uri rate-limit unique-id-format unique-id-header
  `,
  DLB: `
    balance cookie default-server dynamic-cookie-key external-check fullconn hash-balance-factor hash-type http-check http-reuse http-send-name-header
    load-server-state-from-file max-keep-alive-queue persist retries retry-on server-state-file-name source
    srvtcpka-cnt srvtcpka-idle srvtcpka-intvl tcp-check tcp-response transparent
  `,
  FL: `
    bind capture declare monitor use_backend
  `,
  FLB: `
    description filter id redirect stick-table
  `,
  LB: `
    dispatch force-persist ignore-persist server server-template stick use-fcgi-app use-server
  `,
});

/** `option NAME`, by the sections that take it. */
export const HAPROXY_OPTIONS: ReadonlyMap<string, string> = bySections({
  DLB: `
    abortonclose accept-invalid-http-response accept-unsafe-violations-in-http-response allbackups checkcache
    external-check h1-case-adjust-bogus-server http-drop-request-trailers http-pretend-keepalive httpchk ldap-check
    log-health-checks mysql-check persist pgsql-check prefer-last-server redis-check redispatch smtpchk spop-check
    srvtcpka ssl-hello-chk tcp-check tcp-smart-connect transparent
  `,
  DFL: `
    accept-invalid-http-request accept-unsafe-violations-in-http-request clitcpka contstats disable-h2-upgrade
    dontlog-normal dontlognull h1-case-adjust-bogus-client http-drop-response-trailers http-ignore-probes
    http-use-proxy-header httplog httpslog idle-close-on-response log-separate-errors logasap socket-stats
    tcp-smart-accept
  `,
  DFLB: `
    forwardfor http-buffer-request http-keep-alive http-no-delay http-restrict-req-hdr-names http-server-close
    httpclose independent-streams nolinger originalto splice-auto splice-request splice-response tcpka tcplog
  `,
});

/** Words of a `bind` line and how many arguments each has. */
export const HAPROXY_BIND_WORDS: ReadonlyMap<string, number> = new Map([
  ...withArguments(
    1,
    `
    accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file cc ciphers
    ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe expose-fd gid group
    guid-prefix id idle-ping interface ktls label level maxconn mode mss name namespace nbconn nice npn process proto
    severity-output shards sigalgs ssl-max-ver ssl-min-ver tcp-md5sig tcp-ss tcp-ut thread tls-ticket-keys uid user
    verify
  `,
  ),
  ...withArguments(
    0,
    `
    accept-proxy allow-0rtt defer-accept force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13
    generate-certificates no-alpn no-ca-names no-sslv3 no-strict-sni no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12
    no-tlsv13 prefer-client-ciphers ssl strict-sni tfo tls-tickets transparent v4v6 v6only
  `,
  ),
]);

/** Words of a `server` line and how many arguments each has (`source` takes one or more). */
export const HAPROXY_SERVER_WORDS: ReadonlyMap<string, number> = new Map([
  ...withArguments(
    1,
    `
    addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn check-pool-conn-name check-proto
    check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter error-limit fall fastinter
    guid hash-key healthcheck id idle-ping init-addr init-state inter ktls log-bufsize log-proto max-reuse maxconn
    maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up pool-conn-name pool-low-conn
    pool-max-conn pool-purge-delay port proto proxy-v2-options redir resolve-net resolve-opts resolve-prefer
    resolvers rise shard sigalgs slowstart sni socks4 source ssl-max-ver ssl-min-ver tcp-md5sig tcp-ut track verify
    verifyhost weight ws
  `,
  ),
  ...withArguments(
    0,
    `
    agent-check allow-0rtt backup check check-reuse-pool check-send-proxy check-sni-auto check-ssl check-via-socks4
    disabled enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-agent-check no-backup
    no-check no-check-reuse-pool no-check-send-proxy no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy
    no-send-proxy-v2 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-sni-auto no-ssl no-ssl-reuse no-sslv3 no-tfo
    no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 non-stick renegotiate send-proxy send-proxy-v2
    send-proxy-v2-ssl send-proxy-v2-ssl-cn set-proxy-v2-tlv-fmt sni-auto ssl ssl-reuse stick strict-maxconn tfo
    tls-tickets usesrc
  `,
  ),
]);

/** Words of both that only `ssl` or `check-ssl` give a meaning. */
export const TLS_WORDS: ReadonlySet<string> = new Set(
  words(`
  allow-0rtt alpn ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file check-alpn check-sni check-sni-auto
  check-ssl ciphers ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe
  force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 generate-certificates ktls no-alpn no-ca-names
  no-renegotiate no-sni-auto no-ssl-reuse no-sslv3 no-strict-sni no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12
  no-tlsv13 npn prefer-client-ciphers renegotiate sigalgs sni sni-auto ssl ssl-max-ver ssl-min-ver ssl-reuse
  strict-sni tls-ticket-keys tls-tickets verify verifyhost
`),
);

/** Of the TLS words of a line, the one that is told: the others go with it. */
export function firstTlsWord(line: readonly { readonly text: string }[]): { readonly text: string } | undefined {
  const named = (name: string) => line.find(({ text }) => text === name);
  return named('ssl') ?? named('check-ssl') ?? line.find(({ text }) => TLS_WORDS.has(text));
}

function bySections(lists: Record<string, string>): Map<string, string> {
  return new Map(
    Object.entries(lists).flatMap(([sections, text]) => words(text).map((word) => [word, sections] as const)),
  );
}

function withArguments(count: number, text: string): [string, number][] {
  return words(text).map((word) => [word, count]);
}
