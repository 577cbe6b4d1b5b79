/** carpool's own lines of the global section: what holds for CARP on this host as a whole. */
import { readSysctl } from '../freebsd/sysctl.ts';
import type { Word } from '../word.ts';
import { checkInterfaceName } from './carp-keywords.ts';
import type { GlobalDraft } from './drafts.ts';
import { type Context, type Keyword, refuseMore, type Statement } from './keyword.ts';

const GLOBAL = ['global'] as const;

export const GLOBAL_CARP_KEYWORDS: readonly Keyword<GlobalDraft>[] = [
  {
    name: 'interface',
    sections: GLOBAL,
    help: '`interface em0 = eth0`: what the name in an rc.conf or hostname file is called here; one line for each.',
    has_effect: true,
    parse: parseInterfaceName,
  },
  {
    name: 'sysctl',
    sections: GLOBAL,
    help: '`sysctl net.inet.carp.preempt=1`: a setting of the whole host, as in sysctl.conf; one line for each.',
    has_effect: true,
    parse: parseSysctl,
  },
];

/** With or without spaces around the `=`. */
function parseInterfaceName(draft: GlobalDraft, { keyword, args }: Statement, context: Context): undefined {
  const [name, link, ...more] = args.flatMap(splitAtEquals);
  if (name === undefined || link === undefined) {
    const message = '`interface` needs the name in the file and the name of the link here.';
    return context.report.error(keyword.span, 'missing-value', message, 'Write for example `interface em0 = eth0`.');
  }
  refuseMore(more, link, context.report);
  const earlier = draft.interface_names.find((one) => one.name === name.text);
  if (earlier !== undefined) {
    const message = `\`${name.text}\` has a name already in line ${earlier.span.line}.`;
    return context.report.error(name.span, 'assigned-twice', message, 'Remove one of the two lines.');
  }
  if (!checkInterfaceName(name, context) || !checkInterfaceName(link, context)) return;
  draft.interface_names.push({ name: name.text, link: link.text, span: name.span });
}

function splitAtEquals({ text, span }: Word): Word[] {
  return text.split('=').flatMap((part) => (part === '' ? [] : [{ text: part, span }]));
}

function parseSysctl(draft: GlobalDraft, { keyword, args }: Statement, context: Context): undefined {
  const [word, ...more] = args;
  const [, name, value] = /^([^=]+)=(.+)$/.exec(word?.text ?? '') ?? [];
  if (word === undefined || name === undefined || value === undefined)
    return context.report.error(
      (word ?? keyword).span,
      'bad-sysctl',
      '`sysctl` needs a name, `=` and a value, without spaces.',
      'Write for example `sysctl net.inet.carp.preempt=1`.',
    );
  refuseMore(more, word, context.report);
  const setting = readSysctl({ text: name, span: word.span }, { text: value, span: word.span }, context.report);
  if (setting !== undefined) draft.sysctls.push(setting);
}
