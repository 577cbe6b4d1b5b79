/** The values that conditions and formats ask for (manual 7.3), read from the bytes where they stand. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { basicCredentials } from './basic-credentials.ts';
import { FAILURES } from './failures.ts';
import { parameterOf } from './parameter.ts';
import type { Any, Fields, Outcome, Place, RequestHead, ResponseHead, Subject, Value } from './subject.ts';

type Make = (args: readonly string[]) => Any;

/** One value, or none. */
const one =
  (read: (subject: Subject, args: readonly string[]) => Value | undefined): Make =>
  (args) =>
  (subject, accept) => {
    const value = read(subject, args);
    return value !== undefined && accept(value);
  };

const ofHead = (
  read: (head: RequestHead, bytes: Uint8Array, args: readonly string[], subject: Subject) => Value | undefined,
): Make => one((subject, args) => (subject.head ? read(subject.head, subject.bytes, args, subject) : undefined));

const ofResponse = (read: (response: ResponseHead) => Value): Make =>
  one(({ response }) => (response ? read(response) : undefined));

const ofOutcome = (read: (outcome: Outcome, args: readonly string[]) => Value | undefined): Make =>
  one(({ outcome }, args) => (outcome ? read(outcome, args) : undefined));

/** Whose fields are meant. */
type Side = (subject: Subject) => Fields | null;
const ofRequest: Side = ({ head }) => head;
const ofAnswer: Side = ({ response }) => response;

const addressOf = (place: Place | undefined) => place?.address;
const portOf = (place: Place | undefined) => place?.port;

export const FETCHES: Readonly<Record<string, Make>> = {
  always_true: one(() => true),
  always_false: one(() => false),
  bool: one((_subject, [text]) => ['true', '1', 'yes', 'on'].includes(text)),
  int: one((_subject, [text]) => Number(text)),
  str: one((_subject, [text]) => text),
  bin: one((_subject, [digits]) => Buffer.from(digits, 'hex').toString('latin1')),
  ipv4: one((_subject, [address]) => address),
  ipv6: one((_subject, [address]) => address),
  meth: one((_subject, [name]) => name),
  src: one(({ source }) => addressOf(source)),
  src_port: one(({ source }) => portOf(source)),
  dst: one(({ destination }) => addressOf(destination)),
  dst_port: one(({ destination }) => portOf(destination)),
  nbsrv: one(({ proxies }, [backend = '']) => proxies.usableServers(backend)),
  srv_is_up: one(({ proxies }, [name]) => proxies.isUp(...split(name))),
  srv_conn: one(({ proxies }, [name]) => proxies.serverConnections(...split(name))),
  srv_queue: one(({ proxies }, [name]) => proxies.serverQueue(...split(name))),
  queue: one(({ proxies }, [backend = '']) => proxies.backendQueue(backend)),
  be_conn: one(({ proxies }, [backend = '']) => proxies.backendConnections(backend)),
  fe_conn: one(({ proxies }) => proxies.frontend_connections),
  fe_name: one(({ proxies }) => proxies.frontend_name),
  date: one((_subject, [offset_s = '0']) => Math.floor(Date.now() / 1000) + Number(offset_s)),
  env: one((_subject, [name]) => inBytes(process.env[name])),
  hostname: one(() => HOST),
  pid: one(() => process.pid),
  rand: one((_subject, [below = '4294967296']) => Math.floor(Math.random() * Number(below))),
  uuid: one(() => randomUUID()),
  method: ofHead((head, bytes) => text(bytes, head.start, head.method_end)),
  url: ofHead((head, bytes) => text(bytes, head.target_start, head.target_end)),
  path: ofHead((head, bytes) => pathOf(head, bytes).split('?', 1)[0]),
  pathq: ofHead((head, bytes) => pathOf(head, bytes)),
  query: ofHead((head, bytes) => queryOf(head, bytes)),
  base: ofHead((head, bytes) => hostOf(head, bytes) + pathOf(head, bytes).split('?', 1)[0]),
  baseq: ofHead((head, bytes) => hostOf(head, bytes) + pathOf(head, bytes)),
  'req.ver': ofHead((head) => `1.${head.version_minor}`),
  'req.proto_http': one(({ head }) => head !== null),
  urlp: ofHead(urlParameterOf),
  urlp_val: ofHead((head, bytes, args) => leadingInteger(urlParameterOf(head, bytes, args))),
  'req.hdr': headerValues(ofRequest, true, (value) => value),
  'req.fhdr': headerValues(ofRequest, false, (value) => value),
  'req.hdr_cnt': headerCount(ofRequest, true),
  'req.fhdr_cnt': headerCount(ofRequest, false),
  'req.hdr_names': headerNames(ofRequest),
  'req.hdr_val': headerValues(ofRequest, true, integerOf),
  'req.hdr_ip': headerValues(ofRequest, true, (value) => value),
  'req.cook': cookieValues,
  'req.cook_val': cookieIntegers,
  'req.cook_cnt': ofHead((head, bytes, [name]) => cookies(head, bytes, name).length),
  http_auth: ofHead(
    (head, bytes, [list], { proxies }) => proxies.groupsIn(list, authorization(head, bytes)) !== undefined,
  ),
  http_auth_group: groups,
  http_auth_pass: ofHead((head, bytes) => credentials(head, bytes)?.slice(1).join(':')),
  http_auth_type: ofHead((head, bytes) => (credentials(head, bytes) ? 'Basic' : undefined)),
  http_auth_user: ofHead((head, bytes) => credentials(head, bytes)?.[0]),
  status: ofResponse(({ status }) => status),
  'res.ver': ofResponse((response) => `1.${response.version_minor}`),
  'res.hdr': headerValues(ofAnswer, true, (value) => value),
  'res.fhdr': headerValues(ofAnswer, false, (value) => value),
  'res.hdr_cnt': headerCount(ofAnswer, true),
  'res.fhdr_cnt': headerCount(ofAnswer, false),
  'res.hdr_names': headerNames(ofAnswer),
  'res.hdr_val': headerValues(ofAnswer, true, integerOf),
  'res.hdr_ip': headerValues(ofAnswer, true, (value) => value),
  'res.cook': setCookieValues,
  'capture.req.hdr': ofOutcome(({ captured }, [number]) => latin1(captured?.request[Number(number)])),
  'capture.req.method': ofOutcome(({ request_line }) => request_line?.split(' ', 1)[0]),
  'capture.req.uri': ofOutcome(({ request_line }) =>
    request_line === null ? undefined : pathOfTarget(request_line.split(' ')[1] ?? ''),
  ),
  'capture.req.ver': ofOutcome(({ request_line }) => request_line?.slice(request_line.lastIndexOf(' ') + 1)),
  'capture.res.hdr': ofOutcome(({ captured }, [number]) => latin1(captured?.response[Number(number)])),
  'capture.res.ver': ofOutcome(({ response_version }) => response_version ?? undefined),
  'unique-id': ofOutcome(({ unique_id }) => (unique_id.length > 0 ? latin1(unique_id) : undefined)),
  be_name: ofOutcome(({ backend_name }) => backend_name),
  srv_name: ofOutcome(({ server_name }) => server_name),
  fc_err: ofOutcome(({ failure }) => failure),
  fc_err_str: ofOutcome(({ failure }) => FAILURES[failure]),
};

