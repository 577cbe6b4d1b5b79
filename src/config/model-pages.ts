/** What of the model concerns the pages and replies that the daemon serves itself. */
import type { Span } from './diagnostic.ts';
import type { RuleCondition } from './model-rules.ts';
import type { ReplyHead } from './stored-reply.ts';

/** The statistics page (manual 4.2, "stats …"). */
export type StatsPage = {
  /** What the request's target begins with. */
  readonly uri: string;
  readonly realm: string;
  /** `user:password`; none: everybody may look. */
  readonly users: readonly string[];
  /** `stats http-request`: the first that holds decides; without any the users do. */
  readonly rules: readonly StatsRule[];
  /** Undefined: the browser does not ask again by itself. */
  readonly refresh_s: number | undefined;
  /** Clients for whom one of these holds may change servers. */
  readonly admin: readonly RuleCondition[];
  readonly shows_version: boolean;
  readonly shows_legends: boolean;
  readonly node: string | undefined;
  readonly description: string | undefined;
  /** Proxies that are shown, `.` being the section itself; none: all. */
  readonly scopes: readonly string[];
};

export type StatsRule = {
  readonly action: 'allow' | 'deny' | 'auth';
  /** Of `auth`; undefined: the page's. */
  readonly realm: string | undefined;
  readonly when: RuleCondition | undefined;
};

/** `http-request use-service prometheus-exporter`. */
export type Exporter = { readonly when: RuleCondition | undefined };

/** A reply of the user's own for one status; `content` is filled by control/ where there is a file to read. */
export type ErrorFile = {
  readonly status: number;
  readonly path: string | undefined;
  /** The file is only the body behind it; undefined: it is the whole reply. */
  readonly head: ReplyHead | undefined;
  readonly content: Uint8Array | undefined;
  readonly span: Span;
};
