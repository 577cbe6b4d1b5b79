/** `external-check command COMMAND` and `external-check path PATH`. */
import type { ProxyDraft } from '../drafts.ts';
import type { Context, Statement } from '../keyword.ts';
import { Words } from './words.ts';

export function parseExternalCheck(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const [name, ...rest] = args;
  const words = new Words(name ?? keyword, rest, context);
  if (name === undefined || (name.text !== 'command' && name.text !== 'path')) {
    words.fail(name ?? keyword, 'unknown-keyword', '`external-check` takes `command` or `path`.');
    return;
  }
  const value = words.value(name);
  if (value === undefined || !words.end()) return;
  draft.checks[name.text] = value.text;
  draft.spans[`external_check_${name.text}`] = value.span;
}