const HOST = hostname();

/** Older names for the same. */
const SAME_AS: Readonly<Record<string, string>> = {
  hdr: 'req.hdr',
  hdr_cnt: 'req.hdr_cnt',
  hdr_val: 'req.hdr_val',
  hdr_ip: 'req.hdr_ip',
  cook: 'req.cook',
  cook_cnt: 'req.cook_cnt',
  req_ver: 'req.ver',
  url_param: 'urlp',
  url_param_val: 'urlp_val',
  cook_val: 'req.cook_val',
  shdr: 'res.hdr',
  shdr_cnt: 'res.hdr_cnt',
  shdr_val: 'res.hdr_val',
  shdr_ip: 'res.hdr_ip',
  scook: 'res.cook',
  resp_ver: 'res.ver',
};

export function fetchNamed(name: string): Make {
  const make = FETCHES[SAME_AS[name] ?? name];
  if (make === undefined) throw new Error(`no fetch is called ${name}`);
  return make;
}

function split(name: string): [string, string] {
  const slash = name.indexOf('/');
  return slash < 0 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
}

/** As it is in messages. */
function inBytes(written: string | undefined): string | undefined {
  return written === undefined ? undefined : Buffer.from(written).toString('latin1');
}

function latin1(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes ? text(bytes, 0, bytes.length) : undefined;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}

// ── the target ──────────────────────────────────────────────────────────────────────────────────

/** With the query. Of `http://host/path` what follows the host. */
function pathOf(head: RequestHead, bytes: Uint8Array): string {
  return pathOfTarget(text(bytes, head.target_start, head.target_end));
}

function pathOfTarget(target: string): string {
  if (target.startsWith('/')) return target;
  const scheme = target.indexOf('://');
  const slash = scheme < 0 ? -1 : target.indexOf('/', scheme + 3);
  return slash < 0 ? '' : target.slice(slash);
}

function queryOf(head: RequestHead, bytes: Uint8Array): string | undefined {
  const path = pathOf(head, bytes);
  const mark = path.indexOf('?');
  return mark < 0 ? undefined : path.slice(mark + 1);
}

