/** What conditions are asked about: a client's connection, the request that it sends, and the proxies that serve it. */

export type Place = { readonly address: string; readonly port: number };

/** A parsed request (http/message.ts): offsets into the subject's bytes. */
export interface RequestHead {
  readonly start: number;
  readonly method_end: number;
  readonly target_start: number;
  readonly target_end: number;
  readonly version_minor: number;
  readonly field_count: number;
  readonly name_start: Int32Array;
  readonly name_end: Int32Array;
  readonly value_start: Int32Array;
  readonly value_end: Int32Array;
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
}

export interface Subject {
  readonly bytes: Uint8Array;
  /** Null where no HTTP is spoken. */
  readonly head: RequestHead | null;
  readonly source: Place | undefined;
  readonly destination: Place | undefined;
  readonly proxies: Proxies;
}

export type Value = string | number | boolean;
/** Called with one value after the other until it says that it is the right one. */
export type Accept = (value: Value) => boolean;
/** Whether any of its values is accepted. */
export type Any = (subject: Subject, accept: Accept) => boolean;
