/** What the expressions and rules of a check may ask about. */

/** A number, a truth value, or a string with one character a byte; undefined: there is nothing. */
export type Value = string | number | boolean | undefined;

/** Of the server and its surroundings: the same for all its checks. */
export interface ServerFacts {
  readonly backend: string;
  readonly server: string;
  /** Where the server is. */
  readonly address: string;
  readonly port: number;
  readonly host_name: string;
  /** Seconds since 1970. */
  now_s(): number;
  environment(name: string): string | undefined;
  /** The value of `X-Haproxy-Server-State`. */
  state(): string;
  /** Not DOWN. */
  isUp(): boolean;
  /** `proc.…`, shared by all checks. */
  readonly process_variables: Map<string, Value>;
}

/** Of one check while it runs. */
export interface CheckFacts {
  readonly about: ServerFacts;
  /** `check.…` and `sess.…` */
  readonly variables: Map<string, Value>;
  /** What was received, one character a byte; of an HTTP answer its body. */
  payload(): string;
  /** The status of an HTTP answer, 0 before there is one. */
  status(): number;
  /** The first header of that name (lower case) in an HTTP answer. */
  header(name: string): string | undefined;
}
