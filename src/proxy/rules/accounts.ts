/**
 * Who a request says it is, and whether a `userlist` believes it (manual 3.4, `http_auth` in 7.3.6). A hash costs milliseconds by
 * intention, and this thread waits for it, so what was found out is kept: as digests, never as passwords.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type * as model from '../../config/model.ts';
import { crypt, hasCrypt } from '../../system/password-hash.ts';
import { basicCredentials } from '../sample/basic-credentials.ts';

/** Of one list. When it is full it begins anew. */
const MOST_KNOWN = 1024;
const COLON = 58;

type List = {
  readonly accounts: ReadonlyMap<string, model.Account>;
  /** Digests of credentials that were right. */
  readonly right: Set<string>;
};

export class Accounts {
  private readonly lists: ReadonlyMap<string, List>;

  /** Before a chroot hides crypt(3). */
  constructor(userlists: readonly model.Userlist[]) {
    if (userlists.length > 0) hasCrypt();
    this.lists = new Map(
      userlists.map(({ name, accounts }) => [
        name,
        { accounts: new Map(accounts.map((account) => [account.name, account])), right: new Set() },
      ]),
    );
  }

  /** `field`: the value of Authorization. Undefined: nobody of that list. */
  find(list_name: string, field: string | undefined): model.Account | undefined {
    const list = this.lists.get(list_name);
    const credentials = basicCredentials(field);
    if (list === undefined || credentials === undefined) return undefined;
    const colon = credentials.indexOf(COLON);
    const account = list.accounts.get(credentials.toString('utf8', 0, colon));
    if (account?.password === undefined) return undefined;
    const digest = createHash('sha256').update(credentials).digest('base64');
    if (list.right.has(digest)) return account;
    if (!isRight(account.password, credentials.toString('utf8', colon + 1))) return undefined;
    if (list.right.size >= MOST_KNOWN) list.right.clear();
    list.right.add(digest);
    return account;
  }
}

function isRight({ kind, text }: model.Password, given: string): boolean {
  const made = kind === 'plain' ? given : given.includes('\0') ? undefined : crypt(given, text);
  return made !== undefined && isSame(Buffer.from(made), Buffer.from(text));
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
