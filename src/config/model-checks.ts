/**
 * How servers are checked: the part of the model that `option …-check`, `tcp-check`, `http-check` and the words of server
 * lines fill. Rules stand here as written; what HAProxy adds unasked (a first connect, a last expect) is added where they
 * are compiled (health/compile.ts).
 */
import type { Endpoint, IntegerRange } from './model.ts';

export type CheckMethod =
  /** A connection, or the `tcp-check` rules. */
  | { readonly kind: 'tcp'; readonly rules: readonly CheckRule[] }
  | HttpCheckMethod
  | { readonly kind: 'smtp'; readonly hello: 'HELO' | 'EHLO'; readonly domain: string }
  | { readonly kind: 'ldap' | 'redis' | 'ssl-hello' }
  /** Without a user only the server's greeting is looked at. */
  | { readonly kind: 'mysql'; readonly user: string | undefined; readonly protocol: 'pre-41' | 'post-41' }
  | { readonly kind: 'pgsql'; readonly user: string }
  /** A program that is run for each check; `path` is its PATH. */
  | { readonly kind: 'external'; readonly command: string; readonly path: string };

export type HttpCheckMethod = {
  readonly kind: 'http';
  /** What `option httpchk` says; the first `http-check send` completes it. */
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: HttpSendRule['headers'];
  readonly body: CheckFormat | undefined;
  readonly rules: readonly CheckRule[];
  readonly disable_on_404: boolean;
  readonly send_state: boolean;
};

export type CheckRule =
  | { readonly kind: 'comment'; readonly text: string }
  | ConnectRule
  | SendRule
  | HttpSendRule
  | ExpectRule
  | SetVariableRule
  | { readonly kind: 'unset-var'; readonly variable: string };

export type ConnectRule = {
  readonly kind: 'connect';
  /** With what the server line says of checks (`check-send-proxy`). */
  readonly default: boolean;
  readonly port: CheckExpression | undefined;
  readonly address: string | undefined;
  readonly send_proxy: boolean;
  /** Close with FIN instead of RST. */
  readonly linger: boolean;
  readonly comment: string | undefined;
};

export type SendRule = {
  readonly kind: 'send';
  /** The format makes hexadecimal digits. */
  readonly binary: boolean;
  readonly data: CheckFormat;
  readonly comment: string | undefined;
};

export type HttpSendRule = {
  readonly kind: 'http-send';
  readonly method: string | undefined;
  readonly uri: CheckFormat | undefined;
  readonly version: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: CheckFormat }[];
  readonly body: CheckFormat | undefined;
  readonly comment: string | undefined;
};

export type OkStatus = 'L7OK' | 'L7OKC' | 'L6OK' | 'L4OK';
export type ErrorStatus = 'L7OKC' | 'L7RSP' | 'L7STS' | 'L6RSP' | 'L4CON';
export type TimeoutStatus = 'L7TOUT' | 'L6TOUT' | 'L4TOUT';

export type ExpectRule = {
  readonly kind: 'expect';
  readonly negated: boolean;
  readonly match: CheckMatch;
  /** Bytes to wait for before the match decides; undefined: it may wait for more as long as it does not match. */
  readonly min_recv: number | undefined;
  readonly ok_status: OkStatus | undefined;
  readonly error_status: ErrorStatus | undefined;
  readonly timeout_status: TimeoutStatus | undefined;
  readonly on_success: CheckFormat | undefined;
  readonly on_error: CheckFormat | undefined;
  readonly status_code: CheckExpression | undefined;
  readonly comment: string | undefined;
};

export type CheckMatch =
  | { readonly kind: 'string' | 'binary'; readonly pattern: CheckFormat }
  | { readonly kind: 'regex' | 'binary-regex' | 'status-regex'; readonly pattern: string }
  | { readonly kind: 'status'; readonly ranges: readonly IntegerRange[] }
  | {
      readonly kind: 'header';
      /** The whole value, not its comma-separated parts. */
      readonly full: boolean;
      readonly name: HeaderPattern;
      readonly value: HeaderPattern | undefined;
    };

export type HeaderPattern = {
  readonly method: 'str' | 'beg' | 'end' | 'sub' | 'reg';
  readonly pattern: CheckFormat;
};

export type SetVariableRule = {
  readonly kind: 'set-var';
  /** `check.port`, `sess.x`, `proc.y` */
  readonly variable: string;
  readonly condition: 'always' | 'ifexists' | 'ifnotexists' | 'ifempty' | 'ifnotempty' | 'ifset' | 'ifnotset';
  readonly value: CheckFormat;
};

/** A sample fetch and its converters: `var(check.port),add(1)`. */
export type CheckExpression = {
  readonly fetch: string;
  readonly args: readonly string[];
  readonly converters: readonly { readonly name: string; readonly args: readonly string[] }[];
};

/** Literal text and expressions in turn; the parts are put one behind the other. */
export type CheckFormat = readonly (string | CheckExpression)[];

/** `agent-check`: a program at the server's side that is asked for words. */
export type AgentCheck = {
  /** '' is the server's own address. A name until control/ has resolved it. */
  readonly address: string;
  readonly port: number;
  readonly inter_ms: number;
  readonly send: string;
};

export type ServerCheck = {
  readonly inter_ms: number;
  readonly fastinter_ms: number | undefined;
  readonly downinter_ms: number | undefined;
  readonly rise: number;
  readonly fall: number;
  /** Where the check goes when not to the server's own endpoint; '' and 0 in it stand for the server's own. */
  readonly endpoint: Endpoint | undefined;
  /** Begin with a PROXY protocol line. */
  readonly send_proxy: boolean;
};

/** `track BACKEND/SERVER`: take over that server's operational state. */
export type TrackedServer = { readonly backend: string; readonly server: string };
