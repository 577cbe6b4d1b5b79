/**
 * What a frontend and a backend together say about connections (manual, section 4 "option httpclose" and the like): the stricter
 * of the two holds. Compiled once.
 */
import type * as model from '../../config/model.ts';

export type ConnectionRules = {
  /** The client's connection ends with each response. */
  readonly closes_client: boolean;
  /** So does the server's, and it is told with the request, or not. */
  readonly closes_server: boolean;
  readonly tells_server: boolean;
  readonly buffers_request: boolean;
  readonly reuse: model.HttpConnections['reuse'];
  readonly aborts_on_close: boolean;
  readonly prefers_last_server: boolean;
  readonly checks_cache: boolean;
};

/** Without a backend there is no server to speak to. */
export function combineRules(frontend: model.HttpConnections, backend = frontend): ConnectionRules {
  const closes_server = frontend.after_response !== 'keep-alive' || backend.after_response !== 'keep-alive';
  return {
    closes_client: frontend.after_response === 'close',
    closes_server,
    tells_server: closes_server && !backend.pretend_keepalive,
    buffers_request: frontend.buffer_request || backend.buffer_request,
    reuse: backend.reuse,
    aborts_on_close: backend.abort_on_close,
    prefers_last_server: backend.prefer_last_server,
    checks_cache: backend.check_cache,
  };
}