function urlParameterOf(head: RequestHead, bytes: Uint8Array, [name, delimiter = '&']: readonly string[]) {
  const query = text(bytes, head.target_start, head.target_end).split('?').slice(1).join('?');
  return parameterOf(query, name, delimiter);
}

function hostOf(head: RequestHead, bytes: Uint8Array): string {
  return headers(head, bytes, 'host')[0] ?? '';
}

// ── fields ──────────────────────────────────────────────────────────────────────────────────────

/** The whole values of the fields of a name, in order. */
function headers(head: Fields, bytes: Uint8Array, name: string): string[] {
  const lower = name.toLowerCase();
  const values: string[] = [];
  for (let index = 0; index < head.field_count; index++) {
    const length = head.name_end[index] - head.name_start[index];
    if (length !== name.length) continue;
    if (text(bytes, head.name_start[index], head.name_end[index]).toLowerCase() !== lower) continue;
    values.push(text(bytes, head.value_start[index], head.value_end[index]));
  }
  return values;
}

function listed(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)).map((value) => value.trim());
}

/** `split`: each element of a list counts. A second argument names one of them, negative ones from the end. */
function headerValues(of: Side, split_lists: boolean, convert: (value: string) => Value | undefined): Make {
  return ([name, occurrence]) =>
    (subject, accept) => {
      const head = of(subject);
      if (!head) return false;
      const all = headers(head, subject.bytes, name);
      const wanted = split_lists ? listed(all) : all;
      const number = Number(occurrence ?? 0);
      const values = number === 0 ? wanted : wanted.slice(number > 0 ? number - 1 : number).slice(0, 1);
      return values.some((value) => {
        const converted = convert(value);
        return converted !== undefined && accept(converted);
      });
    };
}

function headerCount(of: Side, split_lists: boolean): Make {
  return one((subject, [name]) => {
    const head = of(subject);
    if (!head) return undefined;
    return name === undefined ? head.field_count : countOf(headers(head, subject.bytes, name), split_lists);
  });
}

function countOf(values: readonly string[], split_lists: boolean): number {
  return split_lists ? listed(values).length : values.length;
}

/** In lower case, with a delimiter between them (a comma when none is given); as in HAProxy without `Connection`. */
function headerNames(of: Side): Make {
  return one((subject, [delimiter = ',']) => {
    const head = of(subject);
    if (!head) return undefined;
    const names = Array.from({ length: head.field_count }, (_, index) =>
      text(subject.bytes, head.name_start[index], head.name_end[index]).toLowerCase(),
    );
    return names.filter((name) => name !== 'connection').join(delimiter);
  });
}

/** What HAProxy makes an integer of: the digits that text begins with. */
function leadingInteger(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(/^[+-]?\d{1,15}/.exec(value)?.[0] ?? 0);
}

function integerOf(value: string): number | undefined {
  return /^[+-]?\d+$/.test(value) ? Number(value) : undefined;
}

function cookies(head: Fields, bytes: Uint8Array, name: string): string[] {
  const pairs = headers(head, bytes, 'cookie').flatMap((value) => value.split(';'));
  return pairs
    .map((pair) => pair.trim())
    .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []));
}

// ── Authorization (RFC 7617) ───────────────────────────────

function authorization(head: Fields, bytes: Uint8Array): string | undefined {
  return headers(head, bytes, 'authorization')[0];
}

/** The user, then what stood between colons of the password. */
function credentials(head: Fields, bytes: Uint8Array): string[] | undefined {
  return basicCredentials(authorization(head, bytes))?.toString('latin1').split(':');
}

/** All groups of whoever the userlist knows: conditions name them, as HAProxy's. */
function groups([list]: readonly string[]): Any {
  return ({ head, bytes, proxies }, accept) =>
    head !== null &&
    (proxies.groupsIn(list, authorization(head, bytes)) ?? []).some((name) => accept(inBytes(name) as string));
}

function cookieValues([name]: readonly string[]): Any {
  return ({ head, bytes }, accept) => head !== null && cookies(head, bytes, name).some(accept);
}

function cookieIntegers([name]: readonly string[]): Any {
  return ({ head, bytes }, accept) =>
    head !== null && cookies(head, bytes, name).some((value) => accept(leadingInteger(value) as number));
}

/** What `Set-Cookie` fields give a name. */
function setCookieValues([name]: readonly string[]): Any {
  return ({ response, bytes }, accept) =>
    response !== null &&
    headers(response, bytes, 'set-cookie').some((value) => {
      const [pair] = value.split(';', 1);
      const equals = pair.indexOf('=');
      return equals > 0 && pair.slice(0, equals).trim() === name && accept(pair.slice(equals + 1).trim());
    });
}
