/**
 * `userlist` sections (manual 3.4). Who belongs to which group may be said on either side:
 *
 *   group staff users anna,ben        group staff
 *   user anna password $6$…           user anna password $6$… groups staff
 */
import type { Span } from '../diagnostic.ts';
import type { Account, Password, Userlist } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import {
  type AskedUserlist,
  type Context,
  type Keyword,
  refuseMore,
  type SectionKind,
  type Statement,
} from './keyword.ts';

type Group = { readonly name: string; readonly users: Word | undefined };
type User = Omit<Account, 'groups'> & { readonly groups: Word | undefined };

export type UserlistDraft = {
  readonly name: string;
  readonly span: Span;
  readonly groups: Group[];
  readonly users: User[];
};

const SECTIONS: readonly SectionKind[] = ['userlist'];
const USER_WORDS = ['password', 'insecure-password', 'groups'];

export const USERLIST_KEYWORDS: readonly Keyword<UserlistDraft>[] = [
  {
    name: 'group',
    sections: SECTIONS,
    help: '`group NAME [users USER,USER]`: what `http_auth_group(LIST)` is compared with.',
    has_effect: true,
    parse: parseGroup,
  },
  {
    name: 'user',
    sections: SECTIONS,
    help: '`user NAME [password HASH|insecure-password TEXT] [groups GROUP,GROUP]`; HASH is what crypt(3) of the host understands.',
    has_effect: true,
    parse: parseUser,
  },
];

export function newUserlist(name: string, span: Span): UserlistDraft {
  return { name, span, groups: [], users: [] };
}

/** `asked`: what conditions name. */
export function finishUserlists(
  drafts: readonly UserlistDraft[],
  asked: readonly AskedUserlist[],
  report: Reporter,
): readonly Userlist[] {
  for (const one of asked) checkAsked(one, drafts, report);
  for (const draft of drafts) checkMembers(draft, report);
  return drafts.map((draft) => ({
    name: draft.name,
    accounts: draft.users.map((user) => ({ ...user, groups: groupsOf(user, draft) })),
    span: draft.span,
  }));
}

function checkAsked(
  { name, span, groups }: AskedUserlist,
  drafts: readonly UserlistDraft[],
  report: Reporter,
): undefined {
  const draft = drafts.find((known) => known.name === name);
  if (draft === undefined) {
    const names = drafts.map((known) => known.name);
    const mend = didYouMean(name, names) ?? `Write a section \`userlist ${name}\`.`;
    return report.error(span, 'unknown-userlist', `There is no userlist \`${name}\`.`, mend);
  }
  const names = draft.groups.map((group) => group.name);
  for (const { text, span } of groups) {
    if (names.includes(text)) continue;
    const message = `The userlist \`${name}\` has no group \`${text}\`.`;
    report.error(span, 'unknown-group', message, didYouMean(text, names));
  }
}

function groupsOf({ name, groups }: User, draft: UserlistDraft): string[] {
  const listing = draft.groups.filter(({ users }) => users && split(users).includes(name));
  return [...new Set([...(groups ? split(groups) : []), ...listing.map((group) => group.name)])];
}

/** As in HAProxy, each side names only what is there. */
function checkMembers({ groups, users }: UserlistDraft, report: Reporter): void {
  const check = (word: Word | undefined, what: string, known: readonly { readonly name: string }[]) => {
    const names = known.map(({ name }) => name);
    for (const name of word ? split(word) : []) {
      if (names.includes(name)) continue;
      const message = `The userlist has no ${what} \`${name}\`.`;
      report.error((word as Word).span, `unknown-${what}`, message, didYouMean(name, names));
    }
  };
  for (const group of groups) check(group.users, 'user', users);
  for (const user of users) check(user.groups, 'group', groups);
}

function split({ text }: Word): string[] {
  return text.split(',').filter((name) => name !== '');
}

function parseGroup(draft: UserlistDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [name, word, users, ...more] = args;
  if (name === undefined || (word !== undefined && (word.text !== 'users' || users === undefined))) {
    const mend = 'Write for example `group staff users anna,ben`.';
    return report.error((word ?? keyword).span, 'bad-value', '`group` needs a name, and may say `users`.', mend);
  }
  refuseMore(more, name, report);
  if (isNew(name, draft.groups, 'group', report)) draft.groups.push({ name: name.text, users });
}

function parseUser(draft: UserlistDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [name, ...words] = args;
  if (name === undefined) {
    const mend = 'Write for example `user anna insecure-password secret groups staff`.';
    return report.error(keyword.span, 'missing-value', '`user` needs a name.', mend);
  }
  let password: Password | undefined;
  let groups: Word | undefined;
  for (let at = 0; at < words.length; at += 2) {
    const [word, value] = [words[at], words[at + 1]];
    if (!USER_WORDS.includes(word.text)) {
      const mend = didYouMean(word.text, USER_WORDS);
      return report.error(word.span, 'unknown-keyword', `\`${word.text}\` says nothing of a user.`, mend);
    }
    if (value === undefined) return report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
    if (word.text === 'groups') groups = value;
    else password = { kind: word.text === 'password' ? 'crypt' : 'plain', text: value.text, span: value.span };
  }
  if (isNew(name, draft.users, 'user', report))
    draft.users.push({ name: name.text, password, groups, span: keyword.span });
}

/** The first one holds, as in HAProxy. */
function isNew(name: Word, known: readonly { readonly name: string }[], what: string, report: Reporter): boolean {
  const is_new = !known.some((other) => other.name === name.text);
  if (!is_new)
    report.warning(
      name.span,
      'duplicate-name',
      `The ${what} \`${name.text}\` exists already: this line is not heeded.`,
    );
  return is_new;
}
