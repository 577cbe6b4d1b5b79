/** Rules that choose: `use_backend`, `use-server`, `force-persist`, `ignore-persist`, `monitor-uri`, `monitor fail` (manual 4.2). */
import type { NamedChoice } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';
import { parseRuleCondition } from './conditions/acl.ts';
import { asksAboutHttp } from './conditions/layer.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, type Keyword, onlyArgument, type Statement } from './keyword.ts';

type Parse = Keyword<ProxyDraft>['parse'];

export const CHOICE_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  {
    name: 'use_backend',
    sections: ['frontend', 'listen'],
    help: 'The backend of requests for which a condition holds; the first such line counts.',
    has_effect: true,
    parse: choice((draft) => draft.use_backends, 'a backend', 'use_backend api if { path_beg /api }'),
  },
  {
    name: 'use-server',
    sections: ['listen', 'backend'],
    help: 'The server of requests for which a condition holds; the first such line whose server works counts.',
    has_effect: true,
    parse: choice((draft) => draft.use_servers, 'a server', 'use-server web1 if { src 10.0.0.0/8 }'),
  },
  {
    name: 'force-persist',
    sections: ['listen', 'backend'],
    help: "Where a condition holds, the cookie's server is used even when it is down.",
    has_effect: true,
    parse: persistence('force'),
  },
  {
    name: 'ignore-persist',
    sections: ['listen', 'backend'],
    help: 'Where a condition holds, the cookie does not choose the server.',
    has_effect: true,
    parse: persistence('ignore'),
  },
  {
    name: 'monitor-uri',
    sections: ['defaults', 'frontend', 'listen'],
    help: 'A URI that is answered here, with 200, and not logged.',
    has_effect: true,
    parse: (draft, statement, context) => {
      const uri = onlyArgument(statement, 'a URI', context);
      if (uri) draft.monitor_uri = uri.text;
    },
  },
  {
    name: 'monitor',
    sections: ['frontend', 'listen'],
    help: '`monitor fail if …`: the `monitor-uri` is answered with 503 while a condition holds.',
    has_effect: true,
    parse: parseMonitorFail,
  },
];

function choice(list: (draft: ProxyDraft) => NamedChoice[], what: string, example: string): Parse {
  return (draft, { keyword, args }, context) => {
    const [name, ...rest] = args;
    if (name === undefined) {
      context.report.error(
        keyword.span,
        'missing-value',
        `\`${keyword.text}\` needs the name of ${what}.`,
        `Write for example \`${example}\`.`,
      );
    } else if (name.text.includes('%[')) {
      const message = `Names that are made of samples (\`${name.text}\`) are not supported yet.`;
      context.report.error(name.span, 'unsupported-value', message, 'Write a line for each name.');
    } else {
      const when = parseRuleCondition(rest, name, draft.acls, context);
      if (when !== undefined) list(draft).push({ name: name.text, when: when ?? undefined, span: name.span });
    }
  };
}

function persistence(kind: 'force' | 'ignore'): Parse {
  return (draft, { keyword, args }, context) => {
    const when = neededCondition(args, keyword, draft, context);
    if (when) draft.persist_rules.push({ kind, when });
  };
}

function parseMonitorFail(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const [fail, ...rest] = args;
  if (fail?.text !== 'fail') {
    const mend = 'Write for example `monitor fail if { nbsrv(web) lt 1 }`.';
    context.report.error((fail ?? keyword).span, 'bad-value', '`fail` must follow `monitor`.', mend);
    return;
  }
  const when = neededCondition(rest, fail, draft, context);
  if (when) draft.monitor_fails.push(when);
}

function neededCondition(words: readonly Word[], after: Word, draft: ProxyDraft, context: Context) {
  const when = parseRuleCondition(words, after, draft.acls, context);
  if (when !== null) return when;
  const mend = 'Write `if` or `unless` and a condition.';
  return context.report.error(after.span, 'missing-value', `\`${after.text}\` needs a condition.`, mend);
}

/** What asks about requests never holds where none are read. */
export function reportHttpConditions({ mode }: ProxyDraft, choices: readonly NamedChoice[], report: Reporter): void {
  if (mode === 'http') return;
  for (const { when, span } of choices) {
    if (when === undefined || !asksAboutHttp(when)) continue;
    const message = 'This condition asks about HTTP, which is not read in `mode tcp`: nothing of it is found.';
    report.warning(span, 'no-effect', message, 'Write `mode http`.');
  }
}
