/**
 * `cookie` of a backend: which server a client's cookie names, what of it servers and clients see, and HAProxy's two letters
 * about it (manual, section 8.5).
 *
 *   request:   N none  I unknown value  D its server is down  V valid  E expired (maxidle)  O old (maxlife)
 *              U unused, as a rule says which server, or not to persist
 *   response:  N none  P the server's own, untouched  D deleted  I inserted  U updated  R rewritten
 *
 * Compiled once for a backend. What holds for one exchange is in its Persistence.
 */
import type * as model from '../../config/model.ts';
import { parseAddress } from '../../system/ip-address.ts';
import type { Assignment } from '../assignment.ts';
import type { HashKey } from '../hash-key.ts';
import type { Facts } from '../rules/facts.ts';
import type { ServerRules } from '../rules/server-rules.ts';
import type { Server } from '../server.ts';
import { xxh64 } from '../xxh64.ts';
import { BODY_CHUNKED } from './body.ts';
import { isCacheable } from './cacheable.ts';
import { equalsIgnoringCase, lowerCaseBytes } from './characters.ts';
import { BAR, formatDate, readDate } from './cookie-date.ts';
import { CookieList } from './cookie-list.ts';
import type { Exchange } from './exchange.ts';
import type { Message } from './message.ts';
import * as m from './message.ts';
import type { FieldEditor, HeadWriter } from './write-head.ts';

/** A cookie that is so much ahead of our clock is ignored. */
const FUTURE_S = 24 * 3600;

const encode = (text: string) => new TextEncoder().encode(text);
const COOKIE = lowerCaseBytes('cookie');
const SET_COOKIE = lowerCaseBytes('set-cookie');
const COOKIE_NAME = encode('Cookie');
const SET_COOKIE_NAME = encode('Set-Cookie');
const CACHE_CONTROL_NAME = encode('Cache-Control');
const PRIVATE = encode('private');
const SEPARATOR = encode('; ');
const EQUALS_SIGN = encode('=');
const PREFIX_END = encode('~');
const TILDE = 126;

/** Of one request and its response. */
const QUESTION_MARK = 63;

export class Persistence {
  cookie: SessionCookie | null = null;
  request_state = '-';
  response_state = '-';
  /** The server that the cookie names, if it may be asked. */
  server: Server | null = null;
  /** What `force-persist` and `ignore-persist` say of this request. */
  rule: 'force' | 'ignore' | null = null;
  /** A rule named its server, or forbade to look for one. */
  overruled = false;
  /** The client's cookie is among the request's fields. */
  found = false;
  /** Seconds since 1970; 0: none. */
  last_seen_s = 0;
  first_seen_s = 0;
  /** A Set-Cookie field of ours is added. */
  inserts = false;
  inserts_private = false;
  /** A Set-Cookie field of the server's becomes another one, or none. */
  edits = false;
  /** Null: what is hashed does not stand in the body. */
  private body_key: HashKey | null = null;
  /** Then, what of the body came with the head. */
  private body_start = new Uint8Array(0);
  /** The server that answers. */
  answering: Server | null = null;

  begin(cookie: SessionCookie | null): void {
    this.cookie = cookie;
    this.request_state = cookie ? 'N' : '-';
    this.response_state = cookie ? 'N' : '-';
    this.server = null;
    this.rule = null;
    this.overruled = false;
    this.found = false;
    this.last_seen_s = 0;
    this.first_seen_s = 0;
    this.inserts = false;
    this.inserts_private = false;
    this.edits = false;
    this.answering = null;
  }

  /** What decides about the server is read while the thread's request message is filled; [request.end, end) came of the body. */
  takeRequest({ thread, client, assignment, frontend }: Exchange, end: number): void {
    const { request, reactor } = thread;
    const { bytes } = reactor.buffers;
    const key = assignment.backend?.hash_key;
    this.body_key = null;
    if (key?.ofSubject) {
      assignment.hash = key.ofSubject(thread.facts.about(frontend, assignment.backend, client.socket, request));
    } else if (key) {
      assignment.hash = key.ofRequest(bytes, request, client);
      const has_query = bytes.subarray(request.target_start, request.target_end).includes(QUESTION_MARK);
      if (key.ofBody && request.method === m.METHOD_POST && !has_query) {
        this.body_key = key;
        this.body_start = bytes.slice(request.end, end);
      }
    }
    const rules = assignment.backend?.server_rules;
    if (rules) this.heed(rules, thread.facts.about(frontend, assignment.backend, client.socket, request), assignment);
    if (!this.cookie) return;
    this.cookie.readRequest(bytes, request, this);
    assignment.bound ??= this.server;
  }

