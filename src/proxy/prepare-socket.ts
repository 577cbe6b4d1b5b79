/** What is set of a connection to a server before it is made: where it comes from, and TCP's own options. */
import type * as model from '../config/model.ts';
import { NO_TCP_SETTINGS } from '../config/model-defaults.ts';
import { setSource, setTcpOptions } from '../system/tcp-options.ts';

/** Null: nothing. The function says whether the system allowed it. */
export function prepareSocketOf(
  { source: own, tcp_ut_ms }: model.Server,
  backend: model.Backend,
): ((fd: number) => boolean) | null {
  const source = own ?? backend.source;
  const { keep_alive } = backend;
  if (source === undefined && tcp_ut_ms === undefined && keep_alive === undefined) return null;
  const options = { ...NO_TCP_SETTINGS, user_timeout_ms: tcp_ut_ms, keep_alive };
  return (fd) => setTcpOptions(fd, options) && (source === undefined || setSource(fd, source));
}
