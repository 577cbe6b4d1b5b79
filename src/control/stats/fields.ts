/**
 * The fields of `show stat`, in HAProxy's order (management manual, 9.1), with the three letters of their tags and the type that
 * the typed and JSON forms give (9.2 and 9.3).
 */

export type Field = { readonly position: number; readonly name: string; readonly tags: string; readonly type: string };

/** What is unset is not in the row. */
export type Values = Readonly<Record<string, string | number>>;

export type RowKind = 'F' | 'B' | 'S' | 'L';

/** A frontend, backend, server or listener. */
export type StatRow = {
  readonly kind: RowKind;
  /** The proxy's number, and the server's or listener's in it (0: the proxy itself). */
  readonly iid: number;
  readonly sid: number;
  readonly values: Values;
};

/** The number that the field `type` has, and the bit that filters ask for. */
export const KINDS: Readonly<
  Record<RowKind, { readonly number: number; readonly mask: number; readonly name: string }>
> = {
  F: { number: 0, mask: 1, name: 'Frontend' },
  B: { number: 1, mask: 2, name: 'Backend' },
  S: { number: 2, mask: 4, name: 'Server' },
  L: { number: 3, mask: 8, name: 'Listener' },
};

const TABLE = `
  pxname:KNS:str svname:KNS:str qcur:MGP:u32 qmax:MMP:u32 scur:MGP:u32 smax:MMP:u32 slim:CLP:u32 stot:MCP:u64
  bin:MCP:u64 bout:MCP:u64 dreq:MCP:u64 dresp:MCP:u64 ereq:MCP:u64 econ:MCP:u64 eresp:MCP:u64 wretr:MCP:u64
  wredis:MCP:u64 status:SGP:str weight:MaP:u32 act:SGP:u32 bck:SGP:u32 chkfail:MCP:u64 chkdown:MCP:u64 lastchg:MAP:u32
  downtime:MCP:u32 qlimit:CGS:u32 pid:KGP:u32 iid:KGS:u32 sid:KGS:u32 throttle:MaP:u32 lbtot:MCP:u64 tracked:CNS:str
  type:CGS:u32 rate:MRP:u32 rate_lim:CLP:u32 rate_max:MMP:u32 check_status:MOP:str check_code:MOP:u32
  check_duration:MDP:u64 hrsp_1xx:MCP:u64 hrsp_2xx:MCP:u64 hrsp_3xx:MCP:u64 hrsp_4xx:MCP:u64 hrsp_5xx:MCP:u64
  hrsp_other:MCP:u64 hanafail:MCP:u64 req_rate:MRP:u32 req_rate_max:MMP:u32 req_tot:MCP:u64 cli_abrt:MCP:u64
  srv_abrt:MCP:u64 comp_in:MCP:u64 comp_out:MCP:u64 comp_byp:MCP:u64 comp_rsp:MCP:u64 lastsess:MAP:s32
  last_chk:MOP:str last_agt:MOP:str qtime:MaP:u32 ctime:MaP:u32 rtime:MaP:u32 ttime:MaP:u32 agent_status:MOP:str
  agent_code:MOP:u32 agent_duration:MDP:u64 check_desc:MOP:str agent_desc:MOP:str check_rise:CGS:u32
  check_fall:CGS:u32 check_health:CGS:u32 agent_rise:CGS:u32 agent_fall:CGS:u32 agent_health:CGS:u32 addr:CGS:str
  cookie:CNS:str mode:CGS:str algo:CGS:str conn_rate:MRP:u32 conn_rate_max:MMP:u32 conn_tot:MCP:u64
  intercepted:MCP:u64 dcon:MCP:u64 dses:MCP:u64 wrew:MCP:u64 connect:MCP:u64 reuse:MCP:u64 cache_lookups:MCP:u64
  cache_hits:MCP:u64 srv_icur:MGP:u32 src_ilim:CLP:u32 qtime_max:MMP:u32 ctime_max:MMP:u32 rtime_max:MMP:u32
  ttime_max:MMP:u32 eint:MCP:u64 idle_conn_cur:MGP:u32 safe_conn_cur:MGP:u32 used_conn_cur:MGP:u32
  need_conn_est:MGP:u32 uweight:MaP:u32 agg_server_status:MGP:u32 agg_server_check_status:MGP:u32
  agg_check_status:MGP:u32 ssl_sess:MCP:u64 ssl_reused_sess:MCP:u64 ssl_failed_handshake:MCP:u64
  h2_headers_rcvd:MCP:u64 h2_data_rcvd:MCP:u64 h2_settings_rcvd:MCP:u64 h2_rst_stream_rcvd:MCP:u64
  h2_goaway_rcvd:MCP:u64 h2_detected_conn_protocol_errors:MCP:u64 h2_detected_strm_protocol_errors:MCP:u64
  h2_rst_stream_resp:MCP:u64 h2_goaway_resp:MCP:u64 h2_open_connections:MGP:u64 h2_backend_open_streams:MGP:u64
  h2_total_connections:MCP:u64 h2_backend_total_streams:MCP:u64 h1_open_connections:MGP:u64 h1_open_streams:MGP:u64
  h1_total_connections:MCP:u64 h1_total_streams:MCP:u64 h1_bytes_in:MCP:u64 h1_bytes_out:MCP:u64
  h1_spliced_bytes_in:MCP:u64 h1_spliced_bytes_out:MCP:u64
`;

/** The first of the fields that stand behind a column `-` in CSV: those of protocols. */
export const FIRST_OF_PROTOCOLS = 'ssl_sess';

export const STAT_FIELDS: readonly Field[] = TABLE.trim()
  .split(/\s+/)
  .map((text, position) => {
    const [name, tags, type] = text.split(':');
    return { position, name, tags, type };
  });