  /** The body is there, or as much as a buffer holds. */
  takeBody({ assignment, client, stored }: Exchange): void {
    if (!this.body_key?.ofBody) return;
    const body = Buffer.concat([this.body_start, stored.bytes]);
    assignment.hash = this.body_key.ofBody(body, client.body.kind === BODY_CHUNKED);
  }

  /** A server that a rule chooses goes before the cookie's. */
  private heed(rules: ServerRules, facts: Facts, assignment: Assignment): void {
    this.rule = rules.persistence(facts);
    assignment.bound = rules.server(facts, this.rule === 'force');
    this.overruled = this.rule === 'ignore' || assignment.bound !== null;
  }

  /** The thread's response message is filled. */
  takeResponse({ thread, assignment, method }: Exchange): void {
    const { server, bound } = assignment;
    if (!this.cookie || !server || this.rule === 'ignore') return;
    this.cookie.readResponse(thread.reactor.buffers.bytes, thread.response, this, server, bound === server, method);
  }

  /** What the log says; nothing, as HAProxy, about a cookie that is only read. `redispatched`: its server was given up. */
  requestLetter(redispatched: boolean): string {
    if (this.cookie?.only_reads) return '-';
    return redispatched && this.request_state === 'V' ? 'D' : this.request_state;
  }

  get response_letter(): string {
    return this.cookie?.only_reads ? '-' : this.response_state;
  }

  get editsRequest(): boolean {
    return this.found && (this.cookie as SessionCookie).hides;
  }

  get editsResponse(): boolean {
    return this.inserts || this.edits;
  }
}

export class SessionCookie {
  readonly config: model.SessionCookie;
  /** Takes from requests what servers do not see. */
  readonly request_editor: FieldEditor;
  private readonly response_editor: FieldEditor;
  private readonly persists: boolean;
  private readonly name: Uint8Array;
  private readonly servers = new Map<string, Server[]>();
  private values: readonly (string | undefined)[] = [];
  private readonly attributes: string;
  private readonly list = new CookieList();
  private readonly now_s: () => number;

  /** `now_s` is the wall clock. */
  constructor(config: model.SessionCookie, backend: model.Backend, servers: readonly Server[], now_s: () => number) {
    this.config = config;
    this.now_s = now_s;
    this.persists = backend.persist;
    this.name = encode(config.name);
    this.nameServers(servers, backend);
    const domains = config.domains.map((domain) => `; domain=${domain}`).join('');
    const flags = `${config.httponly ? '; HttpOnly' : ''}${config.secure ? '; Secure' : ''}`;
    this.attributes = `; path=/${domains}${flags}${config.attributes.map((text) => `; ${text}`).join('')}`;
    this.request_editor = { edit: (writer, request, index) => this.editRequest(writer, request, index) };
    this.response_editor = { edit: (writer, response, index) => this.editResponse(writer, response, index) };
  }

  /** What stands for each server; a dynamic value changes with the address. */
  nameServers(servers: readonly Server[], backend: model.Backend): void {
    this.servers.clear();
    this.values = servers.map((server) => cookieOf(server, this.config, backend));
    for (const [position, value] of this.values.entries()) {
      if (value !== undefined) this.servers.set(value, [...(this.servers.get(value) ?? []), servers[position]]);
    }
  }

  get only_reads(): boolean {
    return this.config.mode === 'passive' && !this.config.indirect;
  }

