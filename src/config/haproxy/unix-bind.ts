/** `unix-bind` of the global section: what the files of listening sockets are like where their `bind` says nothing (manual 3.1). */
import type { Bind, Identity } from '../model.ts';
import { NO_IDENTITY } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isUnixAddress, parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { checkUnixAddress } from './address.ts';
import type { GlobalDraft } from './drafts.ts';
import type { Context, Keyword } from './keyword.ts';
import { LAST_ID, parseMode } from './socket-file.ts';

/** `prefix` stands before each path. */
export type UnixBind = { prefix: string; mode: number | undefined; identity: Identity };

export const NO_UNIX_BIND: UnixBind = { prefix: '', mode: undefined, identity: NO_IDENTITY };

const WORDS = ['prefix', 'mode', 'user', 'uid', 'group', 'gid'] as const;

export const UNIX_BIND: Keyword<GlobalDraft> = {
  name: 'unix-bind',
  sections: ['global'],
  help: '`prefix`, `mode`, `user`, `uid`, `group`, `gid` of the sockets of `bind` lines that do not say it themselves.',
  has_effect: true,
  parse: (draft, { keyword, args }, context) => {
    if (args.length === 0) {
      const message = '`unix-bind` needs at least one word and its value.';
      context.report.error(keyword.span, 'missing-value', message, 'Write for example `unix-bind mode 660`.');
    }
    for (let at = 0; at < args.length; at += 2) set(draft, args[at], args[at + 1], context);
  },
};

function set(draft: GlobalDraft, word: Word, value: Word | undefined, context: Context): undefined {
  const { report } = context;
  const known = WORDS.find((name) => name === word.text);
  if (known === undefined) {
    const message = `\`${word.text}\` is not a word that \`unix-bind\` knows.`;
    return report.error(word.span, 'unknown-keyword', message, didYouMean(word.text, WORDS));
  }
  if (value === undefined) return report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
  const { unix_bind } = draft;
  if (known === 'prefix') draft.unix_bind = { ...unix_bind, prefix: value.text };
  else if (known === 'mode') draft.unix_bind = { ...unix_bind, mode: parseMode(value, context) ?? unix_bind.mode };
  else draft.unix_bind = { ...unix_bind, identity: { ...unix_bind.identity, [known]: ownerOf(known, value, context) } };
}

function ownerOf(name: keyof Identity, value: Word, { report }: Context): string | number | undefined {
  if (name === 'user' || name === 'group') return value.text;
  return parseInteger(value, { what: name, min: 0, max: LAST_ID }, report);
}

/** What the line itself says goes first. Abstract names have no file. */
export function withUnixBind(bind: Bind, { prefix, mode, identity }: UnixBind, report: Reporter): Bind {
  const { address } = bind.endpoint;
  if (!isUnixAddress(address) || address.startsWith('@')) return bind;
  checkUnixAddress(`${prefix}${address}`, bind, { report });
  const { user, uid, group, gid } = bind.identity;
  const has_user = user !== undefined || uid !== undefined;
  const has_group = group !== undefined || gid !== undefined;
  return {
    ...bind,
    endpoint: { ...bind.endpoint, address: `${prefix}${address}` },
    mode: bind.mode ?? mode,
    identity: {
      user: has_user ? user : identity.user,
      uid: has_user ? uid : identity.uid,
      group: has_group ? group : identity.group,
      gid: has_group ? gid : identity.gid,
    },
  };
}
