/** The fetches and converters that rules may name (manual 7.3 and 7.1), and of which type their values are. */

export type SampleType = 'bool' | 'int' | 'ip' | 'str' | 'method';

export type FetchInfo = {
  readonly type: SampleType;
  /** Fewest and most arguments. */
  readonly args: readonly [number, number];
  /** It asks about a request: `mode http` only. */
  readonly http: boolean;
};

const fetch = (type: SampleType, http: boolean, least = 0, most = least): FetchInfo => ({
  type,
  args: [least, most],
  http,
});

const HEADER = fetch('str', true, 1, 2);
const COOKIE = fetch('str', true, 1);
const PARAMETER = fetch('str', true, 1, 2);

export const FETCHES: ReadonlyMap<string, FetchInfo> = new Map([
  ['always_true', fetch('bool', false)],
  ['always_false', fetch('bool', false)],
  ['bool', fetch('bool', false, 1)],
  ['int', fetch('int', false, 1)],
  ['str', fetch('str', false, 1)],
  ['src', fetch('ip', false)],
  ['src_port', fetch('int', false)],
  ['dst', fetch('ip', false)],
  ['dst_port', fetch('int', false)],
  ['nbsrv', fetch('int', false, 0, 1)],
  ['srv_is_up', fetch('bool', false, 1)],
  ['srv_conn', fetch('int', false, 1)],
  ['srv_queue', fetch('int', false, 1)],
  ['queue', fetch('int', false, 0, 1)],
  ['be_conn', fetch('int', false, 0, 1)],
  ['fe_conn', fetch('int', false, 0)],
  ['method', fetch('method', true)],
  ['path', fetch('str', true)],
  ['pathq', fetch('str', true)],
  ['url', fetch('str', true)],
  ['query', fetch('str', true)],
  ['base', fetch('str', true)],
  ['req.ver', fetch('str', true)],
  ['req_ver', fetch('str', true)],
  ['req.proto_http', fetch('bool', true)],
  ['urlp', PARAMETER],
  ['url_param', PARAMETER],
  ['hdr', HEADER],
  ['req.hdr', HEADER],
  ['req.fhdr', HEADER],
  ['hdr_cnt', fetch('int', true, 0, 1)],
  ['req.hdr_cnt', fetch('int', true, 0, 1)],
  ['hdr_val', fetch('int', true, 1, 2)],
  ['req.hdr_val', fetch('int', true, 1, 2)],
  ['hdr_ip', fetch('ip', true, 1, 2)],
  ['req.hdr_ip', fetch('ip', true, 1, 2)],
  ['cook', COOKIE],
  ['req.cook', COOKIE],
  ['cook_cnt', fetch('int', true, 1)],
  ['req.cook_cnt', fetch('int', true, 1)],
]);

/** `path_beg` is `path -m beg`: the fetches that have such forms. */
export const WITH_SUFFIXES: readonly string[] = [
  'path',
  'url',
  'base',
  'hdr',
  'req.hdr',
  'cook',
  'req.cook',
  'urlp',
  'url_param',
];
export const SUFFIXES = ['beg', 'end', 'sub', 'dir', 'dom', 'reg', 'len'] as const;

/** What a converter takes and gives. */
export const CONVERTERS: ReadonlyMap<string, { readonly type: SampleType; readonly args: readonly [number, number] }> =
  new Map([
    ['lower', { type: 'str', args: [0, 0] }],
    ['upper', { type: 'str', args: [0, 0] }],
    ['length', { type: 'int', args: [0, 0] }],
    ['field', { type: 'str', args: [2, 2] }],
    ['word', { type: 'str', args: [2, 2] }],
  ]);
