/** Under which names vhids are shown and may be called that were written in nobody's ifconfig. */
import type { Carp } from '../model.ts';

/** `carp2:3` is a vhid of the interface `carp2`. */
export function interfaceOf({ name }: Pick<Carp, 'name'>): string {
  return name.split(':')[0];
}

/** By position: the BSDs' own names as they are, for others `carp` and their position, or the next number that is free. */
export function shownNames(drafts: readonly Pick<Carp, 'name'>[]): string[] {
  const names = drafts.map((draft) => (/^carp\d+$/.test(interfaceOf(draft)) ? interfaceOf(draft) : undefined));
  for (const [position, name] of names.entries()) {
    if (name !== undefined) continue;
    let number = position;
    while (names.includes(`carp${number}`)) number++;
    names[position] = `carp${number}`;
  }
  return names as string[];
}

/**
 * The vhids that `ifconfig NAME` is about: of an interface of that name, of the label `eth0:ucarp` that Debian's ucarp
 * stanzas of eth0 have, or shown as that. FreeBSD's vhids from 10 on are shown on their link.
 */
export function findNamed<T extends Pick<Carp, 'name' | 'dialect' | 'interface'>>(
  name: string,
  drafts: readonly T[],
): readonly T[] {
  const own = drafts.filter((draft) => interfaceOf(draft) === name);
  if (own.length > 0) return own;
  const link = /^(.+):ucarp$/.exec(name)?.[1];
  if (link !== undefined)
    return drafts.filter(({ dialect, interface: at }) => (dialect === 'debian' || dialect === 'ucarp') && at === link);
  const shown = drafts[shownNames(drafts).indexOf(name)];
  return shown === undefined || shown.dialect === 'freebsd10' ? [] : [shown];
}
