/** One configuration, whatever it was written in, in the words of one system. */
import type { Config } from '../model.ts';
import { toFreebsd9, toFreebsd10, toOpenbsd } from './bsd.ts';
import { toNative } from './native.ts';
import type { Conversion } from './text.ts';
import { toDebian, toUcarp } from './ucarp.ts';

export const TARGETS = ['native', 'freebsd9', 'freebsd10', 'openbsd', 'ucarp', 'debian'] as const;
export type Target = (typeof TARGETS)[number];

const WRITERS: Readonly<Record<Target, (config: Config) => Conversion>> = {
  native: toNative,
  freebsd9: toFreebsd9,
  freebsd10: toFreebsd10,
  openbsd: toOpenbsd,
  ucarp: toUcarp,
  debian: toDebian,
};

export function convert(config: Config, target: Target): Conversion {
  const { files, losses } = WRITERS[target](config);
  return { files: files.filter(({ text }) => text !== ''), losses };
}
