/** What proxies in mode http do with requests and connections: a part of the model. */

/** `option forwardfor`; `option originalto`, with the address that the client connected to. */
export type ForwardFor = {
  readonly header: string;
  /** Do not add the header when the request already has it. */
  readonly if_none: boolean;
  /** Addresses in these networks are not told of. */
  readonly except: readonly string[];
};

/** The cookie that brings a client back to its server (manual 4.2 "cookie"). */
export type SessionCookie = {
  readonly name: string;
  /** Passive: read only. */
  readonly mode: 'passive' | 'rewrite' | 'insert' | 'prefix';
  readonly indirect: boolean;
  readonly nocache: boolean;
  readonly postonly: boolean;
  readonly preserve: boolean;
  readonly httponly: boolean;
  readonly secure: boolean;
  readonly domains: readonly string[];
  readonly attributes: readonly string[];
  /** Whole seconds. */
  readonly maxidle_s: number | undefined;
  readonly maxlife_s: number | undefined;
  readonly dynamic: boolean;
};

/** A failure of a server after which another try may be worth it; a number is a status. */
export type RetryEvent =
  | 'conn-failure'
  | 'empty-response'
  | 'junk-response'
  | 'response-timeout'
  | '0rtt-rejected'
  | 'all-retryable-errors'
  | number;

/** How a proxy treats the connections that its requests come and go on. */
export type HttpConnections = {
  /** What becomes of connections after a response: kept, the server's is closed, or (a frontend's) both are. */
  readonly after_response: 'keep-alive' | 'server-close' | 'close';
  /** Servers that get closed are not told with the request. */
  readonly pretend_keepalive: boolean;
  /** A server is asked when the whole body is there, or as much as a buffer holds. */
  readonly buffer_request: boolean;
  /** Which requests may go over a connection to a server that another client's request opened (manual 4.2 "http-reuse"). */
  readonly reuse: 'never' | 'safe' | 'aggressive' | 'always';
  /** A client that closes its side before its response began wants it no more. */
  readonly abort_on_close: boolean;
  /** A client that goes, or is silent, before its first request is neither told nor logged. */
  readonly ignore_probes: boolean;
  /** A client goes back to the server that keeps a connection for it alone. */
  readonly prefer_last_server: boolean;
  /** The field that tells a server its own name (`http-send-name-header`). */
  readonly name_header: string | undefined;
  /** Requests of a frontend, and responses of a backend's servers, may hold bytes that no standard has there (`option accept-invalid-…`). */
  readonly lax_requests: boolean;
  readonly lax_responses: boolean;
  /** What becomes of request fields whose names are not letters, digits and hyphens. */
  readonly restrict_names: 'preserve' | 'delete' | 'reject';
  /** A response that a cache could keep with its cookie is refused (`option checkcache`). */
  readonly check_cache: boolean;
};
