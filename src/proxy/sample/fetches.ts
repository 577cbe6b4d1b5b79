/** The values that conditions ask for (manual 7.3), read from the bytes where they stand. */
import type { Any, Place, RequestHead, Subject, Value } from './subject.ts';

type Make = (args: readonly string[]) => Any;

/** One value, or none. */
const one =
  (read: (subject: Subject, args: readonly string[]) => Value | undefined): Make =>
  (args) =>
  (subject, accept) => {
    const value = read(subject, args);
    return value !== undefined && accept(value);
  };

const ofHead = (read: (head: RequestHead, bytes: Uint8Array, args: readonly string[]) => Value | undefined): Make =>
  one(({ head, bytes }, args) => (head ? read(head, bytes, args) : undefined));

const addressOf = (place: Place | undefined) => place?.address;
const portOf = (place: Place | undefined) => place?.port;

export const FETCHES: Readonly<Record<string, Make>> = {
  always_true: one(() => true),
  always_false: one(() => false),
  bool: one((_subject, [text]) => ['true', '1', 'yes', 'on'].includes(text)),
  int: one((_subject, [text]) => Number(text)),
  str: one((_subject, [text]) => text),
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
  method: ofHead((head, bytes) => text(bytes, head.start, head.method_end)),
  url: ofHead((head, bytes) => text(bytes, head.target_start, head.target_end)),
  path: ofHead((head, bytes) => pathOf(head, bytes).split('?', 1)[0]),
  pathq: ofHead((head, bytes) => pathOf(head, bytes)),
  query: ofHead((head, bytes) => queryOf(head, bytes)),
  base: ofHead((head, bytes) => hostOf(head, bytes) + pathOf(head, bytes).split('?', 1)[0]),
  'req.ver': ofHead((head) => `1.${head.version_minor}`),
  'req.proto_http': one(({ head }) => head !== null),
  urlp: ofHead(parameterOf),
  'req.hdr': headerValues(true, (value) => value),
  'req.fhdr': headerValues(false, (value) => value),
  'req.hdr_cnt': ofHead((head, bytes, [name]) => countHeaders(head, bytes, name)),
  'req.hdr_val': headerValues(true, (value) => (/^[+-]?\d+$/.test(value) ? Number(value) : undefined)),
  'req.hdr_ip': headerValues(true, (value) => value),
  'req.cook': cookieValues,
  'req.cook_cnt': ofHead((head, bytes, [name]) => cookies(head, bytes, name).length),
};

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

function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}

// ── the target ──────────────────────────────────────────────────────────────────────────────────

/** With the query. Of `http://host/path` what follows the host. */
function pathOf(head: RequestHead, bytes: Uint8Array): string {
  const target = text(bytes, head.target_start, head.target_end);
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

function parameterOf(head: RequestHead, bytes: Uint8Array, [name, delimiter = '&']: readonly string[]) {
  const query = text(bytes, head.target_start, head.target_end).split('?').slice(1).join('?');
  for (const pair of query.split(delimiter)) if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  return undefined;
}

function hostOf(head: RequestHead, bytes: Uint8Array): string {
  return headers(head, bytes, 'host')[0] ?? '';
}

// ── fields ──────────────────────────────────────────────────────────────────────────────────────

/** The whole values of the fields of a name, in order. */
function headers(head: RequestHead, bytes: Uint8Array, name: string): string[] {
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
function headerValues(split_lists: boolean, convert: (value: string) => Value | undefined): Make {
  return ([name, occurrence]) =>
    ({ head, bytes }, accept) => {
      if (!head) return false;
      const all = split_lists ? listed(headers(head, bytes, name)) : headers(head, bytes, name);
      const number = Number(occurrence ?? 0);
      const values = number === 0 ? all : all.slice(number > 0 ? number - 1 : number).slice(0, 1);
      return values.some((value) => {
        const converted = convert(value);
        return converted !== undefined && accept(converted);
      });
    };
}

function countHeaders(head: RequestHead, bytes: Uint8Array, name: string | undefined): number {
  return name === undefined ? head.field_count : listed(headers(head, bytes, name)).length;
}

function cookies(head: RequestHead, bytes: Uint8Array, name: string): string[] {
  const pairs = headers(head, bytes, 'cookie').flatMap((value) => value.split(';'));
  return pairs
    .map((pair) => pair.trim())
    .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []));
}

function cookieValues([name]: readonly string[]): Any {
  return ({ head, bytes }, accept) => head !== null && cookies(head, bytes, name).some(accept);
}
