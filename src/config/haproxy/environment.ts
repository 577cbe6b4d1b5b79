/** `setenv`, `presetenv`, `unsetenv` and `resetenv` (manual 3.1): what the lines behind them see as environment. */
import type { Keyword } from './keyword.ts';
import type { Environment } from './tokenizer.ts';

export type MutableEnvironment = Record<string, string | undefined>;

const GLOBAL = ['global'] as const;

/** A copy: the process's own environment stays as it is. */
export function copyEnvironment(env: Environment): MutableEnvironment {
  return { ...env };
}

export const ENVIRONMENT_KEYWORDS: readonly Keyword<unknown>[] = [
  setting('setenv', 'Sets an environment variable for the lines behind it.', (env, name, value) => {
    env[name] = value;
  }),
  setting(
    'presetenv',
    'Sets an environment variable for the lines behind it, unless it has a value.',
    (env, name, value) => {
      env[name] ??= value;
    },
  ),
  {
    name: 'unsetenv',
    sections: GLOBAL,
    help: 'Removes environment variables for the lines behind it.',
    has_effect: true,
    parse: (_draft, { args }, { env }) => {
      for (const { text } of args) env[text] = undefined;
    },
  },
  {
    name: 'resetenv',
    sections: GLOBAL,
    help: 'Removes all environment variables but the named ones for the lines behind it.',
    has_effect: true,
    parse: (_draft, { args }, { env }) => {
      const kept = new Set(args.map(({ text }) => text));
      for (const name of Object.keys(env)) if (!kept.has(name)) env[name] = undefined;
    },
  },
];

function setting(
  name: string,
  help: string,
  set: (env: MutableEnvironment, name: string, value: string) => void,
): Keyword<unknown> {
  return {
    name,
    sections: GLOBAL,
    help,
    has_effect: true,
    parse: (_draft, { keyword, args }, { env, report }) => {
      const [variable, value] = args;
      if (variable !== undefined && value !== undefined) return set(env, variable.text, value.text);
      const mend = `Write for example \`${name} PORT 8080\`.`;
      report.error(keyword.span, 'missing-value', `\`${name}\` needs a name and a value.`, mend);
    },
  };
}
