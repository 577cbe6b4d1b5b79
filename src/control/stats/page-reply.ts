/** Whole HTTP replies to page questions, and who may see a page. */
import { timingSafeEqual } from 'node:crypto';
import type { StatsPage } from '../../config/model.ts';
import type { PageQuestion, PageReply } from '../../proxy/http/page.ts';
import { basicCredentials } from '../../proxy/sample/basic-credentials.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  303: 'See Other',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** `fields`: more header lines, each with its end. */
export function httpReply(
  { method, keeps, target }: PageQuestion,
  status: number,
  type: string,
  text: string,
  refresh_s?: number,
  fields = '',
): PageReply {
  const body = Buffer.from(text);
  const refresh = refresh_s === undefined || target.includes(';norefresh') ? '' : `Refresh: ${refresh_s}\r\n`;
  const head =
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n` +
    `Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n${refresh}${fields}${keeps ? '' : 'Connection: close\r\n'}\r\n`;
  return { status, bytes: Buffer.concat([Buffer.from(head), ...(method === 'HEAD' ? [] : [body])]) };
}

/** Undefined: it may look; else what it gets instead. Who is one of `stats auth` says so in HTTP's Basic scheme (RFC 7617). */
export function refuseLook(stats: StatsPage, question: PageQuestion): PageReply | undefined {
  const { may_look, realm } = question.admission;
  if (may_look === 'yes' || (may_look === 'users' && isUser(stats, question))) return undefined;
  if (may_look === 'no') return httpReply(question, 403, 'text/plain', 'This page is not for you.\n');
  const field = `WWW-Authenticate: Basic realm="${(realm ?? stats.realm).replace(/["\\]/g, '\\$&')}"\r\n`;
  return httpReply(question, 401, 'text/plain', 'This page wants a user and a password.\n', undefined, field);
}

function isUser({ users }: StatsPage, { fields }: PageQuestion): boolean {
  const given = basicCredentials(fields.authorization) ?? Buffer.alloc(0);
  // every user is compared, so that the time tells nothing
  return users.filter((user) => isSame(Buffer.from(user), given)).length > 0;
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
