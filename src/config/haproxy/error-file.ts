/** `errorfile CODE FILE` (manual 4.2 "errorfile"). The file itself is read when the process starts. */
import { parseInteger } from '../values.ts';
import { spanOf } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, refuseMore, type Statement } from './keyword.ts';

/** HAProxy's list; a file for a status that carpool itself never sends is never used. */
const STATUSES = [200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, 502, 503, 504];

export function parseErrorFile(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [code, path] = args;
  if (code === undefined || path === undefined) {
    const mend = 'Write for example `errorfile 503 /etc/haproxy/errors/503.http`.';
    return report.error(keyword.span, 'missing-value', '`errorfile` needs a status code and a file.', mend);
  }
  refuseMore(args.slice(2), path, report);
  const status = parseInteger(code, { what: 'The status', min: 200, max: 599 }, report);
  if (status === undefined) return;
  if (!STATUSES.includes(status)) {
    const message = `Status ${status} has no reply that a file could replace.`;
    return report.warning(code.span, 'no-effect', message, `There are ${STATUSES.join(', ')}.`);
  }
  const others = draft.error_files.filter((file) => file.status !== status);
  draft.error_files = [...others, { status, path: path.text, content: undefined, span: spanOf([keyword, ...args]) }];
}
