/** `load-server-state-from-file` and `server-state-file-name` (manual 4.2): where a backend finds what its servers were. */
import { didYouMean } from '../suggest.ts';
import type { ProxyDraft } from './drafts.ts';
import { BACK, type Keyword, onlyArgument, refuseMore } from './keyword.ts';

const PLACES = ['global', 'local', 'none'];

export const SERVER_STATE_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  {
    name: 'load-server-state-from-file',
    sections: BACK,
    help: 'Begin with the states that servers had: from the file of the `global` section, from a `local` one, or `none`.',
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, '`global`, `local` or `none`', context);
      if (word === undefined) return;
      draft.spans['states_from'] = word.span;
      if (word.text === 'global' || word.text === 'local') draft.states_from = word.text;
      else if (word.text === 'none') draft.states_from = undefined;
      else {
        const mend = didYouMean(word.text, PLACES) ?? 'Write `global`, `local` or `none`.';
        context.report.error(word.span, 'unknown-value', `\`${word.text}\` is no place of server states.`, mend);
      }
    },
  },
  {
    name: 'server-state-file-name',
    sections: BACK,
    help: 'The file for `load-server-state-from-file local` (called as the backend).',
    has_effect: true,
    parse: (draft, { keyword, args }, { report }) => {
      refuseMore(args.slice(1), args[0] ?? keyword, report);
      draft.states_file = args[0]?.text === 'use-backend-name' ? undefined : args[0]?.text;
    },
  },
];