  /** Servers do not see the cookie, or not our part of it. */
  get hides(): boolean {
    return this.config.mode === 'prefix' || (this.config.mode === 'insert' && this.config.indirect);
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────

  readRequest(bytes: Uint8Array, request: Message, persistence: Persistence): void {
    for (let index = 0; index < request.field_count; index++) {
      if (!equalsIgnoringCase(bytes, request.name_start[index], request.name_end[index], COOKIE)) continue;
      this.list.begin(bytes, request.value_start[index], request.value_end[index]);
      while (this.list.next()) if (this.list.isNamed(this.name)) this.readCookie(bytes, persistence);
    }
  }

  private readCookie(bytes: Uint8Array, persistence: Persistence): void {
    persistence.found = true;
    if (persistence.server) return;
    const { value_start, value_end } = this.list;
    let end = value_end;
    if (this.config.mode === 'prefix') {
      end = indexOf(bytes, TILDE, value_start, value_end);
    } else {
      end = indexOf(bytes, BAR, value_start, value_end);
      if (end < value_end && this.isOutdated(bytes, end + 1, value_end, persistence)) return;
    }
    this.findServer(String.fromCharCode(...bytes.subarray(value_start, end)), persistence);
  }

  private isOutdated(bytes: Uint8Array, start: number, end: number, persistence: Persistence): boolean {
    const { maxidle_s, maxlife_s } = this.config;
    const last_s = readDate(bytes, start, end);
    const first_s = readDate(bytes, indexOf(bytes, BAR, start, end) + 1, end);
    const isOff = (date_s: number, most_s: number) => {
      const age_s = this.now_s() - date_s;
      return age_s > most_s || age_s < -FUTURE_S;
    };
    const old = first_s > 0 && maxlife_s !== undefined && isOff(first_s, maxlife_s);
    const expired = !old && last_s > 0 && maxidle_s !== undefined && isOff(last_s, maxidle_s);
    if (old || expired) persistence.request_state = old ? 'O' : 'E';
    else {
      persistence.last_seen_s = last_s;
      persistence.first_seen_s = first_s;
    }
    return old || expired;
  }

  private findServer(value: string, persistence: Persistence): void {
    if (persistence.overruled) {
      persistence.request_state = 'U';
      return;
    }
    const named = this.servers.get(value);
    const running = named?.find((server) => server.running);
    persistence.request_state = running ? 'V' : named ? 'D' : 'I';
    persistence.server = running ?? (this.persists || persistence.rule === 'force' ? (named?.[0] ?? null) : null);
  }

  private editRequest(writer: HeadWriter, request: Message, index: number): boolean {
    const { bytes } = writer;
    if (!equalsIgnoringCase(bytes, request.name_start[index], request.name_end[index], COOKIE)) return false;
    const { list } = this;
    let count = 0;
    list.begin(bytes, request.value_start[index], request.value_end[index]);
    while (list.next()) {
      const is_ours = list.isNamed(this.name);
      if (is_ours && this.config.mode === 'insert') continue;
      if (count++ === 0) writer.beginField(COOKIE_NAME);
      else writer.write(SEPARATOR);
      const prefix = is_ours ? indexOf(bytes, TILDE, list.value_start, list.value_end) : list.value_end;
      if (prefix === list.value_end) writer.copy(list.name_start, list.value_end);
      else {
        writer.copy(list.name_start, list.value_start);
        writer.copy(prefix + 1, list.value_end);
      }
    }
    if (count > 0) writer.endField();
    return true;
  }

  // ── responses ─────────────────────────────────────────────────────────────────────────────────

  /** `direct`: the request went to the server that its cookie names. */
  readResponse(
    bytes: Uint8Array,
    response: Message,
    persistence: Persistence,
    server: Server,
    direct: boolean,
    method: number,
  ): void {
    persistence.answering = server;
    for (let index = 0; index < response.field_count; index++) {
      if (this.isOurs(bytes, response, index)) this.readOwn(persistence, server, direct);
    }
    const { mode, preserve, postonly, nocache } = this.config;
    const spared = preserve && persistence.response_state === 'P';
    if (mode !== 'insert' || spared || (postonly && method !== m.METHOD_POST)) return;
    if (direct && !this.mustRefresh(persistence)) return;
    persistence.inserts = true;
    persistence.inserts_private = nocache && isCacheable(bytes, response, method);
    persistence.response_state = direct && this.values[server.position] !== undefined ? 'U' : 'I';
  }

  /** The server sets the cookie itself. */
  private readOwn(persistence: Persistence, server: Server, direct: boolean): void {
    const { mode, indirect, preserve } = this.config;
    const named = this.values[server.position] !== undefined;
    persistence.response_state = 'P';
    if (preserve) return;
    if (mode === 'insert' || (direct && indirect)) persistence.response_state = 'D';
    else if (named && (mode === 'rewrite' || mode === 'prefix')) persistence.response_state = 'R';
    persistence.edits = persistence.response_state !== 'P';
  }

  private mustRefresh({ last_seen_s, first_seen_s }: Persistence): boolean {
    const { maxidle_s, maxlife_s } = this.config;
    const dated = maxidle_s !== undefined || last_seen_s > 0;
    const stale = dated && (last_seen_s === 0 || last_seen_s < this.now_s());
    return stale || (maxlife_s !== undefined) !== first_seen_s > 0;
  }

  private isOurs(bytes: Uint8Array, response: Message, index: number): boolean {
    if (!equalsIgnoringCase(bytes, response.name_start[index], response.name_end[index], SET_COOKIE)) return false;
    this.list.begin(bytes, response.value_start[index], response.value_end[index]);
    return this.list.next() && this.list.isNamed(this.name);
  }

  /** Whose response is written now. */
  private written: Persistence | null = null;

  editorFor(persistence: Persistence): FieldEditor {
    this.written = persistence;
    return this.response_editor;
  }

  private editResponse(writer: HeadWriter, response: Message, index: number): boolean {
    const persistence = this.written as Persistence;
    if (!persistence.edits || !this.isOurs(writer.bytes, response, index)) return false;
    const { mode } = this.config;
    const value = this.values[(persistence.answering as Server).position];
    const deleted = mode === 'insert' || persistence.response_state === 'D' || value === undefined;
    if (deleted) return true;
    const { list } = this;
    writer.beginField(SET_COOKIE_NAME);
    writer.copy(list.name_start, list.name_end);
    writer.write(EQUALS_SIGN);
    writer.write(encode(value));
    if (mode === 'prefix') {
      writer.write(PREFIX_END);
      writer.copy(list.value_start, response.value_end[index]);
    } else writer.copy(list.value_end, response.value_end[index]);
    writer.endField();
    return true;
  }

  /** Behind the server's fields. */
  addFields(writer: HeadWriter, persistence: Persistence): void {
    if (!persistence.inserts) return;
    writer.field(SET_COOKIE_NAME, encode(this.newCookie(persistence)));
    if (persistence.inserts_private) writer.field(CACHE_CONTROL_NAME, PRIVATE);
  }

  /** A server without a name takes the client's cookie away. */
  private newCookie({ answering, first_seen_s }: Persistence): string {
    const { name, maxidle_s, maxlife_s } = this.config;
    const value = this.values[(answering as Server).position];
    if (value === undefined) {
      return `${name}=; Expires=Thu, 01-Jan-1970 00:00:01 GMT${this.attributes}`;
    }
    const now_s = this.now_s();
    const last = maxidle_s !== undefined || maxlife_s !== undefined ? `|${formatDate(now_s)}` : '';
    const first = maxlife_s !== undefined ? `|${formatDate(first_seen_s || now_s)}` : '';
    return `${name}=${value}${last}${first}${this.attributes}`;
  }
}

/** What clients are given for a server; undefined: nothing. */
function cookieOf(
  { config, address, endpoint }: Server,
  cookie: model.SessionCookie,
  backend: model.Backend,
): string | undefined {
  if (config.cookie !== undefined) return config.cookie;
  const { dynamic_cookie_key } = backend;
  if (!cookie.dynamic || dynamic_cookie_key === undefined || address === null) return undefined;
  return dynamicValue(dynamic_cookie_key, parseAddress(endpoint.address), endpoint.port);
}

/** HAProxy's: the hash of key, address and port. */
function dynamicValue(key: string, address: Uint8Array | undefined, port: number): string | undefined {
  if (!address) return undefined;
  return xxh64(Uint8Array.of(...encode(key), ...address, 0, 0, port >>> 8, port & 255))
    .toString(16)
    .padStart(16, '0');
}

/** `end` where it is not there. */
function indexOf(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}
