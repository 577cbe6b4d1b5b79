/** What of the model concerns the pages that the daemon serves itself. */

/** The statistics page (manual 4.2, "stats …"). */
export type StatsPage = {
  /** What the request's target begins with. */
  readonly uri: string;
  readonly realm: string;
  /** `user:password`; none: everybody may look. */
  readonly users: readonly string[];
  /** Undefined: the browser does not ask again by itself. */
  readonly refresh_s: number | undefined;
  /** Who may change servers. */
  readonly admin: 'nobody' | 'local' | 'everybody';
  readonly shows_version: boolean;
  readonly shows_legends: boolean;
  readonly node: string | undefined;
  readonly description: string | undefined;
  /** Proxies that are shown, `.` being the section itself; none: all. */
  readonly scopes: readonly string[];
};

/** `http-request use-service prometheus-exporter`: '' is every path. */
export type Exporter = { readonly path: string; readonly prefix: boolean };
