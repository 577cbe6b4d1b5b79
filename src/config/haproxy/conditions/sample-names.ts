/** The fetches that rules and log formats may name (manual 7.3), and of which type their values are. */
import type { SampleMoment } from '../../model.ts';

export type SampleType = 'bool' | 'int' | 'ip' | 'str' | 'bin' | 'method';

export type FetchInfo = {
  readonly type: SampleType;
  /** Fewest and most arguments. */
  readonly args: readonly [number, number];
  /** It asks about HTTP messages: `mode http` only. */
  readonly http: boolean;
  readonly moment: SampleMoment;
};

const fetch = (type: SampleType, http: boolean, least = 0, most = least): FetchInfo => ({
  type,
  args: [least, most],
  http,
  moment: http ? 'request' : 'any',
});
const response = (type: SampleType, least = 0, most = least): FetchInfo => ({
  ...fetch(type, true, least, most),
  moment: 'response',
});
const atEnd = (type: SampleType, http: boolean, least = 0, most = least): FetchInfo => ({
  ...fetch(type, http, least, most),
  moment: 'end',
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
  ['bin', fetch('bin', false, 1)],
  ['ipv4', fetch('ip', false, 1)],
  ['ipv6', fetch('ip', false, 1)],
  ['meth', fetch('method', false, 1)],
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
  ['fe_name', fetch('str', false)],
  ['date', fetch('int', false, 0, 1)],
  ['env', fetch('str', false, 1)],
  ['hostname', fetch('str', false)],
  ['pid', fetch('int', false)],
  ['rand', fetch('int', false, 0, 1)],
  ['uuid', fetch('str', false, 0, 1)],
  ['method', fetch('method', true)],
  ['path', fetch('str', true)],
  ['pathq', fetch('str', true)],
  ['url', fetch('str', true)],
  ['query', fetch('str', true)],
  ['base', fetch('str', true)],
  ['baseq', fetch('str', true)],
  ['req.ver', fetch('str', true)],
  ['req_ver', fetch('str', true)],
  ['req.proto_http', fetch('bool', true)],
  ['urlp', PARAMETER],
  ['url_param', PARAMETER],
  ['urlp_val', fetch('int', true, 1, 2)],
  ['url_param_val', fetch('int', true, 1, 2)],
  ['hdr', HEADER],
  ['req.hdr', HEADER],
  ['req.fhdr', HEADER],
  ['req.fhdr_cnt', fetch('int', true, 0, 1)],
  ['req.hdr_names', fetch('str', true, 0, 1)],
  ['hdr_cnt', fetch('int', true, 0, 1)],
  ['req.hdr_cnt', fetch('int', true, 0, 1)],
  ['hdr_val', fetch('int', true, 1, 2)],
  ['req.hdr_val', fetch('int', true, 1, 2)],
  ['hdr_ip', fetch('ip', true, 1, 2)],
  ['req.hdr_ip', fetch('ip', true, 1, 2)],
  ['cook', COOKIE],
  ['req.cook', COOKIE],
  ['cook_val', fetch('int', true, 1)],
  ['req.cook_val', fetch('int', true, 1)],
  ['cook_cnt', fetch('int', true, 1)],
  ['req.cook_cnt', fetch('int', true, 1)],
  ['http_auth', fetch('bool', true, 1)],
  ['http_auth_group', fetch('str', true, 1)],
  ['http_auth_pass', fetch('str', true)],
  ['http_auth_type', fetch('str', true)],
  ['http_auth_user', fetch('str', true)],
  ['status', response('int')],
  ['res.ver', response('str')],
  ['resp_ver', response('str')],
  ['res.hdr', response('str', 1, 2)],
  ['shdr', response('str', 1, 2)],
  ['res.fhdr', response('str', 1, 2)],
  ['res.fhdr_cnt', response('int', 0, 1)],
  ['res.hdr_names', response('str', 0, 1)],
  ['res.hdr_cnt', response('int', 0, 1)],
  ['shdr_cnt', response('int', 0, 1)],
  ['res.hdr_val', response('int', 1, 2)],
  ['shdr_val', response('int', 1, 2)],
  ['res.hdr_ip', response('ip', 1, 2)],
  ['shdr_ip', response('ip', 1, 2)],
  ['res.cook', response('str', 1)],
  ['scook', response('str', 1)],
  ['capture.req.hdr', atEnd('str', true, 1)],
  ['capture.req.method', atEnd('str', true)],
  ['capture.req.uri', atEnd('str', true)],
  ['capture.req.ver', atEnd('str', true)],
  ['capture.res.hdr', atEnd('str', true, 1)],
  ['capture.res.ver', atEnd('str', true)],
  ['unique-id', atEnd('str', true)],
  ['be_name', atEnd('str', false)],
  ['srv_name', atEnd('str', false)],
  ['fc_err', atEnd('int', false)],
  ['fc_err_str', atEnd('str', false)],
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
