/**
 * Whether a form was sent by a page of ours. A browser sends its user's password, and asks from its user's address, whoever wrote
 * the form: without this, any page on the web could order what its reader may. What browsers say of where a form stood:
 *
 *   Sec-Fetch-Site   all that are not old: `same-origin`, or `none` where the user typed the address
 *   Origin           with every POST; `null` where they will not tell
 *   Referer          older ones
 *
 * Programs (curl, scripts for HAProxy's page) send none of the three, and nobody can make them send what they do not want to.
 */
import type { PageQuestion } from '../../proxy/http/page.ts';

export function isForeign({ fields }: Pick<PageQuestion, 'fields'>): boolean {
  const { host, origin, referer, 'sec-fetch-site': site } = fields;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const from = origin ?? referer;
  return from !== undefined && hostOf(from) !== host?.toLowerCase();
}

/** Undefined: `null`, or nothing that can be understood. */
function hostOf(url: string): string | undefined {
  return /^https?:\/\/([^/?#@]+)/i.exec(url)?.[1]?.toLowerCase();
}
