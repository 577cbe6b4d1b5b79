/** What each field of `show stat` and `show info` tells, for `desc` and for Prometheus' HELP lines. */

const STAT = `
pxname|the section's name
svname|FRONTEND, BACKEND, or the name of the server or listener
qcur|requests that wait for a server now
qmax|the most that waited at once
scur|sessions now
smax|the most sessions at once
slim|sessions allowed at once: maxconn, of a backend fullconn
stot|sessions since the start
bin|bytes received from clients
bout|bytes sent to clients
dreq|requests refused by a rule
dresp|responses withheld by a rule
ereq|requests that could not be understood, or never came as a whole
econ|requests that got no connection to a server
eresp|responses that failed
wretr|connections that were tried again
wredis|requests that were sent to another server than the first
status|how it stands
weight|the weight it has now, of a backend that of its servers that take traffic
act|active servers that take traffic, of a server whether it is one
bck|backup servers that would take traffic, of a server whether it is one
chkfail|checks that failed while the server was up
chkdown|how often it went down
lastchg|seconds since it last came or went
downtime|seconds that it was down
qlimit|requests that may wait for this server (maxqueue)
pid|the process: always 1
iid|the section's number
sid|the number of the server or listener in its section
throttle|percent of its weight while a server starts slowly
lbtot|requests that the balancing algorithm sent here
tracked|the server whose checks count for this one
type|0 frontend, 1 backend, 2 server, 3 listener
rate|sessions in the last second
rate_lim|sessions allowed in a second
rate_max|the most sessions in a second
check_status|how the last check ended
check_code|the code of the protocol that the last check got
check_duration|milliseconds that the last check took
hrsp_1xx|responses with status 1xx
hrsp_2xx|responses with status 2xx
hrsp_3xx|responses with status 3xx
hrsp_4xx|responses with status 4xx
hrsp_5xx|responses with status 5xx
hrsp_other|responses with another status
hanafail|failures that traffic showed (observe)
req_rate|requests in the last second
req_rate_max|the most requests in a second
req_tot|requests since the start
cli_abrt|requests that the client gave up
srv_abrt|responses that the server broke off
comp_in|bytes that came to be compressed: always 0
comp_out|bytes that compression made of them: always 0
comp_byp|bytes that were not compressed: always 0
comp_rsp|compressed responses: always 0
lastsess|seconds since the last session, -1 for never
last_chk|what the last check said
last_agt|what the agent said last
qtime|mean milliseconds in the queue, of the last 512 requests
ctime|mean milliseconds until connected, of the last 512 requests
rtime|mean milliseconds until the response began, of the last 512 requests
ttime|mean milliseconds until all was over, of the last 512 requests
agent_status|how the last agent check ended
agent_code|the code that the last agent check got
agent_duration|milliseconds that the last agent check took
check_desc|what check_status means
agent_desc|what agent_status means
check_rise|checks that must pass in a row
check_fall|checks that must fail in a row
check_health|the counter between 0 and rise + fall - 1
agent_rise|words of the agent that bring the server back
agent_fall|words of the agent that take it down
agent_health|the agent's counter
addr|address and port
cookie|the server's cookie, of a backend the cookie's name
mode|tcp or http
algo|how servers are chosen
conn_rate|connections in the last second
conn_rate_max|the most connections in a second
conn_tot|connections since the start
intercepted|requests that carpool answered itself
dcon|connections refused by a rule
dses|sessions refused by a rule
wrew|header fields that found no room
connect|attempts to connect to servers
reuse|requests on connections that were open already
cache_lookups|questions to the cache: always 0
cache_hits|answers of the cache: always 0
srv_icur|connections to the server that lie idle
src_ilim|idle connections that a server may keep
qtime_max|the longest time in the queue, in milliseconds
ctime_max|the longest time until connected, in milliseconds
rtime_max|the longest time until a response began, in milliseconds
ttime_max|the longest time until all was over, in milliseconds
eint|failures of carpool itself
idle_conn_cur|idle connections that only their own client may use
safe_conn_cur|idle connections that anybody may use
used_conn_cur|connections in use
need_conn_est|connections that are probably needed
uweight|the weight that people set, of a backend that of all its servers
agg_server_status|servers of the backend by how they stand
agg_server_check_status|the same under an older name
agg_check_status|servers of the backend by how their last check ended
`;

