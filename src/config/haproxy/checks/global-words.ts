/** The keywords of the global section that are about checks. */
import { parseDuration, parseInteger } from '../../values.ts';
import type { GlobalDraft } from '../drafts.ts';
import { type Keyword, noArguments, onlyArgument, refuseMore } from '../keyword.ts';

const sections = ['global'] as const;

export const CHECK_KEYWORDS: readonly Keyword<GlobalDraft>[] = [
  {
    name: 'external-check',
    sections,
    help: 'Allow checks to run programs.',
    has_effect: true,
    // `preserve-env` hands HAProxy's own environment on; here programs get what the manual lists, and no more
    parse: (draft, { keyword, args }, { report }) => {
      draft.external_check = true;
      refuseMore(args[0]?.text === 'preserve-env' ? args.slice(1) : args, keyword, report);
    },
  },
  {
    name: 'insecure-fork-wanted',
    sections,
    help: 'Need not be said: programs of checks are started by the control thread, never by one with traffic.',
    has_effect: true,
    parse: (_draft, statement, context) => noArguments(statement, context),
  },
  {
    name: 'spread-checks',
    sections,
    help: 'Percent by which the time between checks varies, 0 to 50 (0).',
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'a number', context);
      const percent = word && parseInteger(word, { what: 'spread-checks', min: 0, max: 50 }, context.report);
      if (percent !== undefined) draft.spread_checks = percent;
    },
  },
  {
    name: 'max-spread-checks',
    sections,
    help: 'Longest time that the first round of checks is spread over.',
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'a time', context);
      const time_ms = word && parseDuration(word, 'max-spread-checks', context.report);
      if (time_ms !== undefined) draft.max_spread_checks_ms = time_ms;
    },
  },
  {
    name: 'node',
    sections,
    help: 'The name of this node, which `http-check send-state` tells.',
    has_effect: true,
    parse: (draft, statement, context) => {
      draft.node = onlyArgument(statement, 'a name', context)?.text;
    },
  },
];
