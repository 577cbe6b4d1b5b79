/** What conditions and formats are about: a client's connection, its request and what came of it, and the proxies that serve it. */

export type Place = { readonly address: string; readonly port: number };

/** The fields of a parsed message (http/message.ts): offsets into the subject's bytes. */
export interface Fields {
  readonly version_minor: number;
  readonly field_count: number;
  readonly name_start: Int32Array;
  readonly name_end: Int32Array;
  readonly value_start: Int32Array;
  readonly value_end: Int32Array;
}

export interface RequestHead extends Fields {
  readonly start: number;
  readonly method_end: number;
  readonly target_start: number;
  readonly target_end: number;
}

export interface ResponseHead extends Fields {
  readonly status: number;
}

/** How a request or a session went, as far as it has come: for log lines. */
export interface Outcome {
  readonly backend_name: string;
  readonly server_name: string | undefined;
  readonly unique_id: Uint8Array;
  /** Null: there is none. */
  readonly request_line: string | null;
  readonly response_version: string | null;
  readonly captured: Record<'request' | 'response', readonly (Uint8Array | null)[]> | null;
  /** Why the connection failed: an index of FAILURES (failures.ts), 0 for none. */
  readonly failure: number;
}

/** The servers and counts that conditions may name. `backend` '' is the one that the rule stands in. */
export interface Proxies {
  usableServers(backend: string): number;
  isUp(backend: string, server: string): boolean;
  serverConnections(backend: string, server: string): number;
  serverQueue(backend: string, server: string): number;
  backendQueue(backend: string): number;
  backendConnections(backend: string): number;
  readonly frontend_connections: number;
  readonly frontend_name: string;
  /** The groups of whom a userlist knows by this value of Authorization; undefined: it knows nobody. */
  groupsIn(userlist: string, authorization: string | undefined): readonly string[] | undefined;
}

export interface Subject {
  readonly bytes: Uint8Array;
  /** Null where no HTTP is spoken. */
  readonly head: RequestHead | null;
  /** Null until it is there. */
  readonly response: ResponseHead | null;
  /** Null for conditions, which are asked before anything came of it. */
  readonly outcome: Outcome | null;
  readonly source: Place | undefined;
  readonly destination: Place | undefined;
  readonly proxies: Proxies;
}

/** Bytes are text of one character each; integers that a double cannot hold are bigints. */
export type Value = string | number | bigint | boolean;
/** Called with one value after the other until it says that it is the right one. */
export type Accept = (value: Value) => boolean;
/** Whether any of its values is accepted. */
export type Any = (subject: Subject, accept: Accept) => boolean;