const INFO = `
Name|the program
Version|its version
Release_date|when that version was made
Nbthread|data threads
Nbproc|processes: always 1
Process_num|the process: always 1
Pid|the process's number in the system
Uptime|how long it has been running
Uptime_sec|how many seconds it has been running
Memmax_MB|memory that it may take, in MiB; 0 for no limit
PoolAlloc_MB|resident memory in MiB
PoolUsed_MB|resident memory in MiB
PoolFailed|buffers that were not to be had
Ulimit-n|descriptors that the process may open
Maxsock|descriptors that the process may open
Maxconn|clients that may be here at once
Hard_maxconn|clients that the configuration allows at once
CurrConns|clients now
CumConns|clients since the start
CumReq|requests since the start
MaxSslConns|clients with TLS allowed at once
CurrSslConns|clients with TLS now: always 0
CumSslConns|clients with TLS since the start: always 0
Maxpipes|pipes for splicing that may be open
PipesUsed|pipes in use
PipesFree|pipes that lie idle
ConnRate|clients in the last second
ConnRateLimit|clients allowed in a second; 0 for no limit
MaxConnRate|the most clients in a second
SessRate|sessions in the last second
SessRateLimit|sessions allowed in a second; 0 for no limit
MaxSessRate|the most sessions in a second
SslRate|TLS sessions in the last second: always 0
SslRateLimit|TLS sessions allowed in a second
MaxSslRate|the most TLS sessions in a second: always 0
SslFrontendKeyRate|TLS keys of clients in a second: always 0
SslFrontendMaxKeyRate|the most TLS keys of clients in a second: always 0
SslFrontendSessionReuse_pct|percent of TLS sessions resumed: always 0
SslBackendKeyRate|TLS keys of servers in a second: always 0
SslBackendMaxKeyRate|the most TLS keys of servers in a second: always 0
SslCacheLookups|questions to the cache of TLS sessions: always 0
SslCacheMisses|those it had no answer to: always 0
CompressBpsIn|bytes a second that came to be compressed: always 0
CompressBpsOut|bytes a second that compression made: always 0
CompressBpsRateLim|bytes a second that may be compressed
Tasks|clients that are looked after
Run_queue|what waits for the processor
Idle_pct|percent of the last second in which the threads had nothing to do
node|the node's name
Stopping|1 while the process stops
Jobs|clients and listeners
Unstoppable Jobs|what a stop would not wait for
Listeners|listening addresses
ActivePeers|peers: always 0
ConnectedPeers|connected peers: always 0
DroppedLogs|log lines that were lost
BusyPolling|1 while threads poll without sleeping
FailedResolutions|names that could not be resolved
TotalBytesOut|bytes sent to clients
TotalSplicdedBytesOut|of them those that were spliced
BytesOutRate|bytes sent to clients in the last second
DebugCommandsIssued|debugging commands that were given
CumRecvLogs|log lines received: always 0
Build info|the build
Memmax_bytes|memory that it may take; 0 for no limit
PoolAlloc_bytes|resident memory
PoolUsed_bytes|resident memory
Start_time_sec|when it started, in seconds since 1970
Tainted|0: nothing that could make its words doubtful
`;

function parse(table: string): ReadonlyMap<string, string> {
  const rows = table.trim().split('\n');
  return new Map(rows.map((row) => row.split('|') as [string, string]));
}

const PROTOCOLS: readonly (readonly [RegExp, string])[] = [
  [/^ssl_/, 'of TLS: always 0'],
  [/^h2_/, 'of HTTP/2: always 0'],
  [/^h1_open_connections/, 'HTTP/1 connections that are open'],
  [/^h1_open_streams/, 'HTTP/1 requests that are being served'],
  [/^h1_total_connections/, 'HTTP/1 connections since the start'],
  [/^h1_total_streams/, 'HTTP/1 requests since the start'],
  [/^h1_bytes/, 'bytes of HTTP/1'],
  [/^h1_spliced/, 'bytes of HTTP/1 that were spliced'],
];

const STAT_DESCRIPTIONS = parse(STAT);
const INFO_DESCRIPTIONS = parse(INFO);

export function describeStat(name: string): string {
  return STAT_DESCRIPTIONS.get(name) ?? PROTOCOLS.find(([of]) => of.test(name))?.[1] ?? '';
}

export function describeInfo(name: string): string {
  return INFO_DESCRIPTIONS.get(name) ?? '';
}
